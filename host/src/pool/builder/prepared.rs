//! A pool that was checked, and whose workers have not started.

use std::sync::Arc;
use std::{fmt, thread};

use super::super::{BuildError, Pool, Settings};
use crate::control::cancel::Cancel;
use crate::control::sched_stat::SchedStat;
use crate::control::watchdog::Watchdog;
use crate::event::Event;
use crate::executor::Open;
use crate::sandbox::confinement::Confinement;
use crate::sandbox::meter::PoolMemory;

/// A pool whose settings were checked and whose workers have not started.
/// [`PoolBuilder::prepare`](crate::PoolBuilder::prepare) returns it.
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
    pub(super) watchdog: Arc<Watchdog>,
    pub(super) cancel: Cancel,
    pub(super) memory: Arc<PoolMemory>,
    /// The files that the workers' threads need to open.
    pub(super) confinement: Confinement,
}

impl PreparedPool {
    /// Confines the workers' threads with a Landlock domain. These threads can open only files that are granted to some
    /// worker of this pool, even if WASI's path handling has a vulnerability. On a kernel without Landlock, this
    /// setting has no effect.
    ///
    /// Use this only in programs with one pool. A worker starts further threads, for example to wait for files. These
    /// threads serve every pool of the program, and stay confined.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).prepare()?.confine().start()?;
    /// assert_eq!(pool.map(["item"]).next().unwrap()?.bytes(), Some(&b"ITEM"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn confine(mut self) -> Self {
        self.settings.confinement = Some(Arc::new(std::mem::take(&mut self.confinement)));
        self
    }

    /// Starts the workers. Each worker initialises its plugin on its own thread. If a worker cannot start, the first
    /// run ends with an error.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses a thread.
    pub fn start(self) -> Result<Pool, BuildError> {
        let Self { opens, settings, watchdog, cancel, memory, .. } = self;
        if settings.has_deadlines {
            let is_known = SchedStat::of_this_thread().is_some();
            if let Some(event) = unknown_delays(is_known, opens.len(), cores()) {
                settings.observers.notify(&event);
            }
        }
        let pool = Pool::start(opens, settings, &watchdog.ticks(), cancel);
        Ok(pool.map_err(BuildError::Thread)?.counting(memory))
    }
}

/// Returns the number of cores that this process may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Returns an event if workers share cores and the kernel does not tell how long a thread waits for one.
fn unknown_delays(is_known: bool, workers: usize, cores: usize) -> Option<Event<'static>> {
    (!is_known && workers > cores).then_some(Event::RunDelayUnknown { workers, cores })
}

impl fmt::Debug for PreparedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedPool").field("workers", &self.opens.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::grants::DirGrant;
    use crate::sandbox::capabilities::Grants;
    use crate::sandbox::confinement::Confinement;
    use crate::sandbox::granted::{Directories, OpenGrants};
    use crate::{Engine, Plugin, Pool, PoolBuilder, WorkerSpec};

    /// Describes a pool whose native worker reads the file that an item names, as a hole in the host would.
    fn reading() -> PoolBuilder {
        let read = |item: &[u8]| {
            let path = std::str::from_utf8(item).expect("the path is UTF-8");
            Ok(fs::read(path)
                .map_or_else(|error| error.to_string().into_bytes(), |_| b"read".to_vec()))
        };
        Pool::builder_from_workers([WorkerSpec::native(move |_| Ok(read))])
    }

    #[test]
    fn a_confined_thread_opens_only_granted_paths() {
        let folder = tempfile::tempdir().unwrap();
        let (granted, other) = (folder.path().join("granted"), folder.path().join("other"));
        for dir in [&granted, &other] {
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("file"), "").unwrap();
        }
        let paths =
            [granted.join("file"), other.join("file")].map(|path| path.display().to_string());
        let read = |prepared: super::PreparedPool| {
            let mut pool = prepared.start().unwrap();
            let mut results = pool.map(paths.clone());
            [results.next(), results.next()]
                .map(|result| result.unwrap().unwrap().bytes() == Some(b"read"))
        };
        assert_eq!(read(reading().prepare().unwrap()), [true, true]);
        let mut prepared = reading().prepare().unwrap();
        let grant = DirGrant::read(&granted, "/data").open().unwrap();
        prepared.confinement.grant(&granted_by(grant));
        assert_eq!(read(prepared.confine()), [true, false]);
        // The thread that built the pool is not confined.
        assert!(fs::read(other.join("file")).is_ok());
    }

    #[test]
    fn unknown_delays_warn_if_workers_outnumber_cores() {
        for (is_known, workers, expected) in
            [(true, 9, false), (false, 2, false), (false, 3, true), (false, 9, true)]
        {
            let event = super::unknown_delays(is_known, workers, 2);
            assert_eq!(event.is_some(), expected, "{is_known}, {workers}");
        }
    }

    #[test]
    fn plugin_grants_become_the_thread_confinement() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = Plugin::load(&Engine::new().unwrap(), "../tests/fixtures/files.wat").unwrap();
        let grant = DirGrant::read_write(folder.path(), "/data").open().unwrap();
        let pool = Pool::builder(&plugin).dir(grant.clone()).prepare().unwrap();
        let mut expected = Confinement::default();
        expected.grant(&granted_by(grant));
        assert_eq!(pool.confinement, expected);
    }

    fn granted_by(grant: DirGrant) -> OpenGrants {
        let mut grants = Grants::default();
        grants.dir(grant);
        Directories::default().open(grants).unwrap()
    }
}
