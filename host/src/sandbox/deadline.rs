//! How long what a guest does may take, and whether it still may go on.
//!
//! A watch is asked where it costs nothing: in the epoch callback, every few milliseconds of
//! computing, and where a guest sleeps. Only there is a clock read, never per item: an item
//! that has begun is noticed at the first question after it, and its time counts from then.
//! So a deadline comes late by some ticks of the watchdog, and never early, even where the
//! watchdog itself is late.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::pool::cancel::{Cancel, End};
use crate::sandbox::alarm::{Alarm, Ring};

/// How long a worker's guest may take, by what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeLimits {
    /// For one item.
    pub(crate) item: Option<Duration>,
    /// To start: to be instantiated and initialised. To finish it has as long.
    pub(crate) start: Option<Duration>,
}

/// What a guest is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its process is being made, which no limit of the guest's is for.
    Preparing,
    Starting,
    Item,
    Finishing,
}

/// Why a guest is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overdue {
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
pub(crate) struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: TimeLimits,
    cancel: Cancel,
    alarm: Arc<Alarm>,
    phase: AtomicU8,
    /// When the items of the run that they are of are to be done.
    run_end: Mutex<End>,
    /// Counts what was begun.
    begun: AtomicU64,
    /// What was last noticed to have begun, and when that was.
    noticed: Mutex<(u64, Instant)>,
}

impl Watch {
    /// How often something else is done while a guest waits.
    const WHILE: Duration = Duration::from_millis(10);

    pub(crate) fn new(limits: TimeLimits, cancel: Cancel) -> Self {
        let alarm = cancel.alarm();
        let (phase, begun) = (AtomicU8::new(Phase::Starting as u8), AtomicU64::new(0));
        let noticed = Mutex::new((0, Instant::now()));
        let run_end = Mutex::default();
        Self(Arc::new(Shared { limits, cancel, alarm, phase, run_end, begun, noticed }))
    }

    /// How long things may take.
    pub(crate) fn limits(&self) -> TimeLimits {
        self.0.limits
    }

    /// Another watch for the same pool, with other limits.
    pub(crate) fn with(&self, limits: impl FnOnce(TimeLimits) -> TimeLimits) -> Self {
        Self::new(limits(self.0.limits), self.0.cancel.clone())
    }

