//! Models one run: the host's queue, and a tally of the items that went through it.
//!
//! The tally uses the standard library's mutex, which loom does not know. An update of the tally is therefore not a
//! step of the model, and adds no interleavings.

use std::sync::{Arc, Mutex, MutexGuard};

use loom::thread::{self, JoinHandle};

use crate::block::BlockBuilder;
use crate::item::index::ItemIndex;
use crate::queue::{Claim, HasRoom, Queue, Stopped, Window};

pub(crate) struct Run {
    pub(crate) queue: Queue,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    pushed: usize,
    /// The items with an outcome, in the order of their outcomes.
    done: Vec<u64>,
    /// The number of items that were released, or are about to be.
    released: usize,
}

/// The content of an item, which the queue never reads.
const ITEM: &[u8] = b"item";
/// The share of the window that an item takes.
pub(crate) const ITEM_COST: usize = ITEM.len() + BlockBuilder::ITEM_COST;

impl Run {
    pub(crate) fn new(window: Window, workers: usize) -> Arc<Self> {
        Arc::new(Self { queue: Queue::new(window, workers), tally: Mutex::default() })
    }

    /// Creates a run whose reader has read `items` and has ended.
    pub(crate) fn with_items(items: usize, window: Window, workers: usize) -> Arc<Self> {
        let run = Self::new(window, workers);
        run.push(items).expect("the run is not stopped");
        run.queue.close();
        run
    }

    /// Runs `part` on a thread of its own.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        part: impl FnOnce(&Self) + Send + 'static,
    ) -> JoinHandle<()> {
        let run = Arc::clone(self);
        thread::spawn(move || part(&run))
    }

    /// Reads blocks of these sizes as the host's reader does, until the run is stopped. Checks after each block that at
    /// most `bound` items are pushed and not yet released.
    pub(crate) fn read(&self, blocks: &[usize], bound: usize) {
        let mut has_room = HasRoom::No;
        for items in blocks {
            if has_room == HasRoom::No && self.queue.wait_for_room().is_err() {
                break;
            }
            let Ok(room) = self.push(*items) else { break };
            has_room = room;
            let tally = self.tally();
            let held = tally.pushed - tally.released;
            assert!(held <= bound, "{held} items are held, the window is {bound}");
        }
        self.queue.close();
    }

    /// Pushes a block of this many items.
    pub(crate) fn push(&self, items: usize) -> Result<HasRoom, Stopped> {
        let mut block = BlockBuilder::new();
        (0..items).for_each(|_| block.push(ITEM));
        let has_room = self.queue.push(&mut block)?;
        self.tally().pushed += items;
        Ok(has_room)
    }

    /// Runs items as a worker does, until the queue has no more. Each claim takes at most `most` items.
    pub(crate) fn work(&self, most: usize) {
        while let Some(claim) = self.queue.claim(most) {
            self.run_claim(claim, || ());
        }
    }

    /// Runs the items of a claim that no worker steals, and calls `call` for each.
    pub(crate) fn run_claim(&self, claim: Claim<'_>, call: impl Fn()) {
        let mut done = 0;
        loop {
            call();
            self.record_outcome(&claim, done);
            done += 1;
            if !claim.progress().start_next() {
                break;
            }
        }
        claim.end(done);
        self.release(done);
    }

    /// Records the outcome of the claim's item at `at`.
    pub(crate) fn record_outcome(&self, claim: &Claim<'_>, at: usize) {
        self.tally().done.push(claim.span().first().get() + at as u64);
    }

    /// Releases items whose outcomes the consumer has taken.
    pub(crate) fn release(&self, items: usize) {
        self.tally().released += items;
        self.queue.release(items, items * ITEM_COST);
    }

    /// Takes the remaining items from the queue, as the host does after all workers have left. Checks that each item is
    /// either done or among the remaining items, exactly once.
    pub(crate) fn end(&self, reader: Option<JoinHandle<()>>) -> RunCounts {
        self.queue.stop_from(ItemIndex::default());
        if let Some(reader) = reader {
            reader.join().expect("the reader ends");
        }
        let mut left = Vec::new();
        for span in self.queue.drain() {
            left.extend((0..span.len()).map(|at| span.first().get() + at as u64));
            // Releasing more than is held would overflow.
            self.queue.release(span.len(), span.total_cost());
        }
        let done = std::mem::take(&mut self.tally().done);
        let mut all: Vec<_> = done.iter().chain(&left).copied().collect();
        all.sort_unstable();
        let read: Vec<_> = (0..self.queue.pushed()).collect();
        assert_eq!(
            all, read,
            "each item must be done or left exactly once; done: {done:?}, left: {left:?}"
        );
        RunCounts { done: done.len(), left: left.len() }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("a model ends with its first panic")
    }
}

/// The number of items by how they ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RunCounts {
    pub(crate) done: usize,
    pub(crate) left: usize,
}

impl RunCounts {
    pub(crate) const fn all_done(items: usize) -> Self {
        Self { done: items, left: 0 }
    }
}

/// Joins threads of a model.
pub(crate) fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("loom ends with the first panic");
    }
}
