//! Checks that no worker is idle while an item waits, or while another worker holds items that it
//! has not started.
//!
//! The items meet: an item ends only when as many items are running as there are workers. If a
//! worker stayed asleep, the others would wait for ever.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::check::{Interruptions, check};
use crate::queue::{SharedClaimProgress as _, Window};
use crate::run::{Ended, Run, join};
use crate::shared::Word;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A barrier for `of` threads that can be used repeatedly.
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
        let mut arrived = self.arrived.lock().expect("no thread panics with the lock");
        *arrived += 1;
        let complete = arrived.next_multiple_of(self.of);
        if *arrived == complete {
            self.complete.notify_all();
        }
        self.wait(arrived, complete);
    }

    /// Returns how many threads have arrived in total.
    fn attendance(&self) -> usize {
        *self.arrived.lock().expect("no thread panics with the lock")
    }

    /// Waits until `all` threads have arrived in total.
    fn wait_for(&self, all: usize) {
        self.wait(self.arrived.lock().expect("no thread panics with the lock"), all);
    }

    fn wait(&self, mut arrived: MutexGuard<'_, usize>, all: usize) {
        while *arrived < all {
            arrived = self.complete.wait(arrived).expect("no thread panics with the lock");
        }
    }
}

/// Two workers run four waiting items, which meet in two pairs.
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

/// Two workers wait for items, which arrive one by one or together. The reader closes the queue
/// only after the items have met, because closing wakes every worker.
pub fn of_items_that_come() {
    for blocks in [&[1, 1][..], &[2], &[3, 1]] {
        check(Interruptions::AtMost(2), move || {
            let meeting = Meeting::of(2);
            let run = Run::new(Window::UNBOUNDED, 2);
            let workers = [(); 2].map(|()| attending(&run, &meeting));
            let items = blocks.iter().sum();
            for items in blocks {
                run.push(*items).expect("nobody stops it");
            }
            meeting.wait_for(items);
            run.queue.close();
            join(workers);
            assert_eq!(run.end(None), Ended::all_done(items));
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

/// Two workers share four items on loan, but only two items were sent. Each item must meet another
/// one: an item that the other worker steals, or an item that is left after the loan.
pub fn of_items_on_loan() {
    check(Interruptions::AtMost(3), || {
        let meeting = Meeting::of(2);
        let run = Run::of(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let others = [attending(&run, &meeting)];
        let page = Arc::new(Word::default());
        let loan = claim.lend(Arc::clone(&page) as _, 2);
        let there = Arc::clone(&meeting);
        let borrower = loom::thread::spawn(move || {
            let mut started = 1;
            there.attend();
            while started < 2 && page.reach().start_next() {
                started += 1;
                there.attend();
            }
            started
        });
        let mut done = borrower.join().expect("loom ends with the first panic");
        loan.settle(|_| done);
        (0..done).for_each(|at| run.note_done(&claim, at));
        while claim.reach().start_next() {
            meeting.attend();
            run.note_done(&claim, done);
            done += 1;
        }
        claim.end(done);
        run.release(done);
        attend_all(&run, &meeting);
        join(others);
        assert_eq!(run.end(None), Ended::all_done(4));
    });
}

/// One of two workers waits to be replaced and cannot be. It is woken for an item that the other
/// worker must take before the reader closes the queue.
pub fn without_one_that_retires() {
    check(Interruptions::AtMost(3), || {
        let meeting = Meeting::of(1);
        let run = Run::new(Window::UNBOUNDED, 2);
        let retired = run.spawn(|run| {
            run.queue.wait_for_work();
        });
        let other = attending(&run, &meeting);
        run.push(1).expect("nobody stops it");
        meeting.wait_for(1);
        run.queue.close();
        join([retired, other]);
        assert_eq!(run.end(None), Ended::all_done(1));
    });
}

/// A worker keeps an item for a retry until the other items are done, so another worker must take
/// them.
pub fn while_one_is_tried_again() {
    check(Interruptions::AtMost(3), || {
        let meeting = Meeting::of(1);
        let run = Run::of(3, Window::UNBOUNDED, 1);
        let mut claim = run.queue.claim(3).expect("there are items");
        let other = attending(&run, &meeting);
        claim.keep(0, 0);
        meeting.wait_for(2);
        run.note_done(&claim, 0);
        claim.end(1);
        run.release(1);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(3));
    });
}

/// Items that were started ahead of time go back while their worker runs a slow item; another
/// worker waits for them.
pub fn while_one_is_dear() {
    check(Interruptions::AtMost(3), || {
        let meeting = Meeting::of(1);
        let run = Run::of(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        assert_eq!(claim.reach().start_ahead(2), 2, "no other worker is running");
        let other = attending(&run, &meeting);
        claim.rest().give_back(1);
        meeting.wait_for(2);
        run.note_done(&claim, 0);
        claim.end(1);
        run.release(1);
        join([other]);
        assert_eq!(run.end(None), Ended::all_done(3));
    });
}

/// Results exceed twice the window, so two workers wait although the third holds items that it has
/// not started. After the results are delivered, both steal from it.
pub fn after_results_are_out() {
    const RESULTS: usize = 300;
    check(Interruptions::AtMost(2), || {
        let meeting = Meeting::of(3);
        let bytes = NonZeroUsize::new(100).expect("not zero");
        let run = Run::of(3, Window::UNBOUNDED.with_bytes(bytes), 1);
        let claim = run.queue.claim(3).expect("there are items");
        run.queue.hold(RESULTS);
        let others = [(); 2].map(|()| attending(&run, &meeting));
        // loom may interrupt here, so the workers could claim.
        run.queue.pushed();
        assert_eq!(meeting.attendance(), 0, "no worker steals items while results wait");
        run.queue.release(0, RESULTS);
        run.work_off(claim, || meeting.attend());
        join(others);
        assert_eq!(run.end(None), Ended::all_done(3));
    });
}
