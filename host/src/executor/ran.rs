//! The end of an executor's work on some items.

use crate::item::failure::Broken;

/// The end of [`Executor::run`](super::Executor::run).
#[derive(Debug)]
pub(crate) enum Ran {
    /// All items up to `until` have their outcome.
    Done,
    /// The next item is not this worker's any more, or the last one is to be tried again; at
    /// least one item got its outcome.
    Yielded,
    /// The item after the last outcome broke the executor, which is never used again.
    Broken(Broken),
    /// It broke on no item of its own, and is never used again: it had died before it began with
    /// any, or it was done with those that it had.
    Idle(Broken),
    /// The item at `at` of the span broke the executor, which is never used again. What became of
    /// the items between the last outcome and that one is lost with it: they are to run again.
    Lost {
        /// Which item, by its place in the span.
        at: usize,
        /// The failure.
        broken: Broken,
    },
}
