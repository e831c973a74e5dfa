//! The content of a cache, its hits and misses, and the ways to clear it.

use std::io;

use super::entry_directory::{EntryDirectory, EntryInfo};
use super::key::EntryKind;
use super::{Cache, CacheError, CachePart};

/// The numbers of lookups in a [`Cache`] by this process.
///
/// ```
/// let cache = mtl_host::cache::Cache::open(tempfile::tempdir()?.path())?;
/// assert_eq!(cache.stats(), mtl_host::cache::CacheStats::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// The lookups that found an entry.
    pub hits: u64,
    /// The lookups that found no entry.
    pub misses: u64,
    /// The lookups that found a damaged entry. The host then compiled the code again.
    pub damaged: u64,
}

/// The content of a [`Cache`].
///
/// ```
/// let info = mtl_host::cache::Cache::open(tempfile::tempdir()?.path())?.info()?;
/// assert_eq!((info.jailed.entries, info.jailed.bytes), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheInfo {
    /// The code that processes of this user have compiled.
    pub trusted: CacheUsage,
    /// The code that jailed processes have compiled. The host loads it only in jails.
    pub jailed: CacheUsage,
}

/// The content of one part of a [`Cache`].
///
/// ```
/// assert_eq!(mtl_host::cache::CacheUsage::default().bytes, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheUsage {
    /// The number of entries.
    pub entries: u64,
    /// The size of the entries in bytes.
    pub bytes: u64,
}

impl Cache {
    /// Returns the number and the total size of the entries.
    ///
    /// ```
    /// # use mtl_host::cache::Cache;
    /// # use mtl_host::{Engine, Plugin};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
    /// assert_eq!(cache.info()?.trusted.entries, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be read.
    pub fn info(&self) -> Result<CacheInfo, CacheError> {
        self.each(|_| true, |_, _| Ok(()))
    }

    /// Removes all entries and all unfinished files. Returns the number and the total size of the removed entries.
    ///
    /// A process that has a removed entry open can use the entry until the process closes the file. If a process is
    /// still writing an entry, this entry is lost.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::cache::Cache::open(folder.path())?;
    /// assert_eq!(cache.clear()?.trusted.entries, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be read, or a file cannot be removed.
    pub fn clear(&self) -> Result<CacheInfo, CacheError> {
        self.remove(|_| true)
    }

    /// Removes the snapshots and all unfinished files, but leaves the compiled plugins. Returns the number and the
    /// total size of the removed snapshots. A run that already uses a removed snapshot can use it until the run ends.
    ///
    /// A snapshot is the memory of a plugin after its `init`. It contains the init arguments, the values of variables,
    /// all data that `init` has read, and the random numbers that `init` has drawn.
    ///
    /// ```
    /// # use mtl_host::cache::Cache;
    /// # use mtl_host::{Engine, Plugin};
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
    /// Fails if the directory cannot be read, or a snapshot cannot be removed.
    pub fn clear_snapshots(&self) -> Result<CacheInfo, CacheError> {
        self.remove(|entry| EntryKind::Snapshot.matches_name(&entry.name))
    }

    /// Removes the entries that `is_selected` selects, and the unfinished files of crashed processes.
    fn remove(&self, is_selected: impl Fn(&EntryInfo) -> bool) -> Result<CacheInfo, CacheError> {
        let mut directories = [CachePart::Trusted, CachePart::Jailed]
            .into_iter()
            .filter_map(|part| self.directory(part));
        directories
            .try_for_each(EntryDirectory::clear_unfinished)
            .map_err(|source| CacheError::Io { path: self.path().to_owned(), source })?;
        self.each(is_selected, |directory, entry| directory.remove(&entry.name))
    }

    /// Applies `act` to the entries that `is_selected` selects, and returns their number and size.
    fn each(
        &self,
        is_selected: impl Fn(&EntryInfo) -> bool,
        act: impl Fn(&EntryDirectory, &EntryInfo) -> io::Result<()>,
    ) -> Result<CacheInfo, CacheError> {
        let usage = |part| -> io::Result<CacheUsage> {
            let mut usage = CacheUsage::default();
            let Some(directory) = self.directory(part) else { return Ok(usage) };
            for entry in directory.list()?.into_iter().filter(&is_selected) {
                act(directory, &entry)?;
                usage.entries += 1;
                usage.bytes += entry.bytes;
            }
            Ok(usage)
        };
        let info = || {
            Ok(CacheInfo { trusted: usage(CachePart::Trusted)?, jailed: usage(CachePart::Jailed)? })
        };
        info().map_err(|source| CacheError::Io { path: self.path().to_owned(), source })
    }
}
