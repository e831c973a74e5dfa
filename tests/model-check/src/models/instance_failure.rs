//! Checks a worker whose instance fails in the middle of a claim: another worker receives the remaining items, and both
//! workers end.

use crate::check::{Interruptions, check};
use crate::queue::Window;
use crate::run::{Run, RunCounts, join};

/// The failed item has a fault, and the other items go back. The worker gets a new instance and continues.
pub fn replaced() {
    fail_instance(|run| run.work(2));
}

/// The worker gets no new instance. It leaves, even if it was woken for an item.
pub fn retired() {
    fail_instance(|_| ());
}

/// Fails the instance of one worker at the first item of its claim, and then runs `after`.
fn fail_instance(after: fn(&Run)) {
    check(Interruptions::Any, move || {
        let run = Run::with_items(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run.record_outcome(&claim, 0);
        claim.end(1);
        run.release(1);
        if run.queue.wait_for_work() {
            after(&run);
        }
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(3));
    });
}

/// The worker keeps the failed item for a retry, while another worker runs the remaining items.
pub fn retried() {
    check(Interruptions::AtMost(3), || {
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let mut claim = run.queue.claim(4).expect("there are items");
        let other = run.spawn(|run| run.work(2));
        run.record_outcome(&claim, 0);
        if claim.progress().start_next() {
            let failed = claim.keep(1, 1);
            assert_eq!(failed.first().get(), 1);
            assert!(!claim.progress().start_next(), "the claim has no other items");
            run.record_outcome(&claim, 1);
            claim.end(2);
            run.release(2);
        } else {
            claim.end(1);
            run.release(1);
        }
        run.work(2);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}
