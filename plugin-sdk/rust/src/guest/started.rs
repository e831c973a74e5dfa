//! Return types of `init`, for [`worker`](macro@crate::worker).

use crate::Error;

/// A worker, or the reason why it cannot start.
#[diagnostic::on_unimplemented(
    message = "`init` returns `{Self}` instead of the worker",
    note = "return `Result<Self, Error>`"
)]
pub trait Started<W> {
    /// Returns the worker.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot start.
    fn started(self) -> Result<W, Error>;
}

impl<W> Started<W> for W {
    fn started(self) -> Result<W, Error> {
        Ok(self)
    }
}

impl<W, E: Into<Error>> Started<W> for Result<W, E> {
    fn started(self) -> Result<W, Error> {
        self.map_err(Into::into)
    }
}

/// Returns the worker that `init` created.
///
/// # Errors
///
/// Fails if `init` failed.
pub fn started<W>(started: impl Started<W>) -> Result<W, Error> {
    started.started()
}
