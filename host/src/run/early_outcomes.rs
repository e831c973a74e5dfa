//! Outcomes of native workers. Nothing interrupts a native worker, so the consumer fetches its
//! outcomes while the claim is unfinished.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::SharedOutcomes;
use crate::outcome::{OutcomeBuffers, Outcomes};

/// The trays of the native workers of a run.
#[derive(Debug, Default)]
pub(crate) struct EarlyOutcomes {
    all: Mutex<Vec<Arc<SharedOutcomes>>>,
    /// True if there is a tray. The consumer checks this often, and most runs have no tray.
    any: AtomicBool,
}

impl EarlyOutcomes {
    /// Adds a tray, and returns whether it is new.
    pub(crate) fn add(&self, tray: &Arc<SharedOutcomes>) -> bool {
        let mut all = self.lock();
        if all.iter().any(|other| Arc::ptr_eq(other, tray)) {
            return false;
        }
        // This drops the trays of workers that were replaced.
        all.retain(|other| Arc::strong_count(other) > 1);
        all.push(Arc::clone(tray));
        self.any.store(true, Ordering::Release);
        true
    }

    /// Returns whether a tray may have outcomes to fetch.
    pub(crate) fn are_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes the finished outcomes, and leaves an outcome whose item will be retried.
    pub(crate) fn take(&self, rooms: &OutcomeBuffers) -> Vec<Outcomes> {
        let take = |tray: &Arc<SharedOutcomes>| {
            let mut outcomes = tray.lock();
            let is_ready = outcomes.kept() > 0 && !outcomes.needs_retry();
            is_ready.then(|| outcomes.split(rooms.take()))
        };
        // The lock is not held here, so a worker that is adding to its tray does not block others
        // that register theirs.
        let all = self.lock().clone();
        all.iter().filter_map(take).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<SharedOutcomes>>> {
        // No foreign code runs under the lock.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
