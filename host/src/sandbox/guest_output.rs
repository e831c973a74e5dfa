//! The output of one worker's guest: lines and log messages that become events, within a budget of
//! bytes a second.
//!
//! Standard output, standard error and the log of a worker share one budget. A replacement instance
//! continues with the budget of its worker, so a plugin gets no additional budget by failing. All
//! workers of a pool share a second budget, their [`PoolRateLimiter`]. The cost of a line is the
//! number of bytes in its displayed form ([`cost()`]).
//!
//! The host drops lines beyond a budget and counts the dropped lines. Before the next line that the
//! host passes on, a notice reports the number of dropped lines. The host sends at most one such
//! notice a second, and a last notice at the end of the output.

mod cost;
mod rate_limiter;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::cost::NOTICE;
pub use self::cost::{cost, is_plain};
pub use self::rate_limiter::RateLimiter;
use crate::item::limits::LogLimit;
use crate::sandbox::guest_event::{GuestEvent, GuestSink, GuestStream, LogLevel};

/// The output of one worker's guest.
pub(crate) struct GuestOutput {
    sink: GuestSink,
    limit: LogLimit,
    pool_limiter: PoolRateLimiter,
    state: Mutex<OutputState>,
}

struct OutputState {
    limiter: RateLimiter,
    dropped: Dropped,
    /// The time of the last notice about dropped lines.
    last_notice: Option<Instant>,
}

/// The budget of all workers of a pool together, which is [`LOUD_WORKERS`](Self::LOUD_WORKERS) times the budget of one
/// worker.
#[derive(Clone, Debug)]
pub(crate) struct PoolRateLimiter(Arc<Mutex<RateLimiter>>);

impl PoolRateLimiter {
    /// The number of workers that can use their full budgets in the same second. Without a budget
    /// of the pool, a hundred workers could write a hundred times the output of one worker.
    const LOUD_WORKERS: u64 = 4;

    pub(crate) fn new(limit: LogLimit) -> Self {
        let bytes = (limit.bytes() as u64).saturating_mul(Self::LOUD_WORKERS);
        Self(Arc::new(Mutex::new(RateLimiter::new(bytes))))
    }

    fn lock(&self) -> MutexGuard<'_, RateLimiter> {
        // A budget is a single value, so a panic cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The count of dropped output that no notice has reported yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Dropped {
    lines: u64,
    bytes: u64,
}

impl GuestOutput {
    /// The shortest time between two notices about dropped lines.
    const PAUSE: Duration = Duration::from_secs(1);

    pub(crate) fn new(limit: LogLimit, pool_limiter: PoolRateLimiter, sink: GuestSink) -> Self {
        let limiter = RateLimiter::new(limit.bytes() as u64);
        let state = OutputState { limiter, dropped: Dropped::default(), last_notice: None };
        Self { sink, limit, pool_limiter, state: Mutex::new(state) }
    }

    /// Returns the budget of one worker.
    pub(crate) fn limit(&self) -> LogLimit {
        self.limit
    }

    /// Returns the receiver of the events.
    pub(crate) fn sink(&self) -> &GuestSink {
        &self.sink
    }

    /// Passes on a line that the guest wrote. It need not be UTF-8.
    pub(crate) fn line(&self, stream: GuestStream, line: &[u8]) {
        self.line_at(stream, line, Instant::now());
    }

    fn line_at(&self, stream: GuestStream, line: &[u8], now: Instant) {
        let text = || String::from_utf8_lossy(line);
        if self.charge_line(line.len(), || cost(&text()), now) {
            let line = text();
            let line = line.strip_suffix('\r').unwrap_or(&line);
            self.sink.send(&GuestEvent::Output { stream, line });
        }
    }

