//! The content of a cache, its hits and misses, and the ways to clear it.

use std::io;

use super::key::EntryKind;
use super::place::{Listed, Place};
use super::{Cache, CacheError, Which};

/// How often a [`Cache`] was asked, by this process.
///
/// ```
/// let cache = mtl_host::Cache::open(tempfile::tempdir()?.path())?;
/// assert_eq!(cache.uses(), mtl_host::CacheUses::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheUses {
    /// It had what was asked for.
    pub hits: u64,
    /// It had not.
    pub misses: u64,
    /// It had something that was not as it was put there, and was made anew.
    pub damaged: u64,
}

/// What is in a [`Cache`].
///
/// ```
/// let info = mtl_host::Cache::open(tempfile::tempdir()?.path())?.info()?;
/// assert_eq!((info.jailed.entries, info.jailed.bytes), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheInfo {
    /// What was compiled in processes of this user's.
    pub trusted: CacheShare,
    /// What was compiled in jails, and is loaded in jails alone.
    pub jailed: CacheShare,
}

/// A part of what is in a [`Cache`].
///
/// ```
/// assert_eq!(mtl_host::CacheShare::default().bytes, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheShare {
    /// How many there are.
    pub entries: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Cache {
    /// What is in it.
    ///
    /// ```
    /// # use mtl_host::{Cache, Engine, Plugin};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
    /// assert_eq!(cache.info()?.trusted.entries, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn info(&self) -> Result<CacheInfo, CacheError> {
        self.each(|_| true, |_, _| Ok(()))
    }

    /// Removes all that is in it, also what was not finished; returns what was whole. Who has something
    /// of it in use keeps that; who is writing something keeps nothing.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::Cache::open(folder.path())?;
    /// assert_eq!(cache.clear()?.trusted.entries, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be read, or something cannot be removed.
    pub fn clear(&self) -> Result<CacheInfo, CacheError> {
        self.remove(|_| true)
    }

    /// Removes the snapshots and all that was not finished, and leaves the compiled plugins; returns the
    /// snapshots that were removed. A run that uses one of them keeps it until it ends.
    ///
    /// A snapshot is the memory of a plugin after its `init`: with its arguments, the values of
    /// variables, what it has read, and the random numbers that it has drawn.
    ///
    /// ```
    /// # use mtl_host::{Cache, Engine, Plugin};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
    /// assert_eq!(cache.clear_snapshots()?.trusted.entries, 0);
    /// assert_eq!(cache.info()?.trusted.entries, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the directory cannot be read, or a snapshot cannot be removed.
    pub fn clear_snapshots(&self) -> Result<CacheInfo, CacheError> {
        self.remove(|entry| EntryKind::Snapshot.is_of(&entry.name))
    }

    /// Removes each entry that is wanted, and what a crash may have left of one.
    fn remove(&self, is_wanted: impl Fn(&Listed) -> bool) -> Result<CacheInfo, CacheError> {
        let mut places =
            [Which::Trusted, Which::Jailed].into_iter().filter_map(|it| self.place(it));
        places
            .try_for_each(Place::clear_unfinished)
            .map_err(|source| CacheError::Io { path: self.path().to_owned(), source })?;
        self.each(is_wanted, |place, entry| place.remove(&entry.name))
    }

    /// Does something with each entry that is wanted; gives what they are together.
    fn each(
        &self,
        is_wanted: impl Fn(&Listed) -> bool,
        act: impl Fn(&Place, &Listed) -> io::Result<()>,
    ) -> Result<CacheInfo, CacheError> {
        let share = |which| -> io::Result<CacheShare> {
            let mut share = CacheShare::default();
            let Some(place) = self.place(which) else { return Ok(share) };
            for entry in place.list()?.into_iter().filter(&is_wanted) {
                act(place, &entry)?;
                share.entries += 1;
                share.bytes += entry.bytes;
            }
            Ok(share)
        };
        let info =
            || Ok(CacheInfo { trusted: share(Which::Trusted)?, jailed: share(Which::Jailed)? });
        info().map_err(|source| CacheError::Io { path: self.path().to_owned(), source })
    }
}
