//! Wakes a thread that sleeps on behalf of a guest: when the guest's event has occurred, when its time is over, or when
//! it is cancelled.

use std::sync::{Arc, PoisonError};
use std::task::Wake;
use std::time::Instant;

use crate::control::sync::{Condvar, Mutex};

/// A waiter that can be woken.
pub trait Notify: std::fmt::Debug + Send + Sync {
    /// Wakes the waiter.
    fn notify(&self);
}

/// An alarm for one waiting thread. If it rings while no thread waits, the next wait returns immediately.
#[derive(Debug, Default)]
pub struct Alarm {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Notify for Alarm {
    fn notify(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

impl Alarm {
    /// Waits until the alarm rings, at most until `end`.
    pub fn wait(&self, end: Option<Instant>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !std::mem::take(&mut *rung) {
            rung = match end {
                None => self.changed.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    let waited = self.changed.wait_timeout(rung, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.notify();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.notify();
    }
}
