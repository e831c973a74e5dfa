//! The builder of a pool. Each setting is valid by its type; `prepare` checks the rules between settings.

mod prepared;
mod restarts;
mod runs;
mod sandbox;
mod snapshot;

use std::fmt;
use std::sync::Arc;

pub use self::prepared::PreparedPool;
use self::snapshot::Snapshots;
use super::spec::{self, OpenContext, WorkerSpec};
use super::worker_settings::WorkerSettings;
use super::{BuildError, Jobs, Pool, Settings};
use crate::collector::Order;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::control::cancel::Cancel;
use crate::control::deadline::Watch;
use crate::control::stop::StopFlag;
use crate::engine::InstanceParts;
use crate::engine::snapshot::Clock;
use crate::event::Observers;
use crate::isolation::Isolation;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::item::instance_config::InstanceConfig;
use crate::item::limits::{LogLimit, TotalMemory};
use crate::plugin::Plugin;
use crate::queue::Window;
use crate::sandbox::disk::Disk;
use crate::sandbox::granted::{Directories, OpenGrants, Preopens};
use crate::sandbox::guest_output::{GuestOutput, PoolRateLimiter};
use crate::sandbox::meter::PoolMemory;
use crate::worker::chunk_sizer::ChunkSize;
use crate::worker::restart_policy::RestartPolicy;

/// The init arguments of workers that all run the same plugin.
///
/// ```
/// use mtl_host::{Engine, Init, Plugin, Pool};
///
/// // The plugin puts its init arguments before each item.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
/// for (init, expected) in [
///     (Init::None, "item"),
///     (Init::Same(b"> ".to_vec()), "> item"),
///     (Init::Each(vec![b"1 ".to_vec()]), "1 item"),
/// ] {
///     let mut pool = Pool::builder(&plugin).init(init).build()?;
///     let results: Vec<_> = pool.map(["item"]).try_collect()?;
///     assert_eq!(results[0].bytes(), Some(expected.as_bytes()));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// No arguments: `init` gets no bytes.
    #[default]
    None,
    /// The same arguments for all workers.
    Same(Vec<u8>),
    /// One element for each worker; the number of elements is the number of workers.
    Each(Vec<Vec<u8>>),
}

/// The builder of a [`Pool`], which collects its settings.
///
/// ```
/// use mtl_host::{Engine, ErrorPolicy, Order, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin)
///     .jobs("2".parse()?)
///     .memory("64MiB".parse()?)
///     .order(Order::Completion)
///     .on_error(ErrorPolicy::Deferred)
///     .build()?;
/// let (records, faults, ended) = pool.map(["good", "!bad", "!worse"]).collect_all();
/// assert_eq!((records.len(), faults.len()), (1, 2));
/// assert!(ended.into_result().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct PoolBuilder {
    workers: Workers,
    jobs: Option<Jobs>,
    init: Init,
    isolation: Isolation,
    pub(super) worker_settings: WorkerSettings,
    total_memory: TotalMemory,
    log_limit: LogLimit,
    item_format: Format,
    passing: ArgumentPassing,
    snapshots: Snapshots,
    settings: Settings,
}

/// The workers of a pool.
#[derive(Debug)]
enum Workers {
    /// Any number of workers with this plugin.
    Identical(Plugin),
    /// Workers that may differ.
    Listed(Vec<WorkerSpec>),
}

impl PoolBuilder {
    pub(super) fn with_identical(plugin: &Plugin) -> Self {
        Self::new(Workers::Identical(plugin.clone()))
    }

    pub(super) fn with_list(workers: Vec<WorkerSpec>) -> Self {
        Self::new(Workers::Listed(workers))
    }

