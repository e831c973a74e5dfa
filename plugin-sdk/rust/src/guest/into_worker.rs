//! Return types of `init`, for [`worker`](macro@crate::worker).

use crate::Error;

/// A worker, or the reason why it cannot start.
#[diagnostic::on_unimplemented(
    message = "`init` returns `{Self}` instead of the worker",
    note = "return `Result<Self, Error>`"
)]
pub trait IntoWorker<W> {
    /// Converts this value into the worker.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot start.
    fn into_worker(self) -> Result<W, Error>;
}

impl<W> IntoWorker<W> for W {
    fn into_worker(self) -> Result<W, Error> {
        Ok(self)
    }
}

impl<W, E: Into<Error>> IntoWorker<W> for Result<W, E> {
    fn into_worker(self) -> Result<W, Error> {
        self.map_err(Into::into)
    }
}

/// Converts the return value of `init` into the worker.
///
/// # Errors
///
/// Fails if `init` failed.
pub fn into_worker<W>(worker: impl IntoWorker<W>) -> Result<W, Error> {
    worker.into_worker()
}
