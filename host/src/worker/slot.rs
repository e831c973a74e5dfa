//! The state of one worker. It is pure: the worker opens, works and tells what happened.
//!
//! ```text
//!          opened            broke, or replaced
//! Opening ────────▶ Ready ─────────────────────▶ Opening
//!    │ failed         │ broke too often in a row
//!    │                └───────────────────────────▶ Retired
//!    ├─ too often in a row ──────────────────────▶ Retired
//!    ├─ never was ready, and never will be ──────▶ Retired
//!    └─ otherwise ──▶ Opening
//! ```
//!
//! A row counts the items that broke the worker's executors, and the starts that failed. An item
//! that is tried again counts once, however often it breaks one: otherwise the number of retries
//! would retire a worker for one bad item.

use super::renewal::MaxRestarts;

/// Where one worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// An executor is to be opened.
    Opening(Attempt),
    /// The executor takes items.
    Ready(Row),
    /// Nothing runs here again.
    Retired,
}

/// Which attempt at opening an executor this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The worker has never had one.
    First(Row),
    /// A replacement.
    Replacement(Row),
}

/// Restarts since the worker last finished an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// All of them, this one included.
    restarts: u32,
    /// How many in a row, up to now, did not even start.
    failed: u32,
}

/// What happened to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Opened,
    FailedToOpen(Failure),
    /// The executor broke, after it had worked on some item or before.
    Broke(Work),
    /// The executor broke on the item that had broken the one before it.
    BrokeAgain,
    /// The executor is to be replaced, though it did not break.
    Replaced(Work),
}

/// The prospects of another attempt at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may: its process was killed, or it took too long.
    Transient,
    /// It would fail in the same way.
    Lasting,
}

/// Whether an executor has finished an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Some,
    None,
}

impl Row {
    fn restarted(self) -> Self {
        Self { restarts: self.restarts.saturating_add(1), ..self }
    }

    fn failed(self) -> Self {
        Self { failed: self.failed.saturating_add(1), ..self }
    }

    fn opened(self) -> Self {
        Self { failed: 0, ..self }
    }

    /// The row that a worker is in after it worked so.
    fn after(self, work: Work) -> Self {
        match work {
            Work::Some => Self::default(),
            Work::None => self,
        }
    }
}

impl Slot {
    /// A worker that has not been started.
    pub(crate) const NEW: Self = Self::Opening(Attempt::First(Row { restarts: 0, failed: 0 }));

