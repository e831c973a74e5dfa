//! The names of files that a run writes beside its results.

use std::path::PathBuf;

/// What results may go to, and these do not: a file that others write to would be emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a file; for standard output say `/dev/stdout`")]
pub(crate) struct NotAFile;

/// The name of a file.
pub(super) fn file(path: PathBuf) -> Result<PathBuf, NotAFile> {
    if path.as_os_str() == "-" { Err(NotAFile) } else { Ok(path) }
}
