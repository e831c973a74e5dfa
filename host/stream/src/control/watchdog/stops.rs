//! Measures how long the process was stopped, from missing ticks.

use std::time::Duration;

/// The sum of the stops between ticks.
#[derive(Debug)]
pub(crate) struct Stops {
    /// The time of the last tick.
    last: Duration,
    /// The total time for which a thread was running or ready to run, up to the last tick. `None` if the kernel does
    /// not report it.
    busy: Option<Duration>,
    stopped: Duration,
}

impl Stops {
    /// The shortest gap that counts as a stop. Timers may be late by many milliseconds if the system saves power.
    pub(crate) const SHORTEST: Duration = Duration::from_millis(250);

    /// Starts to measure at `now`.
    pub(super) fn begin(now: Duration, busy: Option<Duration>) -> Self {
        Self { last: now, busy, stopped: Duration::ZERO }
    }

    /// Returns how long the process was stopped in total up to the tick at `now`.
    ///
    /// The measured time of a stop starts at the last tick before the stop. So the result may be too long by one tick
    /// for each stop, and it is never too short. Time in which the measured thread waits for a core is not part of a
    /// stop.
    pub(crate) fn tick(&mut self, now: Duration, busy: Option<Duration>) -> Duration {
        if let (Some(before), Some(busy)) = (self.busy, busy) {
            let gap = now.saturating_sub(self.last);
            let stop = gap.saturating_sub(busy.saturating_sub(before));
            if stop >= Self::SHORTEST {
                self.stopped += stop;
            }
        }
        (self.last, self.busy) = (now, busy);
        self.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_gap_without_busy_time_is_a_stop() {
        let mut stops = Stops::begin(ms(0), Some(ms(0)));
        #[rustfmt::skip]
        let steps = [
            // at           busy            stopped so far
            (ms(5),         Some(ms(0)),    ms(0)),
            (ms(17),        Some(ms(1)),    ms(0)),
            // The thread had no core for 600 ms.
            (ms(622),       Some(ms(601)),  ms(0)),
            // The process was stopped for 6 s.
            (ms(6622),      Some(ms(601)),  ms(6000)),
            (ms(6627),      Some(ms(602)),  ms(6000)),
            // The process was stopped, and had no core for 40 ms.
            (ms(7267),      Some(ms(642)),  ms(6600)),
            // The timer was late.
            (ms(7507),      Some(ms(642)),  ms(6600)),
            // The kernel no longer reports busy time.
            (ms(9999),      None,           ms(6600)),
            (ms(19999),     Some(ms(642)),  ms(6600)),
        ];
        for (at, busy, stopped) in steps {
            assert_eq!(stops.tick(at, busy), stopped, "at {at:?}");
        }
    }

    #[test]
    fn without_schedstat_no_stop_is_detected() {
        let mut stops = Stops::begin(ms(0), None);
        assert_eq!(stops.tick(ms(9999), None), ms(0));
    }
}
