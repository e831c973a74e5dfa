//! The settings of all workers of a pool, or of one worker: one list of setters for [`PoolBuilder`] and [`WorkerSpec`].
//!
//! A setting that is plain data is a field of [`ConfigOverlay`]. The field has the name of its setter.

use std::time::Duration;

use super::builder::PoolBuilder;
use super::spec::WorkerSpec;
use crate::item::instance_config::ConfigOverlay;
use crate::item::limits::{DiskLimit, Fuel, MemoryLimit, ResultLimit};
use crate::sandbox::capabilities::{DirGrant, Grants};
use crate::sandbox::net_grant::NetGrant;

/// The settings of all workers, or of one worker.
#[derive(Debug, Default)]
pub(super) struct WorkerSettings {
    pub(super) grants: Grants,
    pub(super) config: ConfigOverlay,
}

/// Generates each setter for both builders: for all workers, and for one worker.
macro_rules! setters {
    ($(
        fn $name:ident($($parameter:ident: $type:ty),*) {
            |$settings:ident| $set:expr
        }
        all { $(#[$all_docs:meta])* }
        one { $(#[$one_docs:meta])* }
    )*) => {
        impl PoolBuilder {
            $(
                $(#[$all_docs])*
                pub fn $name(mut self, $($parameter: $type),*) -> Self {
                    let $settings = &mut self.worker_settings;
                    $set;
                    self
                }
            )*
        }

        impl WorkerSpec {
            $(
                $(#[$one_docs])*
                pub fn $name(mut self, $($parameter: $type),*) -> Self {
                    let $settings = &mut self.settings;
                    $set;
                    self
                }
            )*
        }
    };
}

setters! {
    fn dir(grant: DirGrant) {
        |settings| settings.grants.dir(grant)
    }
    all {
        /// Grants a directory to every worker's plugin.
        ///
        /// If several grants have the same guest path, the plugin sees the last one. A worker may have at most 200
        /// directories. Directory grants need a mounted `/proc`.
        ///
        /// ```
        /// # use mtl_host::grants::DirGrant;
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// std::fs::write(folder.path().join("words"), "hello")?;
        /// let grant = DirGrant::read(folder.path(), "/data");
        /// let mut pool = Pool::builder(&plugin).dir(grant).build()?;
        ///
        /// let mut results = pool.map(["<words", ">words"]);
        /// assert_eq!(results.next().unwrap()?.bytes(), Some(&b"hello"[..]));
        /// assert!(results.next().unwrap().is_err(), "the grant is read-only");
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Grants a directory to this worker's plugin, in addition to the directories that are granted to all workers.
        ///
        /// If several grants have the same guest path, the plugin sees the last one. A worker may have at most 200
        /// directories.
        ///
        /// ```
        /// # use mtl_host::grants::DirGrant;
        /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// let worker = WorkerSpec::plugin(&plugin).dir(DirGrant::read_write(folder.path(), "/data"));
        /// Pool::builder_from_workers([worker]).build()?.map([">words"]).next().unwrap()?;
        /// assert_eq!(std::fs::read(folder.path().join("words"))?, b"written");
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn env(name: impl Into<String>, value: impl Into<String>) {
        |settings| settings.grants.env(name.into(), value.into())
    }
    all {
        /// Sets an environment variable for every worker's plugin. A plugin sees only the variables that are set here
        /// or in its [`WorkerSpec`].
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/environment.wat")?;
        /// // The plugin returns its whole environment.
        /// let mut pool = Pool::builder(&plugin).env("MODEL", "small").build()?;
        /// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"MODEL=small;"[..]));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Sets an environment variable for this worker's plugin. The variable is added to the variables of all
        /// workers. If one of those has the same name, this variable replaces it.
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/environment.wat")?;
        /// // The plugin returns its whole environment.
        /// let worker = WorkerSpec::plugin(&plugin).env("MODEL", "small");
        /// let mut pool = Pool::builder_from_workers([worker]).env("MODEL", "large").build()?;
        /// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"MODEL=small;"[..]));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn net(grant: NetGrant) {
        |settings| settings.grants.net(grant)
    }
    all {
        /// Lets every worker's plugin connect to a port of a host, by TCP and by HTTP.
        ///
        /// [`build`](Self::build) looks up each name once. It removes loopback, link-local, private and reserved
        /// addresses from the result. Such an address stays if the name is `localhost`, or if the address itself is
        /// granted to this worker. If no address is left, `build` fails.
        ///
        /// The plugin cannot look up other names, use UDP, or listen. The host offers no TLS, but a plugin may contain
        /// its own implementation.
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?;
        /// let pool = Pool::builder(&plugin).net("127.0.0.1:8080".parse()?).build()?;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Lets this worker's plugin connect to a port of a host, in addition to the grants of all workers.
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?;
        /// let pool = Pool::builder_from_workers([WorkerSpec::plugin(&plugin).net("127.0.0.1:8080".parse()?)]).build()?;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn memory(limit: MemoryLimit) {
        |settings| settings.config.memory = Some(limit)
    }
    all {
        /// Limits the memory of each worker's plugin (default: [`MemoryLimit::DEFAULT`]).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let mut pool = Pool::builder(&plugin).memory("64MiB".parse()?).build()?;
        /// let fault = pool.map(["may I have a gigabyte?"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfMemory);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the memory of this worker's plugin (default: the limit of all workers).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).memory("1MiB".parse()?);
        /// let mut pool = Pool::builder_from_workers([worker]).memory("2GiB".parse()?).build()?;
        /// let fault = pool.map(["may I have a gigabyte?"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfMemory);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn max_result(limit: ResultLimit) {
        |settings| settings.config.max_result = Some(limit)
    }
    all {
        /// Limits the size of a result and of a finish report (default: [`ResultLimit::DEFAULT`]). If a result is
        /// longer, its item has the fault `bad-result`. The limit applies to native workers too.
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
        /// let mut pool = Pool::builder(&plugin).max_result("3".parse()?).build()?;
        /// let fault = pool.map(["four"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::BadResult);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the size of a result of this worker's plugin (default: the limit of all workers).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).max_result("3".parse()?);
        /// let fault = Pool::builder_from_workers([worker]).build()?.map(["four"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::BadResult);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn fuel(fuel: Fuel) {
        |settings| settings.config.fuel = Some(fuel)
    }
    all {
        /// Limits the instructions that a plugin may execute for one item (default: no limit).
        ///
        /// If an item needs more instructions, it has the fault `out-of-fuel`, and a fresh instance takes the next
        /// item. The limit applies separately to the start and to `finish`. It needs an engine that counts fuel
        /// ([`with_fuel`](crate::Engine::with_fuel)).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
        /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
        /// let mut pool = Pool::builder(&plugin).fuel("1M".parse()?).build()?;
        /// let fault = pool.map(["spin"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the instructions that this worker's plugin may execute for each item, for its start and for `finish`
        /// (default: the limit of all workers). The limit needs an engine that counts fuel
        /// ([`with_fuel`](crate::Engine::with_fuel)).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).fuel("1M".parse()?);
        /// let fault = Pool::builder_from_workers([worker]).build()?.map(["spin"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn disk(limit: DiskLimit) {
        |settings| settings.config.disk = Some(limit)
    }
    all {
        /// Limits the bytes that each worker's plugin may write to files (default: no limit). All instances of a worker
        /// share this limit.
        ///
        /// The host refuses a write beyond the limit, and the item has the fault
        /// [`OutOfDisk`](crate::FaultKind::OutOfDisk). A worker in a process reserves up to 64 KiB in advance, but no
        /// more than it has written so far. When the process ends, the unused part of the reservation counts as
        /// written.
        ///
        /// ```
        /// # use mtl_host::grants::DirGrant;
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// let grant = DirGrant::read_write(folder.path(), "/out");
        /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).dir(grant).disk("10".parse()?).build()?;
        /// // The plugin writes seven bytes for each item.
        /// let mut results = pool.map([">one", ">two"]);
        /// assert!(results.next().unwrap().is_ok());
        /// assert_eq!(results.next().unwrap().unwrap_err().kind(), FaultKind::OutOfDisk);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the bytes that this worker's plugin may write to files (default: the limit of all workers).
        ///
        /// ```
        /// # use mtl_host::grants::DirGrant;
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// let dir = DirGrant::read_write(folder.path(), "/out");
        /// let worker = WorkerSpec::plugin(&plugin).dir(dir).disk("3".parse()?);
        /// // The plugin writes seven bytes.
        /// let fault = Pool::builder_from_workers([worker]).build()?.map([">file"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfDisk);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn timeout(timeout: Duration) {
        |settings| settings.config.timeout = Some(timeout)
    }
    all {
        /// Limits the time that a plugin may take for one item (default: no limit). After that time the item has the
        /// fault `timeout`, and a fresh instance takes the next item.
        ///
        /// The limit interrupts a plugin that computes, sleeps or waits for a file. The interruption may come some
        /// milliseconds late, but never early. The limit does not apply to native workers. The measured time excludes
        /// the time for which the worker's thread waits for a core, and the time for which the process is stopped.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let mut pool = Pool::builder(&plugin).timeout(Duration::from_millis(50)).build()?;
        /// let (records, faults, _) = pool.map(["spin for ever", "no. of calls"]).collect_all();
        /// assert_eq!(faults[0].kind(), FaultKind::Timeout);
        /// assert_eq!(records.len(), 1);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the time that this worker's plugin may take for one item (default: the limit of all workers).
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).timeout(Duration::from_millis(50));
        /// let fault = Pool::builder_from_workers([worker]).build()?.map(["spin for ever"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::Timeout);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn init_timeout(timeout: Duration) {
        |settings| settings.config.init_timeout = Some(timeout)
    }
    all {
        /// Limits the time that a plugin may take to start, including its `init` (default: no limit). The limit applies
        /// separately to `finish`. If a start takes longer, the worker starts again, within the limit of
        /// [`max_restarts`](Self::max_restarts).
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
        /// // The plugin's `init` never returns.
        /// let mut pool = Pool::builder(&plugin).init_timeout(Duration::from_millis(50)).build()?;
        /// let error = pool.map(["item"]).end().into_result().unwrap_err();
        /// assert!(error.hint().unwrap().starts_with("`init_timeout`"));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Limits the time that this worker's plugin may take to start (default: the limit of all workers).
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, Error, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
        /// // The plugin's `init` never returns.
        /// let worker = WorkerSpec::plugin(&plugin).init_timeout(Duration::from_millis(50));
        /// let ended = Pool::builder_from_workers([worker]).build()?.map(["item"]).end();
        /// assert!(matches!(ended.error, Some(Error::Init { .. })));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
}
