//! Compiled code that is kept from run to run.
//!
//! ```text
//! key: a digest of the plugin, the engine's settings, this version …
//!
//! DIR/ trusted/ plugin-<key>   compiled in a process of this user's: may be mapped and run there
//!      jailed/  plugin-<key>   compiled in a jail: data, which goes to jailed processes alone
//! ```
//!
//! What is in `trusted` is run as it is, with all rights of this user. So the directory, and each
//! on the way to it, must be one that nobody else can write to; and nothing is ever put there
//! that a jailed process has made. That is what [`TrustedEntry`] stands for. Of what is in `jailed`
//! nothing but its bytes can be had.
//!
//! A cache is never needed. What goes wrong here costs time, and no run: a full disk, a directory
//! that vanishes, a file that is not what it was.

pub(crate) mod code_package;
mod directory;
mod error;
mod info;
mod key;
mod place;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

pub use self::error::CacheError;
pub use self::info::{CacheInfo, CacheShare, CacheUses};
pub(crate) use self::key::{EntryKind, Hashed, Key};

use self::directory::{Directory, Make};
use self::place::{Entry, Found, Place};
use crate::item::limits::CacheSize;

/// A directory where compiled code is kept. Cheap to clone; any number of processes share one.
///
/// ```
/// use mtl_host::{Cache, Engine, Plugin};
///
/// let folder = tempfile::tempdir()?;
/// let cache = Cache::open(folder.path())?;
/// for _ in 0..2 {
///     Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
/// }
/// let uses = cache.uses();
/// assert_eq!((uses.misses, uses.hits), (1, 1));
/// assert_eq!(cache.info()?.trusted.entries, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    kept: Arc<Places>,
    limit: CacheSize,
}

#[derive(Debug)]
struct Places {
    path: PathBuf,
    /// None, where nothing can be kept.
    trusted: Option<Place>,
    jailed: Option<Place>,
    hits: AtomicU64,
    misses: AtomicU64,
    damaged: AtomicU64,
    /// The first reason why something could not be kept.
    full: OnceLock<CacheError>,
}

/// Code that this host has compiled, in a file that none but its user could have changed, and that
/// is as it was when it was put there.
#[derive(Debug)]
pub(crate) struct TrustedEntry(Entry);

/// Code that a jailed process has compiled: it may be anything.
#[derive(Debug)]
pub(crate) struct JailedEntry(Entry);

/// The two places, which have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Trusted,
    Jailed,
}

