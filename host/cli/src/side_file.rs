//! The names of the side files, which a run writes in addition to its results.

use std::path::PathBuf;

/// Error of a side file named `-`. The name `-` means standard output only for results. The command empties a side file
/// before its first write to this file. If standard output is a file, emptying it would delete other output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a file; for standard output, write `/dev/stdout`")]
pub(crate) struct SideFileNameError;

/// Returns the name of a side file, unless it is `-`.
pub(super) fn path(path: PathBuf) -> Result<PathBuf, SideFileNameError> {
    if path.as_os_str() == "-" { Err(SideFileNameError) } else { Ok(path) }
}
