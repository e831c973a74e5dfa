//! The settings by which workers start from a snapshot.

use super::PoolBuilder;
use crate::cache::Cache;
use crate::plugin::snapshot_group::Groups;
use crate::sandbox::confinement::Confinement;

/// The workers that start from a snapshot.
#[derive(Debug)]
pub(super) enum Snapshots {
    /// No worker.
    Off,
    /// All identical workers.
    PerPool,
    /// All identical workers; the cache keeps the snapshot.
    Cached(Cache),
}

impl Snapshots {
    /// Returns the files that workers need to open for snapshots.
    pub(super) fn confinement(&self) -> Confinement {
        let mut confinement = Confinement::default();
        if let Self::Cached(cache) = self
            && let Err(error) = confinement.keep_snapshots_in(cache.path())
        {
            tracing::debug!(%error, "snapshots cannot be kept");
        }
        confinement
    }

    pub(super) fn groups(self) -> Option<Groups> {
        match self {
            Self::Off => None,
            Self::PerPool => Some(Groups::new(None)),
            Self::Cached(cache) => Some(Groups::new(Some(cache))),
        }
    }
}

impl PoolBuilder {
    /// Initialises a plugin once, and starts all identical workers from a snapshot of its memory
    /// (default: each worker is initialised on its own).
    ///
    /// Workers are identical if they have the same plugin, init arguments, grants and limits. Each
    /// worker shares the memory pages of the snapshot until it writes to them. A replacement
    /// instance starts from the same snapshot.
    ///
    /// If a snapshot would change the behaviour of the plugin, the host takes no snapshot. An
    /// example is an `init` that leaves a file open. An
    /// [`Event::SnapshotRefused`](crate::event::Event::SnapshotRefused) gives the reason, and the
    /// run continues.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// # use mtl_host::event::{Event, Observer};
    /// # use mtl_host::{Engine, Init, Plugin, Pool};
    /// #[derive(Default)]
    /// struct Snapshots(Mutex<Vec<String>>);
    ///
    /// impl Observer for Snapshots {
    ///     fn notify(&self, event: &Event<'_>) {
    ///         let line = match event {
    ///             Event::SnapshotTaken { has_random: false, .. } => "taken".to_owned(),
    ///             Event::SnapshotRefused { reason, .. } => reason.to_string(),
    ///             _ => return,
    ///         };
    ///         self.0.lock().unwrap().push(line);
    ///     }
    /// }
    ///
    /// // The first plugin keeps its init arguments; the second one has no `init`.
    /// for (plugin, expected) in [("init", "taken"), ("upper", "it has no `init`")] {
    ///     let path = format!("../tests/fixtures/{plugin}.wat");
    ///     let plugin = Plugin::load(&Engine::new()?, path)?;
    ///     let snapshots = Arc::new(Snapshots::default());
    ///     let mut pool = Pool::builder(&plugin).snapshot().observer(snapshots.clone()).build()?;
    ///     pool.map(["one", "more"]).try_collect::<Vec<_>>()?;
    ///     pool.close();
    ///     assert_eq!(*snapshots.0.lock().unwrap(), [expected]);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(mut self) -> Self {
        self.snapshots = Snapshots::PerPool;
        self
    }

    /// Starts workers from snapshots as [`snapshot`](Self::snapshot) does, and keeps the snapshots
    /// in `cache`.
    ///
    /// The host tracks the plugin, its init arguments, environment variables, grants and limits,
    /// and the files that `init` has looked at. `init` runs again only if one of these changes. A
    /// change of anything else that `init` reads, such as the date, does not make it run again. A
    /// snapshot contains the init arguments and all data that `init` has read.
    ///
    /// ```
    /// # use mtl_host::cache::Cache;
    /// # use mtl_host::{Engine, Init, Plugin, Pool};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// for _ in 0..2 {
    ///     let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    ///     let pool = Pool::builder(&plugin).init(Init::Same(b"> ".to_vec()));
    ///     let record = pool.snapshot_cache(&cache).build()?.map(["a"]).next().unwrap()?;
    ///     assert_eq!(record.bytes(), Some(&b"> a"[..]));
    /// }
    /// assert_eq!((cache.stats().misses, cache.stats().hits), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot_cache(mut self, cache: &Cache) -> Self {
        self.snapshots = Snapshots::Cached(cache.clone());
        self
    }
}