    /// Passes on a message that the guest logged.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        if self.charge_line(message.len(), || cost(message), Instant::now()) {
            self.sink.send(&GuestEvent::Log { level, message });
        }
    }

    /// Reports output that was dropped since the last notice.
    pub(crate) fn report_dropped(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        self.send_dropped(dropped);
    }

    /// Adds output that the child has dropped.
    pub(crate) fn note_dropped(&self, lines: u64, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = &mut state.dropped;
        dropped.lines = dropped.lines.saturating_add(lines);
        dropped.bytes = dropped.bytes.saturating_add(bytes);
    }

    /// Returns whether a line of `bytes` bytes is within the budgets. If the line is within the
    /// budgets, charges the cost of the line and reports the lines that were dropped before it.
    /// Sends no such report within a second of the last notice.
    fn charge_line(&self, bytes: usize, cost: impl FnOnce() -> usize, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let OutputState { limiter, dropped, last_notice } = &mut *state;
        // A dropped line costs only this check.
        if !limiter.is_open(now) || !self.pool_limiter.lock().is_open(now) {
            dropped.lines = dropped.lines.saturating_add(1);
            dropped.bytes = dropped.bytes.saturating_add(bytes as u64);
            return false;
        }
        let is_time =
            last_notice.is_none_or(|last| now.saturating_duration_since(last) >= Self::PAUSE);
        let due = if is_time { std::mem::take(dropped) } else { Dropped::default() };
        let mut spent = cost();
        if due.lines > 0 {
            *last_notice = Some(now);
            spent += NOTICE;
        }
        limiter.spend(spent, now);
        self.pool_limiter.lock().spend(spent, now);
        drop(state);
        self.send_dropped(due);
        true
    }

    fn send_dropped(&self, Dropped { lines, bytes }: Dropped) {
        if lines > 0 {
            self.sink.send(&GuestEvent::Dropped { lines, bytes });
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut state.dropped);
        self.send_dropped(dropped);
    }
}

impl fmt::Debug for GuestOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestOutput").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    type Notices = Arc<Mutex<Vec<(u64, u64)>>>;

    /// Returns the output of a worker, the limiter of its pool, and the notices of drops.
    fn output(limit: &str) -> (GuestOutput, PoolRateLimiter, Notices) {
        let notices = Notices::default();
        let log = Arc::clone(&notices);
        let sink = GuestSink::new(move |event| {
            if let GuestEvent::Dropped { lines, bytes } = *event {
                log.lock().unwrap().push((lines, bytes));
            }
        });
        let limit = limit.parse().unwrap();
        let pool_limiter = PoolRateLimiter::new(limit);
        (GuestOutput::new(limit, pool_limiter.clone(), sink), pool_limiter, notices)
    }

    #[test]
    fn dropped_output_is_reported_each_second_and_at_the_end() {
        let (output, _, notices) = output("1000");
        let notices = || notices.lock().unwrap().clone();
        let begin = Instant::now();
        let charge = |bytes: usize, milliseconds| {
            output.charge_line(bytes, || bytes, begin + Duration::from_millis(milliseconds))
        };
        assert!(charge(1000, 0));
        assert!(!charge(10, 0) && !charge(20, 0));
        assert_eq!(notices(), []);
        assert!(charge(10, 1));
        assert_eq!(notices(), [(2, 30)]);
        // The notice was charged: 106 bytes take 106 ms.
        assert!(!charge(1, 100));
        assert!(charge(1000, 107));
        assert!(!charge(7, 1106));
        assert_eq!(notices(), [(2, 30)], "less than a second ago");
        assert!(charge(1, 1107));
        assert_eq!(notices(), [(2, 30), (2, 8)]);
        assert!(charge(2000, 1300));
        assert!(!charge(5, 1400));
        drop(output);
        assert_eq!(notices(), [(2, 30), (2, 8), (1, 5)]);
    }

    #[test]
    fn a_pool_rate_limit_bounds_the_output_of_all_workers() {
        let (first, pool_limiter, _) = output("1000");
        let limit = first.limit();
        let more =
            (1..10).map(|_| GuestOutput::new(limit, pool_limiter.clone(), GuestSink::default()));
        let outputs: Vec<_> = [first].into_iter().chain(more).collect();
        let now = Instant::now();
        let charge = |output: &GuestOutput, at: Instant| output.charge_line(1000, || 1000, at);
        let passed = outputs.iter().filter(|output| charge(output, now)).count();
        assert_eq!(passed as u64, PoolRateLimiter::LOUD_WORKERS);
        // A second later the same number may write. Workers that were quiet before have the same right.
        let later = now + Duration::from_secs(1);
        let passed = outputs.iter().rev().filter(|output| charge(output, later)).count();
        assert_eq!(passed as u64, PoolRateLimiter::LOUD_WORKERS);
    }

    #[test]
    fn guest_output_is_charged_by_its_escaped_length() {
        let (output, _, notices) = output("1000");
        // Each line has ten bytes, which become sixty when they are escaped, and 32 more for the worker's name.
        let now = Instant::now();
        for _ in 0..100 {
            output.line_at(GuestStream::Stdout, &[0x1b; 10], now);
        }
        drop(output);
        // Eleven lines are 1012 bytes.
        assert_eq!(*notices.lock().unwrap(), [(89, 890)]);
    }
}