    /// The state that follows.
    #[must_use]
    pub(crate) fn after(self, happened: Happened, max: MaxRestarts) -> Self {
        let restart = |row: Row, attempt: fn(Row) -> Attempt| {
            if max.are_used_up(row.restarts, row.failed) {
                Self::Retired
            } else {
                Self::Opening(attempt(row.restarted()))
            }
        };
        match (self, happened) {
            (Self::Opening(Attempt::First(row) | Attempt::Replacement(row)), Happened::Opened) => {
                Self::Ready(row.opened())
            }
            (Self::Opening(Attempt::First(_)), Happened::FailedToOpen(Failure::Lasting)) => {
                Self::Retired
            }
            (Self::Opening(Attempt::First(row)), Happened::FailedToOpen(Failure::Transient)) => {
                let row = row.failed();
                // However often it may be restarted: until it is ready, the run waits for it.
                if row.failed < MaxRestarts::FAILED_STARTS {
                    restart(row, Attempt::First)
                } else {
                    Self::Retired
                }
            }
            (Self::Opening(Attempt::Replacement(row)), Happened::FailedToOpen(_)) => {
                restart(row.failed(), Attempt::Replacement)
            }
            (Self::Ready(row), Happened::Broke(work)) => {
                restart(row.after(work), Attempt::Replacement)
            }
            (Self::Ready(row), Happened::BrokeAgain) => Self::Opening(Attempt::Replacement(row)),
            (Self::Ready(row), Happened::Replaced(work)) => {
                Self::Opening(Attempt::Replacement(row.after(work)))
            }
            (Self::Retired, _)
            | (
                Self::Opening(_),
                Happened::Broke(_) | Happened::BrokeAgain | Happened::Replaced(_),
            )
            | (Self::Ready(_), Happened::Opened | Happened::FailedToOpen(_)) => {
                unreachable!("{happened:?} cannot happen to {self:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNLIMITED: MaxRestarts = MaxRestarts::Unlimited;
    const OPENED: Happened = Happened::Opened;
    const FAILED: Happened = Happened::FailedToOpen(Failure::Lasting);
    const KILLED: Happened = Happened::FailedToOpen(Failure::Transient);
    const BROKE: Happened = Happened::Broke(Work::None);
    const AGAIN: Happened = Happened::BrokeAgain;
    const WORKED: Happened = Happened::Broke(Work::Some);
    const REPLACED: Happened = Happened::Replaced(Work::Some);

    fn replacement(restarts: u32, failed: u32) -> Slot {
        Slot::Opening(Attempt::Replacement(Row { restarts, failed }))
    }

    fn first(restarts: u32, failed: u32) -> Slot {
        Slot::Opening(Attempt::First(Row { restarts, failed }))
    }

    fn ready(restarts: u32) -> Slot {
        Slot::Ready(Row { restarts, failed: 0 })
    }

    fn walk(events: &[Happened], max: MaxRestarts) -> Slot {
        events.iter().fold(Slot::NEW, |slot, &event| slot.after(event, max))
    }

    #[test]
    fn a_worker_is_retired_when_it_cannot_start_or_breaks_too_often() {
        let (none, one, two) =
            (MaxRestarts::AtMost(0), MaxRestarts::AtMost(1), MaxRestarts::AtMost(2));
        #[rustfmt::skip]
        let cases: [(&str, MaxRestarts, &[Happened], Slot); 28] = [
            ("starts",                   UNLIMITED, &[OPENED],                                 ready(0)),
            ("never starts",             UNLIMITED, &[FAILED],                                 Slot::Retired),
            ("is killed as it starts",   UNLIMITED, &[KILLED],                                 first(1, 1)),
            ("and again",                UNLIMITED, &[KILLED, KILLED],                         first(2, 2)),
            ("and then starts",          UNLIMITED, &[KILLED, KILLED, OPENED],                 ready(2)),
            ("and then cannot start",    UNLIMITED, &[KILLED, FAILED],                         Slot::Retired),
            ("is killed each time",      UNLIMITED, &[KILLED, KILLED, KILLED],                 Slot::Retired),
            ("however often it may be",  MaxRestarts::AtMost(9), &[KILLED, KILLED, KILLED],    Slot::Retired),
            ("is killed, may not start again", none, &[KILLED],                                Slot::Retired),
            ("is killed, may once",      one,       &[KILLED, KILLED],                         Slot::Retired),
            ("is killed, has no more",   one,       &[KILLED, OPENED, BROKE],                  Slot::Retired),
            ("is killed, works, breaks", one,       &[KILLED, OPENED, WORKED],                 replacement(1, 0)),
            ("replacement is killed",    UNLIMITED, &[OPENED, BROKE, KILLED, KILLED, KILLED],  Slot::Retired),
            ("breaks",                   UNLIMITED, &[OPENED, BROKE],                          replacement(1, 0)),
            ("breaks again",             UNLIMITED, &[OPENED, BROKE, OPENED, BROKE],           replacement(2, 0)),
            ("worked in between",        UNLIMITED, &[OPENED, BROKE, OPENED, WORKED],          replacement(1, 0)),
            ("replacement fails once",   UNLIMITED, &[OPENED, BROKE, FAILED],                  replacement(2, 1)),
            ("and then starts",          UNLIMITED, &[OPENED, BROKE, FAILED, OPENED, BROKE],   replacement(3, 0)),
            ("starts keep failing",      UNLIMITED, &[OPENED, BROKE, FAILED, FAILED, FAILED],  Slot::Retired),
            ("breaks too often",         two,       &[OPENED, BROKE, OPENED, BROKE, OPENED, BROKE], Slot::Retired),
            ("works after each restart", two,       &[OPENED, WORKED, OPENED, WORKED, OPENED, WORKED], replacement(1, 0)),
            ("breaks, fails",            two,       &[OPENED, BROKE, FAILED, FAILED],          Slot::Retired),
            ("an item breaks many",      one,       &[OPENED, BROKE, OPENED, AGAIN, OPENED, AGAIN], replacement(1, 0)),
            ("and the next one, too",    two,       &[OPENED, BROKE, OPENED, AGAIN, OPENED, BROKE], replacement(2, 0)),
            ("and the one after that",   two,       &[OPENED, BROKE, OPENED, AGAIN, OPENED, BROKE, OPENED, BROKE], Slot::Retired),
            ("an item has no retry",     none,      &[OPENED, BROKE],                          Slot::Retired),
            ("may not restart",          none,      &[OPENED, WORKED],                         Slot::Retired),
            ("is replaced all the same", none,      &[OPENED, REPLACED, OPENED],               ready(0)),
        ];
        for (case, max, events, expected) in cases {
            assert_eq!(walk(events, max), expected, "{case}");
        }
    }

    proptest! {
        /// Whatever happens, a worker has no more restarts in a row than it may, and is not
        /// retired before.
        #[test]
        fn restarts_in_a_row_are_counted(
            most in 0_u32..5,
            happens in prop::collection::vec(0_u8..6, 0..100),
        ) {
            let max = MaxRestarts::AtMost(most);
            let mut slot = Slot::NEW.after(OPENED, max);
            let mut in_a_row = 0;
            for choice in happens {
                let happened = match (slot, choice) {
                    (Slot::Retired, _) => break,
                    (Slot::Opening(_), 0) => FAILED,
                    (Slot::Opening(_), 1) => KILLED,
                    (Slot::Opening(_), _) => OPENED,
                    (Slot::Ready(_), 0 | 1) => BROKE,
                    (Slot::Ready(_), 2) => WORKED,
                    (Slot::Ready(_), 3) => AGAIN,
                    (Slot::Ready(_), _) => REPLACED,
                };
                slot = slot.after(happened, max);
                match happened {
                    WORKED => in_a_row = 1,
                    REPLACED => in_a_row = 0,
                    BROKE | FAILED | KILLED => in_a_row += 1,
                    _ => {}
                }
                prop_assert_eq!(slot == Slot::Retired, in_a_row > most, "{:?}", slot);
            }
        }
    }
}
