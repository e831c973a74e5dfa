//! The clock that stops guests: one thread per engine.
//!
//! On each tick it raises the engine's epoch, which makes every running guest ask its store
//! whether it may go on, and counts, so that others can tell time without reading a clock.
//! The number of ticks is computed from a clock: a late thread makes up for what it missed.
//!
//! The watchdog measures how long this process was stopped (SIGSTOP, Ctrl-Z, a frozen control
//! group): its own ticks fail to come then, although its thread neither ran nor waited for a core.

mod stops;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::thread::{current_timer_slack, set_current_timer_slack};

use self::stops::Stops;
use super::schedule::Schedule;

/// Time as the watchdog counts it.
#[derive(Clone, Debug)]
pub struct Ticks(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    begun: Instant,
    ticks: AtomicU64,
    /// When the last tick was, in nanoseconds from the begin.
    last: AtomicU64,
    /// The time for which the process was stopped up to then, in nanoseconds.
    stopped: AtomicU64,
}

impl Default for Ticks {
    fn default() -> Self {
        let (ticks, last, stopped) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Counted { begun: Instant::now(), ticks, last, stopped }))
    }
}

impl Ticks {
    /// A guest that is to end notices it after at most this long. Shorter ticks cost more:
    /// each makes every running guest call back, and wakes the watchdog.
    pub(crate) const EVERY: Duration = Duration::from_millis(5);

    /// Returns the number of ticks so far.
    pub fn now(&self) -> u64 {
        self.0.ticks.load(Ordering::Relaxed)
    }

    /// Returns how long the ticks go on already, by the clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.begun.elapsed()
    }

    /// Returns whether all stops up to this moment are known: the watchdog has ticked since, or so shortly before that no stop
    /// can have been between.
    pub(crate) fn know_stops_until(&self, elapsed: Duration) -> bool {
        let last = Duration::from_nanos(self.0.last.load(Ordering::Acquire));
        elapsed.saturating_sub(last) < Stops::LEAST
    }

    /// Waits for the next tick.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for a tick, of which the watchdog tells nobody: that would cost each tick"
    )]
    pub(crate) fn wait(&self) {
        let last = self.0.last.load(Ordering::Acquire);
        while self.0.last.load(Ordering::Acquire) == last {
            thread::sleep(Self::EVERY);
        }
    }

    /// Returns how long the process has run at a moment: without the stops that are known.
    pub(crate) fn run(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.stopped())
    }

    /// Returns when the process will have run so long, if it is not stopped before; none if that is further away than
    /// the clock goes.
    pub(crate) fn when(&self, run: Duration) -> Option<Instant> {
        self.0.begun.checked_add(run.checked_add(self.stopped())?)
    }

    fn stopped(&self) -> Duration {
        Duration::from_nanos(self.0.stopped.load(Ordering::Acquire))
    }

    /// Counts up to a tick at `elapsed`, before which the process was stopped for `stopped`.
    pub(crate) fn tick(&self, elapsed: Duration, stopped: Duration) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let ticks = elapsed.as_nanos() / Self::EVERY.as_nanos();
        // Who sees the tick sees the stops before it.
        self.0.stopped.store(nanos(stopped), Ordering::Release);
        self.0.last.store(nanos(elapsed), Ordering::Release);
        self.0.ticks.store(u64::try_from(ticks).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Ticks until it is dropped.
pub struct Watchdog {
    ticks: Ticks,
    /// It hears an error when the thread runs.
    runs: Receiver<()>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watchdog {
    /// Starts to tick; `on_tick` is called at each tick.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(on_tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        Self::measuring(Schedule::of_this_thread, on_tick)
    }

    /// As [`start`](Self::start). `schedule` is called on the watchdog's thread, and gives the account of a thread that
    /// runs, or waits for a core, while the watchdog is late and the process is not stopped.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn measuring(
        schedule: impl FnOnce() -> Option<Arc<Schedule>> + Send + 'static,
        on_tick: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let ticks = Ticks::default();
        let (end, ended) = bounded::<()>(0);
        let (starts, runs) = bounded::<()>(0);
        let counter = ticks.clone();
        let tick = move || {
            let schedule = schedule();
            let busy = || schedule.as_ref()?.busy();
            drop(starts);
            let mut stops = Stops::begin(counter.elapsed(), busy());
            while ended.recv_timeout(Ticks::EVERY) == Err(RecvTimeoutError::Timeout) {
                let elapsed = counter.elapsed();
                counter.tick(elapsed, stops.tick(elapsed, busy()));
                on_tick();
            }
        };
        let thread =
            with_prompt_timers(|| thread::Builder::new().name("mtl-watchdog".into()).spawn(tick))?;
        Ok(Self { ticks, runs, thread: Some((end, thread)) })
    }

    /// Waits until the thread runs.
    pub fn wait_until_it_runs(&self) {
        // Nobody sends: the other end is dropped.
        let _ = self.runs.recv();
    }

    /// Returns the ticks, for those who tell time by them.
    pub fn ticks(&self) -> Ticks {
        self.ticks.clone()
    }
}

/// Calls `start`, which starts a thread whose timers are as prompt as they can be. A thread has its timer slack from the
/// one that starts it; with much of it each tick would be as late as after a stop.
fn with_prompt_timers<T>(start: impl FnOnce() -> T) -> T {
    const PROMPT: u64 = 50_000;
    let slack = current_timer_slack().ok().filter(|slack| *slack > PROMPT);
    let set = |nanos| set_current_timer_slack(NonZeroU64::new(nanos));
    let is_set = slack.is_some() && set(PROMPT).is_ok();
    let started = start();
    if let (Some(slack), true) = (slack, is_set) {
        // It was the thread's own, so that it is allowed.
        let _ = set(slack);
    }
    started
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // It holds nothing that a panic of its own could leave half-done.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").field("ticks", &self.ticks.now()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_go_on_until_the_watchdog_is_dropped() {
        let (told, hears) = bounded(1);
        let watchdog = Watchdog::start(move || told.try_send(()).unwrap_or_default()).unwrap();
        let patience = Duration::from_secs(30);
        hears.recv_timeout(patience).expect("a first tick");
        hears.recv_timeout(patience).expect("a second tick");
        assert!(watchdog.ticks().now() > 0);
        drop(watchdog);
        while hears.recv().is_ok() {}
    }
}
