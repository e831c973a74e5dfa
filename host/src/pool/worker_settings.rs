//! The settings that a pool has for all of its workers, and that each worker may have for itself: one list of setters for
//! [`PoolBuilder`] and [`WorkerSpec`].
//!
//! A setting that is plain data is a field of [`ConfigOverlay`], which has the name of its setter.

use std::time::Duration;

use super::builder::PoolBuilder;
use super::spec::WorkerSpec;
use crate::item::instance_config::ConfigOverlay;
use crate::item::limits::{DiskLimit, Fuel, MemoryLimit, ResultLimit};
use crate::sandbox::capabilities::{DirGrant, Grants};
use crate::sandbox::net_grant::NetGrant;

/// The settings of all workers, or of one.
#[derive(Debug, Default)]
pub(super) struct WorkerSettings {
    pub(super) grants: Grants,
    pub(super) config: ConfigOverlay,
}

/// Makes each setter for all workers and for one.
macro_rules! setters {
    ($(
        fn $name:ident($($parameter:ident: $type:ty),*) {
            |$own:ident| $set:expr
        }
        all { $(#[$all_docs:meta])* }
        one { $(#[$one_docs:meta])* }
    )*) => {
        impl PoolBuilder {
            $(
                $(#[$all_docs])*
                pub fn $name(mut self, $($parameter: $type),*) -> Self {
                    let $own = &mut self.own;
                    $set;
                    self
                }
            )*
        }

        impl WorkerSpec {
            $(
                $(#[$one_docs])*
                pub fn $name(mut self, $($parameter: $type),*) -> Self {
                    let $own = &mut self.own;
                    $set;
                    self
                }
            )*
        }
    };
}

setters! {
    fn dir(grant: DirGrant) {
        |own| own.grants.dir(grant)
    }
    all {
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
    }
    one {
        /// Grants a directory to this worker, beside those that all have. Under one name the plugin
        /// sees what was granted last. A worker has 200 directories at most.
        ///
        /// ```
        /// # use mtl_host::{DirGrant, Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// let worker = WorkerSpec::plugin(&plugin).dir(DirGrant::read_write(folder.path(), "/data"));
        /// Pool::of([worker]).build()?.map([">words"]).next().unwrap()?;
        /// assert_eq!(std::fs::read(folder.path().join("words"))?, b"written");
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn env(name: impl Into<String>, value: impl Into<String>) {
        |own| own.grants.env(name.into(), value.into())
    }
    all {
        /// Sets an environment variable for every worker's plugin. It has no other ones, but those
        /// of its [`WorkerSpec`].
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/environment.wat")?;
        /// // Its results are its whole environment.
        /// let mut pool = Pool::builder(&plugin).env("MODEL", "small").build()?;
        /// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"MODEL=small;"[..]));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// Sets an environment variable for this worker, beside those that all have or instead of
        /// one.
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/environment.wat")?;
        /// // Its results are its whole environment.
        /// let worker = WorkerSpec::plugin(&plugin).env("MODEL", "small");
        /// let mut pool = Pool::of([worker]).env("MODEL", "large").build()?;
        /// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"MODEL=small;"[..]));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn net(grant: NetGrant) {
        |own| own.grants.net(grant)
    }
    all {
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
    }
    one {
        /// Lets this worker's plugin connect to a port of a host, beside those that all may connect
        /// to.
        ///
        /// ```
        /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?;
        /// let pool = Pool::of([WorkerSpec::plugin(&plugin).net("127.0.0.1:8080".parse()?)]).build()?;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn memory(limit: MemoryLimit) {
        |own| own.config.memory = Some(limit)
    }
    all {
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
    }
    one {
        /// What the worker's plugin may take of memory. Default: what all may.
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).memory("1MiB".parse()?);
        /// let mut pool = Pool::of([worker]).memory("2GiB".parse()?).build()?;
        /// let fault = pool.map(["may I have a gigabyte?"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfMemory);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn max_result(limit: ResultLimit) {
        |own| own.config.max_result = Some(limit)
    }
    all {
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
    }
    one {
        /// How long a result of this worker's plugin may be. Default: as long as all may be.
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).max_result("3".parse()?);
        /// let fault = Pool::of([worker]).build()?.map(["four"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::BadResult);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn fuel(fuel: Fuel) {
        |own| own.config.fuel = Some(fuel)
    }
    all {
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
    }
    one {
        /// How much this worker's plugin may compute for one item, and to start. Default: as much
        /// as all may. It needs an engine [`with_fuel`](crate::Engine::with_fuel).
        ///
        /// ```
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).fuel("1M".parse()?);
        /// let fault = Pool::of([worker]).build()?.map(["spin"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn disk(limit: DiskLimit) {
        |own| own.config.disk = Some(limit)
    }
    all {
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
    }
    one {
        /// Bounds the bytes that this worker's plugin may write to files (default: the limit of all workers).
        ///
        /// ```
        /// # use mtl_host::{DirGrant, Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/files.wat")?;
        /// # let folder = tempfile::tempdir()?;
        /// let dir = DirGrant::read_write(folder.path(), "/out");
        /// let worker = WorkerSpec::plugin(&plugin).dir(dir).disk("3".parse()?);
        /// // It writes seven bytes.
        /// let fault = Pool::of([worker]).build()?.map([">file"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::OutOfDisk);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn timeout(timeout: Duration) {
        |own| own.config.timeout = Some(timeout)
    }
    all {
        /// How long a plugin may take for one item: then the item's fault is `timeout`, and a fresh
        /// instance takes the next one. Default: as long as it likes.
        ///
        /// It holds for a plugin that computes, sleeps, or waits for a file; it comes late by some
        /// milliseconds, never early. A native worker is not interrupted. Time in which the worker's
        /// thread waits for a core does not count, nor time in which the process is stopped.
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
        /// How long this worker's plugin may take for one item. Default: as long as all may.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
        /// let worker = WorkerSpec::plugin(&plugin).timeout(Duration::from_millis(50));
        /// let fault = Pool::of([worker]).build()?.map(["spin for ever"]).next().unwrap().unwrap_err();
        /// assert_eq!(fault.kind(), FaultKind::Timeout);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    fn init_timeout(timeout: Duration) {
        |own| own.config.init_timeout = Some(timeout)
    }
    all {
        /// How long a plugin may take to start, until its `init` is done; to give its closing
        /// report, it has as long. A start that takes longer is tried again, as
        /// [`max_restarts`](Self::max_restarts) says. Default: as long as it likes.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, Plugin, Pool};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
        /// // Its `init` never ends.
        /// let mut pool = Pool::builder(&plugin).init_timeout(Duration::from_millis(50)).build()?;
        /// let error = pool.map(["item"]).end().into_result().unwrap_err();
        /// assert!(error.hint().unwrap().starts_with("`init_timeout`"));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
    one {
        /// How long this worker's plugin may take to start. Default: as long as all may.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use mtl_host::{Engine, Error, Plugin, Pool, WorkerSpec};
        /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
        /// // Its `init` never ends.
        /// let worker = WorkerSpec::plugin(&plugin).init_timeout(Duration::from_millis(50));
        /// let ended = Pool::of([worker]).build()?.map(["item"]).end();
        /// assert!(matches!(ended.error, Some(Error::Init { .. })));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }
}
