//! Describes a pool; each setting is valid by its type, rules between them are checked once.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::spec::{self, WorkerSpec};
use super::{BuildError, Jobs, Pool, Settings};
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
use crate::sandbox::net_grant::NetGrant;
use crate::stop::StopFlag;
use crate::worker::WorkerIndex;
use crate::worker::pace::ChunkSize;
use crate::worker::renewal::{MaxRestarts, Renewal, RetryOn};

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

    /// Lets every worker's plugin connect to a port of a host, by TCP and by HTTP.
    ///
    /// Names are looked up once, by [`build`](Self::build). Nothing else of a network is there:
    /// no other names, no UDP, no listening, and no TLS but what a plugin brings itself.
    pub fn net(mut self, grant: NetGrant) -> Self {
        self.grants.net(grant);
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
    /// stop, to the end of the last worker. What a plugin does then is interrupted; an item that
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
    /// directory is not there, a granted name has no address, plugins are of two engines, or the system refuses a thread.
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
        let names = Arc::new(spec::look_up(&specs, &grants)?);
        let clock = spec::clock(&specs)?;
        let cancel = Cancel::default();
        let all = Spec {
            index: WorkerIndex::default(),
            workers: count(&specs),
            init: Vec::new(),
            grants,
            names,
            memory,
            item_format,
            passing,
            audience: settings.audience.clone(),
            watch: Watch::new(time_limits, cancel.clone()),
        };
        let open = |(number, spec): (u32, WorkerSpec)| {
            let index = WorkerIndex::new(number);
            let watch = Watch::new(spec.time_limits(time_limits), cancel.clone());
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
