//! The monotonic clock that all instances of a pool share.
//!
//! A snapshot may contain the time at which it was taken. An instance that starts from the snapshot
//! must never read an earlier time from its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime_wasi::HostMonotonicClock;

/// A clock that counts from the start of its pool. Clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// The number of nanoseconds to add to the time since `start`.
    offset: Arc<AtomicU64>,
}

impl Clock {
    /// Returns a clock that starts now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), offset: Arc::default() }
    }
}

impl Clock {
    /// Returns a clock that starts now and shows `time`, which was read from another clock. The new
    /// clock is never ahead of the other clock: it lags by the delay between the reading and this
    /// call. If `time` was read after a snapshot was taken, the new clock never shows a time before
    /// the snapshot.
    pub(crate) fn resumed_at(time: Duration) -> Self {
        let clock = Self::new();
        clock.advance_to(time);
        clock
    }

    /// Returns the time that the clock shows.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed() + Duration::from_nanos(self.offset.load(Ordering::Acquire))
    }

    /// Moves the clock forward to `time`, unless it already shows a later time.
    pub(crate) fn advance_to(&self, time: Duration) {
        let offset = time.saturating_sub(self.start.elapsed());
        self.offset.fetch_max(nanoseconds(offset), Ordering::AcqRel);
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

/// Returns the time in nanoseconds. The range suffices for centuries.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_clock_advances_and_never_goes_back() {
        let (clock, hour) = (Clock::new(), Duration::from_hours(1));
        let same = clock.clone();
        assert!(clock.elapsed() < hour);
        clock.advance_to(hour);
        assert!(same.elapsed() >= hour && same.elapsed() < 2 * hour);
        clock.advance_to(Duration::ZERO);
        assert!(clock.elapsed() >= hour);
        assert!(Clock::resumed_at(hour).elapsed() >= hour);
        assert!(clock.now() >= nanoseconds(hour));
    }
}
