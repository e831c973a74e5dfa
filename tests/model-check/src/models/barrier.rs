//! Checks that no worker is idle while an item waits, or while another worker has claimed items but
//! not started them.
//!
//! The items meet at a barrier: an item ends only when as many items are running as there are
//! workers. If a worker stayed asleep, the other workers would wait forever.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::check::{Interruptions, check};
use crate::queue::{SharedClaimProgress as _, Window};
use crate::run::{Run, RunCounts, join};
use crate::shared::ClaimWord;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A reusable barrier: it lets threads pass in groups of `threads`.
struct Barrier {
    threads: usize,
    arrived: Mutex<usize>,
    complete: Condvar,
}

impl Barrier {
    fn new(threads: usize) -> Arc<Self> {
        Arc::new(Self { threads, arrived: Mutex::new(0), complete: Condvar::new() })
    }

    fn arrive_and_wait(&self) {
        let mut arrived = self.arrived.lock().expect("no thread panics with the lock");
        *arrived += 1;
        let complete = arrived.next_multiple_of(self.threads);
        if *arrived == complete {
            self.complete.notify_all();
        }
        self.wait(arrived, complete);
    }

    /// Returns how many threads have arrived in total.
    fn arrivals(&self) -> usize {
        *self.arrived.lock().expect("no thread panics with the lock")
    }

    /// Waits until `all` threads have arrived in total.
    fn wait_for_arrivals(&self, all: usize) {
        self.wait(self.arrived.lock().expect("no thread panics with the lock"), all);
    }

    fn wait(&self, mut arrived: MutexGuard<'_, usize>, all: usize) {
        while *arrived < all {
            arrived = self.complete.wait(arrived).expect("no thread panics with the lock");
        }
    }
}

/// Two workers run four waiting items, which meet in two pairs.
pub fn waiting_items() {
    check(Interruptions::Any, || {
        let barrier = Barrier::new(2);
        let run = Run::with_items(4, Window::UNBOUNDED, 2);
        let others = [spawn_worker(&run, &barrier)];
        run_items(&run, &barrier);
        join(others);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// Two workers wait for items, which arrive one by one or together. The reader closes the queue
/// only after the items have met, because closing wakes every worker.
pub fn arriving_items() {
    for blocks in [&[1, 1][..], &[2], &[3, 1]] {
        check(Interruptions::AtMost(2), move || {
            let barrier = Barrier::new(2);
            let run = Run::new(Window::UNBOUNDED, 2);
            let workers = [(); 2].map(|()| spawn_worker(&run, &barrier));
            let items = blocks.iter().sum();
            for items in blocks {
                run.push(*items).expect("the run is not stopped");
            }
            barrier.wait_for_arrivals(items);
            run.queue.close();
            join(workers);
            assert_eq!(run.end(None), RunCounts::all_done(items));
        });
    }
}

fn spawn_worker(run: &Arc<Run>, barrier: &Arc<Barrier>) -> loom::thread::JoinHandle<()> {
    let barrier = Arc::clone(barrier);
    run.spawn(move |run| run_items(run, &barrier))
}

fn run_items(run: &Run, barrier: &Barrier) {
    while let Some(claim) = run.queue.claim(4) {
        run.run_claim(claim, || barrier.arrive_and_wait());
    }
}

/// A borrower receives two of four items on loan, while another worker steals items. Each item must
/// meet a second item at the barrier: a stolen item, or an item that is left after the loan.
pub fn lent_items() {
    check(Interruptions::AtMost(3), || {
        let barrier = Barrier::new(2);
        let run = Run::with_items(4, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(4).expect("there are items");
        let others = [spawn_worker(&run, &barrier)];
        let page = Arc::new(ClaimWord::default());
        let loan = claim.lend(Arc::clone(&page) as _, 2);
        let borrower_barrier = Arc::clone(&barrier);
        let borrower = loom::thread::spawn(move || {
            let mut started = 1;
            borrower_barrier.arrive_and_wait();
            while started < 2 && page.progress().start_next() {
                started += 1;
                borrower_barrier.arrive_and_wait();
            }
            started
        });
        let mut done = borrower.join().expect("loom ends with the first panic");
        loan.settle(|_| done);
        (0..done).for_each(|at| run.record_outcome(&claim, at));
        while claim.progress().start_next() {
            barrier.arrive_and_wait();
            run.record_outcome(&claim, done);
            done += 1;
        }
        claim.end(done);
        run.release(done);
        run_items(&run, &barrier);
        join(others);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// One of two workers waits for work, but cannot create a new instance. The queue wakes this worker
/// when an item arrives. The other worker must therefore claim the item before the reader closes
/// the queue.
pub fn with_a_retired_worker() {
    check(Interruptions::AtMost(3), || {
        let barrier = Barrier::new(1);
        let run = Run::new(Window::UNBOUNDED, 2);
        let retired = run.spawn(|run| {
            run.queue.wait_for_work();
        });
        let other = spawn_worker(&run, &barrier);
        run.push(1).expect("the run is not stopped");
        barrier.wait_for_arrivals(1);
        run.queue.close();
        join([retired, other]);
        assert_eq!(run.end(None), RunCounts::all_done(1));
    });
}

/// A worker retries its item only after all other items are done. Another worker must therefore
/// claim these items.
pub fn during_a_retry() {
    check(Interruptions::AtMost(3), || {
        let barrier = Barrier::new(1);
        let run = Run::with_items(3, Window::UNBOUNDED, 1);
        let mut claim = run.queue.claim(3).expect("there are items");
        let other = spawn_worker(&run, &barrier);
        claim.keep(0, 0);
        barrier.wait_for_arrivals(2);
        run.record_outcome(&claim, 0);
        claim.end(1);
        run.release(1);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(3));
    });
}

/// While a worker runs a slow item, the items that it has started ahead of time go back to the
/// queue. Another worker waits for these items.
pub fn during_a_slow_item() {
    check(Interruptions::AtMost(3), || {
        let barrier = Barrier::new(1);
        let run = Run::with_items(3, Window::UNBOUNDED, 1);
        let claim = run.queue.claim(3).expect("there are items");
        assert_eq!(claim.progress().start_ahead(2), 2, "no other worker is running");
        let other = spawn_worker(&run, &barrier);
        claim.returner().give_back(1);
        barrier.wait_for_arrivals(2);
        run.record_outcome(&claim, 0);
        claim.end(1);
        run.release(1);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(3));
    });
}

/// The waiting results exceed twice the window. Two workers therefore wait, although the third
/// worker has claimed items but not started them. After the results are delivered, the two workers
/// steal these items.
pub fn after_delivery() {
    const RESULTS: usize = 300;
    check(Interruptions::AtMost(2), || {
        let barrier = Barrier::new(3);
        let bytes = NonZeroUsize::new(100).expect("not zero");
        let run = Run::with_items(3, Window::UNBOUNDED.with_bytes(bytes), 1);
        let claim = run.queue.claim(3).expect("there are items");
        run.queue.hold(RESULTS);
        let others = [(); 2].map(|()| spawn_worker(&run, &barrier));
        // loom may interrupt here, so the workers could claim.
        run.queue.pushed();
        assert_eq!(barrier.arrivals(), 0, "no worker steals items while results wait");
        run.queue.release(0, RESULTS);
        run.run_claim(claim, || barrier.arrive_and_wait());
        join(others);
        assert_eq!(run.end(None), RunCounts::all_done(3));
    });
}
