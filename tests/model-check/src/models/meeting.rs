//! No worker is idle while an item waits, or while another holds items it has not started.
//!
//! The items meet: each ends when as many are at work as there are workers. Were one worker
//! left asleep, the others would wait for ever.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::check::{Interruptions, check};
use crate::queue::Window;
use crate::run::{Ended, Run, join};
use crate::sync::{Condvar, Mutex};

/// Where so many meet, again and again.
struct Meeting {
    of: usize,
    arrived: Mutex<usize>,
    complete: Condvar,
}

impl Meeting {
    fn of(of: usize) -> Arc<Self> {
        Arc::new(Self { of, arrived: Mutex::new(0), complete: Condvar::new() })
    }

    fn attend(&self) {
        let mut arrived = self.arrived.lock().expect("nobody panics under it");
        *arrived += 1;
        let complete = arrived.next_multiple_of(self.of);
        if *arrived == complete {
            self.complete.notify_all();
        }
        while *arrived < complete {
            arrived = self.complete.wait(arrived).expect("nobody panics under it");
        }
    }
}

/// Two workers, four items that are there, twice two that meet.
pub fn of_items_that_wait() {
    check(Interruptions::Any, || {
        let meeting = Meeting::of(2);
        let run = Run::of(4, Window::UNBOUNDED, 2);
        let others = [attending(&run, &meeting)];
        attend_all(&run, &meeting);
        join(others);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// Two workers, four items that come one after the other or together.
pub fn of_items_that_come() {
    for blocks in [&[1, 1][..], &[2], &[3, 1]] {
        check(Interruptions::AtMost(3), move || {
            let meeting = Meeting::of(2);
            let run = Run::new(Window::UNBOUNDED, 2);
            let workers = [(); 2].map(|()| attending(&run, &meeting));
            run.read(blocks, usize::MAX);
            join(workers);
            assert_eq!(run.end(None), Ended::all_done(blocks.iter().sum()));
        });
    }
}

fn attending(run: &Arc<Run>, meeting: &Arc<Meeting>) -> loom::thread::JoinHandle<()> {
    let meeting = Arc::clone(meeting);
    run.spawn(move |run| attend_all(run, &meeting))
}

fn attend_all(run: &Run, meeting: &Meeting) {
    while let Some(claim) = run.queue.claim(4) {
        run.work_off(claim, || meeting.attend());
    }
}

/// Results had filled the window twice, so that two workers wait although the third holds items
/// that it has not started. When the results are out, both take from it.
pub fn after_results_are_out() {
    const RESULTS: usize = 300;
    check(Interruptions::AtMost(3), || {
        let meeting = Meeting::of(3);
        let bytes = NonZeroUsize::new(100).expect("not zero");
        let run = Run::of(3, Window::UNBOUNDED.with_bytes(bytes), 1);
        let claim = run.queue.claim(3).expect("there are items");
        run.queue.hold(RESULTS);
        let others = [(); 2].map(|()| attending(&run, &meeting));
        run.queue.release(0, RESULTS);
        run.work_off(claim, || meeting.attend());
        join(others);
        assert_eq!(run.end(None), Ended::all_done(3));
    });
}
