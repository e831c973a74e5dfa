//! The specification of one worker, for pools whose workers differ.

mod start;

use std::fmt;
use std::sync::Arc;

use super::BuildError;
use super::worker_settings::WorkerSettings;
use crate::control::watchdog::Watchdog;
use crate::engine::{Engine, InstanceParts};
use crate::executor::native::{NativeWorker, OpenNative, WorkerContext};
use crate::executor::{Open, native};
use crate::isolation::Isolation;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::index::WorkerIndex;
use crate::item::instance_config::InstanceConfig;
use crate::jail::system_limits;
use crate::plugin::Plugin;
use crate::plugin::snapshot_group::Groups;
use crate::sandbox::capabilities::Grants;
use crate::sandbox::confinement::Confinement;
use crate::sandbox::granted::{Directories, OpenGrants, Preopens};
use crate::sandbox::network::Names;

/// The specification of one worker of a pool. [`Pool::builder_from_workers`](crate::Pool::builder_from_workers) takes a list of
/// specifications.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
///
/// let engine = Engine::new()?;
/// let init = Plugin::load(&engine, "../tests/fixtures/init.wat")?;
/// let upper = Plugin::load(&engine, "../tests/fixtures/upper.wat")?;
/// let mut pool = Pool::builder_from_workers([
///     WorkerSpec::plugin(&init).init("> "),
///     WorkerSpec::plugin(&init).init("- ").memory("64MiB".parse()?),
///     WorkerSpec::plugin(&upper),
///     // The worker is Rust code, without a sandbox.
///     WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_ascii_lowercase()))),
/// ])
/// .build()?;
/// assert_eq!(pool.workers(), 4);
/// let results = pool.map(["a", "b"]).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(results.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a worker starts only when its pool is built"]
pub struct WorkerSpec {
    kind: Kind,
    init: Option<Vec<u8>>,
    pub(super) settings: WorkerSettings,
}

enum Kind {
    Plugin(Plugin),
    Native(OpenNative),
}

/// The shared parts that the workers of a pool are opened with.
pub(super) struct OpenContext<'a> {
    pub(super) isolation: &'a Isolation,
    /// The grants of all workers.
    pub(super) grants: Grants,
    pub(super) directories: Directories,
    /// The files that the workers' threads may open, collected for confinement.
    pub(super) confinement: Confinement,
    /// The watchdog, which counts ticks. Each worker holds it, so that it runs as long as the worker lives.
    pub(super) watchdog: &'a Arc<Watchdog>,
    /// The groups of workers that start from the same snapshot, if snapshots are used.
    pub(super) groups: Option<Groups>,
}

