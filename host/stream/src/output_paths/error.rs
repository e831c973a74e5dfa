//! The reasons why an item has no output path.

use std::path::PathBuf;

use crate::item::index::ItemIndex;

/// The reason why the result of an item has no output path in a directory.
///
/// ```
/// use std::path::PathBuf;
///
/// use mtl_host::sink::OutputPathError;
///
/// let error = OutputPathError::Parent { path: "../a".into() };
/// assert_eq!(error.to_string(), "`../a` has `..` in it, which could lead anywhere");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputPathError {
    /// The path is empty, or is only a root or the current folder.
    #[error("`{path}` names no file for the result")]
    Nameless {
        /// The item's path.
        path: PathBuf,
    },
    /// The path contains `..`.
    #[error("`{path}` has `..` in it, which could lead anywhere")]
    Parent {
        /// The item's path.
        path: PathBuf,
    },
    /// The path contains a zero byte, which no system accepts.
    #[error("`{path}` has a zero byte in it, which no path has")]
    ZeroByte {
        /// The item's path.
        path: PathBuf,
    },
    /// The item is too long for a path, or a part of it is too long for a name.
    #[error("not a valid path: {what} is longer than {max} bytes")]
    TooLong {
        /// The part that is too long.
        what: &'static str,
        /// The maximum length in bytes.
        max: usize,
    },
    /// Another item owns the output path.
    #[error("its result would go to `{target}`, as that of item {by} does")]
    Taken {
        /// The file that would be written.
        target: PathBuf,
        /// The item that owns the output path.
        by: ItemIndex,
    },
    /// The output path is a folder with results of other items.
    #[error("its result would go to `{target}`, which is the folder of other results")]
    Folder {
        /// The file that would be written.
        target: PathBuf,
    },
    /// The result of another item is a file where this output path needs a folder.
    #[error("its result would go to `{target}`, but `{file}` is that of item {by}")]
    BelowFile {
        /// The file that would be written.
        target: PathBuf,
        /// The file at the path of that folder.
        file: PathBuf,
        /// The item whose result is that file.
        by: ItemIndex,
    },
    /// At the path of the result or of one of its folders, the disk holds another kind of file.
    #[error("its result would go to `{target}`, but `{at}` is {what}")]
    Obstructed {
        /// The file that would be written.
        target: PathBuf,
        /// The path of that file.
        at: PathBuf,
        /// The kind of that file, such as `a folder`.
        what: &'static str,
    },
    /// The run uses the file for another purpose.
    #[error("its result would go to `{target}`, a file that the run itself uses")]
    Used {
        /// The file that would be written.
        target: PathBuf,
    },
    /// The item itself is a file in the directory.
    #[error(
        "`{path}` is in the output directory `{directory}`, where results replace files: it may \
         be a result itself, or become one; write to a directory that holds no items"
    )]
    Inside {
        /// The item's path.
        path: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
}
