//! The end of an executor's work on some items.

use crate::item::instance_failure::InstanceFailure;

/// The reason why [`Executor::run`](super::Executor::run) returned.
#[derive(Debug)]
pub(crate) enum ExecutionEnd {
    /// All items up to `until` have an outcome.
    Done,
    /// At least one item got an outcome, and the executor stopped before `until`. Either the next item no longer
    /// belongs to this worker, or the last item may be retried.
    Yielded,
    /// The executor failed on the item after the last outcome, and is never used again.
    Failed(InstanceFailure),
    /// The executor failed outside of any item, and is never used again. It failed before it started
    /// an item, or after it had finished all items.
    FailedIdle(InstanceFailure),
    /// The executor failed on the item at position `at` of the span, and is never used again. The host has lost the
    /// outcomes of the items between the last outcome and this item, so those items must run again.
    Lost {
        /// The position of the item in the span.
        at: usize,
        /// The failure.
        failure: InstanceFailure,
    },
}
