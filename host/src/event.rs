//! Events of a run beside its results, and the observers that are told of them.

pub(crate) mod snapshot_refusal;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::retirement::Retirement;
use crate::item::failure::Broken;
use crate::item::format::Format;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::sandbox::guest_event::{Denial, GuestEvent, GuestSink, Level, Stream};

/// Something that happened.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::{Engine, Event, Observer, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Story(Mutex<Vec<String>>);
///
/// impl Observer for Story {
///     fn notify(&self, event: &Event<'_>) {
///         let line = match event {
///             Event::WorkerReady { worker, .. } => format!("worker {worker} is ready"),
///             Event::WorkerBroke { why, .. } => format!("it broke: {}", why.kind),
///             Event::Retry { item, attempt, .. } => format!("item {item}, again: {attempt}"),
///             _ => return,
///         };
///         self.0.lock().unwrap().push(line);
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
/// let story = Arc::new(Story::default());
/// let pool = Pool::builder(&plugin).jobs("1".parse()?).retries(1).observer(story.clone());
/// assert!(pool.build()?.map(["trap"]).next().unwrap().is_err());
/// let told = story.0.lock().unwrap();
/// assert_eq!(told[0], "worker 0 is ready");
/// assert_eq!(told[1], "it broke: trap");
/// assert!(told.contains(&"item 0, again: 1".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A worker is initialised and takes items.
    WorkerReady {
        /// Which worker.
        worker: WorkerIndex,
        /// How long its start took.
        took: Duration,
    },
    /// A worker's process is in a jail that lacks something, as the kernel does not have it.
    JailLacks {
        /// Which worker.
        worker: WorkerIndex,
        /// The missing part.
        lacks: &'a str,
    },
    /// Items have a time limit, there are more workers than cores, and the kernel does not tell how long a thread had no
    /// core: the time in which a worker waits for a core counts as its item's.
    RunDelayUnknown {
        /// The number of workers.
        workers: usize,
        /// The number of cores that this process may use.
        cores: usize,
    },
    /// A plugin was initialised, in this run or, where snapshots are kept, in an earlier one: workers
    /// that are alike start from what it has become.
    SnapshotTaken {
        /// Which worker came first.
        worker: WorkerIndex,
        /// The plugin.
        plugin: &'a Path,
        /// How long it took until the others could start: `init` and all, or reading what was kept.
        took: Duration,
        /// How large it is, in bytes: memory and code.
        bytes: u64,
        /// Whether `init` has drawn random bytes, which are now the same for all.
        has_random: bool,
    },
    /// There is no snapshot for workers that are alike: each is initialised on its own.
    SnapshotRefused {
        /// Which worker was to be frozen.
        worker: WorkerIndex,
        /// The plugin.
        plugin: &'a Path,
        /// Why.
        why: &'a SnapshotRefusal,
    },
    /// A worker's instance broke; a fresh one takes its place.
    WorkerBroke {
        /// Which worker.
        worker: WorkerIndex,
        /// How many items the instance had worked on: what it knew of them is lost.
        items: u64,
        /// What happened; the item has it as its fault, unless it is tried again.
        why: &'a Broken,
    },
    /// An item that failed is tried again, on a fresh instance.
    Retry {
        /// Which worker.
        worker: WorkerIndex,
        /// Which item.
        item: ItemIndex,
        /// Which attempt after the first one this is, from 1.
        attempt: u32,
        /// How it failed.
        why: &'a Broken,
    },
    /// An instance has ended that gives a closing report: its pool was closed, it is replaced by
    /// a fresh one, or it broke.
    Finished {
        /// Which worker.
        worker: WorkerIndex,
        /// How many items the instance had worked on.
        items: u64,
        /// What it had to say.
        closing: Closing<'a>,
    },
    /// A worker takes no more items: it could not be started again, or broke too often.
    WorkerRetired {
        /// Which worker.
        worker: WorkerIndex,
        /// Why.
        why: &'a Retirement,
    },
    /// A plugin was denied what is not granted to it. The call has failed inside of it, and it
    /// goes on as it likes. The same is told once, and not more than some of one run.
    Denied {
        /// Which worker.
        worker: WorkerIndex,
        /// What it wanted.
        denial: &'a Denial,
    },
    /// A plugin wrote a line to its standard output or its standard error.
    Output {
        /// Which worker.
        worker: WorkerIndex,
        /// Where it wrote.
        stream: Stream,
        /// The line, without its end.
        line: &'a str,
    },
    /// A plugin said more in a second than it may: some of its lines and messages are lost.
    OutputDropped {
        /// Which worker.
        worker: WorkerIndex,
        /// How many lines and messages.
        lines: u64,
        /// How many bytes are in them.
        bytes: u64,
    },
    /// A plugin logged a message.
    Log {
        /// Which worker.
        worker: WorkerIndex,
        /// How much it matters.
        level: Level,
        /// The message.
        message: &'a str,
    },
}

impl<'a> Event<'a> {
    /// Returns the event of a guest of this worker.
    fn of_guest(worker: WorkerIndex, event: &'a GuestEvent<'a>) -> Self {
        match event {
            GuestEvent::Output { stream, line } => Self::Output { worker, stream: *stream, line },
            GuestEvent::Log { level, message } => Self::Log { worker, level: *level, message },
            GuestEvent::Dropped { lines, bytes } => {
                Self::OutputDropped { worker, lines: *lines, bytes: *bytes }
            }
            GuestEvent::Denied(denial) => Self::Denied { worker, denial },
        }
    }
}

