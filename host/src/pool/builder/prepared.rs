//! A pool that was checked, and whose workers have not started.

use std::fmt;
use std::sync::Arc;

use super::super::{BuildError, Pool, Settings};
use crate::pool::cancel::Cancel;
use crate::sandbox::meter::PoolMemory;
use crate::sandbox::watchdog::Watchdog;
use crate::worker::Open;

/// A pool of which everything was checked, and nothing runs; made by
/// [`PoolBuilder::prepare`](crate::PoolBuilder::prepare).
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, PreparedPool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let prepared: PreparedPool = Pool::builder(&plugin).prepare()?;
/// assert!(prepared.start()?.workers() > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "no worker starts before `start` is called"]
pub struct PreparedPool {
    pub(super) opens: Vec<Open>,
    pub(super) settings: Settings,
    pub(super) clock: Arc<Watchdog>,
    pub(super) cancel: Cancel,
    pub(super) memory: Arc<PoolMemory>,
}

impl PreparedPool {
    /// Starts the workers: each initialises on its own thread. One that cannot ends the first run with an error.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(self) -> Result<Pool, BuildError> {
        let Self { opens, settings, clock, cancel, memory } = self;
        let pool = Pool::start(opens, settings, &clock.ticks(), cancel);
        Ok(pool.map_err(BuildError::Thread)?.counting(memory))
    }
}

impl fmt::Debug for PreparedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedPool").field("workers", &self.opens.len()).finish_non_exhaustive()
    }
}
