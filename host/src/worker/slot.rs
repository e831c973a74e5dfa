//! Where one worker stands. Pure: the worker opens, works and tells what happened.
//!
//! ```text
//!          opened            broke, or replaced
//! Opening ────────▶ Ready ─────────────────────▶ Opening
//!    │ failed         │ broke too often in a row
//!    │                └───────────────────────────▶ Retired
//!    ├─ the first time ever, or too often in a row ─▶ Retired
//!    └─ otherwise ──▶ Opening
//! ```

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
    First,
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
    FailedToOpen,
    /// The executor broke, after it had worked on some item or before.
    Broke(Work),
    /// The executor is to be replaced, though it did not break.
    Replaced(Work),
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
    /// The state that follows.
    #[must_use]
    pub(crate) fn after(self, happened: Happened, max: MaxRestarts) -> Self {
        let restart = |row: Row| {
            if max.are_used_up(row.restarts, row.failed) {
                Self::Retired
            } else {
                Self::Opening(Attempt::Replacement(row.restarted()))
            }
        };
        match (self, happened) {
            (Self::Opening(Attempt::First), Happened::Opened) => Self::Ready(Row::default()),
            (Self::Opening(Attempt::First), Happened::FailedToOpen) => Self::Retired,
            (Self::Opening(Attempt::Replacement(row)), Happened::Opened) => {
                Self::Ready(row.opened())
            }
            (Self::Opening(Attempt::Replacement(row)), Happened::FailedToOpen) => {
                restart(row.failed())
            }
            (Self::Ready(row), Happened::Broke(work)) => restart(row.after(work)),
            (Self::Ready(row), Happened::Replaced(work)) => {
                Self::Opening(Attempt::Replacement(row.after(work)))
            }
            (Self::Retired, _)
            | (Self::Opening(_), Happened::Broke(_) | Happened::Replaced(_))
            | (Self::Ready(_), Happened::Opened | Happened::FailedToOpen) => {
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
    const FAILED: Happened = Happened::FailedToOpen;
    const BROKE: Happened = Happened::Broke(Work::None);
    const WORKED: Happened = Happened::Broke(Work::Some);
    const REPLACED: Happened = Happened::Replaced(Work::Some);

    fn replacement(restarts: u32, failed: u32) -> Slot {
        Slot::Opening(Attempt::Replacement(Row { restarts, failed }))
    }

    fn walk(events: &[Happened], max: MaxRestarts) -> Slot {
        let start = Slot::Opening(Attempt::First);
        events.iter().fold(start, |slot, &event| slot.after(event, max))
    }

    #[test]
    fn a_worker_is_retired_when_it_cannot_start_or_breaks_too_often() {
        let two = MaxRestarts::AtMost(2);
        #[rustfmt::skip]
        let cases: [(&str, MaxRestarts, &[Happened], Slot); 13] = [
            ("starts",                   UNLIMITED, &[OPENED],                                 Slot::Ready(Row::default())),
            ("never starts",             UNLIMITED, &[FAILED],                                 Slot::Retired),
            ("breaks",                   UNLIMITED, &[OPENED, BROKE],                          replacement(1, 0)),
            ("breaks again",             UNLIMITED, &[OPENED, BROKE, OPENED, BROKE],           replacement(2, 0)),
            ("worked in between",        UNLIMITED, &[OPENED, BROKE, OPENED, WORKED],          replacement(1, 0)),
            ("replacement fails once",   UNLIMITED, &[OPENED, BROKE, FAILED],                  replacement(2, 1)),
            ("and then starts",          UNLIMITED, &[OPENED, BROKE, FAILED, OPENED, BROKE],   replacement(3, 0)),
            ("starts keep failing",      UNLIMITED, &[OPENED, BROKE, FAILED, FAILED, FAILED],  Slot::Retired),
            ("breaks too often",         two,       &[OPENED, BROKE, OPENED, BROKE, OPENED, BROKE], Slot::Retired),
            ("works after each restart", two,       &[OPENED, WORKED, OPENED, WORKED, OPENED, WORKED], replacement(1, 0)),
            ("breaks, fails",            two,       &[OPENED, BROKE, FAILED, FAILED],          Slot::Retired),
            ("may not restart",          MaxRestarts::AtMost(0), &[OPENED, WORKED],            Slot::Retired),
            ("is replaced all the same", MaxRestarts::AtMost(0), &[OPENED, REPLACED, OPENED],  Slot::Ready(Row::default())),
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
            happens in prop::collection::vec(0_u8..5, 0..100),
        ) {
            let max = MaxRestarts::AtMost(most);
            let mut slot = Slot::Opening(Attempt::First).after(OPENED, max);
            let mut in_a_row = 0;
            for choice in happens {
                let happened = match (slot, choice) {
                    (Slot::Retired, _) => break,
                    (Slot::Opening(_), 0) => FAILED,
                    (Slot::Opening(_), _) => OPENED,
                    (Slot::Ready(_), 0 | 1) => BROKE,
                    (Slot::Ready(_), 2) => WORKED,
                    (Slot::Ready(_), _) => REPLACED,
                };
                slot = slot.after(happened, max);
                match happened {
                    WORKED => in_a_row = 1,
                    REPLACED => in_a_row = 0,
                    BROKE | FAILED => in_a_row += 1,
                    _ => {}
                }
                prop_assert_eq!(slot == Slot::Retired, in_a_row > most, "{:?}", slot);
            }
        }
    }
}
