//! Whether workers start from a snapshot.

use super::PoolBuilder;

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
    ///     pool.map(["one", "two"]).try_collect::<Vec<_>>()?;
    ///     pool.close();
    ///     assert_eq!(*told.0.lock().unwrap(), [expected]);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(mut self) -> Self {
        self.is_snapshot_wanted = true;
        self
    }
}
