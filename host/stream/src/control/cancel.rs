//! The cancellation of a pool's guests, and the time by which they must end.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::control::alarm::{Alarm, Ring};
use crate::control::sync::Mutex;
use crate::control::sync::atomic::{AtomicU8, Ordering};

/// Ends what guests do, by degrees. It only ever becomes more.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    level: AtomicU8,
    end: End,
    /// Wakes those who sleep inside a guest, or wait for one, to see what has changed.
    alarms: Mutex<Vec<Weak<dyn Ring>>>,
}

impl Cancel {
    const ATTEMPTS: u8 = 1;
    const STARTS: u8 = 2;
    const ALL: u8 = 3;

    /// No start that fails needs to be tried again: the pool is closed.
    pub fn attempts(&self) {
        self.raise(Self::ATTEMPTS);
    }

    /// No instance needs to start: a run was stopped, or cannot begin.
    pub fn starts(&self) {
        self.raise(Self::STARTS);
    }

    /// Nothing of it is needed: the pool is dropped.
    pub fn all(&self) {
        self.raise(Self::ALL);
    }

    /// All that guests do is to end after `time`; gives when that is, as [`Self::end_run_in`].
    pub fn end_in(&self, time: Duration) -> Option<Instant> {
        self.end_run_in(&self.0.end, time)
    }

    /// What guests do for one run is to end after `time`, or before, if that was asked for
    /// earlier. None if that is further away than the clock goes.
    pub fn end_run_in(&self, run: &End, time: Duration) -> Option<Instant> {
        let end = Instant::now().checked_add(time)?;
        run.bring_forward(end);
        self.ring();
        Some(end)
    }

    /// When all that guests do is to end.
    pub fn end(&self) -> Option<Instant> {
        self.0.end.get()
    }

    /// Returns whether a start that has failed may be tried again.
    pub fn lets_try_again(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::ATTEMPTS
    }

    /// Whether an instance that is starting may go on.
    pub fn lets_start(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::STARTS
    }

    /// Whether an instance that works may go on.
    pub fn lets_work(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::ALL
    }

    /// An alarm that is rung whenever something here changes.
    pub(crate) fn alarm(&self) -> Arc<Alarm> {
        let alarm = Arc::new(Alarm::default());
        let rung: Weak<Alarm> = Arc::downgrade(&alarm);
        self.rings(rung);
        alarm
    }

    /// Rings `alarm`, too, whenever something here changes.
    pub fn rings(&self, alarm: Weak<dyn Ring>) {
        let mut alarms = self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of instances that were replaced: a pool may have any number of them.
        alarms.retain(|alarm| alarm.strong_count() > 0);
        alarms.push(alarm);
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

/// When something has to end, once that is known. It only ever comes nearer.
#[derive(Clone, Debug, Default)]
pub struct End(Arc<Mutex<Option<Instant>>>);

impl End {
    /// Returns the time of the end, once it is known.
    pub fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bring_forward(&self, end: Instant) {
        let mut by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *by = Some(by.map_or(end, |before| before.min(end)));
    }
}
