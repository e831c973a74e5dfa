//! Checks a loan: a borrower, honest or not, starts a claim's items, while other workers steal from the claim.
//!
//! In the host, the borrower is another process, and its reply ends the loan. Here the borrower is a thread, and its
//! return value is the reply.

use std::sync::Arc;

use crate::check::{Interruptions, check};
use crate::item::index::ItemIndex;
use crate::queue::{Claim, SharedClaimProgress as _, Window};
use crate::run::{Run, RunCounts, join};
use crate::shared::ClaimWord;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The reply of a borrower.
#[derive(Clone, Copy)]
enum BorrowerReply {
    /// The outcomes of this many items.
    Done(usize),
    /// The outcomes of this many items. The borrower failed in the next item.
    Failed(usize),
    /// No reply, or a reply that the parent refuses.
    Lost,
}

/// Another worker steals items that the borrower has not started. After the loan, the owner runs the remaining items.
pub fn stolen() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        run_loan(&run, claim, 4, |page| BorrowerReply::Done(start_all(page, 4)));
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// While the borrower starts items, another worker steals some of them, and a stop removes the remaining items. One
/// item was not sent to the borrower.
pub fn stolen_and_stopped() {
    check(Interruptions::AtMost(2), || {
        let run = Run::with_items(5, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(5).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(3)));
        run_loan(&run, claim, 4, |page| BorrowerReply::Done(start_all(page, 4)));
        join([other, stopper]);
        let counts = run.end(None);
        assert!(counts.done >= 3, "items before the horizon must be done: {counts:?}");
    });
}

/// A stop comes while a loan ends: no item starts after the stop.
pub fn stopped_as_it_ends() {
    check(Interruptions::Any, || {
        let run = Run::with_items(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        let page = Arc::new(ClaimWord::default());
        let horizon = Arc::new(AtomicU64::new(u64::MAX));
        let stop_horizon = Arc::clone(&horizon);
        let stopper = run.spawn(move |run| {
            run.queue.stop_from(ItemIndex::new(1));
            stop_horizon.store(1, Ordering::Release);
        });
        claim.lend(Arc::clone(&page) as _, 3).settle(|_| 1);
        run.record_outcome(&claim, 0);
        let before = horizon.load(Ordering::Acquire);
        let mut done = 1;
        if claim.progress().start_next() {
            assert!(1 < before, "an item was started after the stop");
            run.record_outcome(&claim, 1);
            done = 2;
        }
        claim.end(done);
        run.release(done);
        join([stopper]);
        run.end(None);
    });
}

/// The borrower fails in its second item.
pub fn borrower_fails() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run_loan(&run, claim, 4, |page| match start_all(page, 2) {
            2 => BorrowerReply::Failed(1),
            started => BorrowerReply::Done(started),
        });
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// The borrower dies during its second item.
pub fn borrower_dies() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run_loan(&run, claim, 4, |page| {
            start_all(page, 2);
            BorrowerReply::Lost
        });
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// Words that no honest borrower writes, in this order: far too many items, no started item, and an end below
/// the number of started items.
const FALSE_WORDS: [(u32, u32); 3] = [(u32::MAX, u32::MAX), (0, 4), (3, 1)];

/// A borrower writes false words. Each item is still done or left exactly once.
pub fn hostile_borrower() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run_loan(&run, claim, 3, write_false_words);
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// The same as [`hostile_borrower`], while a stop removes items from the loan.
pub fn hostile_borrower_and_stop() {
    check(Interruptions::AtMost(2), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(2)));
        run_loan(&run, claim, 4, write_false_words);
        join([other, stopper]);
        run.end(None);
    });
}

fn write_false_words(page: &ClaimWord) -> BorrowerReply {
    FALSE_WORDS.iter().for_each(|(started, end)| page.progress().store(*started, *end));
    BorrowerReply::Lost
}

/// Starts items as an honest borrower of `sent` items does, and returns how many it started.
pub(super) fn start_all(page: &ClaimWord, sent: usize) -> usize {
    let mut started = 1;
    while started < sent && page.progress().start_next() {
        started += 1;
    }
    started
}

/// Lends a claim and sends the borrower its first `sent` items. Settles the loan by the
/// borrower's reply, and runs the remaining items.
fn run_loan(
    run: &Arc<Run>,
    mut claim: Claim<'_>,
    sent: usize,
    borrow: impl FnOnce(&ClaimWord) -> BorrowerReply + Send + 'static,
) {
    let page = Arc::new(ClaimWord::default());
    let loan = claim.lend(Arc::clone(&page) as _, sent);
    let borrower = loom::thread::spawn(move || borrow(&page));
    let reply = borrower.join().expect("loom ends with the first panic");
    let mut last = 0;
    loan.settle(|progress| {
        assert!((1..=sent.min(progress.lent)).contains(&progress.started));
        last = progress.started - 1;
        match reply {
            BorrowerReply::Done(done) => {
                assert!(done <= progress.lent, "the borrower started items that it no longer had");
                done
            }
            BorrowerReply::Failed(done) => {
                assert!(done < progress.lent, "the borrower started items that it no longer had");
                done + 1
            }
            BorrowerReply::Lost => progress.started,
        }
    });
    let (done, failed) = match reply {
        BorrowerReply::Done(done) => (done, None),
        BorrowerReply::Failed(done) => (done, Some(done)),
        BorrowerReply::Lost => (0, Some(last)),
    };
    (0..done).for_each(|at| run.record_outcome(&claim, at));
    let Some(failed) = failed else {
        run.release(done);
        return run_remaining(run, claim, done);
    };
    claim.keep(failed, done);
    run.record_outcome(&claim, failed);
    claim.end(failed + 1);
    run.release(done + 1);
}

/// Runs the remaining items of a claim whose first `done` items have their outcome.
fn run_remaining(run: &Run, claim: Claim<'_>, mut done: usize) {
    let before = done;
    while claim.progress().start_next() {
        run.record_outcome(&claim, done);
        done += 1;
    }
    claim.end(done);
    run.release(done - before);
}
