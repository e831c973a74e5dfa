//! Checks a loan: another process, honest or not, starts a claim's items, while others steal from
//! the claim.
//!
//! The parent reads a process's reply at its end. Here the process is a thread.

use std::sync::Arc;

use crate::check::{Interruptions, check};
use crate::item::index::ItemIndex;
use crate::queue::{Claim, SharedClaimProgress as _, Window};
use crate::run::{Ended, Run, join};
use crate::shared::Word;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The reply of a borrower.
#[derive(Clone, Copy)]
enum Said {
    /// The outcomes of this many items.
    Done(usize),
    /// The outcomes of this many items; the next item broke the borrower.
    Broken(usize),
    /// No reply, or a reply that is not to be believed.
    Nothing,
}

/// Another worker steals items that the borrower has not started; the owner continues with the
/// rest.
pub fn shared() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        lend_off(&run, claim, 4, |page| Said::Done(start_all(page, 4)));
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// While the borrower starts items, another worker steals some, and a stop removes the rest. One
/// item was not sent.
pub fn shared_and_cut() {
    check(Interruptions::AtMost(2), || {
        let run = Run::of(5, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(5).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(3)));
        lend_off(&run, claim, 4, |page| Said::Done(start_all(page, 4)));
        join([other, stopper]);
        let ended = run.end(None);
        assert!(ended.done >= 3, "items before the horizon must be done: {ended:?}");
    });
}

/// A stop comes while a loan ends: no item starts after the stop.
pub fn stopped_as_it_ends() {
    check(Interruptions::Any, || {
        let run = Run::of(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        let page = Arc::new(Word::default());
        let told = Arc::new(AtomicU64::new(u64::MAX));
        let horizon = Arc::clone(&told);
        let stopper = run.spawn(move |run| {
            run.queue.stop_from(ItemIndex::new(1));
            horizon.store(1, Ordering::Release);
        });
        claim.lend(Arc::clone(&page) as _, 3).settle(|_| 1);
        run.note_done(&claim, 0);
        let before = told.load(Ordering::Acquire);
        let mut done = 1;
        if claim.reach().start_next() {
            assert!(1 < before, "an item was started after the stop");
            run.note_done(&claim, 1);
            done = 2;
        }
        claim.end(done);
        run.release(done);
        join([stopper]);
        run.end(None);
    });
}

/// The second item breaks the borrower.
pub fn broken() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        lend_off(&run, claim, 4, |page| match start_all(page, 2) {
            2 => Said::Broken(1),
            alone => Said::Done(alone),
        });
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// The borrower dies during its second item.
pub fn lost() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        lend_off(&run, claim, 4, |page| {
            start_all(page, 2);
            Said::Nothing
        });
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// Words that no honest borrower writes, in this order: too many items, a negative number of items,
/// and a step back.
const LIES: [(u32, u32); 3] = [(u32::MAX, u32::MAX), (0, 4), (3, 1)];

/// A borrower writes false words; each item still ends in one place.
pub fn of_a_hostile_borrower() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        lend_off(&run, claim, 3, lie);
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// The same as [`of_a_hostile_borrower`], while a stop removes items from the loan.
pub fn of_a_hostile_borrower_that_is_cut() {
    check(Interruptions::AtMost(2), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(2)));
        lend_off(&run, claim, 4, lie);
        join([other, stopper]);
        run.end(None);
    });
}

fn lie(page: &Word) -> Said {
    LIES.iter().for_each(|(started, end)| page.reach().set(*started, *end));
    Said::Nothing
}

/// Starts items as an honest borrower of `sent` items does, and returns how many it started.
pub(super) fn start_all(page: &Word, sent: usize) -> usize {
    let mut started = 1;
    while started < sent && page.reach().start_next() {
        started += 1;
    }
    started
}

/// Lends the first `sent` items of a claim, settles the loan by the borrower's reply, and runs the
/// remaining items.
fn lend_off(
    run: &Arc<Run>,
    mut claim: Claim<'_>,
    sent: usize,
    borrow: impl FnOnce(&Word) -> Said + Send + 'static,
) {
    let page = Arc::new(Word::default());
    let loan = claim.lend(Arc::clone(&page) as _, sent);
    let borrower = loom::thread::spawn(move || borrow(&page));
    let said = borrower.join().expect("loom ends with the first panic");
    let mut last = 0;
    loan.settle(|returned| {
        assert!((1..=sent.min(returned.had)).contains(&returned.started));
        last = returned.started - 1;
        match said {
            Said::Done(done) => {
                assert!(done <= returned.had, "the borrower started items that were taken away");
                done
            }
            Said::Broken(done) => {
                assert!(done < returned.had, "the borrower started items that were taken away");
                done + 1
            }
            Said::Nothing => returned.started,
        }
    });
    let (done, failed) = match said {
        Said::Done(done) => (done, None),
        Said::Broken(done) => (done, Some(done)),
        Said::Nothing => (0, Some(last)),
    };
    (0..done).for_each(|at| run.note_done(&claim, at));
    let Some(failed) = failed else {
        run.release(done);
        return go_on(run, claim, done);
    };
    claim.keep(failed, done);
    run.note_done(&claim, failed);
    claim.end(failed + 1);
    run.release(done + 1);
}

/// Runs the remaining items of a claim whose first `done` items have their outcome.
fn go_on(run: &Run, claim: Claim<'_>, mut done: usize) {
    let before = done;
    while claim.reach().start_next() {
        run.note_done(&claim, done);
        done += 1;
    }
    claim.end(done);
    run.release(done - before);
}