impl WorkerSpec {
    /// Returns a worker with its own instance of `plugin`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/worker.wat")?;
    /// // The plugin returns the number of its worker and the number of all workers.
    /// let workers = [WorkerSpec::plugin(&plugin), WorkerSpec::plugin(&plugin)];
    /// let record = Pool::builder_from_workers(workers).build()?.map([""]).next().unwrap()?;
    /// assert!(record.bytes().unwrap().ends_with(b"/2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin(plugin: &Plugin) -> Self {
        Self::new(Kind::Plugin(plugin.clone()))
    }

    /// Returns a native worker: Rust code in this process, which `open` creates.
    ///
    /// The worker's thread calls `open` when the thread starts, and again to replace the worker, for example after a
    /// panic. The worker stays on that thread, so it need not be `Send`. `open` may fail with any error, so it can use
    /// `?`.
    ///
    /// A native worker has no sandbox. It is trusted, and no limit of memory or time applies to it. The host catches
    /// the worker's panics, and the panic hook of the process reports them. If the pool is dropped while the worker
    /// runs an item, the worker has one second to return. After that second, the pool leaves the worker's thread
    /// behind.
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
    /// let sums: Vec<_> = Pool::builder_from_workers([worker]).build()?.map(["1", "2", "x"]).collect();
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
        Self { kind, init: None, settings: WorkerSettings::default() }
    }

    /// Sets the init arguments of the plugin (default: none).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let mut pool = Pool::builder_from_workers([WorkerSpec::plugin(&plugin).init("> ")]).build()?;
    /// assert_eq!(pool.map(["item"]).next().unwrap()?.bytes(), Some(&b"> item"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn init(mut self, args: impl Into<Vec<u8>>) -> Self {
        self.init = Some(args.into());
        self
    }

    fn engine(&self) -> Option<&Engine> {
        match &self.kind {
            Kind::Plugin(plugin) => Some(plugin.engine()),
            Kind::Native(_) => None,
        }
    }

    /// Returns the settings of this worker, given the settings `all` of all workers.
    pub(super) fn config(&self, all: InstanceConfig) -> InstanceConfig {
        self.settings.config.apply_to(all)
    }

    /// Checks the settings of this worker, given the settings `all` of all workers.
    fn check(&self, worker: WorkerIndex, all: InstanceConfig) -> Result<(), BuildError> {
        let InstanceConfig { passing, fuel, .. } = self.config(all);
        match &self.kind {
            Kind::Plugin(plugin) if self.init.is_some() && !plugin.has_init() => {
                Err(BuildError::NoInit { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(plugin)
                if passing != ArgumentPassing::Single && !plugin.uses_argument_passing() =>
            {
                Err(BuildError::PassingUnsupported { plugin: plugin.name().to_owned(), passing })
            }
            Kind::Plugin(plugin) if fuel.is_some() && !plugin.engine().counts_fuel() => {
                Err(BuildError::NoFuel { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(plugin)
                if !self.settings.grants.net.is_empty() && !plugin.can_connect() =>
            {
                Err(BuildError::NoNet { plugin: plugin.name().to_owned() })
            }
            Kind::Plugin(_) => Ok(()),
            Kind::Native(_) => match self.sandbox_setting() {
                Some(setting) => Err(BuildError::Native { worker, setting }),
                None => Ok(()),
            },
        }
    }

    /// Returns the name of a setting that only a plugin can have, if this worker has one.
    fn sandbox_setting(&self) -> Option<&'static str> {
        let WorkerSettings { grants, config } = &self.settings;
        let settings = [
            ("init", self.init.is_some()),
            ("dir", !grants.dirs.is_empty()),
            ("env", !grants.env.is_empty()),
            ("net", !grants.net.is_empty()),
        ];
        let settings = settings.into_iter().find_map(|(setting, is_set)| is_set.then_some(setting));
        settings.or_else(|| config.first_set())
    }

    /// Returns the function that opens this worker. `parts` has the worker's settings and number.
    pub(super) fn open(
        self,
        mut parts: InstanceParts,
        context: &mut OpenContext<'_>,
    ) -> Result<Open, BuildError> {
        match self.kind {
            Kind::Plugin(plugin) => {
                parts.init = self.init.unwrap_or_default();
                let mut grants = context.grants.clone();
                grants.add(self.settings.grants);
                check_number_of_dirs(&plugin, &grants)?;
                parts.grants = open_dirs(&mut context.directories, grants)?;
                context.confinement.grant(&parts.grants);
                let group = context.groups.as_mut().map(|groups| groups.group_for(&plugin, &parts));
                Ok(match context.isolation {
                    Isolation::Thread => {
                        parts.preopens =
                            Preopens::of(&parts.grants.dirs).map_err(BuildError::Preopen)?;
                        let linked = plugin.linked().cloned();
                        let name = || plugin.name().to_owned();
                        let linked =
                            linked.ok_or_else(|| BuildError::OnlyInProcesses { plugin: name() })?;
                        Box::new(move || {
                            start::start_local(group.as_deref(), &plugin, &linked, &parts)
                        })
                    }
                    Isolation::Process(processes) => {
                        let (remote, processes) = (plugin.remote()?, processes.clone());
                        // The engine ticks as long as the plugin holds it.
                        Box::new(move || {
                            let child = (&processes, &remote);
                            start::start_remote(group.as_deref(), &plugin, child, &parts)
                        })
                    }
                })
            }
            Kind::Native(mut open) => {
                let watchdog = Arc::clone(context.watchdog);
                let context = parts.context();
                Ok(Box::new(move || {
                    let _watchdog = &watchdog;
                    open(&context)
                }))
            }
        }
    }
}

/// Checks that the process can map memory for all workers. If the system refuses a mapping after this check, a thread
/// cannot even unwind, and the process ends.
fn check_mappings(workers: usize, most: Option<u64>) -> Result<(), BuildError> {
    match most {
        Some(most) if workers as u64 > most => {
            Err(BuildError::TooManyWorkers { workers, max: most })
        }
        _ => Ok(()),
    }
}

/// Checks all workers of a pool, and the grants that apply to all of them.
pub(super) fn check(
    specs: &[WorkerSpec],
    isolation: &Isolation,
    grants: &Grants,
    all: InstanceConfig,
) -> Result<(), BuildError> {
    if specs.is_empty() {
        return Err(BuildError::NoWorker);
    }
    check_isolation(specs, isolation)?;
    if *isolation == Isolation::Thread {
        let plugins = specs.iter().filter(|spec| matches!(spec.kind, Kind::Plugin(_))).count();
        check_mappings(plugins, system_limits::max_workers())?;
    }
    for (number, spec) in (0..).zip(specs) {
        spec.check(WorkerIndex::new(number), all)?;
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
    match plugins.find(|plugin| !plugin.engine().is_same_family(first.engine())) {
        Some(other) => Err(BuildError::DifferentEngines {
            plugin: other.name().to_owned(),
            first: first.name().to_owned(),
        }),
        None => Ok(()),
    }
}

/// Checks that the workers can run under the given isolation.
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

/// Returns the watchdog of these workers: that of their plugins' engine, or a new one.
pub(super) fn watchdog(specs: &[WorkerSpec]) -> Result<Arc<Watchdog>, BuildError> {
    match specs.iter().find_map(WorkerSpec::engine) {
        Some(engine) => Ok(Arc::clone(engine.watchdog())),
        None => Watchdog::start(|| ()).map(Arc::new).map_err(BuildError::Thread),
    }
}

/// Looks up all names in network grants.
pub(super) fn resolve_names(specs: &[WorkerSpec], grants: &Grants) -> Result<Names, BuildError> {
    let own = specs.iter().flat_map(|spec| &spec.settings.grants.net);
    let names = Names::look_up(grants.net.iter().chain(own))
        .map_err(|(grant, source)| BuildError::Name { grant, source })?;
    for spec in specs {
        let granted = [grants.net.as_slice(), &spec.settings.grants.net].concat();
        names
            .check(&granted)
            .map_err(|(grant, addresses)| BuildError::InternalName { grant, addresses })?;
    }
    Ok(names)
}

/// Checks that a worker can hold all its granted directories open.
fn check_number_of_dirs(plugin: &Plugin, grants: &Grants) -> Result<(), BuildError> {
    let (granted, most) = (grants.dirs.len(), OpenGrants::MAX_DIRS);
    if granted > most {
        return Err(BuildError::TooManyDirs {
            plugin: plugin.name().to_owned(),
            granted,
            max: most,
        });
    }
    Ok(())
}

/// Opens the directories that a worker is granted.
fn open_dirs(directories: &mut Directories, grants: Grants) -> Result<OpenGrants, BuildError> {
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
        // Arguments and variables may be secret.
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
