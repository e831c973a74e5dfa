//! The outcome of freezing an instance.

use super::Verdict;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;

/// What has become of an instance that was to be frozen.
pub(crate) enum Freezing<T> {
    /// All can start from this.
    Frozen {
        snapshot: T,
        /// How much of compiled code and memory it is.
        bytes: u64,
        verdict: Verdict,
    },
    /// None can. If it came so far, there is an instance that is initialised.
    Refused { why: SnapshotRefusal, started: Option<Box<dyn Executor>> },
}

impl<T> Freezing<T> {
    /// The same, with another sort of snapshot.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> Freezing<U> {
        match self {
            Self::Frozen { snapshot, bytes, verdict } => {
                Freezing::Frozen { snapshot: other(snapshot), bytes, verdict }
            }
            Self::Refused { why, started } => Freezing::Refused { why, started },
        }
    }
}