    /// Rings `alarm` when the guest may have to stop for another reason than its limits.
    pub(crate) fn rings<R: Ring + 'static>(&self, alarm: &Arc<R>) {
        let alarm: Weak<R> = Arc::downgrade(alarm);
        self.0.cancel.rings(alarm);
    }

    /// The next items are of the run that ends by `end`.
    pub(crate) fn serve(&self, end: &End) {
        *self.0.run_end.lock().unwrap_or_else(PoisonError::into_inner) = end.clone();
    }

    /// The guest begins with something: its time starts to run.
    pub(crate) fn begin(&self, phase: Phase) {
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
    pub(crate) fn check(&self) -> Result<(), Overdue> {
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
        let is_over = now.duration_since(self.since(now)) >= limit;
        is_over.then_some(Overdue::Limit(limit))
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
            Phase::Item => self.0.limits.item,
            Phase::Starting | Phase::Finishing => self.0.limits.start,
        }
    }

    /// When the guest began with what it does, as far as it was noticed.
    fn since(&self, now: Instant) -> Instant {
        let begun = self.0.begun.load(Ordering::Relaxed);
        let mut noticed = self.0.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.0 != begun {
            *noticed = (begun, now);
        }
        noticed.1
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
    pub(crate) fn end(&self) -> Option<Instant> {
        // What is further away than the clock goes is never.
        let end = self.limit().and_then(|limit| self.since(Instant::now()).checked_add(limit));
        [end, self.must_end()].into_iter().flatten().min()
    }

    /// Runs a future to its end on this thread, as long as the guest on whose behalf it runs
    /// may go on. It may use the clocks, files and sockets of the asynchronous runtime.
    ///
    /// # Errors
    ///
    /// Why the guest is to stop; the future is dropped.
    pub(crate) fn drive<F: Future>(&self, future: F) -> Result<F::Output, Overdue> {
        self.drive_with(future, || {})
    }

    /// The same, and calls `meanwhile` now and then, if it takes longer than some milliseconds.
    ///
    /// # Errors
    ///
    /// As [`drive`](Self::drive).
    pub(crate) fn drive_with<F: Future>(
        &self,
        future: F,
        mut meanwhile: impl FnMut(),
    ) -> Result<F::Output, Overdue> {
        let mut due = None;
        let waker = Waker::from(Arc::clone(&self.0.alarm));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            let polled = with_ambient_tokio_runtime(|| future.as_mut().poll(&mut context));
            if let Poll::Ready(output) = polled {
                return Ok(output);
            }
            let now = Instant::now();
            let at = *due.get_or_insert(now + Self::WHILE);
            if at <= now {
                meanwhile();
                due = Some(now + Self::WHILE);
            }
            self.check()?;
            let end = [self.end(), due].into_iter().flatten().min();
            self.0.alarm.wait(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::thread;

    use super::*;
    use crate::patience::watched;

    const SHORT: Duration = Duration::from_millis(20);

    fn watch(item: Option<Duration>) -> (Watch, Cancel) {
        let cancel = Cancel::default();
        let watch = Watch::new(TimeLimits { item, start: None }, cancel.clone());
        watch.begin(Phase::Item);
        (watch, cancel)
    }

    #[test]
    fn time_runs_from_when_it_was_noticed_and_anew_for_each_item() {
        let (watch, _) = watch(Some(SHORT));
        assert_eq!(watch.overdue(), None);
        let begun = Instant::now();
        assert_eq!(watch.drive(pending::<()>()), Err(Overdue::Limit(SHORT)));
        assert_eq!(watch.overdue(), Some(Overdue::Limit(SHORT)));
        assert!(begun.elapsed() >= SHORT, "a deadline never comes early");
        watch.begin(Phase::Item);
        assert_eq!(watch.overdue(), None);
    }

    #[test]
    fn who_sleeps_is_woken_by_what_it_waits_for_and_by_the_end() {
        watched(|| {
            let (watch, cancel) = watch(None);
            let slept = watch.drive(async { wasmtime_wasi::runtime::spawn(async { 7 }).await });
            assert_eq!(slept, Ok(7));
            let other = cancel.clone();
            let ends = thread::Builder::new().spawn(move || other.end_in(Duration::ZERO)).unwrap();
            assert_eq!(watch.drive(pending::<()>()), Err(Overdue::End));
            ends.join().unwrap();
            let ends = thread::Builder::new().spawn(move || cancel.all()).unwrap();
            ends.join().unwrap();
            assert_eq!(watch.drive(pending::<()>()), Err(Overdue::Unwanted));
        });
    }

    #[test]
    fn a_limit_may_be_longer_than_clocks_go() {
        let (watch, _) = watch(Some(Duration::MAX));
        assert_eq!((watch.overdue(), watch.end()), (None, None));
    }

    #[test]
    fn starting_and_working_are_limited_apart() {
        let limits = TimeLimits { item: None, start: Some(Duration::ZERO) };
        let watch = Watch::new(limits, Cancel::default());
        assert_eq!(watch.overdue(), Some(Overdue::Limit(Duration::ZERO)));
        watch.begin(Phase::Item);
        assert_eq!(watch.overdue(), None);
        watch.begin(Phase::Finishing);
        assert_eq!(watch.overdue(), Some(Overdue::Limit(Duration::ZERO)));
    }

    #[test]
    fn a_limit_that_no_clock_reaches_is_none() {
        let limits = TimeLimits { item: Some(Duration::MAX), start: Some(Duration::MAX) };
        let watch = Watch::new(limits, Cancel::default());
        for phase in [Phase::Starting, Phase::Item, Phase::Finishing] {
            watch.begin(phase);
            assert_eq!((watch.overdue(), watch.end()), (None, None), "{phase:?}");
        }
    }
}
