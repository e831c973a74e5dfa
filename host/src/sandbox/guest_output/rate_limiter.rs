//! A limiter of bytes a second. After a second without output, it allows a burst of one second's
//! bytes. It does not read the clock; callers pass the time.

use std::time::{Duration, Instant};

/// A limit of bytes a second.
///
/// The whole state is one instant: the time at which all charged bytes would have passed at the
/// limit's rate. If this instant is less than a second in the future, the next line passes,
/// whatever its length. So no line is too long to pass, and only the last line of a burst can
/// exceed the limit.
///
/// ```
/// # use std::time::{Duration, Instant};
/// let (mut budget, now) = (mtl_host::event::RateLimiter::new(1000), Instant::now());
/// budget.spend(2000, now);
/// assert!(!budget.is_open(now));
/// assert!(budget.is_open(now + Duration::from_millis(1001)));
/// ```
#[derive(Debug)]
pub struct RateLimiter {
    bytes_a_second: u64,
    spent_until: Option<Instant>,
}

impl RateLimiter {
    /// The largest burst, as the time that it takes at the limit's rate.
    const BURST: Duration = Duration::from_secs(1);

    /// Returns a limit of `bytes_a_second`.
    #[must_use]
    pub fn new(bytes_a_second: u64) -> Self {
        Self { bytes_a_second, spent_until: None }
    }

    /// Returns whether a line may pass now.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.spent_until(now).duration_since(now) < Self::BURST
    }

    /// Charges `bytes` that pass now.
    pub fn spend(&mut self, bytes: usize, now: Instant) {
        self.spent_until = Some(self.spent_until(now) + self.time_of(bytes));
    }

    fn spent_until(&self, now: Instant) -> Instant {
        self.spent_until.map_or(now, |until| until.max(now))
    }

    fn time_of(&self, bytes: usize) -> Duration {
        // The product does not overflow: a line is short, and a second has few nanoseconds.
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_a_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_one_second_passes_and_then_the_rate_limit() {
        #[rustfmt::skip]
        let cases = [
            // at ms    bytes   passes
            (0,         400,    true),
            (0,         599,    true),
            (0,         1,      true),
            (0,         1,      false),
            (0,         0,      false),
            (100,       1,      true),
            (100,       99,     true),
            (100,       1,      false),
            (50,        1,      false),
            // The last line may exceed the limit. Then nothing passes for as long as its bytes take.
            (200,       5000,   true),
            (5099,      1,      false),
            (5101,      1,      true),
            // At most a second's worth is saved up.
            (60_000,    1000,   true),
            (60_000,    1,      false),
        ];
        let begin = Instant::now();
        let mut limiter = RateLimiter::new(1000);
        for (at, bytes, passes) in cases {
            let now = begin + Duration::from_millis(at);
            assert_eq!(limiter.is_open(now), passes, "{bytes} bytes at {at} ms");
            if passes {
                limiter.spend(bytes, now);
            }
        }
    }
}
