//! The output path of each item's result in a directory.
//!
//! No result replaces another result or an input: an item is refused if its output path is already in use.
//! [`WithOutputPath`](crate::source::WithOutputPath) checks each item when it is read. A refused item is a fault, no
//! worker processes it, and the run continues. The sink checks again, for runs without `WithOutputPath`.
//!
//! ```text
//! items ─▶ WithOutputPath ──────▶ workers ─▶ Directory ─▶ files
//!                └──────▶ OutputPaths ◀──────────┘
//! ```

mod error;
mod obstacle;
mod output_path;
mod reserved_paths;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::error::OutputPathError;
use self::obstacle::Obstacles;
pub(crate) use self::output_path::OutputPath;
use self::reserved_paths::{Conflict, Holder, ReservedPaths};
use crate::item::index::ItemIndex;

/// The output paths in a directory and the items that own them, for one run.
///
/// It stores each path as a hash of 64 bits, in about 50 bytes of memory per item. In a run of a million items, two
/// paths have the same hash with a probability of one in 30 million. In that case, the later item is refused, and no
/// result is lost.
///
/// ```
/// use std::path::Path;
///
/// use mtl_host::sink::Directory;
/// use mtl_host::source::{Inputs, Lines, WithOutputPath};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let folder = tempfile::tempdir()?;
/// let mut files = Directory::create(&folder.path().join("results"))?;
/// let names = Lines::new(Inputs::from_reader("memory", &b"a/one\na/two\na/one\n"[..]));
/// let source = WithOutputPath::new(names, files.output_paths());
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let summary = Pool::builder(&plugin).build()?.run(source, &mut files).into_result()?;
/// assert_eq!(summary.counts.failed(), 1, "the third item has the output path of the first");
/// assert_eq!(std::fs::read(folder.path().join("results/a/two"))?, b"A/TWO");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutputPaths(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The path of the directory, as the user wrote it.
    name: PathBuf,
    /// The path of the directory, without links.
    root: PathBuf,
    reserved: Mutex<ReservedPaths>,
    obstacles: Mutex<Obstacles>,
}

impl OutputPaths {
    /// Creates the output paths in a directory that messages call `name`.
    #[doc(hidden)]
    pub fn new(name: PathBuf, root: PathBuf) -> Self {
        let obstacles = Mutex::new(Obstacles::below(root.clone()));
        Self(Arc::new(Inner { name, root, reserved: Mutex::default(), obstacles }))
    }

    /// Protects a file that the run reads or writes: no result may replace it. The file may be in any directory, and
    /// need not exist yet.
    ///
    /// ```
    /// use mtl_host::sink::Directory;
    /// use mtl_host::source::{Items, WithOutputPath};
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// let mut files = Directory::create(folder.path())?;
    /// files.output_paths().protect(&folder.path().join("log"));
    /// let source = WithOutputPath::new(Items::new(["log", "log2"]), files.output_paths());
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut files).into_result()?;
    /// assert_eq!(summary.counts.failed(), 1);
    /// assert!(!folder.path().join("log").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protect(&self, path: &Path) {
        let mut reserved = self.reserved();
        for name in real_names(path) {
            // Another holder is impossible: the files to protect are registered before the run.
            if let Some(path) = self.output_path_of(&name) {
                let _ = reserved.reserve(&path, Holder::Run);
            }
        }
    }

    /// Reserves the output path for `item`, whose own path is `path`. A second call for the same item returns the same
    /// output path.
    ///
    /// # Errors
    ///
    /// Returns an error if the path leads out of the directory, or if another item owns the path.
    #[doc(hidden)]
    pub fn reserve(&self, path: &Path, item: ItemIndex) -> Result<OutputPath, OutputPathError> {
        self.reserve_if(path, item, |_| Ok(()))
    }

    /// Reserves the output path as [`reserve`](Self::reserve) does. If a file on the disk is in the way of the result
    /// or of its parent directories, returns an error and reserves nothing.
    pub(crate) fn reserve_free(
        &self,
        path: &Path,
        item: ItemIndex,
    ) -> Result<OutputPath, OutputPathError> {
        self.reserve_if(path, item, |output_path| match self.obstacles().of(output_path) {
            None => Ok(()),
            Some(obstacle) => {
                let (target, at) = (self.name_of(output_path.path()), self.name_of(&obstacle.at));
                Err(OutputPathError::Obstructed { target, at, what: obstacle.kind })
            }
        })
    }

    /// Reserves the output path for an item, if `check` allows it.
    fn reserve_if(
        &self,
        path: &Path,
        item: ItemIndex,
        check: impl FnOnce(&OutputPath) -> Result<(), OutputPathError>,
    ) -> Result<OutputPath, OutputPathError> {
        let (output_path, item) = (OutputPath::of(path)?, Holder::Item(item));
        if self.reserved().has(&output_path, item) {
            return Ok(output_path);
        }
        if real_names(path).any(|name| self.output_path_of(&name).is_some()) {
            let (path, directory) = (path.to_owned(), self.0.name.clone());
            return Err(OutputPathError::Inside { path, directory });
        }
        // The results of other items of this run are not obstacles. They have their own error.
        let refuse = |conflict| self.refuse(&output_path, conflict);
        self.reserved().check(&output_path, item).map_err(refuse)?;
        check(&output_path)?;
        self.reserved().reserve(&output_path, item).map_err(refuse)?;
        Ok(output_path)
    }

    /// Returns the path of the directory, as the user wrote it.
    pub(crate) fn name(&self) -> &Path {
        &self.0.name
    }

    /// Returns the path of an output file as messages show it: below the directory as the user wrote it.
    pub(crate) fn name_of(&self, path: &Path) -> PathBuf {
        self.0.name.join(path)
    }

    fn refuse(&self, path: &OutputPath, conflict: Conflict<'_>) -> OutputPathError {
        let target = self.name_of(path.path());
        match conflict {
            Conflict::Same(by) => OutputPathError::Taken { target, by },
            Conflict::SameRun => OutputPathError::Used { target },
            Conflict::Folder => OutputPathError::Folder { target },
            Conflict::Above(file, by) => {
                OutputPathError::BelowFile { target, file: self.name_of(file), by }
            }
            Conflict::AboveRun(file) => OutputPathError::Used { target: self.name_of(file) },
        }
    }

    /// Returns the output path of a file, if the file is in the directory.
    fn output_path_of(&self, name: &Path) -> Option<OutputPath> {
        OutputPath::of(name.strip_prefix(&self.0.root).ok()?).ok()
    }

    fn obstacles(&self) -> MutexGuard<'_, Obstacles> {
        // A panic cannot make the remembered folder wrong.
        self.0.obstacles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserved(&self) -> MutexGuard<'_, ReservedPaths> {
        // Each change of the table is one step.
        self.0.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the path of the entry at `path`, with all links in its parent directories resolved. If the entry is a link,
/// the result includes the path of the link's target. A run must replace neither the link nor the target.
fn real_names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok();
    let own = folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let target = own.as_deref().filter(|own| own.is_symlink());
    let target = target.and_then(|link| link.canonicalize().ok());
    own.into_iter().chain(target)
}

#[cfg(test)]
mod tests;
