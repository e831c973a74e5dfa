//! One worker of a pool whose workers differ.

mod start;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::BuildError;
use crate::control::deadline::TimeLimits;
use crate::control::watchdog::Watchdog;
use crate::engine::{Engine, Spec};
use crate::executor::native::{NativeWorker, OpenNative, WorkerContext};
use crate::executor::{Open, native};
use crate::isolation::Isolation;
use crate::item::index::WorkerIndex;
use crate::item::limits::{DiskLimit, Fuel, Limits, MemoryLimit, OwnLimits, ResultLimit};
use crate::item::passing::ArgumentPassing;
use crate::jail::system_limits;
use crate::plugin::Plugin;
use crate::plugin::snapshot_group::Groups;
use crate::sandbox::capabilities::{DirGrant, Grants};
use crate::sandbox::confinement::Confinement;
use crate::sandbox::disk::Disk;
use crate::sandbox::granted::{Directories, Granted, Preopens};
use crate::sandbox::net_grant::NetGrant;
use crate::sandbox::network::Names;

/// What one worker of a pool is; a list of them makes a pool, by [`Pool::of`](crate::Pool::of).
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
///
/// let engine = Engine::new()?;
/// let init = Plugin::load(&engine, "../tests/fixtures/init.wat")?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let mut pool = Pool::of([
///     WorkerSpec::plugin(&init).init("> "),
///     WorkerSpec::plugin(&init).init("- ").memory("64MiB".parse()?),
///     WorkerSpec::plugin(&upper),
///     // No plugin, and no sandbox.
///     WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_ascii_lowercase()))),
/// ])
/// .build()?;
/// assert_eq!(pool.workers(), 4);
/// let results = pool.map(["a", "b"]).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(results.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a worker is one when its pool is built"]
pub struct WorkerSpec {
    kind: Kind,
    init: Option<Vec<u8>>,
    grants: Grants,
    limits: OwnLimits,
    time_limits: TimeLimits,
}

enum Kind {
    Plugin(Plugin),
    Native(OpenNative),
}

/// The parts that the workers of a pool are opened with.
pub(super) struct Opening<'a> {
    pub(super) isolation: &'a Isolation,
    /// The grants of all workers.
    pub(super) grants: Grants,
    pub(super) directories: Directories,
    /// The files that all workers may open together.
    pub(super) confinement: Confinement,
    /// Ticks as long as a worker lives.
    pub(super) clock: &'a Arc<Watchdog>,
    /// If workers are to start from snapshots.
    pub(super) groups: Option<Groups>,
}

