//! The clock that stops guests: one thread per engine.
//!
//! On each tick it raises the engine's epoch, which makes every running guest ask its store
//! whether it may go on, and counts, so that others can tell time without reading a clock.
//! The number of ticks is computed from a clock: a late thread makes up for what it missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// Time as the watchdog counts it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(Arc<AtomicU64>);

impl Ticks {
    /// A guest that is to end notices it after at most this long. Shorter ticks cost more:
    /// each makes every running guest call back, and wakes the watchdog.
    pub(crate) const EVERY: Duration = Duration::from_millis(5);

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ticks until it is dropped.
pub(crate) struct Watchdog {
    ticks: Ticks,
    /// It hears an error when the thread runs.
    runs: Receiver<()>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watchdog {
    /// Starts to tick; `on_tick` is called at each tick.
    pub(crate) fn start(on_tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        let ticks = Ticks::default();
        let (end, ended) = bounded::<()>(0);
        let (starts, runs) = bounded::<()>(0);
        let counter = ticks.clone();
        let tick = move || {
            drop(starts);
            let begun = Instant::now();
            while ended.recv_timeout(Ticks::EVERY) == Err(RecvTimeoutError::Timeout) {
                let due = begun.elapsed().as_nanos() / Ticks::EVERY.as_nanos();
                counter.0.store(u64::try_from(due).unwrap_or(u64::MAX), Ordering::Relaxed);
                on_tick();
            }
        };
        let thread = thread::Builder::new().name("mtl-watchdog".into()).spawn(tick)?;
        Ok(Self { ticks, runs, thread: Some((end, thread)) })
    }

    /// Waits until the thread runs.
    pub(crate) fn wait_until_it_runs(&self) {
        // Nobody sends: the other end is dropped.
        let _ = self.runs.recv();
    }

    pub(crate) fn ticks(&self) -> Ticks {
        self.ticks.clone()
    }
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
