//! Flags that say whether workers start from a snapshot, and what they mean.

use clap::Args;
use mtl_host::{Cache, PoolBuilder};

/// Whether workers start from a snapshot.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct SnapshotArgs {
    /// Initialise the plugin once, and let all workers with the same arguments and grants start from
    /// what it has become then: they share its memory until they write to it. Where `init` does
    /// what that does not suit, as to leave a file open, each worker is initialised on its own, and
    /// a warning says why
    #[arg(long)]
    snapshot: bool,

    /// The same, and keep what `init` has made beside the compiled plugins, for the next run; it is
    /// made anew when something has changed that `init` has looked at.
    ///
    /// The file is the plugin's memory after `init`, in plain text: the arguments of `--init`, the
    /// values of `--env`, what `init` has read, and the random numbers that it has drawn, which are
    /// then the same in every run. Only you can read it; `mtl-host cache clear --snapshots` removes
    /// it. Use `--snapshot` for secrets
    #[arg(long, conflicts_with = "no_cache")]
    snapshot_cache: bool,
}

impl SnapshotArgs {
    /// The pool as these flags describe it. Where there is no cache, snapshots are made each time.
    pub(super) fn describe(&self, builder: PoolBuilder, cache: Option<&Cache>) -> PoolBuilder {
        match cache.filter(|_| self.snapshot_cache) {
            Some(cache) => builder.snapshot_cache(cache),
            None if self.snapshot || self.snapshot_cache => builder.snapshot(),
            None => builder,
        }
    }
}
