//! The clock that stops guests: one thread per engine.
//!
//! On each tick, the watchdog increments the engine's epoch. Every running guest then calls its store's epoch callback,
//! which decides whether the guest may continue. The watchdog stores the number of ticks since its start, so that
//! other threads can tell the time without reading a clock. At each tick, it divides the elapsed time by the length of
//! a tick to get this number. So the number is correct even after a late tick.
//!
//! The watchdog measures how long this process was stopped, by SIGSTOP, Ctrl-Z or a frozen control group. It detects a
//! stop when ticks are missing and its thread neither ran nor waited for a core.

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
use super::sched_stat::SchedStat;

/// The watchdog's count of time, in ticks.
#[derive(Clone, Debug)]
pub struct Ticks(Arc<TickState>);

#[derive(Debug)]
struct TickState {
    start: Instant,
    ticks: AtomicU64,
    /// The time of the last tick, in nanoseconds since `start`.
    last: AtomicU64,
    /// The total time for which the process was stopped before the last tick, in nanoseconds.
    stopped: AtomicU64,
}

impl Default for Ticks {
    fn default() -> Self {
        let (ticks, last, stopped) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(TickState { start: Instant::now(), ticks, last, stopped }))
    }
}

impl Ticks {
    /// The time between ticks. A guest that must stop notices the stop at the next tick. Each tick wakes the watchdog
    /// and interrupts every running guest, so a shorter time uses more of the processor.
    pub(crate) const EVERY: Duration = Duration::from_millis(5);

    /// Returns the number of ticks so far.
    pub fn now(&self) -> u64 {
        self.0.ticks.load(Ordering::Relaxed)
    }

    /// Returns the time since the first tick, by the clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// Returns whether the watchdog knows all stops up to the moment `elapsed`. It knows them if its last tick is after
    /// `elapsed`, or less than [`Stops::SHORTEST`] before `elapsed`.
    pub(crate) fn knows_stops_until(&self, elapsed: Duration) -> bool {
        let last = Duration::from_nanos(self.0.last.load(Ordering::Acquire));
        elapsed.saturating_sub(last) < Stops::SHORTEST
    }

    /// Waits for the next tick.
    #[expect(
        clippy::disallowed_methods,
        reason = "a tick wakes no waiting thread, because that would make each tick more expensive"
    )]
    pub(crate) fn wait(&self) {
        let last = self.0.last.load(Ordering::Acquire);
        while self.0.last.load(Ordering::Acquire) == last {
            thread::sleep(Self::EVERY);
        }
    }

    /// Returns the running time of the process at a moment: the elapsed time without the known stops.
    pub(crate) fn running_time(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.stopped())
    }

    /// Returns the moment at which the process will have run for the time `run`, if it is not stopped until then.
    /// Returns `None` if the clock cannot represent that moment.
    pub(crate) fn when(&self, run: Duration) -> Option<Instant> {
        self.0.start.checked_add(run.checked_add(self.stopped())?)
    }

    fn stopped(&self) -> Duration {
        Duration::from_nanos(self.0.stopped.load(Ordering::Acquire))
    }

    /// Counts the ticks up to `elapsed`. Until then, the process was stopped for `stopped` in total.
    pub(crate) fn tick(&self, elapsed: Duration, stopped: Duration) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let ticks = elapsed.as_nanos() / Self::EVERY.as_nanos();
        // A reader that sees the tick must see the stops before it.
        self.0.stopped.store(nanos(stopped), Ordering::Release);
        self.0.last.store(nanos(elapsed), Ordering::Release);
        self.0.ticks.store(u64::try_from(ticks).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A clock that ticks until it is dropped.
pub struct Watchdog {
    ticks: Ticks,
    /// A channel that reports a disconnect as soon as the thread runs.
    started: Receiver<()>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watchdog {
    /// Starts the watchdog, which calls `on_tick` at each tick.
    ///
    /// # Errors
    ///
    /// Returns an error if the system refuses a thread.
    pub fn start(on_tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        Self::start_measuring(SchedStat::of_this_thread, on_tick)
    }

    /// Starts the watchdog like [`start`](Self::start), with the scheduling statistics that `open_stat` returns. The
    /// watchdog calls `open_stat` on the watchdog's thread. `open_stat` may choose which thread it measures. If the
    /// watchdog is late and the process was not stopped, the measured thread must have been on a core or waiting for a
    /// core.
    ///
    /// # Errors
    ///
    /// Returns an error if the system refuses a thread.
    pub fn start_measuring(
        open_stat: impl FnOnce() -> Option<Arc<SchedStat>> + Send + 'static,
        on_tick: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let ticks = Ticks::default();
        let (end, ended) = bounded::<()>(0);
        let (starting, started) = bounded::<()>(0);
        let counter = ticks.clone();
        let tick = move || {
            let stat = open_stat();
            let busy = || stat.as_ref()?.busy();
            drop(starting);
            let mut stops = Stops::begin(counter.elapsed(), busy());
            while ended.recv_timeout(Ticks::EVERY) == Err(RecvTimeoutError::Timeout) {
                let elapsed = counter.elapsed();
                counter.tick(elapsed, stops.tick(elapsed, busy()));
                on_tick();
            }
        };
        let thread =
            with_prompt_timers(|| thread::Builder::new().name("mtl-watchdog".into()).spawn(tick))?;
        Ok(Self { ticks, started, thread: Some((end, thread)) })
    }

    /// Waits until the thread runs.
    pub fn wait_until_running(&self) {
        // Nothing is ever sent: the wait ends when the other end is dropped.
        let _ = self.started.recv();
    }

    /// Returns the tick counter.
    pub fn ticks(&self) -> Ticks {
        self.ticks.clone()
    }
}

/// Calls `start`, which starts a thread, and sets the timer slack of the new thread to the minimum. A thread inherits
/// its timer slack from the thread that starts it. With a large slack, every tick would be so late that the watchdog
/// would mistake the delay for a stop.
fn with_prompt_timers<T>(start: impl FnOnce() -> T) -> T {
    const PROMPT: u64 = 50_000;
    let slack = current_timer_slack().ok().filter(|slack| *slack > PROMPT);
    let set = |nanos| set_current_timer_slack(NonZeroU64::new(nanos));
    let is_set = slack.is_some() && set(PROMPT).is_ok();
    let result = start();
    if let (Some(slack), true) = (slack, is_set) {
        // The system allows this value, because the thread had it before.
        let _ = set(slack);
    }
    result
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // The thread owns nothing that its panic could leave inconsistent.
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
        let (sender, ticks) = bounded(1);
        let watchdog = Watchdog::start(move || sender.try_send(()).unwrap_or_default()).unwrap();
        let wait = Duration::from_secs(30);
        ticks.recv_timeout(wait).expect("a first tick");
        ticks.recv_timeout(wait).expect("a second tick");
        assert!(watchdog.ticks().now() > 0);
        drop(watchdog);
        while ticks.recv().is_ok() {}
    }
}
