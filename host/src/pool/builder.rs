//! Describes a pool; each setting is valid by its type, rules between them are checked once.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::spec::{self, WorkerSpec};
use super::{Pool, Settings};
use crate::collector::Order;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::event::{Audience, Observer};
use crate::outcome::Format;
use crate::plugin::passing::ArgumentPassing;
use crate::plugin::{Plugin, Spec};
use crate::pool::cancel::Cancel;
use crate::queue::Window;
use crate::sandbox::capabilities::{DirGrant, Grants};
use crate::sandbox::deadline::{TimeLimits, Watch};
use crate::sandbox::limits::MemoryLimit;
use crate::stop::StopFlag;
use crate::worker::WorkerIndex;
use crate::worker::pace::ChunkSize;
use crate::worker::renewal::{MaxRestarts, Renewal, RetryOn};

/// How many workers a pool has.
///
/// ```
/// use mtl_host::Jobs;
///
/// assert!("4".parse::<Jobs>().is_ok());
/// assert!("0".parse::<Jobs>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jobs {
    /// One for each core that this process may use.
    #[default]
    PerCore,
    /// So many.
    Exactly(NonZeroU32),
}

impl Jobs {
    /// More threads than this are refused by most systems, and help nobody.
    pub const MOST: u32 = 10_000;

    fn count(self) -> u32 {
        match self {
            Self::PerCore => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                u32::try_from(cores).unwrap_or(Self::MOST).min(Self::MOST)
            }
            Self::Exactly(count) => count.get(),
        }
    }
}

/// Not a number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number from 1 to {}", Jobs::MOST)]
pub struct NotJobs;

impl FromStr for Jobs {
    type Err = NotJobs;

    fn from_str(text: &str) -> Result<Self, NotJobs> {
        let count = text.parse().map_err(|_| NotJobs)?;
        if count > Self::MOST {
            return Err(NotJobs);
        }
        NonZeroU32::new(count).map(Self::Exactly).ok_or(NotJobs)
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerCore => f.pad("one per core"),
            Self::Exactly(count) => count.fmt(f),
        }
    }
}

/// With which arguments workers are initialised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// With none: `init` gets no bytes.
    #[default]
    None,
    /// All with the same.
    Same(Vec<u8>),
    /// Each with its own; their number decides how many workers there are.
    Each(Vec<Vec<u8>>),
}

/// Why a pool cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There are init arguments for another number of workers.
    #[error("{given} init arguments were given for {jobs} workers")]
    InitCount {
        /// For how many workers there are arguments.
        given: usize,
        /// How many workers there are to be.
        jobs: u32,
    },
    /// There are init arguments for a plugin that takes none.
    #[error("plugin `{plugin}` takes no init arguments: it does not export `init`")]
    NoInit {
        /// The plugin.
        plugin: PathBuf,
    },
    /// There are workers that differ, but another number of them is asked for.
    #[error("{listed} workers are listed, but {jobs} are asked for")]
    WorkerCount {
        /// How many are listed.
        listed: usize,
        /// How many are asked for.
        jobs: u32,
    },
    /// There are init arguments for all beside workers that differ.
    #[error("init arguments for all workers do not go with a list of workers")]
    InitBesideList,
    /// Two plugins of one pool are of two engines.
    #[error("plugin `{plugin}` was loaded with another engine than `{first}`")]
    OtherEngine {
        /// The plugin.
        plugin: PathBuf,
        /// The pool's first plugin.
        first: PathBuf,
    },
    /// A native worker is to have what only a plugin can have.
    #[error("worker {worker} is native: `{setting}` is for plugins")]
    Native {
        /// Which worker.
        worker: WorkerIndex,
        /// What it cannot have.
        setting: &'static str,
    },
    /// The parameters are to be passed in a way that the plugin does not ask about.
    #[error("plugin `{plugin}` takes items as they are, not by `{passing}`")]
    NoPassing {
        /// The plugin.
        plugin: PathBuf,
        /// The way that was asked for.
        passing: ArgumentPassing,
    },
    /// There is no worker.
    #[error("a pool needs a worker")]
    NoWorker,
    /// A directory that is to be granted is not there.
    #[error("cannot grant the directory `{path}`")]
    Dir {
        /// The directory, on the host.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The operating system refused a thread.
    #[error("cannot start a worker's thread")]
    Thread(#[source] std::io::Error),
}

impl BuildError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InitCount { .. } => Some(
                "give `--init` once for all workers, or once for each; \
                 without `--jobs`, their number decides",
            ),
            Self::NoInit { .. } => Some("leave out `--init`, or `init=` in its `--worker`"),
            Self::WorkerCount { .. } => {
                Some("leave out `--jobs`: the list of workers decides their number")
            }
            Self::InitBesideList => Some("give each worker its own: `init=` in its `--worker`"),
            Self::OtherEngine { .. } => Some("load all plugins of a pool with one `Engine`"),
            Self::Native { .. } => Some("what opens a native worker brings what it needs"),
            Self::NoPassing { .. } => Some(
                "leave out `--args`, or write the worker with named parameters: \
                 in Rust, with `#[mtl_plugin::worker]`",
            ),
            Self::Dir { .. } => Some("`--dir HOST::GUEST` takes a directory that exists"),
            Self::Thread(_) => Some("fewer workers, with `--jobs`, need fewer threads"),
            Self::NoWorker => None,
        }
    }
}

