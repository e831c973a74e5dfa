//! The state of one worker: a pure state machine. The worker reports events to the state machine,
//! and acts on the new state.
//!
//! ```text
//!          opened            failed, or replaced
//! Opening ────────▶ Ready ─────────────────────▶ Opening
//!    │ failed         │ failed too often in a row
//!    │                └───────────────────────────▶ Retired
//!    ├─ too often in a row ──────────────────────▶ Retired
//!    ├─ at the first start, and not transient ───▶ Retired
//!    └─ otherwise ──▶ Opening
//! ```
//!
//! A streak is the number of failures in a row: the items on which the worker's executors failed,
//! and the failed starts. All retries of one item count as one failure. Otherwise one bad item with
//! many retries would retire a worker.

use super::restart_policy::MaxRestarts;

/// The state of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerState {
    /// The worker must open an executor.
    Opening(Attempt),
    /// The executor takes items.
    Ready(RestartStreak),
    /// The worker never takes items again.
    Retired,
}

/// An attempt at opening an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The worker has never been ready.
    First(RestartStreak),
    /// The worker replaces an earlier executor.
    Replacement(RestartStreak),
}

/// The restarts since the worker last finished an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RestartStreak {
    /// The number of restarts, with the current one.
    restarts: u32,
    /// The number of failed starts in a row, up to now.
    failed: u32,
}

/// An event of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerEvent {
    Opened,
    FailedToOpen(StartFailure),
    /// The executor failed. The field tells whether the executor had finished an item.
    Failed(WorkDone),
    /// The executor failed on the item on which the previous one had failed.
    FailedAgain,
    /// The executor is replaced although it did not fail. The field tells whether the executor had
    /// finished an item.
    Replaced(WorkDone),
}

/// The kind of a failed start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartFailure {
    /// Another start may succeed: the process was killed, or the start took too long.
    Transient,
    /// Another start would fail in the same way.
    Lasting,
}

/// The work of an executor: it has finished some item, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkDone {
    Some,
    None,
}

impl RestartStreak {
    fn restarted(self) -> Self {
        Self { restarts: self.restarts.saturating_add(1), ..self }
    }

    fn failed(self) -> Self {
        Self { failed: self.failed.saturating_add(1), ..self }
    }

    fn opened(self) -> Self {
        Self { failed: 0, ..self }
    }

    /// Returns the streak of restarts after an executor did this work.
    fn after(self, work: WorkDone) -> Self {
        match work {
            WorkDone::Some => Self::default(),
            WorkDone::None => self,
        }
    }
}

impl WorkerState {
    /// The state of a worker that has not started.
    pub(crate) const NEW: Self =
        Self::Opening(Attempt::First(RestartStreak { restarts: 0, failed: 0 }));

