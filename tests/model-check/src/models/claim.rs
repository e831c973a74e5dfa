//! One claim: its worker starts items, others take them over, and a stop takes them away.

use crate::check::{Interruptions, check};
use crate::item::index::ItemIndex;
use crate::queue::{Claim, Window};
use crate::run::{Ended, Run, join};

/// Two others take over what the worker of the only claim has not started.
pub fn shared() {
    check(Interruptions::AtMost(2), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let others = [(); 2].map(|()| run.spawn(|run| run.work(4)));
        run.work_off(claim, || ());
        join(others);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// While the worker starts items, another takes some over, and a stop cuts off the rest.
pub fn shared_and_cut() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(2)));
        run.work_off(claim, || ());
        join([other, stopper]);
        let ended = run.end(None);
        assert!(ended.done >= 2, "what is before the horizon is done: {ended:?}");
    });
}

/// The worker has started all items ahead of their turns, comes to two of them, and gives back the
/// rest, while another takes over what there is.
pub fn given_back() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        work_ahead(&run, claim);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// The same, while a stop cuts off the rest: nothing of it is started after that.
pub fn given_back_and_cut() {
    check(Interruptions::AtMost(2), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(4));
        let stopper = run.spawn(|run| run.queue.stop_from(ItemIndex::new(1)));
        work_ahead(&run, claim);
        join([other, stopper]);
        let ended = run.end(None);
        assert!(ended.done >= 1, "what is before the horizon is done: {ended:?}");
    });
}

/// Of the items that were started ahead, works on two; the others go back while it is on the second.
fn work_ahead(run: &Run, claim: Claim<'_>) {
    let ahead = claim.reach().start_ahead(3) as usize;
    let done = 2.min(1 + ahead);
    claim.rest().give_back(done);
    assert!(!claim.reach().start_next(), "it has nothing more to start");
    (0..done).for_each(|at| run.note_done(&claim, at));
    claim.end(done);
    run.release(done);
}
