//! The outcome of freezing an instance.

use super::Verdict;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;

/// The outcome of freezing an instance.
pub(crate) enum SnapshotOutcome<T> {
    /// All workers can start from the snapshot.
    Frozen {
        snapshot: T,
        /// The size of the compiled code and memory, in bytes.
        bytes: u64,
        verdict: Verdict,
    },
    /// There is no snapshot. If `init` had already returned, `started` is the initialised instance.
    Refused { why: SnapshotRefusal, started: Option<Box<dyn Executor>> },
}

impl<T> SnapshotOutcome<T> {
    /// Converts the snapshot to another type.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> SnapshotOutcome<U> {
        match self {
            Self::Frozen { snapshot, bytes, verdict } => {
                SnapshotOutcome::Frozen { snapshot: other(snapshot), bytes, verdict }
            }
            Self::Refused { why, started } => SnapshotOutcome::Refused { why, started },
        }
    }
}