impl Event<'_> {
    /// Tells those who listen by `tracing`.
    fn trace(&self) {
        match *self {
            Self::WorkerReady { worker, took } => {
                tracing::debug!(worker = worker.get(), ?took, "the worker is ready");
            }
            Self::JailLacks { worker, lacks } => {
                tracing::warn!(worker = worker.get(), lacks, "the worker's jail is not whole");
            }
            Self::RunDelayUnknown { workers, cores } => {
                tracing::warn!(workers, cores, "waiting for a core counts as time of the item");
            }
            Self::SnapshotTaken { worker, plugin, took, bytes, has_random } => {
                let (worker, plugin) = (worker.get(), plugin.display());
                tracing::debug!(worker, %plugin, ?took, bytes, has_random, "a snapshot is taken");
            }
            Self::SnapshotRefused { worker, plugin, why } => {
                let (worker, plugin) = (worker.get(), plugin.display());
                tracing::warn!(worker, %plugin, %why, "there is no snapshot");
            }
            Self::WorkerBroke { worker, items, why } => {
                tracing::warn!(worker = worker.get(), items, %why, "the worker broke");
            }
            Self::WorkerRetired { worker, why } => {
                tracing::warn!(worker = worker.get(), %why, "the worker is retired");
            }
            Self::Retry { worker, item, attempt, why } => {
                let (worker, item) = (worker.get(), item.get());
                tracing::info!(worker, item, attempt, %why, "the item is tried again");
            }
            Self::Finished { worker, items, .. } => {
                tracing::debug!(worker = worker.get(), items, "an instance has ended");
            }
            Self::Denied { worker, denial } => {
                tracing::warn!(worker = worker.get(), %denial, "the plugin was denied something");
            }
            Self::Output { worker, stream, line } => {
                tracing::debug!(worker = worker.get(), ?stream, line, "the plugin wrote");
            }
            Self::OutputDropped { worker, lines, bytes } => {
                tracing::warn!(worker = worker.get(), lines, bytes, "output was dropped");
            }
            Self::Log { worker, level, message } => {
                let worker = worker.get();
                match level {
                    Level::Trace => tracing::trace!(worker, "{message}"),
                    Level::Debug => tracing::debug!(worker, "{message}"),
                    Level::Info => tracing::info!(worker, "{message}"),
                    Level::Warn => tracing::warn!(worker, "{message}"),
                    Level::Error => tracing::error!(worker, "{message}"),
                }
            }
        }
    }
}

/// What an instance had to say when it ended.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::{Closing, Engine, Event, Observer, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Reports(Mutex<Vec<String>>);
///
/// impl Observer for Reports {
///     fn notify(&self, event: &Event<'_>) {
///         if let Event::Finished { closing, items, .. } = event {
///             let what = match closing {
///                 Closing::Report { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
///                 Closing::Failed(why) => format!("failed, {why}"),
///                 Closing::Lost(why) => format!("lost, {why}"),
///             };
///             self.0.lock().unwrap().push(format!("after {items}: {what}"));
///         }
///     }
/// }
///
/// // Its closing report is its last item.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/finish.wat")?;
/// let reports = Arc::new(Reports::default());
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).observer(reports.clone()).build()?;
/// pool.map(["first", "last"]).try_collect::<Vec<_>>()?;
/// pool.close();
/// assert_eq!(*reports.0.lock().unwrap(), ["after 2: last"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Closing<'a> {
    /// Its closing report.
    Report {
        /// The report.
        bytes: &'a [u8],
        /// What it is, as the plugin says of all its results.
        format: Format,
    },
    /// It failed to give one.
    Failed(&'a Broken),
    /// It broke on an item: what it would have reported is lost.
    Lost(&'a Broken),
}

/// Is told of events: at once, on the thread where they happen, which may be any.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use mtl_host::{Engine, Event, Observer, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Ready(AtomicUsize);
///
/// impl Observer for Ready {
///     fn notify(&self, event: &Event<'_>) {
///         if let Event::WorkerReady { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let ready = Arc::new(Ready::default());
/// let pool = Pool::builder(&plugin).jobs("2".parse()?).observer(ready.clone()).build()?;
/// pool.close();
/// assert_eq!(ready.0.load(Ordering::Relaxed), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Observer: Send + Sync {
    /// Takes one event. A worker waits for it to return.
    fn notify(&self, event: &Event<'_>);
}

/// Who is told of events; nobody, unless said.
#[derive(Clone, Default)]
pub(crate) struct Audience(Option<Arc<dyn Observer>>);

impl Audience {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Tells of one event, and traces it. An observer that panics has had its say on its own: the
    /// items of the worker that told it are not its business.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        event.trace();
        if let Some(observer) = &self.0 {
            let told = catch_unwind(AssertUnwindSafe(|| observer.notify(event)));
            drop(told);
        }
    }
}

impl Audience {
    /// Returns a sink for the events of a worker's guests.
    pub(crate) fn of_guests(&self, worker: WorkerIndex) -> GuestSink {
        let audience = self.clone();
        GuestSink::new(move |event| audience.tell(&Event::of_guest(worker, event)))
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audience").field(&self.0.is_some()).finish()
    }
}
