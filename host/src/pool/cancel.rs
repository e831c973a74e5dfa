//! What of a pool's guests is not wanted any more, and until when the rest must be done.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Instant;

use crate::sandbox::alarm::Alarm;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU8, Ordering};

/// Ends what guests do, by degrees. It only ever becomes more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    level: AtomicU8,
    end: Mutex<Option<Instant>>,
    /// Wakes those who sleep inside a guest, to see what has changed.
    alarms: Mutex<Vec<Weak<Alarm>>>,
}

impl Cancel {
    const STARTS: u8 = 1;
    const ALL: u8 = 2;

    /// No instance needs to start: a run was stopped, or cannot begin.
    pub(crate) fn starts(&self) {
        self.raise(Self::STARTS);
    }

    /// Nothing of it is needed: the pool is dropped.
    pub(crate) fn all(&self) {
        self.raise(Self::ALL);
    }

    /// What guests do is to end by `end`, or before, if that was asked for earlier.
    pub(crate) fn end_by(&self, end: Instant) {
        let mut by = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        *by = Some(by.map_or(end, |before| before.min(end)));
        drop(by);
        self.ring();
    }

    /// Another run begins: what was asked of the one before is over.
    pub(crate) fn begin_run(&self) {
        *self.0.end.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// When what guests do is to end.
    pub(crate) fn end(&self) -> Option<Instant> {
        *self.0.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an instance that is starting may go on.
    pub(crate) fn lets_start(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::STARTS
    }

    /// Whether an instance that works may go on.
    pub(crate) fn lets_work(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::ALL
    }

    /// An alarm that is rung whenever something here changes.
    pub(crate) fn alarm(&self) -> Arc<Alarm> {
        let alarm = Arc::new(Alarm::default());
        let mut alarms = self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.push(Arc::downgrade(&alarm));
        alarm
    }

    fn raise(&self, level: u8) {
        self.0.level.fetch_max(level, Ordering::AcqRel);
        self.ring();
    }

    fn ring(&self) {
        let alarms = self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.iter().filter_map(Weak::upgrade).for_each(|alarm| alarm.ring());
    }
}
