//! The deadlines of a guest. A guest's watch checks whether the guest may continue.
//!
//! The watch checks in two places: in the epoch callback, which runs after every few milliseconds of computation, and
//! wherever a guest sleeps. The watch reads a clock only in these checks, never at the start of an item. The first
//! check after an item's start notices the item, and the item's time starts with that check.
//!
//! An item's time excludes two kinds of pauses:
//!
//! - The guest's thread was ready to run and had no core (the run delay). The watch reads the run delay when it notices
//!   an item, and again when the deadline has passed. It postpones the deadline by the increase of the run delay.
//! - The process was stopped. The watchdog reports such a stop at its next tick. So after a deadline has passed, the
//!   watch waits for that tick before it decides whether the guest must stop.
//!
//! A guest is therefore stopped up to a few ticks after its deadline, and never before it, even if the watchdog is
//! late.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::control::alarm::{Alarm, Notify};
use crate::control::cancel::{Cancel, EndTime};
use crate::control::sched_stat::OwnDelay;
use crate::control::watchdog::Ticks;
use crate::item::instance_config::InstanceConfig;

/// A measure of the time in which the thread of a guest was ready to run but could not.
pub trait Pauses: std::fmt::Debug + Send + Sync {
    /// Returns the total time of such pauses so far. If the system does not report it, returns `None`, and no pause is
    /// subtracted.
    fn total(&self) -> Option<Duration>;
}

/// The current activity of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The guest's process is being created. No limit of the guest applies.
    Preparing,
    /// The guest is instantiated and initialised.
    Starting,
    /// The guest is called for an item.
    Item,
    /// The guest makes its finish report.
    Finishing,
}

/// The reason why a guest must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overdue {
    /// The guest has taken longer than its limit.
    #[error("took longer than {}", HumanDuration(*.0))]
    Limit(Duration),
    /// The guest would continue beyond the end of the whole run.
    #[error("was still at work when the run had to end")]
    End,
    /// The guest's work was cancelled.
    #[error("was interrupted")]
    Cancelled,
}

/// A duration, displayed for people.
struct HumanDuration(Duration);

impl std::fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A watch over one worker's guest. All code on the guest's thread that may have to stop the guest shares the watch.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: InstanceConfig,
    cancel: Cancel,
    alarm: Arc<Alarm>,
    phase: AtomicU8,
    /// The moment by which the items of the current run must be done.
    run_end: Mutex<EndTime>,
    /// The number of started activities.
    started: AtomicU64,
    ticks: Ticks,
    pauses: Box<dyn Pauses>,
    noticed: Mutex<NoticedStart>,
}

/// The start of the last activity that the watch has noticed.
#[derive(Debug, Default)]
struct NoticedStart {
    /// The number of that activity. None at first.
    activity: Option<u64>,
    /// The running time of the process at that moment.
    since: Duration,
    /// The pauses up to that moment.
    paused: Option<Duration>,
    /// The known pauses since that moment.
    pauses: Duration,
}

impl NoticedStart {
    /// The maximum total pause that extends a deadline, as a multiple of the guest's limit. A compromised child could
    /// prevent its own thread from ever getting a core. The thread of an honest child gets a core long before its
    /// pauses reach this maximum.
    const MAX_PAUSES: u32 = 1000;

    /// Returns the running time of the process at which `limit` ends, according to the known pauses.
    fn end(&self, limit: Duration) -> Duration {
        let pauses = self.pauses.min(limit.saturating_mul(Self::MAX_PAUSES));
        self.since.saturating_add(limit).saturating_add(pauses)
    }

    /// Updates the known pauses.
    fn update_pauses(&mut self, pauses: &dyn Pauses) {
        if let (Some(before), Some(now)) = (self.paused, pauses.total()) {
            self.pauses = self.pauses.max(now.saturating_sub(before));
        }
    }
}

impl Watch {
    /// The time after which `poll_until_ready` does other work while a guest waits.
    const MEANWHILE_INTERVAL: Duration = Duration::from_millis(10);

    /// Creates a watch over a guest on the current thread. `ticks` are those of the watchdog.
    pub fn new(config: InstanceConfig, cancel: Cancel, ticks: Ticks) -> Self {
        Self::with_pauses(config, cancel, ticks, Box::new(OwnDelay))
    }

