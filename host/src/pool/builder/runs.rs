//! The settings of a pool's runs.

use std::sync::Arc;

use super::PoolBuilder;
use crate::collector::Order;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::control::stop::StopFlag;
use crate::event::{Observer, Observers};
use crate::item::format::Format;
use crate::queue::Window;
use crate::worker::chunk_sizer::ChunkSize;

impl PoolBuilder {
    /// Sets the format of the records (default: the format that the plugin declares).
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Format, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// // The plugin does not declare JSON. Without this setting, the sink would write strings.
    /// let mut pool = Pool::builder(&plugin).result_format(Format::Json).build()?;
    /// let mut output = Vec::new();
    /// let mut sink = Jsonl::new(Output::to("memory", &mut output));
    /// pool.run(Items::new([r#"{"a":1}"#]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"{\"index\":0,\"ok\":{\"A\":1}}\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn result_format(mut self, format: Format) -> Self {
        self.settings.results = Some(format);
        self
    }

    /// Sets the order of the results (default: the order of their items in the input).
    ///
    /// ```
    /// # use mtl_host::{Engine, Order, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).order(Order::Completion).build()?;
    /// let records: Vec<_> = pool.map(["a", "b", "c"]).try_collect()?;
    /// let mut indexes: Vec<_> = records.iter().map(|record| record.index().get()).collect();
    /// indexes.sort();
    /// assert_eq!(indexes, [0, 1, 2], "each once, in any order");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn order(mut self, order: Order) -> Self {
        self.settings.order = order;
        self
    }

    /// Sets the effect of a failed item on the run (default: the run counts the item and
    /// continues).
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

    /// Sets how many items may fail before the run ends (default: any number).
    ///
    /// ```
    /// # use mtl_host::limits::MaxFaults;
    /// # use mtl_host::{Engine, Error, Plugin, Pool};
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

    /// Limits the items between the reader and the consumer (default: 16 MiB).
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
    /// assert!(READ.load(Ordering::Relaxed) < 100, "the reader stays within the window");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// Sets how many items a worker claims at a time (default: about a millisecond of work).
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

    /// Sets the flag that stops the current run and every later one.
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

    /// Sets the observer, which is notified of events other than results (default: none).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// # use mtl_host::event::{Event, Observer};
    /// # use mtl_host::{Engine, Plugin, Pool};
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
        self.settings.observers = Observers::new(observer);
        self
    }
}
