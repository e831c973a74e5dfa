//! The settings for isolation, total memory and guest output.

use super::PoolBuilder;
use crate::isolation::Isolation;
use crate::item::limits::{LogLimit, TotalMemory};

impl PoolBuilder {
    /// Sets where workers run (default: on threads of this process).
    ///
    /// ```
    /// # use mtl_host::isolation::{Isolation, Processes};
    /// # use mtl_host::{BuildError, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // A program that calls `mtl_host::isolation::child_main` first in `main` does not need to name a program.
    /// let processes = Processes::new();
    /// let pool = Pool::builder(&plugin).isolation(Isolation::Process(processes)).build();
    /// assert!(matches!(pool.unwrap_err(), BuildError::NoWorkerProgram));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Limits the memory of all workers' plugins together (default: only the limit of each worker).
    ///
    /// ```
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/greedy.wat")?;
    /// let mut pool = Pool::builder(&plugin).total_memory("1MiB".parse()?).jobs("1".parse()?).build()?;
    /// let fault = pool.map(["grow"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::OutOfMemory);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn total_memory(mut self, limit: TotalMemory) -> Self {
        self.total_memory = limit;
        self
    }

    /// Limits the output that each worker's plugin may write in a second (default: [`LogLimit::DEFAULT`]).
    ///
    /// All workers together may write four times this limit. The host drops output beyond a limit, and observers
    /// receive [`OutputDropped`](crate::event::Event::OutputDropped).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/print.wat")?;
    /// let mut pool = Pool::builder(&plugin).log_limit("64KiB".parse()?).build()?;
    /// assert_eq!(pool.map(["aloud"]).count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn log_limit(mut self, limit: LogLimit) -> Self {
        self.log_limit = limit;
        self
    }
}
