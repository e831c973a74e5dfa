//! The grants and limits of all workers.

use super::PoolBuilder;
use crate::isolation::Isolation;
use crate::item::limits::{LogLimit, TotalMemory};

impl PoolBuilder {
    /// Where workers run. Default: on threads of this process.
    ///
    /// ```
    /// # use mtl_host::{BuildError, Engine, Isolation, Plugin, Pool, Processes};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // A program that calls `mtl_host::child_main` first of all needs to name none.
    /// let processes = Processes::new();
    /// let pool = Pool::builder(&plugin).isolation(Isolation::Process(processes)).build();
    /// assert!(matches!(pool.unwrap_err(), BuildError::NoWorkerProgram));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// What all workers' plugins may take of memory together. Default: as much as each may have.
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

    /// How much each worker's plugin may say in a second, and a quarter of what all may say together:
    /// what is beyond is dropped, and [told of](crate::Event::OutputDropped). Default:
    /// [`LogLimit::DEFAULT`].
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
