//! Checks a stop in the middle of a run: all threads end, no item is lost, and no further item
//! starts.

use std::num::NonZeroUsize;
use std::sync::Arc;

use loom::thread::JoinHandle;

use crate::check::{Interruptions, check};
use crate::item::index::ItemIndex;
use crate::queue::Window;
use crate::run::{Run, join};
use crate::sync::atomic::{AtomicU64, Ordering};

/// Stops everything, as Ctrl-C does, with one worker.
pub fn everything() {
    stop_from(0, 1, &[3], Interruptions::AtMost(3));
}

/// Stops from a failed item on, with one worker: earlier items continue.
pub fn from_an_item() {
    stop_from(1, 1, &[2, 1], Interruptions::AtMost(3));
}

/// Stops from a failed item on, with two workers.
pub fn from_an_item_with_two_workers() {
    stop_from(1, 2, &[2, 1], Interruptions::AtMost(2));
}

/// Stops after the reader has ended, while one worker claims items.
pub fn during_a_claim() {
    check(Interruptions::Any, || {
        let run = Run::with_items(3, Window::UNBOUNDED, 1);
        let horizon = Arc::new(AtomicU64::new(u64::MAX));
        let worker = worker(&run, &horizon);
        run.queue.stop_from(ItemIndex::new(1));
        horizon.store(1, Ordering::Release);
        join([worker]);
        run.end(None);
    });
}

/// Stops while the reader is blocked in its source and cannot close the queue: waiting workers must
/// still leave.
pub fn with_a_blocked_reader() {
    check(Interruptions::AtMost(3), || {
        let run = Run::new(Window::UNBOUNDED, 2);
        let workers = [(); 2].map(|()| run.spawn(|run| run.work(2)));
        run.push(1).expect("the run is not stopped yet");
        run.queue.stop_from(ItemIndex::default());
        join(workers);
        run.end(None);
    });
}

/// Reads blocks of these sizes through a window of two items, and stops meanwhile.
fn stop_from(from: u64, workers: usize, blocks: &'static [usize], interruptions: Interruptions) {
    check(interruptions, move || {
        let items = NonZeroUsize::new(2).expect("not zero");
        let run = Run::new(Window::UNBOUNDED.with_items(items), workers);
        let horizon = Arc::new(AtomicU64::new(u64::MAX));
        let reader = run.spawn(|run| run.read(blocks, 2));
        let workers: Vec<_> = (0..workers).map(|_| worker(&run, &horizon)).collect();
        run.queue.stop_from(ItemIndex::new(from));
        horizon.store(from, Ordering::Release);
        join(workers);
        run.end(Some(reader));
    });
}

/// Starts a worker that checks before each item that the run was not stopped before this item.
fn worker(run: &Arc<Run>, horizon: &Arc<AtomicU64>) -> JoinHandle<()> {
    let horizon = Arc::clone(horizon);
    let current_horizon = move || horizon.load(Ordering::Acquire);
    run.spawn(move |run| {
        loop {
            let mut before = current_horizon();
            let Some(claim) = run.queue.claim(2) else { return };
            let mut done = 0;
            loop {
                let item = claim.span().first().get() + done as u64;
                assert!(item < before, "item {item} was started after the stop from {before}");
                run.record_outcome(&claim, done);
                done += 1;
                before = current_horizon();
                if !claim.progress().start_next() {
                    break;
                }
            }
            claim.end(done);
            run.release(done);
        }
    })
}
