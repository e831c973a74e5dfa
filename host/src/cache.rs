//! The cache of compiled code: later runs load the code and do not compile the plugin again.
//!
//! ```text
//! key: a digest of the plugin, the engine's settings, this version …
//!
//! DIR/ trusted/ plugin-<key>   compiled in a process of this user: this process may map and run it
//!      jailed/  plugin-<key>   compiled in a jail: data, passed only to jailed processes
//! ```
//!
//! The host runs the code in `trusted` unchecked and with all rights of this user. Two rules protect this code:
//!
//! * No other user may have write access to the cache's directory or its parents.
//! * The host never stores the output of a jailed process in `trusted`.
//!
//! A `TrustedEntry` exists only for code to which both rules apply. A `JailedEntry` provides the bytes of its code, but
//! no way to run the code.
//!
//! The cache is optional. If the cache fails, the plugin is compiled without it, and the run continues. Examples of
//! such failures are a full disk, a directory that disappears, and a changed file.

pub(crate) mod code_package;
mod directory;
mod entry_directory;
mod error;
mod info;
mod key;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

pub use self::error::CacheError;
pub use self::info::{CacheInfo, CacheStats, CacheUsage};
pub(crate) use self::key::{EntryKind, Key, Sha256Hasher};

use self::directory::{CreateMode, Directory};
use self::entry_directory::{Entry, EntryDirectory, Lookup};
use crate::item::limits::CacheSize;

/// A directory in which the host stores compiled code. This value is cheap to clone. Any number of processes can share
/// one directory.
///
/// ```
/// use mtl_host::cache::Cache;
/// use mtl_host::{Engine, Plugin};
///
/// let folder = tempfile::tempdir()?;
/// let cache = Cache::open(folder.path())?;
/// for _ in 0..2 {
///     Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
/// }
/// let uses = cache.stats();
/// assert_eq!((uses.misses, uses.hits), (1, 1));
/// assert_eq!(cache.info()?.trusted.entries, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    state: Arc<CacheState>,
    limit: CacheSize,
}

#[derive(Debug)]
struct CacheState {
    path: PathBuf,
    /// `None` if this part of the cache cannot be used.
    trusted: Option<EntryDirectory>,
    jailed: Option<EntryDirectory>,
    hits: AtomicU64,
    misses: AtomicU64,
    damaged: AtomicU64,
    /// The first error of a full disk.
    full: OnceLock<CacheError>,
}

/// An entry with code that this host has compiled. Its file is unchanged, and only its user could have changed it.
#[derive(Debug)]
pub(crate) struct TrustedEntry(Entry);

/// An entry with code that a jailed process has compiled. The host never runs it outside of a jail.
#[derive(Debug)]
pub(crate) struct JailedEntry(Entry);

/// One of the two separate parts of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CachePart {
    Trusted,
    Jailed,
}

