//! The limit on the finish reports that the command shows. The limit on the bytes per second for the output of one
//! worker applies to the reports of all workers together. This module reads no clock: the caller passes the time.

use std::time::Instant;

use mtl_host::event::RateLimiter;
use mtl_host::limits::LogLimit;

/// The budget for the finish reports of all workers together.
#[derive(Debug)]
pub(super) struct FinishReports {
    budget: RateLimiter,
    suppressed: u64,
}

impl FinishReports {
    pub(super) fn new(limit: LogLimit) -> Self {
        Self { budget: RateLimiter::new(limit.bytes() as u64), suppressed: 0 }
    }

    /// Returns the text of a report to show, and charges the budget. If the budget is used up, returns `None`.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String, now: Instant) -> Option<String> {
        if !self.budget.is_open(now) {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        let text = text();
        self.budget.spend(text.len() + 1, now);
        Some(text)
    }

    /// Returns the number of reports that were not shown.
    pub(super) fn suppressed(&self) -> u64 {
        self.suppressed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn finish_reports_are_rate_limited_and_counted() {
        #[rustfmt::skip]
        let cases = [
            // at ms   bytes   is shown
            (0,        499,    true),
            (0,        9_499,  true),
            (0,        1,      false),
            (8_999,    1,      false),
            (9_001,    499,    true),
            (9_002,    1,      false),
            (9_502,    1,      true),
            (9_502,    1,      false),
        ];
        let begin = Instant::now();
        let mut finish_reports = FinishReports::new("1000".parse().unwrap());
        let mut suppressed = 0;
        for (at, bytes, is_shown) in cases {
            let now = begin + Duration::from_millis(at);
            let shown = finish_reports.show(|| "x".repeat(bytes), now);
            assert_eq!(shown.map(|text| text.len()), is_shown.then_some(bytes), "at {at} ms");
            suppressed += u64::from(!is_shown);
            assert_eq!(finish_reports.suppressed(), suppressed);
        }
    }
}
