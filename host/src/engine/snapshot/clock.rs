//! The clock that only goes forward, one for all instances of a pool: what was frozen knows what
//! time it was then, and time must not go back for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime_wasi::HostMonotonicClock;

/// Counts from when its pool was made. Clones show the same.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    begun: Instant,
    /// By how many nanoseconds it is ahead of that.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// One that begins now.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), ahead: Arc::default() }
    }
}

impl Clock {
    /// One that shows now what another one showed when this was said. It is behind it by as long as
    /// that has taken, never before it: what is told what time it is after a snapshot was taken, is
    /// later.
    pub(crate) fn that_shows(time: Duration) -> Self {
        let clock = Self::new();
        clock.show_at_least(time);
        clock
    }

    /// What it shows.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed() + Duration::from_nanos(self.ahead.load(Ordering::Acquire))
    }

    /// Moves it on, if it shows less than that.
    pub(crate) fn show_at_least(&self, time: Duration) {
        let ahead = time.saturating_sub(self.begun.elapsed());
        self.ahead.fetch_max(nanoseconds(ahead), Ordering::AcqRel);
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        nanoseconds(self.elapsed())
    }
}

/// What is more than that would take centuries.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_moved_on_and_never_back() {
        let (clock, hour) = (Clock::new(), Duration::from_hours(1));
        let same = clock.clone();
        assert!(clock.elapsed() < hour);
        clock.show_at_least(hour);
        assert!(same.elapsed() >= hour && same.elapsed() < 2 * hour);
        clock.show_at_least(Duration::ZERO);
        assert!(clock.elapsed() >= hour);
        assert!(Clock::that_shows(hour).elapsed() >= hour);
        assert!(clock.now() >= nanoseconds(hour));
    }
}
