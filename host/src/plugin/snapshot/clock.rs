//! The clock that only goes forward, one for all instances of a pool: what was frozen knows what
//! time it was then, and time must not go back for it.

use std::time::{Duration, Instant};

use wasmtime_wasi::HostMonotonicClock;

/// Counts from when its pool was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// One that begins now.
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock {
    /// One that shows now what another one showed when this was said. It is behind it by as long as
    /// that has taken, never before it: what is told what time it is after a snapshot was taken, is
    /// later.
    pub(crate) fn that_shows(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_sub(time).unwrap_or(now))
    }

    /// What it shows.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        nanoseconds(self.0.elapsed())
    }
}

/// What is more than that would take centuries.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