    fn new(workers: Workers) -> Self {
        let settings = Settings {
            order: Order::default(),
            policy: ErrorPolicy::default(),
            max_faults: MaxFaults::default(),
            window: Window::default(),
            chunk_size: ChunkSize::default(),
            restart_policy: RestartPolicy::default(),
            join_timeout: None,
            results: None,
            stop: StopFlag::new(),
            observers: Observers::default(),
            has_deadlines: false,
            confinement: None,
        };
        Self {
            workers,
            jobs: None,
            init: Init::None,
            isolation: Isolation::Thread,
            worker_settings: WorkerSettings::default(),
            total_memory: TotalMemory::default(),
            log_limit: LogLimit::DEFAULT,
            item_format: Format::Text,
            passing: ArgumentPassing::default(),
            snapshots: Snapshots::Off,
            settings,
        }
    }

    /// Sets the number of workers (default: the number of init arguments of [`Init::Each`], otherwise one per core).
    ///
    /// A list of workers ([`Pool::builder_from_workers`]) sets the number of workers itself.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let pool = Pool::builder(&plugin).jobs("3".parse()?).build()?;
    /// assert_eq!(pool.workers(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn jobs(mut self, jobs: Jobs) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Sets the init arguments of workers that all run the same plugin (default: none).
    ///
    /// ```
    /// # use mtl_host::{Engine, Init, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let mut pool = Pool::builder(&plugin).init(Init::Same(b"> ".to_vec())).build()?;
    /// assert_eq!(pool.map(["item"]).next().unwrap()?.bytes(), Some(&b"> item"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Sets the format of the items, which the plugin can query (default: text).
    ///
    /// ```
    /// # use mtl_host::{Engine, Format, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/item-format.wat")?;
    /// // The plugin returns the format of its items.
    /// let mut pool = Pool::builder(&plugin).item_format(Format::Json).build()?;
    /// assert_eq!(pool.map(["[1]"]).next().unwrap()?.bytes(), Some(&b"json"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn item_format(mut self, format: Format) -> Self {
        self.item_format = format;
        self
    }

    /// Sets how an item fills the parameters of `call` (default: the item is the only parameter).
    ///
    /// ```
    /// # use mtl_host::{ArgumentPassing, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // A plugin that does not query this setting would take the array as its item.
    /// let pool = Pool::builder(&plugin).argument_passing(ArgumentPassing::Args).build();
    /// assert!(pool.unwrap_err().to_string().ends_with("takes each item whole, not by `args`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn argument_passing(mut self, passing: ArgumentPassing) -> Self {
        self.passing = passing;
        self
    }

    /// Checks the rules between settings, and starts the workers. Each worker initialises its plugin on its own thread.
    /// If a worker cannot start, the first run ends with an error.
    ///
    /// ```
    /// # use mtl_host::grants::DirGrant;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let pool = Pool::builder(&plugin).dir(DirGrant::read("no-such-directory", "/data")).build();
    /// let error = pool.unwrap_err();
    /// assert_eq!(error.to_string(), "cannot grant the directory `no-such-directory`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if:
    ///
    /// * there is no worker, or the settings disagree about the number of workers;
    /// * a worker has a setting that it cannot use: init arguments without an `init`, argument passing that the plugin
    ///   does not query, fuel with an engine that does not count it, or limits and grants for a native worker;
    /// * a granted directory cannot be opened, or a granted name has no usable address;
    /// * the plugins were loaded with different engines;
    /// * the workers cannot run in processes;
    /// * the system refuses a thread.
    pub fn build(self) -> Result<Pool, BuildError> {
        self.prepare()?.start()
    }

    /// Checks the rules between settings, and opens the granted directories. No code of a plugin runs before
    /// [`PreparedPool::start`].
    ///
    /// Between `prepare` and `start`, open the files that plugins must not influence, such as the output files.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let prepared = Pool::builder(&plugin).prepare()?;
    /// // No worker has started.
    /// let mut pool = prepared.start()?;
    /// assert_eq!(pool.map(["item"]).next().unwrap()?.bytes(), Some(&b"ITEM"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails in the cases of [`build`](Self::build), except the refusal of a thread: `prepare` starts no thread.
    pub fn prepare(self) -> Result<PreparedPool, BuildError> {
        let Self {
            workers,
            jobs,
            init,
            isolation,
            worker_settings: WorkerSettings { grants, config },
            total_memory,
            log_limit,
            item_format,
            passing,
            snapshots,
            mut settings,
        } = self;
        let specs = workers.specs(jobs, &init)?;
        let retry_on = settings.restart_policy.retryable();
        let all = config.apply_to(InstanceConfig {
            item_format,
            passing,
            retry_on,
            ..Default::default()
        });
        settings.has_deadlines = specs.iter().any(|spec| spec.config(all).has_deadlines());
        spec::check(&specs, &isolation, &grants, all)?;
        let names = Arc::new(spec::resolve_names(&specs, &grants)?);
        let watchdog = spec::watchdog(&specs)?;
        let cancel = Cancel::default();
        let pool_limiter = PoolRateLimiter::new(log_limit);
        let observers = settings.observers.clone();
        let guest_output =
            |index| GuestOutput::new(log_limit, pool_limiter.clone(), observers.of_guests(index));
        let pool_memory = Arc::new(PoolMemory::new(total_memory));
        let (workers, guest_clock) = (count(&specs), Clock::new());
        let parts = |index, config| InstanceParts {
            config,
            index,
            workers,
            init: Vec::new(),
            grants: OpenGrants::default(),
            preopens: Preopens::default(),
            disk: Arc::new(Disk::new(config.disk)),
            pool_memory: Arc::clone(&pool_memory),
            names: Arc::clone(&names),
            guest_output: Arc::new(guest_output(index)),
            observers: observers.clone(),
            watch: Watch::new(config, cancel.clone(), watchdog.ticks()),
            clock: guest_clock.clone(),
        };
        let mut context = OpenContext {
            isolation: &isolation,
            grants,
            directories: Directories::default(),
            watchdog: &watchdog,
            confinement: snapshots.confinement(),
            groups: snapshots.groups(),
        };
        let open = |(number, spec): (u32, WorkerSpec)| {
            let config = spec.config(all);
            spec.open(parts(WorkerIndex::new(number), config), &mut context)
        };
        let opens = (0..).zip(specs).map(open).collect::<Result<_, _>>()?;
        let OpenContext { confinement, .. } = context;
        Ok(PreparedPool { opens, settings, watchdog, cancel, memory: pool_memory, confinement })
    }
}