impl Cache {
    /// The cache in this directory, which is made if there is none.
    ///
    /// Others may write neither to it nor to a directory around it, except for those like `/tmp`
    /// where nobody can remove what is another's.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::Cache::open(folder.path().join("new"))?;
    /// assert_eq!(cache.path(), folder.path().join("new"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened, or others could change what is in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CacheError> {
        let path = path.as_ref();
        Ok(Self::of(path, &Directory::make(path)?, Make::IfMissing))
    }

    /// The cache in this directory, if there is one. Nothing is made.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// assert!(mtl_host::Cache::find(folder.path().join("none"))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn find(path: impl AsRef<Path>) -> Result<Option<Self>, CacheError> {
        let path = path.as_ref();
        match Directory::open(path) {
            Ok(directory) => Ok(Some(Self::of(path, &directory, Make::No))),
            Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn of(path: &Path, directory: &Directory, make: Make) -> Self {
        let full = OnceLock::new();
        let place = |name| match directory.inner(name, make) {
            Ok(place) => Some(Place(place)),
            Err(error) => {
                tracing::debug!(name, %error, "a part of the cache is not used");
                note_full(&full, path, error);
                None
            }
        };
        let (trusted, jailed) = (place("trusted"), place("jailed"));
        let kept = Places {
            path: path.to_owned(),
            trusted,
            jailed,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            full,
        };
        Self { kept: Arc::new(kept), limit: CacheSize::DEFAULT }
    }

    /// How much it may keep. When something new is put there, what was not used for the longest
    /// time goes. Default: [`CacheSize::DEFAULT`].
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let cache = mtl_host::Cache::open(folder.path())?.limit("100MiB".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: CacheSize) -> Self {
        self.limit = limit;
        self
    }

    /// The directory, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.kept.path
    }

    /// How often it was asked, by this process, through any of its clones.
    #[must_use]
    pub fn uses(&self) -> CacheUses {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Places { hits, misses, damaged, .. } = &*self.kept;
        CacheUses { hits: count(hits), misses: count(misses), damaged: count(damaged) }
    }

    /// Returns why something was not kept because the disk is full, or a file may be no larger: the first such error
    /// of any of its clones.
    ///
    /// ```
    /// use mtl_host::{Cache, Engine, Plugin};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// Plugin::loader(&Engine::new()?).cache(&cache).load("../tests/fixtures/upper.wat")?;
    /// if let Some(error) = cache.full() {
    ///     eprintln!("plugins are compiled each time: {error}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn full(&self) -> Option<&CacheError> {
        self.kept.full.get()
    }

    /// What this host has compiled for this key.
    pub(crate) fn own(&self, key: &Key) -> Option<TrustedEntry> {
        self.get(Which::Trusted, key).map(TrustedEntry)
    }

    /// Keeps what was compiled in this process. Never what comes from another.
    pub(crate) fn keep_own(&self, key: &Key, code: &[u8], metadata: &[u8]) {
        self.put(Which::Trusted, key, code, metadata);
    }

    /// What a jailed process has compiled for this key.
    pub(crate) fn jailed(&self, key: &Key) -> Option<JailedEntry> {
        self.get(Which::Jailed, key).map(JailedEntry)
    }

    /// Keeps what a jailed process has compiled.
    pub(crate) fn keep_jailed(&self, key: &Key, code: &[u8], metadata: &[u8]) {
        self.put(Which::Jailed, key, code, metadata);
    }

    /// What was found for this key is as it had been put there, and could not be used after all.
    pub(crate) fn reject(&self, key: &Key, error: &dyn fmt::Display) {
        tracing::warn!(%key, %error, "an entry of the cache cannot be used, and is made anew");
        self.kept.hits.fetch_sub(1, Ordering::Relaxed);
        self.kept.damaged.fetch_add(1, Ordering::Relaxed);
    }

    /// What was found for this key is of a world that has changed since: it is as if nothing had been
    /// found.
    pub(crate) fn count_as_missing(&self, key: &Key) {
        tracing::debug!(%key, "an entry of the cache does not hold any more, and is made anew");
        self.kept.hits.fetch_sub(1, Ordering::Relaxed);
        self.kept.misses.fetch_add(1, Ordering::Relaxed);
    }

    fn place(&self, which: Which) -> Option<&Place> {
        match which {
            Which::Trusted => self.kept.trusted.as_ref(),
            Which::Jailed => self.kept.jailed.as_ref(),
        }
    }

    fn get(&self, which: Which, key: &Key) -> Option<Entry> {
        let found = self.place(which).map_or(Ok(Found::Nothing), |place| place.get(key));
        let (count, entry) = match found {
            Ok(Found::Entry(entry)) => (&self.kept.hits, Some(entry)),
            Ok(Found::Nothing) => (&self.kept.misses, None),
            Ok(Found::Damaged) => {
                tracing::warn!(%key, "an entry of the cache is damaged, and is made anew");
                (&self.kept.damaged, None)
            }
            Err(error) => {
                tracing::debug!(%key, %error, "the cache cannot be read");
                (&self.kept.misses, None)
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        entry
    }

    fn put(&self, which: Which, key: &Key, code: &[u8], metadata: &[u8]) {
        let Some(place) = self.place(which) else { return };
        if code.len() >= self.limit.bytes() {
            tracing::debug!(%key, bytes = code.len(), "it is larger than the cache may be");
            return;
        }
        let put = place.put(key, code, metadata).and_then(|()| self.shrink(&key.to_string()));
        if let Err(error) = put {
            tracing::debug!(%key, %error, "it is not kept in the cache");
            note_full(&self.kept.full, &self.kept.path, error);
        }
    }

    /// Throws out what was not used for the longest time, until the rest is as large as it may be.
    fn shrink(&self, except: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        for which in [Which::Trusted, Which::Jailed] {
            let Some(place) = self.place(which) else { continue };
            place.sweep(SystemTime::now())?;
            entries.extend(place.list()?.into_iter().map(|entry| (place, entry)));
        }
        entries.sort_by_key(|(_, entry)| entry.used);
        let limit = self.limit.bytes() as u64;
        let mut all: u64 = entries.iter().map(|(_, entry)| entry.bytes).sum();
        for (place, entry) in entries {
            if all <= limit {
                break;
            }
            if entry.name != except {
                place.remove(&entry.name)?;
                all = all.saturating_sub(entry.bytes);
            }
        }
        Ok(())
    }
}

/// Notes an error of a full directory.
fn note_full(full: &OnceLock<CacheError>, path: &Path, source: io::Error) {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    if matches!(source.kind(), FileTooLarge | QuotaExceeded | StorageFull) {
        full.get_or_init(|| CacheError::Io { path: path.to_owned(), source });
    }
}

impl TrustedEntry {
    /// The file, which begins with the code.
    pub(crate) fn file(&self) -> &File {
        &self.0.file
    }

    /// How long the code is.
    pub(crate) fn length(&self) -> u64 {
        self.0.package.code
    }

    /// What was said of it when it was put there.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.0.package.metadata
    }
}

impl JailedEntry {
    /// The file, which begins with the code: to be copied to where a jailed process may have it.
    pub(crate) fn file(&self) -> &File {
        &self.0.file
    }

    /// How long the code is.
    pub(crate) fn length(&self) -> u64 {
        self.0.package.code
    }

    /// What the jailed process has said of it.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.0.package.metadata
    }
}

#[cfg(test)]
mod tests;
