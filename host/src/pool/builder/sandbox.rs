//! What workers may use, and how much of it.

use super::PoolBuilder;
use crate::isolation::Isolation;
use crate::item::limits::{DiskLimit, Fuel, LogLimit, MemoryLimit, ResultLimit, TotalMemory};
use crate::sandbox::capabilities::DirGrant;
use crate::sandbox::net_grant::NetGrant;

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

    /// Grants a directory to every worker's plugin. Under one name it sees what was granted
    /// last. A worker has 200 directories at most. To give them to plugins takes `/proc`.
    ///
    /// ```
    /// # use mtl_host::{DirGrant, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("words"), "hello")?;
    /// let grant = DirGrant::read(folder.path(), "/data");
    /// let mut pool = Pool::builder(&plugin).dir(grant).build()?;
    ///
    /// let mut results = pool.map(["<words", ">words"]);
    /// assert_eq!(results.next().unwrap()?.bytes(), Some(&b"hello"[..]));
    /// assert!(results.next().unwrap().is_err(), "it may not write there");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dir(mut self, grant: DirGrant) -> Self {
        self.grants.dir(grant);
        self
    }

    /// Sets an environment variable for every worker's plugin. It has no other ones, but those
    /// of its [`WorkerSpec`](crate::WorkerSpec).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/environment.wat")?;
    /// // Its results are its whole environment.
    /// let mut pool = Pool::builder(&plugin).env("MODEL", "small").build()?;
    /// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"MODEL=small;"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.grants.env(name.into(), value.into());
        self
    }

    /// Lets every worker's plugin connect to a port of a host, by TCP and by HTTP.
    ///
    /// Names are looked up once, by [`build`](Self::build). What they have of addresses of the loopback,
    /// of a link, and of private and reserved networks is left out, unless the name is `localhost` or the address is
    /// granted to the same worker as well; a name with no other addresses is refused. Nothing else of a network is there:
    /// no other names, no UDP, no listening, and no TLS but what a plugin brings itself.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?;
    /// let pool = Pool::builder(&plugin).net("127.0.0.1:8080".parse()?).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn net(mut self, grant: NetGrant) -> Self {
        self.grants.net(grant);
        self
    }

    /// Bounds the bytes that each worker's plugin may write to files, all its instances together (default: no limit).
    ///
    /// A write beyond the limit is not made, and the item has the fault [`OutOfDisk`](crate::FaultKind::OutOfDisk). Workers
    /// in processes reserve up to 64 KiB more, and no more than they have written; what a process has not used when it
    /// ends counts as written.
    ///
    /// ```
    /// # use mtl_host::{DirGrant, Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/out");
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).dir(grant).disk("10".parse()?).build()?;
    /// // It writes seven bytes for each item.
    /// let mut results = pool.map([">one", ">two"]);
    /// assert!(results.next().unwrap().is_ok());
    /// assert_eq!(results.next().unwrap().unwrap_err().kind(), FaultKind::OutOfDisk);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disk(mut self, limit: DiskLimit) -> Self {
        self.limits.disk = Some(limit);
        self
    }

    /// What each worker's plugin may take of memory. Default: [`MemoryLimit::DEFAULT`].
    ///
    /// ```
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool = Pool::builder(&plugin).memory("64MiB".parse()?).build()?;
    /// let fault = pool.map(["may I have a gigabyte?"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::OutOfMemory);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn memory(mut self, limit: MemoryLimit) -> Self {
        self.limits.memory = limit;
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

    /// How long a result may be, and a closing report: a longer one is the fault `bad-result`.
    /// It holds for native workers, too. Default: [`ResultLimit::DEFAULT`].
    ///
    /// ```
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).max_result("3".parse()?).build()?;
    /// let fault = pool.map(["four"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::BadResult);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_result(mut self, limit: ResultLimit) -> Self {
        self.limits.result = limit;
        self
    }

    /// How much a plugin may compute for one item, and as much to start and to finish: beyond
    /// that the item's fault is `out-of-fuel`, and a fresh instance takes the next one.
    /// Default: as much as it likes. It needs an engine
    /// [`with_fuel`](crate::Engine::with_fuel).
    ///
    /// ```
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool = Pool::builder(&plugin).fuel("1M".parse()?).build()?;
    /// let fault = pool.map(["spin"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fuel(mut self, fuel: Fuel) -> Self {
        self.limits.fuel = Some(fuel);
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
