//! The errors that end a child before it has done its task.

use std::io;

use crate::engine::{EngineError, LoadErrorKind};
use crate::isolation::wire::ProtocolError;
use crate::jail::JailError;

/// An error that ends a child. The child reports a jail error in a frame, and any other error in a
/// line on standard error.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    #[error(transparent)]
    Jail(#[from] JailError),
    #[error("the socket to the parent failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the parent has another version: {0}")]
    Version(String),
    #[error("the parent sent {}", .0.0)]
    Frame(#[from] ProtocolError),
    #[error(transparent)]
    Engine(EngineError),
    // The text begins with `system_limits::THREAD_REFUSED`, by which the parent recognises it.
    #[error("the system refuses a thread: {0}")]
    Thread(io::Error),
    #[error("the compiled code cannot be loaded: {0}")]
    Code(String),
}

impl From<EngineError> for SetupError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Thread(error) | EngineError::CompilerThreads(error) => Self::Thread(error),
            error @ EngineError::Wasm(_) => Self::Engine(error),
        }
    }
}

impl From<LoadErrorKind> for SetupError {
    fn from(error: LoadErrorKind) -> Self {
        Self::Code(last_cause(&error))
    }
}

/// Returns the first and the last cause of an error, because the message must fit into one line.
pub(super) fn last_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match error.source() {
        None => error.to_string(),
        Some(_) => format!("{error}: {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::CompilerError;
    use crate::jail::system_limits;

    #[test]
    fn a_refused_thread_gives_a_hint_in_the_parent() {
        for error in [EngineError::Thread, EngineError::CompilerThreads] {
            let error = SetupError::from(error(io::ErrorKind::WouldBlock.into()));
            let message = error.to_string();
            assert!(message.starts_with(system_limits::THREAD_REFUSED), "{message}");
            let in_parent = CompilerError::Died { message };
            assert_eq!(in_parent.hint(), Some(system_limits::THREADS));
        }
    }
}
