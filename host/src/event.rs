//! Events of a run other than its results, and the observers that receive them.

pub(crate) mod snapshot_refusal;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use self::snapshot_refusal::SnapshotRefusal;
pub use crate::sandbox::guest_event::{Denial, GuestStream, LogLevel};
#[doc(hidden)]
pub use crate::sandbox::guest_output::{RateLimiter, cost, is_plain};

use crate::executor::retirement::Retirement;
use crate::item::format::Format;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::instance_failure::InstanceFailure;
use crate::sandbox::guest_event::{GuestEvent, GuestSink};

/// An event of a run, other than its results.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::event::{Event, Observer};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Story(Mutex<Vec<String>>);
///
/// impl Observer for Story {
///     fn notify(&self, event: &Event<'_>) {
///         let line = match event {
///             Event::WorkerReady { worker, .. } => format!("worker {worker} is ready"),
///             Event::InstanceFailed { reason, .. } => format!("its instance failed: {}", reason.kind),
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
/// let lines = story.0.lock().unwrap();
/// assert_eq!(lines[0], "worker 0 is ready");
/// assert_eq!(lines[1], "its instance failed: trap");
/// assert!(lines.contains(&"item 0, again: 1".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A worker has started, and takes items.
    WorkerReady {
        /// The worker.
        worker: WorkerIndex,
        /// The time that the start took.
        took: Duration,
    },
    /// The kernel lacks a feature of the jail around a worker's process.
    JailIncomplete {
        /// The worker.
        worker: WorkerIndex,
        /// The missing feature.
        missing: &'a str,
    },
    /// The kernel does not report the run delay (schedstat): the time for which a worker's thread waits for a core. The
    /// time limit of an item therefore includes the run delay. The event occurs if items have a time limit and the pool
    /// has more workers than cores.
    RunDelayUnknown {
        /// The number of workers.
        workers: usize,
        /// The number of cores that this process may use.
        cores: usize,
    },
    /// A plugin was initialised, and the host took its snapshot. With a snapshot cache, this may have happened in an
    /// earlier run. All identical workers start from the snapshot.
    SnapshotTaken {
        /// The worker that took or loaded the snapshot.
        worker: WorkerIndex,
        /// The plugin.
        plugin: &'a Path,
        /// The time until other workers could start: for `init` and the snapshot, or for loading a cached snapshot.
        took: Duration,
        /// The size of the snapshot in bytes: memory and code.
        bytes: u64,
        /// True if `init` has drawn random bytes, which are now the same for all workers.
        has_random: bool,
    },
    /// The plugin cannot have a snapshot, so each worker is initialised on its own.
    SnapshotRefused {
        /// The worker that tried to take the snapshot.
        worker: WorkerIndex,
        /// The plugin.
        plugin: &'a Path,
        /// The reason.
        reason: &'a SnapshotRefusal,
    },
    /// An instance of a worker failed. The worker replaces it with a fresh one.
    InstanceFailed {
        /// The worker.
        worker: WorkerIndex,
        /// The number of items that the instance had worked on. Its state is lost.
        items: u64,
        /// The failure. The current item has it as its fault, unless the item is tried again.
        reason: &'a InstanceFailure,
    },
    /// A failed item is tried again on a fresh instance.
    Retry {
        /// The worker.
        worker: WorkerIndex,
        /// The item.
        item: ItemIndex,
        /// The number of the retry, from 1.
        attempt: u32,
        /// The failure of the previous attempt.
        reason: &'a InstanceFailure,
    },
    /// An instance that gives a finish report has ended. Its pool was closed, it was replaced, or it failed.
    Finished {
        /// The worker.
        worker: WorkerIndex,
        /// The number of items that the instance had worked on.
        items: u64,
        /// The finish report, or the reason why it is missing.
        report: FinishReport<'a>,
    },
    /// A worker takes no more items, because it could not be started again or failed too often.
    WorkerRetired {
        /// The worker.
        worker: WorkerIndex,
        /// The reason.
        reason: &'a Retirement,
    },
    /// The sandbox denied a request of a plugin, because no grant covers the request. The plugin's call failed, and the
    /// plugin may continue. Identical denials are reported once. Each run reports a limited number of denials.
    Denied {
        /// The worker.
        worker: WorkerIndex,
        /// The request that was denied.
        denial: &'a Denial,
    },
    /// A plugin wrote a line to its standard output or its standard error.
    Output {
        /// The worker.
        worker: WorkerIndex,
        /// The stream that the plugin wrote to.
        stream: GuestStream,
        /// The line, without its line end.
        line: &'a str,
    },
    /// A plugin wrote more in a second than its limit allows, so some of its lines and messages were dropped.
    OutputDropped {
        /// The worker.
        worker: WorkerIndex,
        /// The number of dropped lines and messages.
        lines: u64,
        /// The number of dropped bytes.
        bytes: u64,
    },
    /// A plugin logged a message.
    Log {
        /// The worker.
        worker: WorkerIndex,
        /// The severity of the message.
        level: LogLevel,
        /// The message.
        message: &'a str,
    },
}

