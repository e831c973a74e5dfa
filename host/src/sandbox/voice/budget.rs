//! So many bytes a second, and as many at once after a second of silence. Pure: it is told what
//! time it is.

use std::time::{Duration, Instant};

/// What may still be said.
///
/// One instant says it all: until when what was said would have taken, at the limit's pace. As
/// long as that is less than a second away, more may be said, however long it is: so the budget
/// is passed by one line at most, and no line is too long for ever.
///
/// ```
/// # use std::time::{Duration, Instant};
/// let (mut budget, now) = (mtl_host::Budget::new(1000), Instant::now());
/// budget.spend(2000, now);
/// assert!(!budget.is_open(now));
/// assert!(budget.is_open(now + Duration::from_millis(1001)));
/// ```
#[derive(Debug)]
pub struct Budget {
    bytes_a_second: u64,
    spent_until: Option<Instant>,
}

impl Budget {
    /// What may be said at once, as the time that it would take.
    const BURST: Duration = Duration::from_secs(1);

    /// Returns a budget of so many bytes a second.
    #[must_use]
    pub fn new(bytes_a_second: u64) -> Self {
        Self { bytes_a_second, spent_until: None }
    }

    /// Returns whether something may be said now.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.spent_until(now).duration_since(now) < Self::BURST
    }

    /// Takes note that so many bytes are said now.
    pub fn spend(&mut self, bytes: usize, now: Instant) {
        self.spent_until = Some(self.spent_until(now) + self.time_of(bytes));
    }

    fn spent_until(&self, now: Instant) -> Instant {
        self.spent_until.map_or(now, |until| until.max(now))
    }

    fn time_of(&self, bytes: usize) -> Duration {
        // Both fit: a line is short, and a second has few nanoseconds.
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_a_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_a_second_allows_at_once_and_then_at_its_pace() {
        #[rustfmt::skip]
        let cases = [
            // at ms    bytes   is said
            (0,         400,    true),
            (0,         599,    true),
            (0,         1,      true),
            (0,         1,      false),
            (0,         0,      false),
            (100,       1,      true),
            (100,       99,     true),
            (100,       1,      false),
            (50,        1,      false),
            // The last line may pass the budget; then there is silence for as long as it is worth.
            (200,       5000,   true),
            (5099,      1,      false),
            (5101,      1,      true),
            // No more than a second's worth is saved up.
            (60_000,    1000,   true),
            (60_000,    1,      false),
        ];
        let begin = Instant::now();
        let mut budget = Budget::new(1000);
        for (at, bytes, said) in cases {
            let now = begin + Duration::from_millis(at);
            assert_eq!(budget.is_open(now), said, "{bytes} bytes at {at} ms");
            if said {
                budget.spend(bytes, now);
            }
        }
    }
}
