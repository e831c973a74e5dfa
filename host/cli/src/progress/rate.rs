//! The rate of finished items, smoothed like tqdm's.

use std::time::Duration;

/// An exponential moving average.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    last: f64,
    steps: i32,
}

impl Average {
    /// The weight of a new value, which tqdm calls smoothing. If the weight is near 0, old and new values influence the
    /// rate almost equally. If it is 1, only the last value determines the rate.
    const SMOOTHING: f64 = 0.3;

    fn add(&mut self, value: f64) {
        self.last = Self::SMOOTHING * value + (1.0 - Self::SMOOTHING) * self.last;
        self.steps += 1;
    }

    /// Returns the average, corrected for its initial value of 0.
    fn get(self) -> f64 {
        self.last / (1.0 - (1.0 - Self::SMOOTHING).powi(self.steps))
    }
}

/// A moving rate. The caller passes the time; this type reads no clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    time: Duration,
    done: u64,
    items: Average,
    seconds: Average,
}

impl Rate {
    /// Records that `done` items are finished at the time `now`. Both values are measured from the start of the run.
    /// Returns the rate in items per second. If no item has finished since the last call, the rate does not change.
    pub(super) fn observe(&mut self, now: Duration, done: u64) -> Option<f64> {
        let (more, took) = (done.saturating_sub(self.done), now.saturating_sub(self.time));
        if more > 0 && !took.is_zero() {
            self.items.add(float(more));
            self.seconds.add(took.as_secs_f64());
            (self.time, self.done) = (now, done);
        }
        self.get()
    }

    fn get(self) -> Option<f64> {
        (self.items.steps > 0).then(|| self.items.get() / self.seconds.get())
    }
}

/// Returns the average rate since the start, in items per second.
pub(super) fn overall(elapsed: Duration, done: u64) -> Option<f64> {
    (done > 0 && !elapsed.is_zero()).then(|| float(done) / elapsed.as_secs_f64())
}

/// Converts to the nearest float.
#[expect(clippy::cast_precision_loss, reason = "nobody reads 15 digits of a rate")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_recent_progress() {
        let mut rate = Rate::default();
        #[rustfmt::skip]
        let cases = [
            // at ms   done   items a second
            (0,        0,     None),
            (1_000,    0,     None),
            (2_000,    20,    Some(10.0)),
            (2_000,    30,    Some(10.0)),       // no time has passed
            (3_000,    20,    Some(10.0)),       // nothing is new
            (4_000,    30,    Some(7.058_824)),  // 10 in 2 s, after 20 in 2 s
            (5_000,    80,    Some(19.763_314)), // 50 in 1 s
        ];
        for (time, done, expected) in cases {
            let rate = rate.observe(Duration::from_millis(time), done);
            let near = match (rate, expected) {
                (Some(rate), Some(expected)) => f64::abs(rate - expected) < 1e-3,
                (rate, expected) => rate == expected,
            };
            assert!(near, "{done} at {time} ms: {rate:?}, not {expected:?}");
        }
    }
}
