//! The cancellation of a pool's guests, and the time by which they must end.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::control::alarm::{Alarm, Notify};
use crate::control::sync::Mutex;
use crate::control::sync::atomic::{AtomicU8, Ordering};

/// The cancellation of guests, in levels. The level only rises.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    level: AtomicU8,
    end: EndTime,
    /// The alarms of threads that sleep inside a guest or wait for a guest. The alarms ring when
    /// work is cancelled or when an end time changes.
    alarms: Mutex<Vec<Weak<dyn Notify>>>,
}

impl Cancel {
    const RETRIES: u8 = 1;
    const STARTS: u8 = 2;
    const ALL: u8 = 3;

    /// Cancels retries of failed starts: the pool is closed.
    pub fn cancel_retries(&self) {
        self.raise(Self::RETRIES);
    }

    /// Cancels all starts of instances: a run was stopped, or cannot begin.
    pub fn cancel_starts(&self) {
        self.raise(Self::STARTS);
    }

    /// Cancels all work: the pool is dropped.
    pub fn cancel_all(&self) {
        self.raise(Self::ALL);
    }

    /// Ends all work of guests at the moment `time` from now. Returns the same value as
    /// [`Self::end_run_in`].
    pub fn end_in(&self, time: Duration) -> Option<Instant> {
        self.end_run_in(&self.0.end, time)
    }

    /// Ends the work of guests for one run at the moment `time` from now. If the run has an earlier
    /// end time, that end time stays in force. Returns the moment `time` from now, or `None` if the
    /// clock cannot represent that moment.
    pub fn end_run_in(&self, run: &EndTime, time: Duration) -> Option<Instant> {
        let end = Instant::now().checked_add(time)?;
        run.bring_forward(end);
        self.ring();
        Some(end)
    }

    /// Returns the moment by which all work of guests must end, if there is one.
    pub fn end(&self) -> Option<Instant> {
        self.0.end.get()
    }

    /// Returns whether a failed start may be tried again.
    pub fn allows_retry(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::RETRIES
    }

    /// Returns whether an instance that is starting may continue.
    pub fn allows_start(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::STARTS
    }

    /// Returns whether an instance that is working may continue.
    pub fn allows_work(&self) -> bool {
        self.0.level.load(Ordering::Acquire) < Self::ALL
    }

    /// Returns an alarm that rings whenever something here changes.
    pub(crate) fn alarm(&self) -> Arc<Alarm> {
        let alarm = Arc::new(Alarm::default());
        let weak: Weak<Alarm> = Arc::downgrade(&alarm);
        self.add_alarm(weak);
        alarm
    }

    /// Makes `alarm` ring whenever something here changes.
    pub fn add_alarm(&self, alarm: Weak<dyn Notify>) {
        let mut alarms = self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        // Removes the alarms of replaced instances. Otherwise, the list would grow with every
        // instance that a pool replaces.
        alarms.retain(|alarm| alarm.strong_count() > 0);
        alarms.push(alarm);
    }

    fn raise(&self, level: u8) {
        self.0.level.fetch_max(level, Ordering::AcqRel);
        self.ring();
    }

    fn ring(&self) {
        let alarms = self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.iter().filter_map(Weak::upgrade).for_each(|alarm| alarm.notify());
    }
}

/// The moment by which something must end, once it is known. It only moves to earlier moments.
#[derive(Clone, Debug, Default)]
pub struct EndTime(Arc<Mutex<Option<Instant>>>);

impl EndTime {
    /// Returns the time of the end, once it is known.
    pub fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bring_forward(&self, end: Instant) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(current.map_or(end, |before| before.min(end)));
    }
}
