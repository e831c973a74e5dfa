//! The reasons for which an item has no path.

use std::path::PathBuf;

use crate::item::index::ItemIndex;

/// Why the result of an item has no place in a directory.
///
/// ```
/// use std::path::PathBuf;
///
/// use mtl_host::PlaceError;
///
/// let error = PlaceError::Parent { path: "../a".into() };
/// assert_eq!(error.to_string(), "`../a` has `..` in it, which could lead anywhere");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// It is empty, or nothing but a root or the current folder.
    #[error("`{path}` names no file for the result")]
    Nameless {
        /// The item's path.
        path: PathBuf,
    },
    /// It goes up.
    #[error("`{path}` has `..` in it, which could lead anywhere")]
    Parent {
        /// The item's path.
        path: PathBuf,
    },
    /// No system takes a zero byte in a path.
    #[error("`{path}` has a zero byte in it, which no path has")]
    ZeroByte {
        /// The item's path.
        path: PathBuf,
    },
    /// The item is too long for a path, or a part of it for a name.
    #[error("this is no path: {what} is longer than {most} bytes")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// Another item has the place.
    #[error("its result would go to `{target}`, as that of item {by} does")]
    Taken {
        /// The file that would be written.
        target: PathBuf,
        /// The item whose result goes there.
        by: ItemIndex,
    },
    /// Results of other items lie below.
    #[error("its result would go to `{target}`, which is the folder of other results")]
    Folder {
        /// The file that would be written.
        target: PathBuf,
    },
    /// What should be a folder is the result of another item.
    #[error("its result would go to `{target}`, but `{file}` is that of item {by}")]
    BelowFile {
        /// The file that would be written.
        target: PathBuf,
        /// The file where a folder would have to be.
        file: PathBuf,
        /// The item whose result goes there.
        by: ItemIndex,
    },
    /// Something stands on the disk where the result or one of its folders must be.
    #[error("its result would go to `{target}`, but `{at}` is {what}")]
    InTheWay {
        /// The file that would be written.
        target: PathBuf,
        /// Where it stands.
        at: PathBuf,
        /// The kind of thing that it is, and should not be.
        what: &'static str,
    },
    /// The run has the file for something else.
    #[error("its result would go to `{target}`, a file that the run itself uses")]
    Used {
        /// The file that would be written.
        target: PathBuf,
    },
    /// The item is itself a file in the directory.
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