impl WorkerSpec {
    /// A worker with its own instance of `plugin`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/worker.wat")?;
    /// // Each result is the worker's number, and how many there are.
    /// let workers = [WorkerSpec::plugin(&plugin), WorkerSpec::plugin(&plugin)];
    /// let record = Pool::of(workers).build()?.map([""]).next().unwrap()?;
    /// assert!(record.bytes().unwrap().ends_with(b"/2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin(plugin: &Plugin) -> Self {
        Self::new(Kind::Plugin(plugin.clone()))
    }

    /// A worker that is code of this process: what `open` gives.
    ///
    /// `open` is called on the worker's own thread, which the worker never leaves: once at the
    /// start, and again for each that takes its place, as after a panic. It may fail with any
    /// error, by `?`.
    ///
    /// A native worker has no sandbox: it is trusted, and no limit of memory or time holds for
    /// it. Its panic is caught, and told of by the process's panic hook; a pool that is dropped
    /// gives it a second to return from its item, and then leaves it behind.
    ///
    /// ```
    /// # use mtl_host::{Pool, WorkerSpec};
    /// let worker = WorkerSpec::native(|_| {
    ///     let mut sum = 0;
    ///     Ok(move |item: &[u8]| {
    ///         sum += std::str::from_utf8(item)?.parse::<u32>()?;
    ///         Ok(sum.to_string())
    ///     })
    /// });
    /// let sums: Vec<_> = Pool::of([worker]).build()?.map(["1", "2", "x"]).collect();
    /// assert_eq!(sums[1].as_ref().unwrap().bytes(), Some(&b"3"[..]));
    /// assert_eq!(sums[2].as_ref().unwrap_err().message(), "invalid digit found in string");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn native<W, F>(open: F) -> Self
    where
        W: NativeWorker + 'static,
        F: FnMut(&WorkerContext) -> Result<W, Box<dyn std::error::Error + Send + Sync>>
            + Send
            + 'static,
    {
        Self::new(Kind::Native(native::open_with(open)))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            init: None,
            grants: Grants::default(),
            limits: OwnLimits::default(),
            time_limits: TimeLimits::default(),
        }
    }

    /// With which arguments the plugin is initialised. Default: none.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let mut pool = Pool::of([WorkerSpec::plugin(&plugin).init("> ")]).build()?;
    /// assert_eq!(pool.map(["item"]).next().unwrap()?.bytes(), Some(&b"> item"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn init(mut self, args: impl Into<Vec<u8>>) -> Self {
        self.init = Some(args.into());
        self
    }

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
    pub fn dir(mut self, grant: DirGrant) -> Self {
        self.grants.dir(grant);
        self
    }

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
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.grants.env(name.into(), value.into());
        self
    }

    /// Lets this worker's plugin connect to a port of a host, beside those that all may connect
    /// to.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/connect.wat")?;
    /// let pool = Pool::of([WorkerSpec::plugin(&plugin).net("127.0.0.1:8080".parse()?)]).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn net(mut self, grant: NetGrant) -> Self {
        self.grants.net(grant);
        self
    }

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
    pub fn memory(mut self, limit: MemoryLimit) -> Self {
        self.limits.memory = Some(limit);
        self
    }

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
    pub fn max_result(mut self, limit: ResultLimit) -> Self {
        self.limits.result = Some(limit);
        self
    }

    /// How much this worker's plugin may compute for one item, and to start. Default: as much
    /// as all may. It needs an engine [`with_fuel`](Engine::with_fuel).
    ///
    /// ```
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerSpec};
    /// let plugin = Plugin::load(&Engine::with_fuel()?, "../tests/fixtures/misbehave.wat")?;
    /// let worker = WorkerSpec::plugin(&plugin).fuel("1M".parse()?);
    /// let fault = Pool::of([worker]).build()?.map(["spin"]).next().unwrap().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::OutOfFuel);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fuel(mut self, fuel: Fuel) -> Self {
        self.limits.fuel = Some(fuel);
        self
    }

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
    pub fn disk(mut self, limit: DiskLimit) -> Self {
        self.limits.disk = Some(limit);
        self
    }

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
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.item = Some(timeout);
        self
    }

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
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.start = Some(timeout);
        self
    }

    fn engine(&self) -> Option<&Engine> {
        match &self.kind {
            Kind::Plugin(plugin) => Some(plugin.engine()),
            Kind::Native(_) => None,
        }
    }

    /// How long it may take, where all may take `all`.
    pub(super) fn time_limits(&self, all: TimeLimits) -> TimeLimits {
        let TimeLimits { item, start } = self.time_limits;
        TimeLimits { item: item.or(all.item), start: start.or(all.start) }
    }

    /// Checks what is said of this worker alone.
    fn check(
        &self,
        worker: WorkerIndex,
        passing: ArgumentPassing,
        limits: Limits,
    ) -> Result<(), BuildError> {
        match &self.kind {
            Kind::Plugin(plugin) if self.init.is_some() && !plugin.has_init() => {
                Err(BuildError::NoInit { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(plugin)
                if passing != ArgumentPassing::Single && !plugin.asks_for_passing() =>
            {
                Err(BuildError::NoPassing { plugin: plugin.name().to_owned(), passing })
            }
            Kind::Plugin(plugin)
                if self.limits.or(limits).fuel.is_some() && !plugin.engine().counts_fuel() =>
            {
                Err(BuildError::NoFuel { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(plugin) if !self.grants.net.is_empty() && !plugin.can_connect() => {
                Err(BuildError::NoNet { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(_) => Ok(()),
            Kind::Native(_) => match self.sandbox_setting() {
                Some(setting) => Err(BuildError::Native { worker, setting }),
                None => Ok(()),
            },
        }
    }

    /// A setting that only a plugin can have.
    fn sandbox_setting(&self) -> Option<&'static str> {
        [
            ("init", self.init.is_some()),
            ("dir", !self.grants.dirs.is_empty()),
            ("env", !self.grants.env.is_empty()),
            ("net", !self.grants.net.is_empty()),
            ("memory", self.limits.memory.is_some()),
            ("max_result", self.limits.result.is_some()),
            ("fuel", self.limits.fuel.is_some()),
            ("disk", self.limits.disk.is_some()),
            ("timeout", self.time_limits.item.is_some()),
            ("init_timeout", self.time_limits.start.is_some()),
        ]
        .into_iter()
        .find_map(|(setting, is_set)| is_set.then_some(setting))
    }

    /// Returns the function that opens this worker. `spec` has the parts of all workers, and this one's number.
    pub(super) fn open(
        self,
        mut spec: Spec,
        opening: &mut Opening<'_>,
    ) -> Result<Open, BuildError> {
        match self.kind {
            Kind::Plugin(plugin) => {
                spec.init = self.init.unwrap_or_default();
                let mut grants = opening.grants.clone();
                grants.add(self.grants);
                check_number_of_dirs(&plugin, &grants)?;
                spec.grants = open_dirs(&mut opening.directories, grants)?;
                opening.confinement.grant(&spec.grants);
                spec.limits = self.limits.or(spec.limits);
                spec.disk = Arc::new(Disk::new(spec.limits.disk));
                let group = opening.groups.as_mut().map(|groups| groups.of(&plugin, &spec));
                Ok(match opening.isolation {
                    Isolation::Thread => {
                        spec.preopens =
                            Preopens::of(&spec.grants.dirs).map_err(BuildError::Preopen)?;
                        let linked = plugin.linked().cloned();
                        let name = || plugin.name().to_owned();
                        let linked =
                            linked.ok_or_else(|| BuildError::OnlyInProcesses { plugin: name() })?;
                        Box::new(move || start::here(group.as_deref(), &plugin, &linked, &spec))
                    }
                    Isolation::Process(processes) => {
                        let (remote, processes) = (plugin.remote()?, processes.clone());
                        // An engine ticks as long as it has a plugin.
                        Box::new(move || {
                            let how = (&processes, &remote);
                            start::elsewhere(group.as_deref(), &plugin, how, &spec)
                        })
                    }
                })
            }
            Kind::Native(mut open) => {
                let context = spec.context();
                let clock = Arc::clone(opening.clock);
                Ok(Box::new(move || {
                    let _clock = &clock;
                    open(&context)
                }))
            }
        }
    }
}

/// Checks that the workers of one process do not end it: when the system refuses a mapping, a thread cannot even unwind.
fn check_mappings(workers: usize, most: Option<u64>) -> Result<(), BuildError> {
    match most {
        Some(most) if workers as u64 > most => Err(BuildError::TooManyWorkers { workers, most }),
        _ => Ok(()),
    }
}

/// Checks a whole pool of workers, and what all of them are granted.
pub(super) fn check(
    specs: &[WorkerSpec],
    isolation: &Isolation,
    grants: &Grants,
    passing: ArgumentPassing,
    limits: Limits,
) -> Result<(), BuildError> {
    if specs.is_empty() {
        return Err(BuildError::NoWorker);
    }
    check_isolation(specs, isolation)?;
    if *isolation == Isolation::Thread {
        let plugins = specs.iter().filter(|spec| matches!(spec.kind, Kind::Plugin(_))).count();
        check_mappings(plugins, system_limits::most_workers())?;
    }
    for (number, spec) in (0..).zip(specs) {
        spec.check(WorkerIndex::new(number), passing, limits)?;
    }
    let plugins = specs.iter().filter_map(|spec| match &spec.kind {
        Kind::Plugin(plugin) => Some(plugin),
        Kind::Native(_) => None,
    });
    let mut plugins = plugins.peekable();
    let Some(first) = plugins.peek().copied() else { return Ok(()) };
    if !grants.net.is_empty() && !plugins.clone().any(Plugin::can_connect) {
        return Err(BuildError::NoNet { plugin: first.name().to_owned() });
    }
    match plugins.find(|plugin| !plugin.engine().is_kin_of(first.engine())) {
        Some(other) => Err(BuildError::OtherEngine {
            plugin: other.name().to_owned(),
            first: first.name().to_owned(),
        }),
        None => Ok(()),
    }
}

/// Checks that workers can run where they are to.
fn check_isolation(specs: &[WorkerSpec], isolation: &Isolation) -> Result<(), BuildError> {
    let Isolation::Process(processes) = isolation else { return Ok(()) };
    let native = (0..).zip(specs).find(|(_, spec)| matches!(spec.kind, Kind::Native(_)));
    if let Some((number, _)) = native {
        return Err(BuildError::NativeProcess { worker: WorkerIndex::new(number) });
    }
    match processes.find_program() {
        Some(_) => Ok(()),
        None => Err(BuildError::NoWorkerProgram),
    }
}

/// What ticks for these workers: their plugins' engine, or a clock of their own.
pub(super) fn clock(specs: &[WorkerSpec]) -> Result<Arc<Watchdog>, BuildError> {
    match specs.iter().find_map(WorkerSpec::engine) {
        Some(engine) => Ok(Arc::clone(engine.watchdog())),
        None => Watchdog::start(|| ()).map(Arc::new).map_err(BuildError::Thread),
    }
}

/// Looks up all names that are granted.
pub(super) fn look_up(specs: &[WorkerSpec], grants: &Grants) -> Result<Names, BuildError> {
    let own = specs.iter().flat_map(|spec| &spec.grants.net);
    let names = Names::look_up(grants.net.iter().chain(own))
        .map_err(|(grant, source)| BuildError::Name { grant, source })?;
    for spec in specs {
        let granted = [grants.net.as_slice(), &spec.grants.net].concat();
        names
            .check(&granted)
            .map_err(|(grant, addresses)| BuildError::InternalName { grant, addresses })?;
    }
    Ok(names)
}

/// Checks that a worker can hold open what it is granted.
fn check_number_of_dirs(plugin: &Plugin, grants: &Grants) -> Result<(), BuildError> {
    let (granted, most) = (grants.dirs.len(), Granted::MOST_DIRS);
    if granted > most {
        return Err(BuildError::TooManyDirs { plugin: plugin.name().to_owned(), granted, most });
    }
    Ok(())
}

/// Opens the directories that a worker is granted.
fn open_dirs(directories: &mut Directories, grants: Grants) -> Result<Granted, BuildError> {
    let granted = directories.open(grants);
    let granted = granted.map_err(|(path, source)| BuildError::Dir { path, source })?;
    let writable = || granted.dirs.iter().map(|dir| &dir.grant).filter(|grant| grant.is_writable());
    let with_links = writable().find(|grant| grant.may_hold_symlinks());
    let without = writable().find(|grant| !grant.may_hold_symlinks());
    match (with_links, without) {
        (Some(with), Some(without)) => Err(BuildError::MixedSymlinks {
            with: with.host().to_owned(),
            without: without.host().to_owned(),
        }),
        _ => Ok(granted),
    }
}

impl fmt::Debug for WorkerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments and variables may hold what is nobody's business.
        let mut shown = f.debug_struct("WorkerSpec");
        match &self.kind {
            Kind::Plugin(plugin) => shown.field("plugin", &plugin.name()),
            Kind::Native(_) => shown.field("native", &true),
        };
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
