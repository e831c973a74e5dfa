//! Checks one claim: its worker starts items, others steal items, and a stop removes items.

use crate::check::{Interruptions, check};
use crate::item::index::ItemIndex;
use crate::queue::{Claim, Window};
use crate::run::{Run, RunCounts, join};

/// Two other workers steal items that the owner of the only claim has not started.
pub fn stolen() {
    check(Interruptions::AtMost(2), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let others = [(); 2].map(|()| run.spawn(|run| run.work(4)));
        run.run_claim(claim, || ());
        join(others);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// While the worker starts items, another steals some, and a stop removes the rest.
pub fn stolen_and_stopped() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(2)));
        run.run_claim(claim, || ());
        join([other, stopper]);
        let counts = run.end(None);
        assert!(counts.done >= 2, "items before the horizon must be done: {counts:?}");
    });
}

/// The worker has started all items ahead of time, runs two of them, and gives back the remaining items. Meanwhile,
/// another worker steals items.
pub fn given_back() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        run_with_starts_ahead(&run, claim);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// The same as [`given_back`] with a stop that removes items: none of them starts after the stop.
pub fn given_back_and_stopped() {
    check(Interruptions::AtMost(2), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(1)));
        run_with_starts_ahead(&run, claim);
        join([other, stopper]);
        let counts = run.end(None);
        assert!(counts.done >= 1, "items before the horizon must be done: {counts:?}");
    });
}

/// Starts three items ahead of time and runs two items in all. The other items go back during the second item.
fn run_with_starts_ahead(run: &Run, claim: Claim<'_>) {
    let ahead = claim.progress().start_ahead(3) as usize;
    let done = 2.min(1 + ahead);
    claim.returner().give_back(done);
    assert!(!claim.progress().start_next(), "the worker has nothing left to start");
    (0..done).for_each(|at| run.record_outcome(&claim, at));
    claim.end(done);
    run.release(done);
}
