//! The output of one worker's guest: lines and log messages that become events, within a budget of
//! bytes a second.
//!
//! Standard output, standard error and the log share one budget. The successive instances of a
//! worker share it, so a plugin that fails again and again gets no more. All workers of a pool share
//! a second budget, their [`PoolRateLimiter`]. A line costs the bytes that it takes on the display
//! ([`cost()`]).
//!
//! Lines beyond a budget are dropped and counted. A notice with the count comes before the next
//! line that is passed on, but at most once a second, and at the end.

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
    chorus: PoolRateLimiter,
    spoken: Mutex<OutputState>,
}

struct OutputState {
    budget: RateLimiter,
    dropped: Dropped,
    /// The time of the last notice about dropped lines.
    told: Option<Instant>,
}

/// The budget of all workers of a pool together, which is [`LOUD_WORKERS`](Self::LOUD_WORKERS) times that of
/// one worker.
#[derive(Clone, Debug)]
pub(crate) struct PoolRateLimiter(Arc<Mutex<RateLimiter>>);

impl PoolRateLimiter {
    /// The number of workers that can use their full budgets in the same second. With a hundred
    /// workers, output would otherwise be a hundred times as much.
    const LOUD_WORKERS: u64 = 4;

    pub(crate) fn new(limit: LogLimit) -> Self {
        let bytes = (limit.bytes() as u64).saturating_mul(Self::LOUD_WORKERS);
        Self(Arc::new(Mutex::new(RateLimiter::new(bytes))))
    }

    fn budget(&self) -> MutexGuard<'_, RateLimiter> {
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

    pub(crate) fn new(limit: LogLimit, chorus: PoolRateLimiter, sink: GuestSink) -> Self {
        let budget = RateLimiter::new(limit.bytes() as u64);
        let spoken = OutputState { budget, dropped: Dropped::default(), told: None };
        Self { sink, limit, chorus, spoken: Mutex::new(spoken) }
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
            self.sink.tell(&GuestEvent::Output { stream, line });
        }
    }

    /// Passes on a message that the guest logged.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        if self.charge_line(message.len(), || cost(message), Instant::now()) {
            self.sink.tell(&GuestEvent::Log { level, message });
        }
    }

    /// Reports dropped output now, if there is any.
    pub(crate) fn report_dropped(&self) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut spoken.dropped);
        drop(spoken);
        self.tell_dropped(dropped);
    }

    /// Adds output that the child has dropped.
    pub(crate) fn note_dropped(&self, lines: u64, bytes: u64) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = &mut spoken.dropped;
        dropped.lines = dropped.lines.saturating_add(lines);
        dropped.bytes = dropped.bytes.saturating_add(bytes);
    }

    /// Returns whether a line of `bytes` bytes is within the budgets, and charges them its cost. If
    /// it is, first reports dropped lines, unless a notice was sent less than a second ago.
    fn charge_line(&self, bytes: usize, cost: impl FnOnce() -> usize, now: Instant) -> bool {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let OutputState { budget, dropped, told } = &mut *spoken;
        // A dropped line costs only this check.
        if !budget.is_open(now) || !self.chorus.budget().is_open(now) {
            dropped.lines = dropped.lines.saturating_add(1);
            dropped.bytes = dropped.bytes.saturating_add(bytes as u64);
            return false;
        }
        let is_time = told.is_none_or(|told| now.saturating_duration_since(told) >= Self::PAUSE);
        let due = if is_time { std::mem::take(dropped) } else { Dropped::default() };
        let mut spent = cost();
        if due.lines > 0 {
            *told = Some(now);
            spent += NOTICE;
        }
        budget.spend(spent, now);
        self.chorus.budget().spend(spent, now);
        drop(spoken);
        self.tell_dropped(due);
        true
    }

    fn tell_dropped(&self, Dropped { lines, bytes }: Dropped) {
        if lines > 0 {
            self.sink.tell(&GuestEvent::Dropped { lines, bytes });
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        let spoken = self.spoken.get_mut().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut spoken.dropped);
        self.tell_dropped(dropped);
    }
}

impl fmt::Debug for GuestOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    type Told = Arc<Mutex<Vec<(u64, u64)>>>;

    /// Returns the output of a worker, and the notices about what it dropped.
    fn voice(limit: &str) -> (GuestOutput, PoolRateLimiter, Told) {
        let told = Told::default();
        let heard = Arc::clone(&told);
        let sink = GuestSink::new(move |event| {
            if let GuestEvent::Dropped { lines, bytes } = *event {
                heard.lock().unwrap().push((lines, bytes));
            }
        });
        let limit = limit.parse().unwrap();
        let chorus = PoolRateLimiter::new(limit);
        (GuestOutput::new(limit, chorus.clone(), sink), chorus, told)
    }

    #[test]
    fn what_is_dropped_is_told_once_a_second_and_at_the_end() {
        let (voice, _, told) = voice("1000");
        let told = || told.lock().unwrap().clone();
        let begin = Instant::now();
        let says = |bytes: usize, milliseconds| {
            voice.charge_line(bytes, || bytes, begin + Duration::from_millis(milliseconds))
        };
        assert!(says(1000, 0));
        assert!(!says(10, 0) && !says(20, 0));
        assert_eq!(told(), []);
        assert!(says(10, 1));
        assert_eq!(told(), [(2, 30)]);
        // The notice was charged: 106 bytes take 106 ms.
        assert!(!says(1, 100));
        assert!(says(1000, 107));
        assert!(!says(7, 1106));
        assert_eq!(told(), [(2, 30)], "less than a second ago");
        assert!(says(1, 1107));
        assert_eq!(told(), [(2, 30), (2, 8)]);
        assert!(says(2000, 1300));
        assert!(!says(5, 1400));
        drop(voice);
        assert_eq!(told(), [(2, 30), (2, 8), (1, 5)]);
    }

    #[test]
    fn all_workers_together_say_no_more_than_some_of_them() {
        let (first, chorus, _) = voice("1000");
        let limit = first.limit();
        let more = (1..10).map(|_| GuestOutput::new(limit, chorus.clone(), GuestSink::default()));
        let voices: Vec<_> = [first].into_iter().chain(more).collect();
        let now = Instant::now();
        let says = |voice: &GuestOutput, at: Instant| voice.charge_line(1000, || 1000, at);
        let said = voices.iter().filter(|voice| says(voice, now)).count();
        assert_eq!(said as u64, PoolRateLimiter::LOUD_WORKERS);
        // A second later the same number may write. Workers that were quiet before have the same right.
        let later = now + Duration::from_secs(1);
        let said = voices.iter().rev().filter(|voice| says(voice, later)).count();
        assert_eq!(said as u64, PoolRateLimiter::LOUD_WORKERS);
    }

    #[test]
    fn what_would_be_long_where_it_is_shown_is_charged_as_such() {
        let (voice, _, told) = voice("1000");
        // Each line has ten bytes, which become sixty when they are escaped, and 32 more for the worker's name.
        let now = Instant::now();
        for _ in 0..100 {
            voice.line_at(GuestStream::Stdout, &[0x1b; 10], now);
        }
        drop(voice);
        // Eleven lines are 1012 bytes.
        assert_eq!(*told.lock().unwrap(), [(89, 890)]);
    }
}
