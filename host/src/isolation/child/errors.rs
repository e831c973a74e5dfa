//! Why a worker's process ends before it has anything to do.

use std::io;

use crate::isolation::wire::BadFrame;
use crate::plugin::{EngineError, LoadError};
use crate::sandbox::jail::JailError;

/// Why it ends. What of it concerns the jail, the parent is told by a frame of its own.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error(transparent)]
    Jail(#[from] JailError),
    #[error("the socket to the parent failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the parent is of another version: {0}")]
    Version(String),
    #[error("the parent sent {}", .0.0)]
    Frame(#[from] BadFrame),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the compiled code cannot be loaded: {0}")]
    Code(String),
}

impl From<LoadError> for Unfit {
    fn from(error: LoadError) -> Self {
        Self::Code(last_cause(&error))
    }
}

/// Of a chain of causes the first and the last, as there is but one line to say it in.
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
