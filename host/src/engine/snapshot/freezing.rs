//! The outcome of freezing an instance.

use super::Verdict;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;

/// The outcome of freezing an instance.
pub(crate) enum Freezing<T> {
    /// All can start from this.
    Frozen {
        snapshot: T,
        /// The bytes of its compiled code and memory.
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