    /// Returns the state after an event.
    #[must_use]
    pub(crate) fn after(self, event: WorkerEvent, max: MaxRestarts) -> Self {
        let restart = |streak: RestartStreak, attempt: fn(RestartStreak) -> Attempt| {
            if max.is_exceeded_by(streak.restarts, streak.failed) {
                Self::Retired
            } else {
                Self::Opening(attempt(streak.restarted()))
            }
        };
        match (self, event) {
            (
                Self::Opening(Attempt::First(streak) | Attempt::Replacement(streak)),
                WorkerEvent::Opened,
            ) => Self::Ready(streak.opened()),
            (
                Self::Opening(Attempt::First(_)),
                WorkerEvent::FailedToOpen(StartFailure::Lasting),
            ) => Self::Retired,
            (
                Self::Opening(Attempt::First(streak)),
                WorkerEvent::FailedToOpen(StartFailure::Transient),
            ) => {
                let streak = streak.failed();
                // This condition ignores the restart limit, which may be infinite. The run waits
                // until each worker is ready, so the number of failed starts must be limited.
                if streak.failed < MaxRestarts::FAILED_STARTS {
                    restart(streak, Attempt::First)
                } else {
                    Self::Retired
                }
            }
            (Self::Opening(Attempt::Replacement(streak)), WorkerEvent::FailedToOpen(_)) => {
                restart(streak.failed(), Attempt::Replacement)
            }
            (Self::Ready(streak), WorkerEvent::Failed(work)) => {
                restart(streak.after(work), Attempt::Replacement)
            }
            (Self::Ready(streak), WorkerEvent::FailedAgain) => {
                Self::Opening(Attempt::Replacement(streak))
            }
            (Self::Ready(streak), WorkerEvent::Replaced(work)) => {
                Self::Opening(Attempt::Replacement(streak.after(work)))
            }
            (Self::Retired, _)
            | (
                Self::Opening(_),
                WorkerEvent::Failed(_) | WorkerEvent::FailedAgain | WorkerEvent::Replaced(_),
            )
            | (Self::Ready(_), WorkerEvent::Opened | WorkerEvent::FailedToOpen(_)) => {
                unreachable!("{event:?} cannot happen to {self:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNLIMITED: MaxRestarts = MaxRestarts::Unlimited;
    const OPENED: WorkerEvent = WorkerEvent::Opened;
    const NO_START: WorkerEvent = WorkerEvent::FailedToOpen(StartFailure::Lasting);
    const KILLED: WorkerEvent = WorkerEvent::FailedToOpen(StartFailure::Transient);
    const FAILED: WorkerEvent = WorkerEvent::Failed(WorkDone::None);
    const AGAIN: WorkerEvent = WorkerEvent::FailedAgain;
    const WORKED: WorkerEvent = WorkerEvent::Failed(WorkDone::Some);
    const REPLACED: WorkerEvent = WorkerEvent::Replaced(WorkDone::Some);

    fn replacement(restarts: u32, failed: u32) -> WorkerState {
        WorkerState::Opening(Attempt::Replacement(RestartStreak { restarts, failed }))
    }

    fn first(restarts: u32, failed: u32) -> WorkerState {
        WorkerState::Opening(Attempt::First(RestartStreak { restarts, failed }))
    }

    fn ready(restarts: u32) -> WorkerState {
        WorkerState::Ready(RestartStreak { restarts, failed: 0 })
    }

    fn walk(events: &[WorkerEvent], max: MaxRestarts) -> WorkerState {
        events.iter().fold(WorkerState::NEW, |state, &event| state.after(event, max))
    }

    #[test]
    fn a_failed_start_or_too_many_restarts_retire_a_worker() {
        let (none, one, two) =
            (MaxRestarts::AtMost(0), MaxRestarts::AtMost(1), MaxRestarts::AtMost(2));
        #[rustfmt::skip]
        let cases: [(&str, MaxRestarts, &[WorkerEvent], WorkerState); 28] = [
            ("starts",                   UNLIMITED, &[OPENED],                                           ready(0)),
            ("never starts",             UNLIMITED, &[NO_START],                                         WorkerState::Retired),
            ("is killed as it starts",   UNLIMITED, &[KILLED],                                           first(1, 1)),
            ("and again",                UNLIMITED, &[KILLED, KILLED],                                   first(2, 2)),
            ("and then starts",          UNLIMITED, &[KILLED, KILLED, OPENED],                           ready(2)),
            ("and then cannot start",    UNLIMITED, &[KILLED, NO_START],                                 WorkerState::Retired),
            ("is killed each time",      UNLIMITED, &[KILLED, KILLED, KILLED],                           WorkerState::Retired),
            ("however often it may be",  MaxRestarts::AtMost(9), &[KILLED, KILLED, KILLED],              WorkerState::Retired),
            ("is killed, may not start again", none, &[KILLED],                                           WorkerState::Retired),
            ("is killed, may once",      one,       &[KILLED, KILLED],                                   WorkerState::Retired),
            ("is killed, has no more",   one,       &[KILLED, OPENED, FAILED],                           WorkerState::Retired),
            ("is killed, works, fails",  one,       &[KILLED, OPENED, WORKED],                           replacement(1, 0)),
            ("replacement is killed",    UNLIMITED, &[OPENED, FAILED, KILLED, KILLED, KILLED],           WorkerState::Retired),
            ("fails",                    UNLIMITED, &[OPENED, FAILED],                                   replacement(1, 0)),
            ("fails again",              UNLIMITED, &[OPENED, FAILED, OPENED, FAILED],                   replacement(2, 0)),
            ("worked in between",        UNLIMITED, &[OPENED, FAILED, OPENED, WORKED],                   replacement(1, 0)),
            ("replacement fails once",   UNLIMITED, &[OPENED, FAILED, NO_START],                         replacement(2, 1)),
            ("and then starts",          UNLIMITED, &[OPENED, FAILED, NO_START, OPENED, FAILED],         replacement(3, 0)),
            ("starts keep failing",      UNLIMITED, &[OPENED, FAILED, NO_START, NO_START, NO_START],     WorkerState::Retired),
            ("fails too often",          two,       &[OPENED, FAILED, OPENED, FAILED, OPENED, FAILED],   WorkerState::Retired),
            ("works after each restart", two,       &[OPENED, WORKED, OPENED, WORKED, OPENED, WORKED],   replacement(1, 0)),
            ("fails, cannot start",      two,       &[OPENED, FAILED, NO_START, NO_START],               WorkerState::Retired),
            ("an item fails often",      one,       &[OPENED, FAILED, OPENED, AGAIN, OPENED, AGAIN],     replacement(1, 0)),
            ("and the next one",         two,       &[OPENED, FAILED, OPENED, AGAIN, OPENED, FAILED],    replacement(2, 0)),
            ("and the one after that",   two,       &[OPENED, FAILED, OPENED, AGAIN, OPENED, FAILED, OPENED, FAILED], WorkerState::Retired),
            ("an item has no retry",     none,      &[OPENED, FAILED],                                   WorkerState::Retired),
            ("may not restart",          none,      &[OPENED, WORKED],                                   WorkerState::Retired),
            ("is replaced even then",    none,      &[OPENED, REPLACED, OPENED],                         ready(0)),
        ];
        for (case, max, events, expected) in cases {
            assert_eq!(walk(events, max), expected, "{case}");
        }
    }

    proptest! {
        /// For any events, a worker is retired exactly when it has more restarts in a row than the
        /// limit.
        #[test]
        fn consecutive_restarts_decide_the_retirement(
            most in 0_u32..5,
            events in prop::collection::vec(0_u8..6, 0..100),
        ) {
            let max = MaxRestarts::AtMost(most);
            let mut state = WorkerState::NEW.after(OPENED, max);
            let mut streak = 0;
            for choice in events {
                let event = match (state, choice) {
                    (WorkerState::Retired, _) => break,
                    (WorkerState::Opening(_), 0) => NO_START,
                    (WorkerState::Opening(_), 1) => KILLED,
                    (WorkerState::Opening(_), _) => OPENED,
                    (WorkerState::Ready(_), 0 | 1) => FAILED,
                    (WorkerState::Ready(_), 2) => WORKED,
                    (WorkerState::Ready(_), 3) => AGAIN,
                    (WorkerState::Ready(_), _) => REPLACED,
                };
                state = state.after(event, max);
                match event {
                    WORKED => streak = 1,
                    REPLACED => streak = 0,
                    FAILED | NO_START | KILLED => streak += 1,
                    _ => {}
                }
                prop_assert_eq!(state == WorkerState::Retired, streak > most, "{:?}", state);
            }
        }
    }
}
