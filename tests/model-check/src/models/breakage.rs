//! Checks a worker that breaks in the middle of a claim: another worker gets the items, and both
//! leave.

use crate::check::{Interruptions, check};
use crate::queue::Window;
use crate::run::{Ended, Run, join};

/// The worker's item has a fault, and the other items go back. The worker continues when it has
/// work.
pub fn replaced() {
    broken(|run| run.work(2));
}

/// The worker cannot be replaced. It leaves, even if it was woken for an item.
pub fn retired() {
    broken(|_| ());
}

/// Breaks one worker at the first item of its claim, and then runs `after`.
fn broken(after: fn(&Run)) {
    check(Interruptions::Any, move || {
        let run = Run::of(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run.note_done(&claim, 0);
        claim.end(1);
        run.release(1);
        if run.queue.wait_for_work() {
            after(&run);
        }
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(3));
    });
}

/// The worker keeps the failed item for a retry, while others run the remaining items.
pub fn tried_again() {
    check(Interruptions::AtMost(3), || {
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let mut claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run.note_done(&claim, 0);
        if claim.reach().start_next() {
            let failed = claim.keep(1, 1);
            assert_eq!(failed.first().get(), 1);
            assert!(!claim.reach().start_next(), "the claim has no other items");
            run.note_done(&claim, 1);
            claim.end(2);
            run.release(2);
        } else {
            claim.end(1);
            run.release(1);
        }
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}
