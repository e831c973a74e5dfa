//! The answers that replace the host's in a test.

use super::kinds::{Format, Passing};

/// The answers of [`context`](crate::context) on this thread.
///
/// ```
/// use mtl_plugin::{context, testing::Context};
///
/// Context { worker_index: 2, worker_count: 4, ..Context::NEW }.enter();
/// assert_eq!(context::worker_index(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The number of this worker.
    pub worker_index: u32,
    /// The number of workers of the pool.
    pub worker_count: u32,
    /// The way in which the run passes arguments.
    pub argument_passing: Passing,
    /// The format of the run's items.
    pub item_format: Format,
}

impl Context {
    /// One worker, text items.
    pub const NEW: Self = Self {
        worker_index: 0,
        worker_count: 1,
        argument_passing: Passing::Single,
        item_format: Format::Text,
    };
}

impl Default for Context {
    fn default() -> Self {
        Self::NEW
    }
}
