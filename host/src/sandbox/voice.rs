//! What one worker's plugin says, beside its results: passed on as events, up to so much a
//! second.
//!
//! Its standard output, its standard error and its log share one budget, and so do the instances
//! of a worker, one after the other: a plugin that breaks again and again says no more. What is
//! beyond the budget is dropped and counted; how much that was is told before the next line that
//! is passed on, or at the end.

mod budget;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use self::budget::Budget;
use crate::event::{Audience, Event, Level, Stream};
use crate::sandbox::limits::LogLimit;
use crate::worker::WorkerIndex;

/// What one worker's plugin says.
pub(crate) struct Voice {
    worker: WorkerIndex,
    audience: Audience,
    limit: LogLimit,
    spoken: Mutex<Spoken>,
}

struct Spoken {
    budget: Budget,
    dropped: Dropped,
}

/// What nobody was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Dropped {
    lines: u64,
    bytes: u64,
}

impl Voice {
    /// What a line costs beside its bytes: its worker's name, and telling of it. So empty lines
    /// are not for nothing.
    const LINE: usize = 32;

    pub(crate) fn new(worker: WorkerIndex, limit: LogLimit, audience: Audience) -> Self {
        let spoken = Spoken { budget: Budget::new(limit), dropped: Dropped::default() };
        Self { worker, audience, limit, spoken: Mutex::new(spoken) }
    }

    /// How much may be said in a second.
    pub(crate) fn limit(&self) -> LogLimit {
        self.limit
    }

    /// Who is told.
    pub(crate) fn audience(&self) -> &Audience {
        &self.audience
    }

    /// A line that was written, which need not be text.
    pub(crate) fn line(&self, stream: Stream, line: &[u8]) {
        if self.admits(line.len(), Instant::now()) {
            let line = String::from_utf8_lossy(line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            self.audience.tell(&Event::Output { worker: self.worker, stream, line });
        }
    }

    /// A message that was logged.
    pub(crate) fn log(&self, level: Level, message: &str) {
        if self.admits(message.len(), Instant::now()) {
            self.audience.tell(&Event::Log { worker: self.worker, level, message });
        }
    }

    /// Tells now of what was dropped, if anything was.
    pub(crate) fn tell_what_was_dropped(&self) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut spoken.dropped);
        drop(spoken);
        self.tell_dropped(dropped);
    }

    /// So much was dropped before it came here.
    pub(crate) fn note_dropped(&self, lines: u64, bytes: u64) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = &mut spoken.dropped;
        dropped.lines = dropped.lines.saturating_add(lines);
        dropped.bytes = dropped.bytes.saturating_add(bytes);
    }

    /// Whether so many bytes are within the budget. If so, tells first of what was not.
    fn admits(&self, bytes: usize, now: Instant) -> bool {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let Spoken { budget, dropped } = &mut *spoken;
        if !budget.spend(bytes + Self::LINE, now) {
            dropped.lines = dropped.lines.saturating_add(1);
            dropped.bytes = dropped.bytes.saturating_add(bytes as u64);
            return false;
        }
        let dropped = std::mem::take(dropped);
        drop(spoken);
        self.tell_dropped(dropped);
        true
    }

    fn tell_dropped(&self, Dropped { lines, bytes }: Dropped) {
        if lines > 0 {
            self.audience.tell(&Event::OutputDropped { worker: self.worker, lines, bytes });
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        let spoken = self.spoken.get_mut().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut spoken.dropped);
        self.tell_dropped(dropped);
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("worker", &self.worker).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::event::Observer;

    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, u64)>>);

    impl Observer for Told {
        fn notify(&self, event: &Event<'_>) {
            if let Event::OutputDropped { lines, bytes, .. } = *event {
                self.0.lock().unwrap().push((lines, bytes));
            }
        }
    }

    #[test]
    fn what_is_dropped_is_told_once_before_the_next_line_and_at_the_end() {
        let told = Arc::new(Told::default());
        let (begin, audience) = (Instant::now(), Audience::new(told.clone()));
        let limit = "1000".parse().unwrap();
        let voice = Voice::new(WorkerIndex::default(), limit, audience);
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        assert!(voice.admits(1000 - Voice::LINE, at(0)));
        assert!(!voice.admits(10, at(0)));
        assert!(!voice.admits(20, at(0)));
        assert_eq!(*told.0.lock().unwrap(), []);
        assert!(voice.admits(10, at(1)));
        assert_eq!(*told.0.lock().unwrap(), [(2, 30)]);
        assert!(!voice.admits(0, at(1)), "an empty line is not for nothing");
        drop(voice);
        assert_eq!(*told.0.lock().unwrap(), [(2, 30), (1, 0)]);
    }
}
