//! Results of native workers, which nothing interrupts, before their claim is through.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::Tray;
use crate::outcome::{Outcomes, Rooms};

/// The trays of a run's native workers.
#[derive(Debug, Default)]
pub(crate) struct Trays {
    all: Mutex<Vec<Arc<Tray>>>,
    /// True if there is a tray. It is asked often, and most runs have none.
    any: AtomicBool,
}

impl Trays {
    /// Adds a tray, and returns whether it was not there.
    pub(crate) fn add(&self, tray: &Arc<Tray>) -> bool {
        let mut all = self.lock();
        if all.iter().any(|other| Arc::ptr_eq(other, tray)) {
            return false;
        }
        // Those of workers that were replaced.
        all.retain(|other| Arc::strong_count(other) > 1);
        all.push(Arc::clone(tray));
        self.any.store(true, Ordering::Release);
        true
    }

    /// Returns whether some outcomes may have to be fetched.
    pub(crate) fn are_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes what is done, and leaves what is not the last word.
    pub(crate) fn take(&self, rooms: &Rooms) -> Vec<Outcomes> {
        let take = |tray: &Arc<Tray>| {
            let mut outcomes = tray.lock();
            let is_ready = outcomes.kept() > 0 && !outcomes.is_to_be_retried();
            is_ready.then(|| outcomes.split(rooms.take()))
        };
        // A worker may be adding to its tray: meanwhile others can add theirs here.
        let all = self.lock().clone();
        all.iter().filter_map(take).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Tray>>> {
        // No code of others runs under it.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
