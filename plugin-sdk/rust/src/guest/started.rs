//! What an `init` may answer, under [`worker`](macro@crate::worker).

use crate::Error;

/// A worker, or why there is none.
#[diagnostic::on_unimplemented(
    message = "`init` returns `{Self}`, and not the worker",
    note = "let it return `Result<Self, Error>`"
)]
pub trait Started<W> {
    /// The worker.
    ///
    /// # Errors
    ///
    /// When it could not be started.
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

/// The worker that an `init` has made.
///
/// # Errors
///
/// When it could not make one.
pub fn started<W>(started: impl Started<W>) -> Result<W, Error> {
    started.started()
}
