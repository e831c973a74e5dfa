//! The path of each item's result in a directory.
//!
//! A result is never lost by another one, nor an input by a result: an item that has no place
//! of its own is refused. That is found out best where items are read
//! ([`Placed`](crate::source::Placed)): such an item is a fault, costs no work, and the run goes
//! on. The sink asks again, for those who run without.
//!
//! ```text
//! items ─▶ Placed ──────▶ workers ─▶ Directory ─▶ files
//!             └─────▶ Places ◀──────────┘
//! ```

mod error;
mod obstacle;
mod place;
mod taken;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::error::PlaceError;
use self::obstacle::Obstacles;
pub(crate) use self::place::Place;
use self::taken::{Held, Holder, Taken};
use crate::item::index::ItemIndex;

/// The places in a directory, and which items have them; for one run.
///
/// It remembers each place as a hash of 64 bits, in some 50 bytes of memory for each item. Two
/// names with the same hash are as likely as one in 30 million, in a run of a million items; the
/// later one would be refused, and nothing lost.
///
/// ```
/// use std::path::Path;
///
/// use mtl_host::sink::Directory;
/// use mtl_host::source::{Inputs, Lines, Placed};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let folder = tempfile::tempdir()?;
/// let mut files = Directory::create(&folder.path().join("results"))?;
/// let names = Lines::new(Inputs::from_reader("memory", &b"a/one\na/two\na/one\n"[..]));
/// let source = Placed::new(names, files.places());
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let summary = Pool::builder(&plugin).build()?.run(source, &mut files).into_result()?;
/// assert_eq!(summary.counts.failed(), 1, "the third item has the place of the first");
/// assert_eq!(std::fs::read(folder.path().join("results/a/two"))?, b"A/TWO");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// As the user named it.
    name: PathBuf,
    /// Without links.
    root: PathBuf,
    taken: Mutex<Taken>,
    obstacles: Mutex<Obstacles>,
}

impl Places {
    /// The places in the directory that the user calls `name`.
    #[doc(hidden)]
    pub fn new(name: PathBuf, root: PathBuf) -> Self {
        let obstacles = Mutex::new(Obstacles::below(root.clone()));
        Self(Arc::new(Inner { name, root, taken: Mutex::default(), obstacles }))
    }

    /// Keeps results away from a file that the run reads or writes, wherever it is. It need
    /// not be there yet.
    ///
    /// ```
    /// use mtl_host::sink::Directory;
    /// use mtl_host::source::{Items, Placed};
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// let mut files = Directory::create(folder.path())?;
    /// files.places().keep(&folder.path().join("log"));
    /// let source = Placed::new(Items::new(["log", "log2"]), files.places());
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut files).into_result()?;
    /// assert_eq!(summary.counts.failed(), 1);
    /// assert!(!folder.path().join("log").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keep(&self, path: &Path) {
        let mut taken = self.taken();
        for name in real_names(path) {
            // Nobody else can have the place of what was kept before the run.
            if let Some(place) = self.place_below(&name) {
                let _ = taken.take(&place, Holder::Run);
            }
        }
    }

    /// The place for the result of the item that `path` names; the same one when it asks again.
    ///
    /// # Errors
    ///
    /// When the path leads out of the folder, or another item has it.
    #[doc(hidden)]
    pub fn take(&self, path: &Path, item: ItemIndex) -> Result<Place, PlaceError> {
        self.find(path, item, |_| Ok(()))
    }

    /// Takes the place as [`take`](Self::take) does, unless something stands on the disk where the result or a folder
    /// for it must be. Nothing is taken then.
    pub(crate) fn take_free(&self, path: &Path, item: ItemIndex) -> Result<Place, PlaceError> {
        self.find(path, item, |place| match self.obstacles().of(place) {
            None => Ok(()),
            Some(obstacle) => {
                let (target, at) = (self.name_of(place.path()), self.name_of(&obstacle.at));
                Err(PlaceError::InTheWay { target, at, what: obstacle.what })
            }
        })
    }

    /// Takes the place for the result of an item, if `check` allows it.
    fn find(
        &self,
        path: &Path,
        item: ItemIndex,
        check: impl FnOnce(&Place) -> Result<(), PlaceError>,
    ) -> Result<Place, PlaceError> {
        let (place, item) = (Place::of(path)?, Holder::Item(item));
        if self.taken().has(&place, item) {
            return Ok(place);
        }
        if real_names(path).any(|name| self.place_below(&name).is_some()) {
            let (path, directory) = (path.to_owned(), self.0.name.clone());
            return Err(PlaceError::Inside { path, directory });
        }
        // What other items of this run have made is no obstacle, and has words of its own.
        self.taken().check(&place, item).map_err(|held| self.refused(&place, held))?;
        check(&place)?;
        let taken = self.taken().take(&place, item).map_err(|held| self.refused(&place, held));
        taken.map(|()| place)
    }

    /// Returns the directory, as the user named it.
    pub(crate) fn name(&self) -> &Path {
        &self.0.name
    }

    /// The file at `place`, in the user's words.
    pub(crate) fn name_of(&self, place: &Path) -> PathBuf {
        self.0.name.join(place)
    }

    fn refused(&self, place: &Place, held: Held<'_>) -> PlaceError {
        let target = self.name_of(place.path());
        match held {
            Held::Same(by) => PlaceError::Taken { target, by },
            Held::SameRun => PlaceError::Used { target },
            Held::Folder => PlaceError::Folder { target },
            Held::Above(file, by) => PlaceError::BelowFile { target, file: self.name_of(file), by },
            Held::AboveRun(file) => PlaceError::Used { target: self.name_of(file) },
        }
    }

    fn place_below(&self, name: &Path) -> Option<Place> {
        Place::of(name.strip_prefix(&self.0.root).ok()?).ok()
    }

    fn obstacles(&self) -> MutexGuard<'_, Obstacles> {
        // The folder that it remembers is free, whatever has panicked.
        self.0.obstacles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Each change of the table is one step.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where `path` stands, with no links among its folders; and what it leads to, if it is a link
/// itself. Both would be lost if they were replaced.
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
