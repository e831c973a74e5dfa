//! The setting by which workers start from a snapshot.

use super::PoolBuilder;
use crate::cache::Cache;
use crate::plugin::snapshot_group::Groups;
use crate::sandbox::confinement::Confinement;

/// Which workers start from a snapshot.
#[derive(Debug)]
pub(super) enum Snapshots {
    /// None.
    No,
    /// Those that are alike.
    Made,
    /// Those that are alike, and what they start from is kept.
    Kept(Cache),
}

impl Snapshots {
    /// Returns what workers need to open for snapshots.
    pub(super) fn confinement(&self) -> Confinement {
        let mut confinement = Confinement::default();
        if let Self::Kept(cache) = self
            && let Err(error) = confinement.keep_snapshots_in(cache.path())
        {
            tracing::debug!(%error, "snapshots cannot be kept");
        }
        confinement
    }

    pub(super) fn groups(self) -> Option<Groups> {
        match self {
            Self::No => None,
            Self::Made => Some(Groups::new(None)),
            Self::Kept(cache) => Some(Groups::new(Some(cache))),
        }
    }
}

impl PoolBuilder {
    /// Initialises a plugin once, and lets all workers that are alike start from what it has become
    /// then: those with the same plugin, init arguments, grants and limits. They share its memory
    /// until they write to it, and an instance that takes the place of another starts from it, too.
    /// Default: each is initialised on its own.
    ///
    /// Where that would make a difference, as an `init` that leaves a file open, it is not done:
    /// an [`Event::SnapshotRefused`](crate::Event::SnapshotRefused) says why, and the run goes on.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// # use mtl_host::{Engine, Event, Init, Observer, Plugin, Pool};
    /// #[derive(Default)]
    /// struct Snapshots(Mutex<Vec<String>>);
    ///
    /// impl Observer for Snapshots {
    ///     fn notify(&self, event: &Event<'_>) {
    ///         let told = match event {
    ///             Event::SnapshotTaken { has_random: false, .. } => "taken".to_owned(),
    ///             Event::SnapshotRefused { why, .. } => why.to_string(),
    ///             _ => return,
    ///         };
    ///         self.0.lock().unwrap().push(told);
    ///     }
    /// }
    ///
    /// // One keeps its arguments; the other has nothing to be initialised with.
    /// for (plugin, expected) in [("init", "taken"), ("upper", "it has no `init`")] {
    ///     let path = format!("../tests/fixtures/{plugin}.wat");
    ///     let plugin = Plugin::load(&Engine::new()?, path)?;
    ///     let told = Arc::new(Snapshots::default());
    ///     let mut pool = Pool::builder(&plugin).snapshot().observer(told.clone()).build()?;
    ///     pool.map(["one", "more"]).try_collect::<Vec<_>>()?;
    ///     pool.close();
    ///     assert_eq!(*told.0.lock().unwrap(), [expected]);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(mut self) -> Self {
        self.snapshots = Snapshots::Made;
        self
    }

    /// The same, and snapshots are kept in `cache`, so that `init` runs again only when something
    /// is not as it was that it can see: plugin, arguments, variables, grants, limits, and files
    /// that it has looked at. What it sees of the world beside that, such as the date, it does not
    /// see again. A snapshot has the init arguments in it, and all that `init` has read.
    ///
    /// ```
    /// # use mtl_host::{Cache, Engine, Init, Plugin, Pool};
    /// let folder = tempfile::tempdir()?;
    /// let cache = Cache::open(folder.path())?;
    /// for _ in 0..2 {
    ///     let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    ///     let pool = Pool::builder(&plugin).init(Init::Same(b"> ".to_vec()));
    ///     let record = pool.snapshot_cache(&cache).build()?.map(["a"]).next().unwrap()?;
    ///     assert_eq!(record.bytes(), Some(&b"> a"[..]));
    /// }
    /// assert_eq!((cache.uses().misses, cache.uses().hits), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot_cache(mut self, cache: &Cache) -> Self {
        self.snapshots = Snapshots::Kept(cache.clone());
        self
    }
}
