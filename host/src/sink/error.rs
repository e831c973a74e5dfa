//! Why results could not be written.

use std::io;
use std::path::PathBuf;

use crate::block::ItemIndex;
use crate::places::PlaceError;

/// Why a sink failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The output could not be created.
    #[error("cannot create output `{path}`")]
    Create {
        /// As the user named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write results to `{name}` after {records} whole records")]
    Write {
        /// The file, or `standard output`.
        name: String,
        /// How many records were written as a whole. Half a one is never counted, and is taken
        /// back from a file.
        records: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Something stands where a result's file or one of its folders must be.
    #[error("cannot write to `{path}`, which is {what}")]
    InTheWay {
        /// Where it stands.
        path: PathBuf,
        /// What it is, and should not be.
        what: &'static str,
    },
    /// A result has no place in the directory of results.
    #[error("there is no place for the result of item {index}")]
    NoPlace {
        /// The item.
        index: ItemIndex,
        /// Why there is none.
        source: PlaceError,
    },
    /// A record is longer than a frame can say.
    #[error("the record of item {index} does not fit into a frame: {length} bytes")]
    FrameTooLong {
        /// The item.
        index: ItemIndex,
        /// The length of the record, with its tag if it has one.
        length: usize,
    },
    /// A sink of the user's own failed.
    #[error("cannot pass on results")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SinkError {
    /// The failure of a sink that is not one of this library's.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::FrameTooLong { .. } => Some("use `--output-format nul`, or `jsonl`"),
            Self::InTheWay { .. } => {
                Some("move it away, or name another directory with `--output-dir`")
            }
            Self::NoPlace { .. } => {
                Some("wrap the source in `source::Placed`: then the item is a fault")
            }
            Self::Create { .. } | Self::Write { .. } | Self::Other(_) => None,
        }
    }

    /// Whether the reader of the results has gone away, as `head` does when it has enough.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