impl Workers {
    /// Returns one specification for each worker.
    fn specs(self, jobs: Option<Jobs>, init: &Init) -> Result<Vec<WorkerSpec>, BuildError> {
        match self {
            Self::Identical(plugin) => identical_specs(&plugin, jobs, init),
            Self::Listed(_) if *init != Init::None => Err(BuildError::InitWithWorkerList),
            Self::Listed(specs) => match jobs.map(Jobs::count) {
                Some(jobs) if jobs != count(&specs) => {
                    Err(BuildError::WorkerCount { listed: specs.len(), jobs })
                }
                Some(_) | None => Ok(specs),
            },
        }
    }
}

fn identical_specs(
    plugin: &Plugin,
    jobs: Option<Jobs>,
    init: &Init,
) -> Result<Vec<WorkerSpec>, BuildError> {
    let spec = |_| WorkerSpec::plugin(plugin);
    let worker_numbers = || 0..jobs.unwrap_or_default().count();
    match init {
        Init::None => Ok(worker_numbers().map(spec).collect()),
        Init::Same(args) => {
            Ok(worker_numbers().map(|job| spec(job).init(args.as_slice())).collect())
        }
        Init::Each(each) => match jobs.map(Jobs::count) {
            Some(jobs) if jobs != count(each) => {
                Err(BuildError::InitCount { given: each.len(), jobs })
            }
            Some(_) | None => Ok(each
                .iter()
                .map(|args| WorkerSpec::plugin(plugin).init(args.as_slice()))
                .collect()),
        },
    }
}

fn count<T>(workers: &[T]) -> u32 {
    u32::try_from(workers.len()).unwrap_or(u32::MAX)
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder").field("workers", &self.workers).finish_non_exhaustive()
    }
}