impl<'a> Event<'a> {
    /// Returns the event of a worker for an event of its guest.
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
    /// Passes the event to `tracing`.
    fn trace(&self) {
        match *self {
            Self::WorkerReady { worker, took } => {
                tracing::debug!(worker = worker.get(), ?took, "the worker is ready");
            }
            Self::JailIncomplete { worker, missing: lacks } => {
                tracing::warn!(
                    worker = worker.get(),
                    lacks,
                    "the worker's jail lacks a feature of the kernel"
                );
            }
            Self::RunDelayUnknown { workers, cores } => {
                tracing::warn!(
                    workers,
                    cores,
                    "the time that a worker waits for a core counts as time of its item"
                );
            }
            Self::SnapshotTaken { worker, plugin, took, bytes, has_random } => {
                let (worker, plugin) = (worker.get(), plugin.display());
                tracing::debug!(worker, %plugin, ?took, bytes, has_random, "a snapshot is taken");
            }
            Self::SnapshotRefused { worker, plugin, reason: why } => {
                let (worker, plugin) = (worker.get(), plugin.display());
                tracing::warn!(worker, %plugin, %why, "no snapshot was taken");
            }
            Self::InstanceFailed { worker, items, reason: why } => {
                tracing::warn!(worker = worker.get(), items, %why, "the instance failed");
            }
            Self::WorkerRetired { worker, reason: why } => {
                tracing::warn!(worker = worker.get(), %why, "the worker is retired");
            }
            Self::Retry { worker, item, attempt, reason: why } => {
                let (worker, item) = (worker.get(), item.get());
                tracing::info!(worker, item, attempt, %why, "the item is tried again");
            }
            Self::Finished { worker, items, .. } => {
                tracing::debug!(worker = worker.get(), items, "an instance has ended");
            }
            Self::Denied { worker, denial } => {
                tracing::warn!(worker = worker.get(), %denial, "the sandbox denied a request of the plugin");
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
                    LogLevel::Trace => tracing::trace!(worker, "{message}"),
                    LogLevel::Debug => tracing::debug!(worker, "{message}"),
                    LogLevel::Info => tracing::info!(worker, "{message}"),
                    LogLevel::Warn => tracing::warn!(worker, "{message}"),
                    LogLevel::Error => tracing::error!(worker, "{message}"),
                }
            }
        }
    }
}

/// The finish report of an instance that has ended.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::event::{Event, FinishReport, Observer};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Reports(Mutex<Vec<String>>);
///
/// impl Observer for Reports {
///     fn notify(&self, event: &Event<'_>) {
///         if let Event::Finished { report, items, .. } = event {
///             let text = match report {
///                 FinishReport::Report { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
///                 FinishReport::Failed(why) => format!("failed, {why}"),
///                 FinishReport::Lost(why) => format!("lost, {why}"),
///             };
///             self.0.lock().unwrap().push(format!("after {items}: {text}"));
///         }
///     }
/// }
///
/// // The plugin returns its last item as its finish report.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/finish.wat")?;
/// let reports = Arc::new(Reports::default());
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).observer(reports.clone()).build()?;
/// pool.map(["first", "last"]).try_collect::<Vec<_>>()?;
/// pool.close();
/// assert_eq!(*reports.0.lock().unwrap(), ["after 2: last"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum FinishReport<'a> {
    /// The instance returned a report.
    Report {
        /// The bytes of the report.
        bytes: &'a [u8],
        /// The format that the plugin declares for its results.
        format: Format,
    },
    /// The instance failed while it finished.
    Failed(&'a InstanceFailure),
    /// The instance failed on an item, so its report is lost.
    Lost(&'a InstanceFailure),
}

/// An observer of events. It receives each event immediately, on the thread where the event happens. This may be any
/// thread.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use mtl_host::event::{Event, Observer};
/// use mtl_host::{Engine, Plugin, Pool};
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
    /// Receives one event. The worker waits until this returns.
    fn notify(&self, event: &Event<'_>);
}

/// The observer of a pool, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Observers(Option<Arc<dyn Observer>>);

impl Observers {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Notifies the observer of an event, and traces the event. Ignores a panic of the observer, because the panic must
    /// not make an item of the worker fail.
    pub(crate) fn notify(&self, event: &Event<'_>) {
        event.trace();
        if let Some(observer) = &self.0 {
            let notified = catch_unwind(AssertUnwindSafe(|| observer.notify(event)));
            drop(notified);
        }
    }
}

impl Observers {
    /// Returns a sink that passes events of a worker's guests to the observer.
    pub(crate) fn of_guests(&self, worker: WorkerIndex) -> GuestSink {
        let observers = self.clone();
        GuestSink::new(move |event| observers.notify(&Event::of_guest(worker, event)))
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.is_some()).finish()
    }
}
