//! Checks results that wait for the result of an earlier item. If the waiting results exceed twice the window, the
//! workers run only this earlier item. They run further items after the waiting results are delivered.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::check::{Interruptions, check};
use crate::queue::Window;
use crate::run::{ITEM_COST, Run, RunCounts, join};

/// A single result exceeds twice this window, in bytes.
const WINDOW: usize = 200;
const RESULT: usize = 500;

/// The results that a consumer takes in the order of their items. The lock is no step of the model, like the lock of a
/// run's tally.
#[derive(Default)]
struct Consumer(Mutex<Results>);

#[derive(Default)]
struct Results {
    /// Items that are certainly claimed.
    claimed: BTreeSet<u64>,
    /// Items whose results are certainly held.
    held: BTreeSet<u64>,
    /// The item whose result is due.
    next: u64,
}

/// Two workers run four items.
pub fn only_the_earliest_runs() {
    check(Interruptions::AtMost(3), || {
        let bytes = NonZeroUsize::new(WINDOW).expect("not zero");
        let run = Run::with_items(4, Window::UNBOUNDED.with_bytes(bytes), 2);
        let consumer = Arc::new(Consumer::default());
        let shared = Arc::clone(&consumer);
        let other = run.spawn(move |run| shared.work(run));
        consumer.work(&run);
        join([other]);
        assert_eq!(run.end(None), RunCounts::all_done(4));
    });
}

/// The earliest item goes back because its instance failed. Another worker takes it.
pub fn the_earliest_comes_back() {
    check(Interruptions::AtMost(3), || {
        let bytes = NonZeroUsize::new(WINDOW).expect("not zero");
        let run = Run::with_items(2, Window::UNBOUNDED.with_bytes(bytes), 2);
        let first = run.queue.claim(1).expect("there are items");
        let second = run.queue.claim(1).expect("there are items");
        run.record_outcome(&second, 0);
        second.end(1);
        run.queue.hold(RESULT);
        let other = run.spawn(|run| run.work(1));
        first.end(0);
        join([other]);
        run.queue.release(1, ITEM_COST + RESULT);
        assert_eq!(run.end(None), RunCounts::all_done(2));
    });
}

impl Consumer {
    fn work(&self, run: &Run) {
        loop {
            let (next, is_overfull) = self.due_item();
            let Some(claim) = run.queue.claim(1) else { return };
            let item = claim.span().first().get();
            self.record_claim(item, is_overfull.then_some(next));
            run.record_outcome(&claim, 0);
            // loom may interrupt here, so others could claim.
            run.queue.pushed();
            self.results().claimed.remove(&item);
            claim.end(1);
            run.queue.hold(RESULT);
            let out = self.deliver(item);
            run.queue.release(out, out * (ITEM_COST + RESULT));
        }
    }

    /// Returns the item whose result is due, and whether the result of a later item is certainly held.
    fn due_item(&self) -> (u64, bool) {
        let results = self.results();
        (results.next, !results.held.is_empty())
    }

    /// Records a claim. If results were waiting before the claim, `overfull_at` is the item that was due at that time.
    fn record_claim(&self, item: u64, overfull_at: Option<u64>) {
        let mut results = self.results();
        if overfull_at == Some(results.next) {
            let earlier: Vec<_> = results.claimed.range(..item).collect();
            assert!(
                earlier.is_empty(),
                "item {item} was started although {earlier:?} were running"
            );
        }
        results.claimed.insert(item);
    }

    /// Takes the result of an item. Returns the number of results that are delivered now.
    fn deliver(&self, item: u64) -> usize {
        let mut results = self.results();
        results.held.insert(item);
        let before = results.next;
        while results.held.first() == Some(&results.next) {
            results.held.pop_first();
            results.next += 1;
        }
        usize::try_from(results.next - before).expect("a few")
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.0.lock().expect("a model ends with its first panic")
    }
}
