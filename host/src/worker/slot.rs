//! Where one worker stands. Pure: the worker opens, works and tells what happened.
//!
//! ```text
//!          opened            broke
//! Opening ────────▶ Ready ──────────▶ Opening
//!    │ failed
//!    ├─ the first time ever, or too often in a row ──▶ Retired
//!    └─ otherwise ──▶ Opening
//! ```
//!
//! A worker that breaks on item after item is not retired for it: each has its fault, and
//! `--max-faults` says how many are too many. Only one that cannot start again is of no use.

/// Where one worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// An executor is to be opened.
    Opening(Attempt),
    /// The executor takes items.
    Ready,
    /// Nothing runs here again.
    Retired,
}

/// Which attempt at opening an executor this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The worker has never had one.
    First,
    /// A replacement, after so many failed attempts in a row.
    Replacement { failed: u32 },
}

/// What happened to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Opened,
    FailedToOpen,
    Broke,
}

impl Slot {
    /// A replacement that fails to start so often in a row will not start.
    pub(crate) const MAX_FAILED: u32 = 3;

    /// The state that follows.
    #[must_use]
    pub(crate) fn after(self, happened: Happened) -> Self {
        match (self, happened) {
            (Self::Opening(_), Happened::Opened) => Self::Ready,
            (Self::Opening(Attempt::First), Happened::FailedToOpen) => Self::Retired,
            (Self::Opening(Attempt::Replacement { failed }), Happened::FailedToOpen) => {
                if failed + 1 < Self::MAX_FAILED {
                    Self::Opening(Attempt::Replacement { failed: failed + 1 })
                } else {
                    Self::Retired
                }
            }
            (Self::Ready, Happened::Broke) => Self::Opening(Attempt::Replacement { failed: 0 }),
            (Self::Retired, _)
            | (Self::Opening(_), Happened::Broke)
            | (Self::Ready, Happened::Opened | Happened::FailedToOpen) => {
                unreachable!("{happened:?} cannot happen to {self:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_retired_when_it_cannot_start() {
        use Happened::{Broke, FailedToOpen, Opened};
        let replacement = |failed| Slot::Opening(Attempt::Replacement { failed });
        #[rustfmt::skip]
        let cases: [(&str, &[Happened], Slot); 6] = [
            ("starts",                    &[Opened],                                  Slot::Ready),
            ("never starts",              &[FailedToOpen],                            Slot::Retired),
            ("breaks",                    &[Opened, Broke],                           replacement(0)),
            ("replacement fails once",    &[Opened, Broke, FailedToOpen],             replacement(1)),
            ("and then starts",           &[Opened, Broke, FailedToOpen, Opened, Broke], replacement(0)),
            ("replacements keep failing", &[Opened, Broke, FailedToOpen, FailedToOpen, FailedToOpen], Slot::Retired),
        ];
        for (case, events, expected) in cases {
            let start = Slot::Opening(Attempt::First);
            let end = events.iter().fold(start, |slot, &event| slot.after(event));
            assert_eq!(end, expected, "{case}");
        }
    }
}