/// Collects the settings of a [`Pool`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct PoolBuilder {
    workers: Workers,
    jobs: Option<Jobs>,
    init: Init,
    grants: Grants,
    memory: MemoryLimit,
    item_format: Format,
    passing: ArgumentPassing,
    time_limits: TimeLimits,
    settings: Settings,
}

/// Who works.
#[derive(Debug)]
enum Workers {
    /// Any number of workers with this plugin.
    Alike(Plugin),
    /// These.
    Listed(Vec<WorkerSpec>),
}

impl PoolBuilder {
    pub(super) fn alike(plugin: &Plugin) -> Self {
        Self::new(Workers::Alike(plugin.clone()))
    }

    pub(super) fn listed(workers: Vec<WorkerSpec>) -> Self {
        Self::new(Workers::Listed(workers))
    }

    fn new(workers: Workers) -> Self {
        let settings = Settings {
            order: Order::default(),
            policy: ErrorPolicy::default(),
            max_faults: MaxFaults::default(),
            window: Window::default(),
            chunk_size: ChunkSize::default(),
            renewal: Renewal::default(),
            join_timeout: None,
            results: None,
            stop: StopFlag::new(),
            audience: Audience::default(),
        };
        Self {
            workers,
            jobs: None,
            init: Init::None,
            grants: Grants::default(),
            memory: MemoryLimit::DEFAULT,
            item_format: Format::Text,
            passing: ArgumentPassing::default(),
            time_limits: TimeLimits::default(),
            settings,
        }
    }

    /// How many workers there are. Default: as many as there are init arguments of
    /// [`Init::Each`], otherwise one per core. A list of workers decides it by itself.
    pub fn jobs(mut self, jobs: Jobs) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// With which arguments workers that are alike are initialised. Default: none.
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Grants a directory to every worker's plugin. Under one name it sees what was granted
    /// last.
    pub fn dir(mut self, grant: DirGrant) -> Self {
        self.grants.dir(grant);
        self
    }