impl Cache {
    /// Opens the cache in the given directory, and creates the directory if it does not exist.
    ///
    /// No other user may have write access to the directory or its parents. A parent with the sticky bit, such as
    /// `/tmp`, is allowed: in such a directory, users cannot rename or remove each other's files.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::cache::Cache::open(folder.path().join("new"))?;
    /// assert_eq!(cache.path(), folder.path().join("new"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be created or opened, or if other users could change its content.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CacheError> {
        let path = path.as_ref();
        Ok(Self::of(path, &Directory::create(path)?, CreateMode::IfMissing))
    }

    /// Opens the cache in the given directory, and creates nothing. Returns `None` if the directory does not exist.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// assert!(mtl_host::cache::Cache::find(folder.path().join("none"))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) does.
    pub fn find(path: impl AsRef<Path>) -> Result<Option<Self>, CacheError> {
        let path = path.as_ref();
        match Directory::open(path) {
            Ok(directory) => Ok(Some(Self::of(path, &directory, CreateMode::No))),
            Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn of(path: &Path, directory: &Directory, mode: CreateMode) -> Self {
        let full = OnceLock::new();
        let open = |name| match directory.open_subdirectory(name, mode) {
            Ok(part) => Some(EntryDirectory(part)),
            Err(error) => {
                tracing::debug!(name, %error, "a part of the cache is not used");
                record_full(&full, path, error);
                None
            }
        };
        let (trusted, jailed) = (open("trusted"), open("jailed"));
        let state = CacheState {
            path: path.to_owned(),
            trusted,
            jailed,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            full,
        };
        Self { state: Arc::new(state), limit: CacheSize::DEFAULT }
    }

    /// Sets the size limit of the cache (default: [`CacheSize::DEFAULT`]). If a new entry makes the cache larger than
    /// this limit, the cache removes the least recently used entries.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::cache::Cache::open(folder.path())?.limit("100MiB".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: CacheSize) -> Self {
        self.limit = limit;
        self
    }

    /// Returns the directory, as it was passed to [`open`](Self::open) or [`find`](Self::find).
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.state.path
    }

    /// Returns the numbers of lookups by this process, through this value and all its clones.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let CacheState { hits, misses, damaged, .. } = &*self.state;
        CacheStats { hits: count(hits), misses: count(misses), damaged: count(damaged) }
    }

    /// Returns the first error that occurred because the disk was full, or because a quota or file size limit was
    /// reached. This value and its clones share the error. The cache lacks each entry that it could not store.
    ///
    /// ```
    /// use mtl_host::cache::Cache;
    /// use mtl_host::{Engine, Plugin};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
    /// if let Some(error) = cache.full_error() {
    ///     eprintln!("plugins are compiled each time: {error}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn full_error(&self) -> Option<&CacheError> {
        self.state.full.get()
    }

    /// Returns the code that this host has compiled for a key.
    pub(crate) fn trusted(&self, key: &Key) -> Option<TrustedEntry> {
        self.get(CachePart::Trusted, key).map(TrustedEntry)
    }

    /// Keeps code that this process has compiled. The caller must never pass code from another process.
    pub(crate) fn keep_trusted(&self, key: &Key, code: &[u8], metadata: &[u8]) {
        self.put(CachePart::Trusted, key, code, metadata);
    }

    /// Returns the code that a jailed process has compiled for a key.
    pub(crate) fn jailed(&self, key: &Key) -> Option<JailedEntry> {
        self.get(CachePart::Jailed, key).map(JailedEntry)
    }

    /// Keeps code that a jailed process has compiled.
    pub(crate) fn keep_jailed(&self, key: &Key, code: &[u8], metadata: &[u8]) {
        self.put(CachePart::Jailed, key, code, metadata);
    }

    /// Counts the entry for a key as damaged. Its file is intact, but the code cannot be used.
    pub(crate) fn mark_damaged(&self, key: &Key, error: &dyn fmt::Display) {
        tracing::warn!(%key, %error, "a cache entry cannot be used, and will be replaced");
        self.state.hits.fetch_sub(1, Ordering::Relaxed);
        self.state.damaged.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the entry for a key as a miss, because the files that it depends on have changed.
    pub(crate) fn mark_outdated(&self, key: &Key) {
        tracing::debug!(%key, "a cache entry is out of date, and will be replaced");
        self.state.hits.fetch_sub(1, Ordering::Relaxed);
        self.state.misses.fetch_add(1, Ordering::Relaxed);
    }

    fn directory(&self, part: CachePart) -> Option<&EntryDirectory> {
        match part {
            CachePart::Trusted => self.state.trusted.as_ref(),
            CachePart::Jailed => self.state.jailed.as_ref(),
        }
    }

    fn get(&self, part: CachePart, key: &Key) -> Option<Entry> {
        let lookup =
            self.directory(part).map_or(Ok(Lookup::Nothing), |directory| directory.get(key));
        let (count, entry) = match lookup {
            Ok(Lookup::Entry(entry)) => (&self.state.hits, Some(entry)),
            Ok(Lookup::Nothing) => (&self.state.misses, None),
            Ok(Lookup::Damaged) => {
                tracing::warn!(%key, "a cache entry is damaged, and will be replaced");
                (&self.state.damaged, None)
            }
            Err(error) => {
                tracing::debug!(%key, %error, "the cache cannot be read");
                (&self.state.misses, None)
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        entry
    }

    fn put(&self, part: CachePart, key: &Key, code: &[u8], metadata: &[u8]) {
        let Some(directory) = self.directory(part) else { return };
        if code.len() >= self.limit.bytes() {
            tracing::debug!(%key, bytes = code.len(), "the code is larger than the limit of the cache");
            return;
        }
        let result =
            directory.put(key, code, metadata).and_then(|()| self.shrink(&key.to_string()));
        if let Err(error) = result {
            tracing::debug!(%key, %error, "the code is not stored in the cache");
            record_full(&self.state.full, &self.state.path, error);
        }
    }

    /// Removes the least recently used entries, but not `except`, until the cache is within the size limit.
    fn shrink(&self, except: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        for part in [CachePart::Trusted, CachePart::Jailed] {
            let Some(directory) = self.directory(part) else { continue };
            directory.remove_abandoned(SystemTime::now())?;
            entries.extend(directory.list()?.into_iter().map(|entry| (directory, entry)));
        }
        entries.sort_by_key(|(_, entry)| entry.used);
        let limit = self.limit.bytes() as u64;
        let mut total: u64 = entries.iter().map(|(_, entry)| entry.bytes).sum();
        for (directory, entry) in entries {
            if total <= limit {
                break;
            }
            if entry.name != except {
                directory.remove(&entry.name)?;
                total = total.saturating_sub(entry.bytes);
            }
        }
        Ok(())
    }
}

/// Records an error if it means that the disk is full.
fn record_full(full: &OnceLock<CacheError>, path: &Path, source: io::Error) {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    if matches!(source.kind(), FileTooLarge | QuotaExceeded | StorageFull) {
        full.get_or_init(|| CacheError::Io { path: path.to_owned(), source });
    }
}

impl TrustedEntry {
    /// Returns the file, which begins with the code.
    pub(crate) fn file(&self) -> &File {
        &self.0.file
    }

    /// Returns the length of the code in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.0.package.code_length
    }

    /// Returns the metadata that was stored with the code.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.0.package.metadata
    }
}

impl JailedEntry {
    /// Returns the file, which begins with the code. The caller copies the code for jailed processes.
    pub(crate) fn file(&self) -> &File {
        &self.0.file
    }

    /// Returns the length of the code in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.0.package.code_length
    }

    /// Returns the metadata that the jailed process has sent.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.0.package.metadata
    }
}

#[cfg(test)]
mod tests;
