//! Output as files below a directory: one file for each result, named after the item.
//!
//! The sink writes each file under a temporary name in the file's directory and then renames it. So
//! a reader never sees a partial result. The sink follows no symbolic link below the output
//! directory, so it never writes outside it.

mod tree;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use self::tree::Tree;
use super::{Sink, SinkError};
use crate::files::Opener;
use crate::outcome::Outcome;
use crate::output_paths::OutputPaths;

/// A sink that writes each record into a separate file below a directory. If the item is the content of a file, the
/// record's path is derived from the path of that file. Otherwise, it is derived from the item itself. The record of
/// `a/b` is written to `a/b`, and the record of `/x/y` to `x/y`.
///
/// The sink replaces an existing file. For an item that failed or has no record, the sink writes no file, and leaves a
/// file of an earlier run unchanged. If the process is killed, one file with a name like `.mtl-host-….part` may remain.
///
/// An item without a valid output path ends the run with an error. For example, a path is invalid in these cases:
///
/// - The path contains `..`.
/// - An earlier item has the same output path.
/// - The item is a file inside the output directory.
///
/// If the source is wrapped in [`WithOutputPath`](crate::source::WithOutputPath), such an item becomes a fault and the
/// run continues. Use each `Directory` for one run only.
///
/// ```
/// use std::path::Path;
///
/// use mtl_host::sink::Directory;
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let folder = tempfile::tempdir()?;
/// let mut files = Directory::create(folder.path())?;
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let ended = Pool::builder(&plugin).build()?.run(Items::new(["a/b"]), &mut files);
/// ended.into_result()?;
/// assert_eq!(std::fs::read(folder.path().join("a/b"))?, b"A/B");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a sink writes only the outcomes that it gets"]
pub struct Directory {
    output_paths: OutputPaths,
    tree: Tree,
    written: u64,
}

impl Directory {
    /// Opens the directory at `path`, and creates it if it does not exist.
    ///
    /// ```
    /// use mtl_host::sink::{Directory, SinkError};
    ///
    /// let error = Directory::create("Cargo.toml".as_ref()).unwrap_err();
    /// assert!(matches!(error, SinkError::Obstructed { .. }));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be opened or created.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        Self::create_with(&Opener::new(), path)
    }

    /// Opens the directory at `path` with `opener`, and creates it if it does not exist.
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    /// use mtl_host::sink::Directory;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// let files = Directory::create_with(&opener, &folder.path().join("results"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be opened or created, or is reached through a link that
    /// a plugin may have made.
    pub fn create_with(opener: &Opener, path: &Path) -> Result<Self, SinkError> {
        let cannot = |source: io::Error| match (path.to_owned(), source.kind()) {
            (path, io::ErrorKind::AlreadyExists) => {
                SinkError::Obstructed { path, what: "not a directory" }
            }
            (path, _) => SinkError::Create { path, source },
        };
        let tree = Tree::create(opener, path).map_err(cannot)?;
        let root = path.canonicalize().map_err(cannot)?;
        Ok(Self { output_paths: OutputPaths::new(path.to_owned(), root), tree, written: 0 })
    }

    /// Returns the output paths in the directory, for [`WithOutputPath`](crate::source::WithOutputPath).
    ///
    /// ```
    /// use mtl_host::sink::Directory;
    /// use mtl_host::source::{Items, WithOutputPath};
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// let mut files = Directory::create(folder.path())?;
    /// let source = WithOutputPath::new(Items::new(["../elsewhere", "here"]), files.output_paths());
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut files).into_result()?;
    /// assert_eq!((summary.counts.records(), summary.counts.failed()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn output_paths(&self) -> &OutputPaths {
        &self.output_paths
    }
}

impl Sink for Directory {
    fn has_separate_records(&self) -> bool {
        true
    }

    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        let Ok(Some(record)) = outcome.result else { return Ok(()) };
        let path = outcome.path.unwrap_or(Path::new(OsStr::from_bytes(outcome.item)));
        let reserved = self.output_paths.reserve(path, outcome.index);
        let output_path =
            reserved.map_err(|source| SinkError::NoOutputPath { index: outcome.index, source })?;
        let written = self.tree.write(&output_path, record);
        written.map_err(|failure| {
            let path = self.output_paths.name_of(&failure.at);
            failure.step.error(path, self.written, failure.source)
        })?;
        self.written += 1;
        Ok(())
    }

    /// Syncs the file system of the directory once, for all files.
    fn sync(&mut self) -> Result<(), SinkError> {
        let name = || self.output_paths.name().display().to_string();
        self.tree.sync().map_err(|source| SinkError::Sync { name: name(), source })
    }
}

#[cfg(test)]
mod tests;
