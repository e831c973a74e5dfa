//! The errors of reading an input.

use std::io;
use std::path::PathBuf;

use super::ItemLimit;
use crate::files::UntrustedPath;

/// The error of a source.
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
    /// The source could not open the input.
    #[error("cannot open input `{path}`")]
    Open {
        /// The path as the user wrote it.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The input is a directory.
    #[error("input `{path}` is a directory")]
    Directory {
        /// The path as the user wrote it.
        path: PathBuf,
    },
    /// The source could not read the input to its end.
    #[error("cannot read input `{name}`")]
    Read {
        /// The path of the file, or `standard input`.
        name: String,
        /// The error of the system or of the decompressor.
        source: io::Error,
    },
    /// The input ended in the middle of a frame.
    #[error("input `{name}` ends in the middle of a frame: {got} of {expected} bytes")]
    TruncatedFrame {
        /// The path of the file, or `standard input`.
        name: String,
        /// The number of bytes of the frame (or of its length field) that the input has.
        got: u64,
        /// The number of bytes that the frame (or its length field) should have.
        expected: u64,
    },
    /// A frame is longer than the item limit.
    #[error(
        "input `{name}` has a frame of {length} bytes, longer than the {limit:#} of `item_limit`"
    )]
    FrameTooLong {
        /// The path of the file, or `standard input`.
        name: String,
        /// The length that the frame declares.
        length: u64,
        /// The maximum length of an item.
        limit: ItemLimit,
    },
    /// A user-defined source failed.
    #[error("cannot read items")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SourceError {
    /// Creates the error of a source that is not part of this library.
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
                 for text, use `source::Lines`",
            ),
            Self::Open { source, .. } => UntrustedPath::hint(source),
            Self::Read { .. } | Self::Other(_) => None,
        }
    }
}