    fn with_pauses(
        config: InstanceConfig,
        cancel: Cancel,
        ticks: Ticks,
        pauses: Box<dyn Pauses>,
    ) -> Self {
        let alarm = cancel.alarm();
        let (phase, started) = (AtomicU8::new(Phase::Starting as u8), AtomicU64::new(0));
        let (noticed, run_end) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared {
            config,
            cancel,
            alarm,
            phase,
            run_end,
            started,
            ticks,
            pauses,
            noticed,
        }))
    }

    /// Returns another watch for the same pool, with other pauses and with limits that are later by `grace`.
    pub fn lenient(&self, grace: Duration, pauses: Box<dyn Pauses>) -> Self {
        let Shared { config, cancel, ticks, .. } = &*self.0;
        let later = |limit: Option<Duration>| limit.and_then(|limit| limit.checked_add(grace));
        let timeout = later(config.timeout);
        let init_timeout = later(config.init_timeout);
        let config = InstanceConfig { timeout, init_timeout, ..*config };
        Self::with_pauses(config, cancel.clone(), ticks.clone(), pauses)
    }

    /// Makes `alarm` ring when the guest may have to stop for another reason than its limits.
    pub fn add_alarm<R: Notify + 'static>(&self, alarm: &Arc<R>) {
        let alarm: Weak<R> = Arc::downgrade(alarm);
        self.0.cancel.add_alarm(alarm);
    }

    /// Sets the end of the run that the next items belong to.
    pub fn set_run_end(&self, end: &EndTime) {
        *self.0.run_end.lock().unwrap_or_else(PoisonError::into_inner) = end.clone();
    }

    /// Notes that the guest starts an activity. The time of the activity starts to run.
    pub fn begin(&self, phase: Phase) {
        // One thread writes these values; other threads only read them.
        self.0.phase.store(phase as u8, Ordering::Relaxed);
        let started = self.0.started.load(Ordering::Relaxed) + 1;
        self.0.started.store(started, Ordering::Relaxed);
    }

    /// Checks whether the guest may continue.
    ///
    /// # Errors
    ///
    /// Returns the reason if the guest must stop.
    pub fn check(&self) -> Result<(), Overdue> {
        self.overdue().map_or(Ok(()), Err)
    }

    /// Returns the reason why the guest must stop, if there is one.
    fn overdue(&self) -> Option<Overdue> {
        if !self.is_allowed() {
            return Some(Overdue::Cancelled);
        }
        let now = Instant::now();
        if self.latest_end().is_some_and(|end| end <= now) {
            return Some(Overdue::End);
        }
        let limit = self.limit()?;
        self.is_over(limit).then_some(Overdue::Limit(limit))
    }

    /// Returns whether the guest's time limit is over.
    fn is_over(&self, limit: Duration) -> bool {
        let elapsed = self.0.ticks.elapsed();
        loop {
            if let Some(is_over) = self.is_over_at(limit, elapsed) {
                return is_over;
            }
            self.0.ticks.wait();
        }
    }

    /// Returns whether the guest's time limit was over when the watchdog's clock showed `elapsed`. Returns `None` if
    /// the answer depends on stops of the process that the watchdog has not reported yet.
    fn is_over_at(&self, limit: Duration, elapsed: Duration) -> Option<bool> {
        let Shared { ticks, pauses, .. } = &*self.0;
        let mut noticed = self.notice_start(elapsed);
        let knows_stops = ticks.knows_stops_until(elapsed);
        let run = ticks.running_time(elapsed);
        if run < noticed.end(limit) {
            return Some(false);
        }
        noticed.update_pauses(&**pauses);
        if run < noticed.end(limit) {
            return Some(false);
        }
        knows_stops.then_some(true)
    }

    fn is_allowed(&self) -> bool {
        match self.phase() {
            Phase::Preparing | Phase::Starting => self.0.cancel.allows_start(),
            Phase::Item | Phase::Finishing => self.0.cancel.allows_work(),
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

    /// Returns the start of the current activity, and notices it if it is new.
    fn notice_start(&self, elapsed: Duration) -> MutexGuard<'_, NoticedStart> {
        let activity = Some(self.0.started.load(Ordering::Relaxed));
        let mut noticed = self.0.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.activity != activity {
            let (since, paused) = (self.0.ticks.running_time(elapsed), self.0.pauses.total());
            *noticed = NoticedStart { activity, since, paused, pauses: Duration::ZERO };
        }
        noticed
    }

    /// Returns the moment by which the pool or the run must end, if there is one.
    fn latest_end(&self) -> Option<Instant> {
        let run = match self.phase() {
            Phase::Item => self.0.run_end.lock().unwrap_or_else(PoisonError::into_inner).get(),
            // An instance serves more than one run.
            Phase::Preparing | Phase::Starting | Phase::Finishing => None,
        };
        [run, self.0.cancel.end()].into_iter().flatten().min()
    }

    /// Returns the moment until which the guest may sleep.
    pub fn end(&self) -> Option<Instant> {
        let ticks = &self.0.ticks;
        // A moment beyond the range of the clock never comes.
        let end = self.limit().and_then(|limit| {
            let noticed = self.notice_start(ticks.elapsed());
            ticks.when(noticed.end(limit))
        });
        [end, self.latest_end()].into_iter().flatten().min()
    }

    /// Polls on behalf of a guest until the result is ready or the guest must stop. The thread sleeps between polls. If
    /// the result is not ready after a few milliseconds, the watch calls `meanwhile` repeatedly, until `meanwhile`
    /// returns `true`.
    ///
    /// # Errors
    ///
    /// Returns the reason if the guest must stop.
    pub fn poll_until_ready<T>(
        &self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
        mut meanwhile: impl FnMut() -> bool,
    ) -> Result<T, Overdue> {
        // Most futures are ready at the first poll. For those, no clock is read.
        let (mut every, mut due) = (Some(Self::MEANWHILE_INTERVAL), None);
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