    /// Sets an environment variable for every worker's plugin. It has no other ones, but those
    /// of its [`WorkerSpec`].
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.grants.env(name.into(), value.into());
        self
    }

    /// What each worker's plugin may take of memory. Default: [`MemoryLimit::DEFAULT`].
    pub fn memory(mut self, limit: MemoryLimit) -> Self {
        self.memory = limit;
        self
    }

    /// What items are; the plugin can ask. Default: text.
    pub fn item_format(mut self, format: Format) -> Self {
        self.item_format = format;
        self
    }

    /// How the parameters of `call` are filled from an item. Default: the item is the only one.
    pub fn argument_passing(mut self, passing: ArgumentPassing) -> Self {
        self.passing = passing;
        self
    }

    /// How long a plugin may take for one item: then the item's fault is `timeout`, and a fresh
    /// instance takes the next one. Default: as long as it likes.
    ///
    /// It holds for a plugin that computes, sleeps, or waits for a file; it comes late by some
    /// milliseconds, never early. A native worker is not interrupted.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.item = Some(timeout);
        self
    }

    /// How long a plugin may take to start, until its `init` is done; to give its closing
    /// report, it has as long. Default: as long as it likes.
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.start = Some(timeout);
        self
    }

    /// How long the end may take: from [`close`](Pool::close), or from when the run is asked to
    /// stop or fails, to the end of the last worker. What a plugin does then is interrupted; an item that
    /// it has gets the fault `timeout`. Default: as long as it takes.
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.settings.join_timeout = Some(timeout);
        self
    }

    /// How often an item that failed is tried again, each time on a fresh instance. Default: 0.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.renewal.retries = retries;
        self
    }

    /// After which faults an item is tried again. Default: those that may have been the
    /// instance's.
    pub fn retry_on(mut self, kinds: RetryOn) -> Self {
        self.settings.renewal.retry_on = kinds;
        self
    }

    /// How often in a row a worker is restarted before it is retired. Default: any number, as
    /// long as it can start.
    pub fn max_restarts(mut self, most: MaxRestarts) -> Self {
        self.settings.renewal.max_restarts = most;
        self
    }

    /// Replaces an instance after so many items, for plugins that leak. Default: never.
    pub fn recycle(mut self, items: NonZeroU64) -> Self {
        self.settings.renewal.recycle = Some(items);
        self
    }

    /// What records are, whatever the plugin says. Default: what it says.
    pub fn results(mut self, format: Format) -> Self {
        self.settings.results = Some(format);
        self
    }

    /// In which order results come out. Default: as their items came in.
    pub fn order(mut self, order: Order) -> Self {
        self.settings.order = order;
        self
    }

    /// What a failed item does to the run. Default: nothing.
    pub fn on_error(mut self, policy: ErrorPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How many items may fail before the run ends. Default: any number.
    pub fn max_faults(mut self, most: MaxFaults) -> Self {
        self.settings.max_faults = most;
        self
    }

    /// What may lie between the reader and the consumer. Default: 16 MiB.
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// How many items a worker takes at once. Default: about a millisecond of work.
    pub fn chunk_size(mut self, size: ChunkSize) -> Self {
        self.settings.chunk_size = size;
        self
    }

    /// The flag that ends the present run, and every later one, early.
    pub fn stop(mut self, stop: &StopFlag) -> Self {
        self.settings.stop = stop.clone();
        self
    }

    /// Who is told what happens beside the results. Default: nobody.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.audience = Audience::new(observer);
        self
    }

    /// Checks the rules that span settings, and starts the workers: each initialises on its
    /// own thread. One that fails to ends the first run.
    ///
    /// # Errors
    ///
    /// When the number of workers does not fit what is said of them, a worker is to have what it
    /// cannot have (a plugin without `init` arguments for it, a native worker grants), a granted
    /// directory is not there, plugins are of two engines, or the system refuses a thread.
    pub fn build(self) -> Result<Pool, BuildError> {
        let Self {
            workers,
            jobs,
            init,
            grants,
            memory,
            item_format,
            passing,
            time_limits,
            settings,
        } = self;
        let specs = workers.specs(jobs, &init)?;
        spec::check(&specs, &grants, passing)?;
        let clock = spec::clock(&specs)?;
        let cancel = Cancel::default();
        let all = Spec {
            index: WorkerIndex::default(),
            workers: count(&specs),
            init: Vec::new(),
            grants,
            memory,
            item_format,
            passing,
            audience: settings.audience.clone(),
            watch: Watch::new(time_limits, cancel.clone()),
        };
        let open = |(number, spec): (u32, WorkerSpec)| {
            let index = WorkerIndex::new(number);
            // Each has its own time.
            let watch = Watch::new(time_limits, cancel.clone());
            spec.open(Spec { index, watch, ..all.clone() }, &clock)
        };
        let opens = (0..).zip(specs).map(open).collect();
        Pool::start(opens, settings, &clock.ticks(), cancel).map_err(BuildError::Thread)
    }
}

impl Workers {
    /// Each worker.
    fn specs(self, jobs: Option<Jobs>, init: &Init) -> Result<Vec<WorkerSpec>, BuildError> {
        match self {
            Self::Alike(plugin) => alike(&plugin, jobs, init),
            Self::Listed(_) if *init != Init::None => Err(BuildError::InitBesideList),
            Self::Listed(specs) => match jobs.map(Jobs::count) {
                Some(jobs) if jobs != count(&specs) => {
                    Err(BuildError::WorkerCount { listed: specs.len(), jobs })
                }
                Some(_) | None => Ok(specs),
            },
        }
    }
}

fn alike(plugin: &Plugin, jobs: Option<Jobs>, init: &Init) -> Result<Vec<WorkerSpec>, BuildError> {
    let spec = |_| WorkerSpec::plugin(plugin);
    let as_asked = || 0..jobs.unwrap_or_default().count();
    match init {
        Init::None => Ok(as_asked().map(spec).collect()),
        Init::Same(args) => Ok(as_asked().map(|job| spec(job).init(args.as_slice())).collect()),
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
