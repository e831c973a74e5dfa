//! The flags that let workers start from a snapshot.

use clap::Args;
use mtl_host::PoolBuilder;
use mtl_host::cache::Cache;

/// The flags that let workers start from a snapshot.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct SnapshotArgs {
    /// Initialise once, and start workers from a memory snapshot
    ///
    /// All workers with the same arguments and grants start from the plugin's memory after `init`,
    /// and share it until they write to it. If `init` does something that a snapshot cannot hold,
    /// such as leaving a file open, each worker is initialised on its own, and a warning gives the
    /// reason.
    #[arg(long)]
    snapshot: bool,

    /// Like --snapshot, and keep the snapshot for the next run
    ///
    /// The snapshot is stored in the cache of compiled plugins. It is taken again if something that
    /// `init` has read has changed.
    ///
    /// The file holds the plugin's memory after `init`, unencrypted: the arguments of `--init`, the
    /// values of `--env`, the data that `init` has read, and the random numbers that it has drawn,
    /// which are then the same in every run. Only you can read the file; `mtl-host cache clear
    /// --snapshots` removes it. If the memory holds secrets, use `--snapshot`.
    #[arg(long, conflicts_with = "no_cache")]
    snapshot_cache: bool,
}

impl SnapshotArgs {
    /// Configures snapshots as these flags describe. Without a cache, every run takes new snapshots.
    pub(super) fn describe(&self, builder: PoolBuilder, cache: Option<&Cache>) -> PoolBuilder {
        match cache.filter(|_| self.snapshot_cache) {
            Some(cache) => builder.snapshot_cache(cache),
            None if self.snapshot || self.snapshot_cache => builder.snapshot(),
            None => builder,
        }
    }
}
