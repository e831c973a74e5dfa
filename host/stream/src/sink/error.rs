//! The errors of writing results.

use std::io;
use std::path::PathBuf;

use super::OutputFile;
use crate::files::UntrustedPath;
use crate::item::index::ItemIndex;
use crate::output_paths::OutputPathError;

/// The error of a sink.
///
/// ```
/// use mtl_host::sink::{Lines, Output, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Error, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let mut full = Lines::new(Output::create("/dev/full".as_ref())?);
/// let Some(Error::Sink(error)) = pool.run(Items::new(["one"]), &mut full).error else {
///     panic!("a full device takes no bytes");
/// };
/// assert_eq!(error.to_string(), "cannot write results to `/dev/full` after 0 whole records");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The sink could not create the output.
    #[error("cannot create output `{path}`")]
    Create {
        /// The path as the user wrote it.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The system refused a write.
    #[error("cannot write results to `{name}` after {records} whole records")]
    Write {
        /// The path of the file, or `standard output`.
        name: String,
        /// The number of records that were written completely. A partial record does not count. If
        /// the output is a regular file, the sink removes the partial record.
        records: u64,
        /// The system error.
        source: io::Error,
    },
    /// The system did not confirm that results are on the disk.
    #[error("cannot make sure that `{name}` is on the disk")]
    Sync {
        /// The path of the file, or `standard output`.
        name: String,
        /// The system error.
        source: io::Error,
    },
    /// At the path of a result or of one of its folders, the disk holds another kind of file.
    #[error("cannot write to `{path}`, which is {what}")]
    Obstructed {
        /// The path of that file.
        path: PathBuf,
        /// The kind of that file, such as `a folder` or `not a directory`.
        what: &'static str,
    },
    /// A result has no output path in the directory of results.
    #[error("there is no output path for the result of item {index}")]
    NoOutputPath {
        /// The item.
        index: ItemIndex,
        /// The reason.
        source: OutputPathError,
    },
    /// A record is longer than the length field of a frame can express.
    #[error("the record of item {index} does not fit into a frame: {length} bytes")]
    FrameTooLong {
        /// The item.
        index: ItemIndex,
        /// The length of the record, including its tag if it has one.
        length: usize,
    },
    /// A user-defined sink failed.
    #[error("cannot pass on results")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SinkError {
    /// Creates the error of a sink that is not part of this library.
    ///
    /// ```
    /// use mtl_host::sink::SinkError;
    ///
    /// let error = SinkError::other("the database is gone");
    /// assert_eq!(error.to_string(), "cannot pass on results");
    /// let cause = std::error::Error::source(&error).unwrap();
    /// assert_eq!(cause.to_string(), "the database is gone");
    /// ```
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// Returns a hint for the user.
    ///
    /// ```
    /// use mtl_host::ItemIndex;
    /// use mtl_host::sink::SinkError;
    ///
    /// let error = SinkError::FrameTooLong { index: ItemIndex::new(3), length: 5_000_000_000 };
    /// assert_eq!(error.hint(), Some("use another format: `sink::Lines`, or `sink::Jsonl`"));
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::FrameTooLong { .. } => {
                Some("use another format: `sink::Lines`, or `sink::Jsonl`")
            }
            Self::Obstructed { .. } => Some("move it away, or name another directory"),
            Self::NoOutputPath { .. } => {
                Some("wrap the source in `source::WithOutputPath`: then the item is a fault")
            }
            Self::Create { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                Some("name a file, or use `sink::Directory` to write a file for each item")
            }
            Self::Create { source, .. } => UntrustedPath::hint(source).or(OutputFile::hint(source)),
            Self::Write { source, .. } | Self::Sync { source, .. } => OutputFile::hint(source),
            Self::Other(error) => cause(error.as_ref()).and_then(OutputFile::hint),
        }
    }

    /// Returns whether the reader of the results has closed the pipe, as `head` does after the last
    /// line that it prints.
    ///
    /// ```
    /// use std::io::ErrorKind::BrokenPipe;
    ///
    /// use mtl_host::sink::SinkError;
    ///
    /// let (name, source) = ("standard output".to_owned(), BrokenPipe.into());
    /// assert!(SinkError::Write { name, records: 10, source }.is_closed_pipe());
    /// ```
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Returns the system error among an error and its causes, if there is one.
fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        next = error.source();
    }
    None
}
