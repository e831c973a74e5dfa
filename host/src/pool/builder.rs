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
use crate::sandbox::limits::{Fuel, Limits, LogLimit, MemoryLimit, ResultLimit, TotalMemory};
use crate::sandbox::meter::PoolMemory;
use crate::sandbox::net_grant::NetGrant;
use crate::sandbox::voice::Voice;
use crate::stop::StopFlag;
use crate::worker::WorkerIndex;
use crate::worker::pace::ChunkSize;
use crate::worker::renewal::{MaxRestarts, Renewal, RetryOn};

/// With which arguments workers are initialised.
///
/// ```
/// use mtl_host::{Engine, Init, Plugin, Pool};
///
/// // It puts what it is initialised with before each item.
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
    /// With none: `init` gets no bytes.
    #[default]
    None,
    /// All with the same.
    Same(Vec<u8>),
    /// Each with its own; their number decides how many workers there are.
    Each(Vec<Vec<u8>>),
}

/// Collects the settings of a [`Pool`].
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
    grants: Grants,
    limits: Limits,
    total_memory: TotalMemory,
    log_limit: LogLimit,
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
            limits: Limits::default(),
            total_memory: TotalMemory::default(),
            log_limit: LogLimit::DEFAULT,
            item_format: Format::Text,
            passing: ArgumentPassing::default(),
            time_limits: TimeLimits::default(),
            settings,
        }
    }

    /// How many workers there are. Default: as many as there are init arguments of
    /// [`Init::Each`], otherwise one per core. A list of workers decides it by itself.
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

    /// With which arguments workers that are alike are initialised. Default: none.
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

    /// Grants a directory to every worker's plugin. Under one name it sees what was granted
    /// last.
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
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.grants.env(name.into(), value.into());
        self
    }

    /// Lets every worker's plugin connect to a port of a host, by TCP and by HTTP.
    ///
    /// Names are looked up once, by [`build`](Self::build). Nothing else of a network is there:
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

    /// How much each worker's plugin may say in a second: what is beyond is dropped, and
    /// [told of](crate::Event::OutputDropped). Default: [`LogLimit::DEFAULT`].
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

    /// What items are; the plugin can ask. Default: text.
    ///
    /// ```
    /// # use mtl_host::{Engine, Format, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/item-format.wat")?;
    /// // It answers with what it is told of its items.
    /// let mut pool = Pool::builder(&plugin).item_format(Format::Json).build()?;
    /// assert_eq!(pool.map(["[1]"]).next().unwrap()?.bytes(), Some(&b"json"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn item_format(mut self, format: Format) -> Self {
        self.item_format = format;
        self
    }

    /// How the parameters of `call` are filled from an item. Default: the item is the only one.
    ///
    /// ```
    /// # use mtl_host::{ArgumentPassing, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // A plugin that does not ask would take the array for its item.
    /// let pool = Pool::builder(&plugin).argument_passing(ArgumentPassing::Args).build();
    /// assert!(pool.unwrap_err().to_string().ends_with("takes items as they are, not by `args`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn argument_passing(mut self, passing: ArgumentPassing) -> Self {
        self.passing = passing;
        self
    }

    /// How long a plugin may take for one item: then the item's fault is `timeout`, and a fresh
    /// instance takes the next one. Default: as long as it likes.
    ///
    /// It holds for a plugin that computes, sleeps, or waits for a file; it comes late by some
    /// milliseconds, never early. A native worker is not interrupted.
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
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.item = Some(timeout);
        self
    }

    /// How long a plugin may take to start, until its `init` is done; to give its closing
    /// report, it has as long. Default: as long as it likes.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
    /// // Its `init` never ends.
    /// let mut pool = Pool::builder(&plugin).init_timeout(Duration::from_millis(50)).build()?;
    /// let error = pool.map(["item"]).end().into_result().unwrap_err();
    /// assert!(error.hint().unwrap().starts_with("`--init-timeout`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.time_limits.start = Some(timeout);
        self
    }

    /// How long the end may take: from [`close`](Pool::close), or from when the run is asked to
    /// stop or fails, to the end of the last worker. What a plugin does then is interrupted; an item that
    /// it has gets the fault `timeout`. Default: as long as it takes.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
    /// // Its `init` never ends, and is waited for; but not for ever.
    /// let pool = Pool::builder(&plugin).join_timeout(Duration::from_millis(50));
    /// let reports = pool.jobs("1".parse()?).build()?.close();
    /// assert_eq!(reports[0].items, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.settings.join_timeout = Some(timeout);
        self
    }

    /// How often an item that failed is tried again, each time on a fresh instance. Default: 0.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool = Pool::builder(&plugin).retries(2).build()?;
    /// let (records, faults, ended) = pool.map(["trap", "no trap"]).collect_all();
    /// assert_eq!((records.len(), faults.len(), ended.summary.retried), (1, 1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.renewal.retries = retries;
        self
    }

    /// After which faults an item is tried again. Default: `trap`, `timeout`, `out-of-memory` and
    /// `crashed`, which may have been the instance's.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).retries(1).retry_on("refused".parse()?).build()?;
    /// let (_, faults, ended) = pool.map(["!refused", "?bad item"]).collect_all();
    /// assert_eq!((faults.len(), ended.summary.retried), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry_on(mut self, kinds: RetryOn) -> Self {
        self.settings.renewal.retry_on = kinds;
        self
    }

    /// How often in a row a worker is restarted before it is retired. Default: any number, as
    /// long as it can start.
    ///
    /// ```
    /// # use mtl_host::{Engine, Error, MaxRestarts, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool =
    ///     Pool::builder(&plugin).jobs("1".parse()?).max_restarts(MaxRestarts::AtMost(1)).build()?;
    /// let (_, _, ended) = pool.map(["trap", "trap again", "never tried"]).collect_all();
    /// assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_restarts(mut self, most: MaxRestarts) -> Self {
        self.settings.renewal.max_restarts = most;
        self
    }

    /// Replaces an instance after so many items, for plugins that leak. Default: never.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/counter.wat")?;
    /// // Its results are the numbers of its calls.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).recycle("2".parse()?).build()?;
    /// let numbers: Vec<_> = pool.map(["item"; 3]).try_collect()?;
    /// assert_eq!(numbers[1].bytes(), Some(&b"02"[..]));
    /// assert_eq!(numbers[2].bytes(), Some(&b"01"[..]), "of a fresh instance");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recycle(mut self, items: NonZeroU64) -> Self {
        self.settings.renewal.recycle = Some(items);
        self
    }

    /// What records are, whatever the plugin says. Default: what it says.
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Format, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // It does not say that its results are JSON; without this, they would be strings.
    /// let mut pool = Pool::builder(&plugin).results(Format::Json).build()?;
    /// let mut output = Vec::new();
    /// let mut sink = Jsonl::new(Output::to("memory", &mut output));
    /// pool.run(Items::new([r#"{"a":1}"#]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"{\"index\":0,\"ok\":{\"A\":1}}\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn results(mut self, format: Format) -> Self {
        self.settings.results = Some(format);
        self
    }

    /// In which order results come out. Default: as their items came in.
    ///
    /// ```
    /// # use mtl_host::{Engine, Order, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).order(Order::Completion).build()?;
    /// let records: Vec<_> = pool.map(["a", "b", "c"]).try_collect()?;
    /// let mut indexes: Vec<_> = records.iter().map(|record| record.index().get()).collect();
    /// indexes.sort();
    /// assert_eq!(indexes, [0, 1, 2], "each once, whichever came first");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn order(mut self, order: Order) -> Self {
        self.settings.order = order;
        self
    }

    /// What a failed item does to the run. Default: nothing, it is counted.
    ///
    /// ```
    /// # use mtl_host::{Engine, Error, ErrorPolicy, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).on_error(ErrorPolicy::Deferred).build()?;
    /// let (records, _, ended) = pool.map(["good", "!bad", "!worse"]).collect_all();
    /// assert_eq!(records.len(), 1);
    /// assert!(matches!(ended.error, Some(Error::ItemsFailed(faults)) if faults.len() == 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_error(mut self, policy: ErrorPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How many items may fail before the run ends. Default: any number.
    ///
    /// ```
    /// # use mtl_host::{Engine, Error, MaxFaults, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).max_faults(MaxFaults::Count(1)).build()?;
    /// let (_, _, ended) = pool.map(["!bad", "!worse", "good"]).collect_all();
    /// assert!(matches!(ended.error, Some(Error::TooManyFaults { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_faults(mut self, most: MaxFaults) -> Self {
        self.settings.max_faults = most;
        self
    }

    /// What may lie between the reader and the consumer. Default: 16 MiB.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// static READ: AtomicUsize = AtomicUsize::new(0);
    /// let items = (0..1000).map(|n| {
    ///     READ.fetch_add(1, Ordering::Relaxed);
    ///     n.to_string()
    /// });
    /// let mut pool = Pool::builder(&plugin).window("10".parse()?).build()?;
    /// pool.map(items).next().unwrap()?;
    /// assert!(READ.load(Ordering::Relaxed) < 100, "not far ahead of what is taken out");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// How many items a worker takes at once. Default: about a millisecond of work.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// for size in ["auto", "1", "1000"] {
    ///     let mut pool = Pool::builder(&plugin).chunk_size(size.parse()?).build()?;
    ///     assert_eq!(pool.map(["a", "b", "c"]).count(), 3, "the results are the same");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn chunk_size(mut self, size: ChunkSize) -> Self {
        self.settings.chunk_size = size;
        self
    }

    /// The flag that ends the present run, and every later one, early.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, StopFlag};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let stop = StopFlag::new();
    /// let mut pool = Pool::builder(&plugin).stop(&stop).build()?;
    /// let mut results = pool.map((0_u64..).map(|number| number.to_string()));
    /// results.next().unwrap()?;
    /// stop.set();
    /// assert!(results.end().into_result()?.stopped);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(mut self, stop: &StopFlag) -> Self {
        self.settings.stop = stop.clone();
        self
    }

    /// Who is told what happens beside the results. Default: nobody.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// # use mtl_host::{Engine, Event, Observer, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/print.wat")?;
    /// #[derive(Default)]
    /// struct Lines(Mutex<Vec<String>>);
    ///
    /// impl Observer for Lines {
    ///     fn notify(&self, event: &Event<'_>) {
    ///         if let Event::Output { line, .. } = event {
    ///             self.0.lock().unwrap().push((*line).to_owned());
    ///         }
    ///     }
    /// }
    ///
    /// let lines = Arc::new(Lines::default());
    /// let mut pool = Pool::builder(&plugin).observer(lines.clone()).build()?;
    /// pool.map(["printed by the plugin"]).try_collect::<Vec<_>>()?;
    /// assert_eq!(*lines.0.lock().unwrap(), ["printed by the plugin"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.audience = Audience::new(observer);
        self
    }

    /// Checks the rules that span settings, and starts the workers: each initialises on its
    /// own thread. One that cannot ends the first run with an error.
    ///
    /// ```
    /// # use mtl_host::{DirGrant, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let pool = Pool::builder(&plugin).dir(DirGrant::read("no-such-directory", "/data")).build();
    /// let error = pool.unwrap_err();
    /// assert_eq!(error.to_string(), "cannot grant the directory `no-such-directory`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no worker, or their number does not fit what is said of them; when a worker is
    /// to have what it cannot have: init arguments without an `init`, parameters where items are
    /// taken as they are, fuel that its engine does not count, or limits and grants for native
    /// code; when a granted directory is not there, or a granted name has no address; when plugins
    /// are of two engines; and when the system refuses a thread.
    pub fn build(self) -> Result<Pool, BuildError> {
        let Self {
            workers,
            jobs,
            init,
            grants,
            limits,
            total_memory,
            log_limit,
            item_format,
            passing,
            time_limits,
            settings,
        } = self;
        let specs = workers.specs(jobs, &init)?;
        spec::check(&specs, &grants, passing, limits)?;
        let names = Arc::new(spec::look_up(&specs, &grants)?);
        let clock = spec::clock(&specs)?;
        let cancel = Cancel::default();
        let voice = |index| Voice::new(index, log_limit, settings.audience.clone());
        let all = Spec {
            index: WorkerIndex::default(),
            workers: count(&specs),
            init: Vec::new(),
            grants,
            limits,
            pool_memory: Arc::new(PoolMemory::new(total_memory)),
            names,
            item_format,
            passing,
            voice: Arc::new(voice(WorkerIndex::default())),
            watch: Watch::new(time_limits, cancel.clone()),
        };
        let open = |(number, spec): (u32, WorkerSpec)| {
            let index = WorkerIndex::new(number);
            let watch = Watch::new(spec.time_limits(time_limits), cancel.clone());
            spec.open(Spec { index, watch, voice: Arc::new(voice(index)), ..all.clone() }, &clock)
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
