//! Outcomes that the consumer fetches from native workers before a claim is finished. A native
//! worker cannot be interrupted, so nothing limits the time until it finishes its claim.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::SharedOutcomes;
use crate::outcome::{OutcomeBuffers, Outcomes};

/// The shared outcomes of the native workers of a run.
#[derive(Debug, Default)]
pub(crate) struct EarlyOutcomes {
    all: Mutex<Vec<Arc<SharedOutcomes>>>,
    /// True if a worker shares outcomes. The consumer checks this flag often. In most runs the flag
    /// is false, so the consumer need not lock `all`.
    has_any: AtomicBool,
}

impl EarlyOutcomes {
    /// Adds the outcomes of a worker, and returns whether they are new.
    pub(crate) fn add(&self, outcomes: &Arc<SharedOutcomes>) -> bool {
        let mut all = self.lock();
        if all.iter().any(|other| Arc::ptr_eq(other, outcomes)) {
            return false;
        }
        // This drops the outcomes of workers that were replaced.
        all.retain(|other| Arc::strong_count(other) > 1);
        all.push(Arc::clone(outcomes));
        self.has_any.store(true, Ordering::Release);
        true
    }

    /// Returns whether a worker may have outcomes to fetch.
    pub(crate) fn are_any(&self) -> bool {
        self.has_any.load(Ordering::Acquire)
    }

    /// Takes the finished outcomes, and leaves an outcome whose item will be retried.
    pub(crate) fn take(&self, buffers: &OutcomeBuffers) -> Vec<Outcomes> {
        let take = |outcomes: &Arc<SharedOutcomes>| {
            let mut outcomes = outcomes.lock();
            let is_ready = outcomes.len_not_handed_over() > 0 && !outcomes.needs_retry();
            is_ready.then(|| outcomes.split(buffers.take()))
        };
        // The clone releases the lock before this function takes outcomes. So a worker that is
        // adding an outcome does not block workers that register.
        let all = self.lock().clone();
        all.iter().filter_map(take).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<SharedOutcomes>>> {
        // No foreign code runs under the lock.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
