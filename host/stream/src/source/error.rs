//! The errors of reading an input.

use std::io;
use std::path::PathBuf;

use super::ItemLimit;
use crate::files::Exchangeable;

/// Why a source failed.
///
/// ```
/// use mtl_host::source::{Inputs, SourceError};
///
/// let error = Inputs::open(vec!["../fixtures".into()]).unwrap_err();
/// assert!(matches!(error, SourceError::Directory { .. }));
/// assert_eq!(error.to_string(), "input `../fixtures` is a directory");
/// assert!(error.hint().unwrap().starts_with("name the files in it"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The input could not be opened.
    #[error("cannot open input `{path}`")]
    Open {
        /// As the user named it.
        path: PathBuf,
        /// The answer of the system.
        source: io::Error,
    },
    /// The input is a directory.
    #[error("input `{path}` is a directory")]
    Directory {
        /// As the user named it.
        path: PathBuf,
    },
    /// Reading failed half-way.
    #[error("cannot read input `{name}`")]
    Read {
        /// The file, or `standard input`.
        name: String,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// The input ended in the middle of a frame.
    #[error("input `{name}` ends in the middle of a frame: {got} of {expected} bytes")]
    TruncatedFrame {
        /// The file, or `standard input`.
        name: String,
        /// How many bytes of the frame (or of its length) there were.
        got: u64,
        /// How many there should be.
        expected: u64,
    },
    /// A frame is longer than an item may be.
    #[error(
        "input `{name}` has a frame of {length} bytes, longer than the {limit:#} of `item_limit`"
    )]
    FrameTooLong {
        /// The file, or `standard input`.
        name: String,
        /// What the frame says of its length.
        length: u64,
        /// The most that an item may have.
        limit: ItemLimit,
    },
    /// A source of the user's own failed.
    #[error("cannot read items")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SourceError {
    /// The failure of a source that is not one of this library's.
    ///
    /// ```
    /// use mtl_host::source::SourceError;
    ///
    /// let error = SourceError::other("the database is gone");
    /// assert_eq!(error.to_string(), "cannot read items");
    /// let cause = std::error::Error::source(&error).unwrap();
    /// assert_eq!(cause.to_string(), "the database is gone");
    /// ```
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// Returns a hint for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Directory { .. } => Some("name the files in it"),
            Self::TruncatedFrame { .. } | Self::FrameTooLong { .. } => Some(
                "each frame is its length, 4 bytes, little-endian, and then its bytes; \
                 text has a source of its own: `source::Lines`",
            ),
            Self::Open { source, .. } => Exchangeable::hint(source),
            Self::Read { .. } | Self::Other(_) => None,
        }
    }
}
