//! The deadlines of a guest, and the question whether it may go on.
//!
//! A watch is asked where it costs nothing: in the epoch callback, every few milliseconds of
//! computing, and where a guest sleeps. Only there is a clock read, never per item: an item
//! that has begun is noticed at the first question after it, and its time counts from then.
//!
//! Pauses do not count: time in which the guest's thread was ready to run and had no core, and
//! time in which the process was stopped. They are read when an item is noticed, and when a
//! deadline has passed without them; the deadline then moves by what they have become. The
//! watchdog tells of stops: nothing is decided before it has ticked again.
//!
//! So a deadline comes late by some ticks of the watchdog, and never early, even where the
//! watchdog itself is late.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::control::alarm::{Alarm, Ring};
use crate::control::cancel::{Cancel, End};
use crate::control::schedule::OwnDelay;
use crate::control::watchdog::Ticks;
use crate::item::instance_config::InstanceConfig;

/// Measures the time in which the thread of a guest could not run although it wanted to.
pub trait Pauses: std::fmt::Debug + Send + Sync {
    /// Returns all of that time so far; none if the system does not tell, and nothing is a pause.
    fn so_far(&self) -> Option<Duration>;
}

/// What a guest is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its process is being made, which no limit of the guest's is for.
    Preparing,
    /// It is instantiated and initialised.
    Starting,
    /// It is called for an item.
    Item,
    /// It gives its closing report.
    Finishing,
}

/// Why a guest is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overdue {
    /// It has taken longer than it may.
    #[error("took longer than {}", Shown(*.0))]
    Limit(Duration),
    /// It would go on longer than the whole run may.
    #[error("was still at work when the run had to end")]
    End,
    /// Nobody wants it any more.
    #[error("was interrupted")]
    Unwanted,
}

/// A duration, as people write it.
struct Shown(Duration);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Watches one worker's guest. Shared by all who may have to stop it, on one thread.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: InstanceConfig,
    cancel: Cancel,
    alarm: Arc<Alarm>,
    phase: AtomicU8,
    /// When the items of the run that they are of are to be done.
    run_end: Mutex<End>,
    /// Counts what was begun.
    begun: AtomicU64,
    ticks: Ticks,
    pauses: Box<dyn Pauses>,
    noticed: Mutex<Noticed>,
}

/// The last beginning that was noticed.
#[derive(Debug, Default)]
struct Noticed {
    /// Which beginning, by its number; none yet.
    begun: Option<u64>,
    /// The time for which the process had run then.
    since: Duration,
    /// The pauses up to then.
    paused: Option<Duration>,
    /// The pauses that are known to have come since.
    pauses: Duration,
}

impl Noticed {
    /// The largest pause that counts, in limits of the guest. A thread in a child that was taken over could make
    /// itself wait for ever; an honest one has its turn long before.
    const MOST_PAUSES: u32 = 1000;

    /// The end of `limit`, as far as pauses are known, by how long the process has run.
    fn end(&self, limit: Duration) -> Duration {
        let pauses = self.pauses.min(limit.saturating_mul(Self::MOST_PAUSES));
        self.since.saturating_add(limit).saturating_add(pauses)
    }

    /// Looks again at the pauses.
    fn add(&mut self, pauses: &dyn Pauses) {
        if let (Some(before), Some(now)) = (self.paused, pauses.so_far()) {
            self.pauses = self.pauses.max(now.saturating_sub(before));
        }
    }
}

impl Watch {
    /// The time after which something else is done while a guest waits.
    const WHILE: Duration = Duration::from_millis(10);

    /// Returns a watch over a guest on the thread that asks it. `ticks` are those of the watchdog.
    pub fn new(config: InstanceConfig, cancel: Cancel, ticks: Ticks) -> Self {
        Self::pausing(config, cancel, ticks, Box::new(OwnDelay))
    }

    fn pausing(
        config: InstanceConfig,
        cancel: Cancel,
        ticks: Ticks,
        pauses: Box<dyn Pauses>,
    ) -> Self {
        let alarm = cancel.alarm();
        let (phase, begun) = (AtomicU8::new(Phase::Starting as u8), AtomicU64::new(0));
        let (noticed, run_end) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared {
            config,
            cancel,
            alarm,
            phase,
            run_end,
            begun,
            ticks,
            pauses,
            noticed,
        }))
    }

    /// Returns another watch for the same pool, whose limits are later by `grace`, with other pauses.
    pub fn lenient(&self, grace: Duration, pauses: Box<dyn Pauses>) -> Self {
        let Shared { config, cancel, ticks, .. } = &*self.0;
        let later = |limit: Option<Duration>| limit.and_then(|limit| limit.checked_add(grace));
        let timeout = later(config.timeout);
        let init_timeout = later(config.init_timeout);
        let config = InstanceConfig { timeout, init_timeout, ..*config };
        Self::pausing(config, cancel.clone(), ticks.clone(), pauses)
    }

    /// Rings `alarm` when the guest may have to stop for another reason than its limits.
    pub fn rings<R: Ring + 'static>(&self, alarm: &Arc<R>) {
        let alarm: Weak<R> = Arc::downgrade(alarm);
        self.0.cancel.rings(alarm);
    }

    /// The next items are of the run that ends by `end`.
    pub fn serve(&self, end: &End) {
        *self.0.run_end.lock().unwrap_or_else(PoisonError::into_inner) = end.clone();
    }

    /// The guest begins with something: its time starts to run.
    pub fn begin(&self, phase: Phase) {
        // One thread writes; others only read.
        self.0.phase.store(phase as u8, Ordering::Relaxed);
        let begun = self.0.begun.load(Ordering::Relaxed) + 1;
        self.0.begun.store(begun, Ordering::Relaxed);
    }

    /// Asks whether the guest may go on.
    ///
    /// # Errors
    ///
    /// Why it is to stop.
    pub fn check(&self) -> Result<(), Overdue> {
        self.overdue().map_or(Ok(()), Err)
    }

    /// Whether the guest is to stop, and why.
    fn overdue(&self) -> Option<Overdue> {
        if !self.is_wanted() {
            return Some(Overdue::Unwanted);
        }
        let now = Instant::now();
        if self.must_end().is_some_and(|end| end <= now) {
            return Some(Overdue::End);
        }
        let limit = self.limit()?;
        self.is_over(limit).then_some(Overdue::Limit(limit))
    }

    /// Returns whether the guest has had all of its time.
    fn is_over(&self, limit: Duration) -> bool {
        let elapsed = self.0.ticks.elapsed();
        loop {
            if let Some(is_over) = self.is_over_at(limit, elapsed) {
                return is_over;
            }
            self.0.ticks.wait();
        }
    }

    /// Returns whether the guest had had all of its time at a moment of the watchdog's clock. None if that depends on whether
    /// the process was stopped, and the watchdog has not told yet.
    fn is_over_at(&self, limit: Duration, elapsed: Duration) -> Option<bool> {
        let Shared { ticks, pauses, .. } = &*self.0;
        let mut noticed = self.noticed(elapsed);
        let are_known = ticks.know_stops_until(elapsed);
        let run = ticks.run(elapsed);
        if run < noticed.end(limit) {
            return Some(false);
        }
        noticed.add(&**pauses);
        if run < noticed.end(limit) {
            return Some(false);
        }
        are_known.then_some(true)
    }

    fn is_wanted(&self) -> bool {
        match self.phase() {
            Phase::Preparing | Phase::Starting => self.0.cancel.lets_start(),
            Phase::Item | Phase::Finishing => self.0.cancel.lets_work(),
        }
    }

    fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            phase if phase == Phase::Item as u8 => Phase::Item,
            phase if phase == Phase::Finishing as u8 => Phase::Finishing,
            phase if phase == Phase::Preparing as u8 => Phase::Preparing,
            _ => Phase::Starting,
        }
    }

    fn limit(&self) -> Option<Duration> {
        match self.phase() {
            Phase::Preparing => None,
            Phase::Item => self.0.config.timeout,
            Phase::Starting | Phase::Finishing => self.0.config.init_timeout,
        }
    }

    /// Returns the last beginning of the guest, and notices it if it is new.
    fn noticed(&self, elapsed: Duration) -> MutexGuard<'_, Noticed> {
        let begun = Some(self.0.begun.load(Ordering::Relaxed));
        let mut noticed = self.0.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.begun != begun {
            let (since, paused) = (self.0.ticks.run(elapsed), self.0.pauses.so_far());
            *noticed = Noticed { begun, since, paused, pauses: Duration::ZERO };
        }
        noticed
    }

    /// When the pool or the run is to end, once that is known.
    fn must_end(&self) -> Option<Instant> {
        let run = match self.phase() {
            Phase::Item => self.0.run_end.lock().unwrap_or_else(PoisonError::into_inner).get(),
            // An instance is there for more than one run.
            Phase::Preparing | Phase::Starting | Phase::Finishing => None,
        };
        [run, self.0.cancel.end()].into_iter().flatten().min()
    }

    /// Until when the guest may sleep.
    pub fn end(&self) -> Option<Instant> {
        let ticks = &self.0.ticks;
        // What is further away than the clock goes is never.
        let end = self.limit().and_then(|limit| {
            let noticed = self.noticed(ticks.elapsed());
            ticks.when(noticed.end(limit))
        });
        [end, self.must_end()].into_iter().flatten().min()
    }

    /// Polls for something until it is there, as long as the guest on whose behalf that happens may go on, and sleeps in
    /// between. Calls `meanwhile` when it takes longer than some milliseconds: again and again, until that returns true.
    ///
    /// # Errors
    ///
    /// The reason for which the guest is to stop.
    pub fn poll_until_ready<T>(
        &self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
        mut meanwhile: impl FnMut() -> bool,
    ) -> Result<T, Overdue> {
        // Most futures are ready at once: for those no clock is read.
        let (mut every, mut due) = (Some(Self::WHILE), None);
        let waker = Waker::from(Arc::clone(&self.0.alarm));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = poll(&mut context) {
                return Ok(output);
            }
            if let Some(time) = every {
                let now = Instant::now();
                if *due.get_or_insert(now + time) <= now {
                    every = Some(time).filter(|_| !meanwhile());
                    due = every.map(|time| now + time);
                }
            }
            self.check()?;
            let end = [self.end(), due].into_iter().flatten().min();
            self.0.alarm.wait(end);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
