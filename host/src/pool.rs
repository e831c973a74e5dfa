//! Pools: workers that serve one run after another.
//!
//! ```text
//!  reader ──▶ queue ──▶ workers ──▶ outcomes ──▶ consumer ──▶ sink, or iterator
//!  (thread)  (window)  (threads)   (channel)    (this thread)
//! ```
//!
//! The workers start when the pool is built, and run until the pool is closed or dropped. Several
//! runs can follow one another, and each plugin keeps its state between runs. Each run has its own
//! queue, channel and reader thread.

mod builder;
mod consumer;
mod error;
mod jobs;
mod reader;
mod results;
mod spec;
mod worker_settings;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

pub use self::builder::{Init, PoolBuilder, PreparedPool};
pub use self::consumer::RunResult;
pub use self::error::BuildError;
pub use self::jobs::Jobs;
pub use self::results::{Record, Results};
pub use self::spec::WorkerSpec;

use self::consumer::{Consumer, Tally};
use self::reader::{Reader, ReaderTask, SpawnReader};
use self::writer::deliver;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::collector::{Collector, Order};
use crate::control::cancel::Cancel;
use crate::control::sched_stat::SchedStat;
use crate::control::stop::StopFlag;
use crate::control::watchdog::Ticks;
use crate::event::Observers;
use crate::executor::Open;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::outcome::RecordRule;
use crate::plugin::Plugin;
use crate::queue::{Queue, Window};
use crate::run::error::Error;
use crate::run::ticket::{Mailbox, Ticket, mailbox};
use crate::run::{Run, RunSettings};
use crate::sandbox::confinement::Confinement;
use crate::sandbox::meter::PoolMemory;
use crate::sink::Sink;
use crate::source::{Items, Source};
use crate::stats::Progress;
use crate::worker::chunk_sizer::ChunkSize;
use crate::worker::restart_policy::RestartPolicy;
use crate::worker::{Worker, WorkerReport};

/// A pool of workers, each with its own instance of a plugin.
///
/// The workers start when the pool is built. Several runs can follow one another, and each plugin
/// keeps its state between runs. [`close`](Self::close) lets the plugins finish; dropping a pool
/// interrupts them.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let upper: Vec<_> = pool.map(["one", "two"]).collect::<Result<_, _>>()?;
/// assert_eq!(upper[1].bytes(), Some(&b"TWO"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pool {
    settings: Settings,
    progress: Progress,
    mailboxes: Vec<Mailbox>,
    workers: Vec<WorkerThread>,
    cancel: Cancel,
    memory: Arc<PoolMemory>,
}

/// A worker's thread.
struct WorkerThread {
    index: WorkerIndex,
    thread: JoinHandle<()>,
    /// The channel on which the worker sends its report when it ends.
    report: Receiver<WorkerReport>,
}

/// The settings of a pool that its runs and workers need.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) order: Order,
    pub(crate) policy: ErrorPolicy,
    pub(crate) max_faults: MaxFaults,
    pub(crate) window: Window,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) restart_policy: RestartPolicy,
    /// The longest time that the end of a run or of the pool may take.
    pub(crate) join_timeout: Option<Duration>,
    pub(crate) results: Option<Format>,
    pub(crate) stop: StopFlag,
    pub(crate) observers: Observers,
    /// True if some guest has a timeout.
    pub(crate) has_deadlines: bool,
    /// The files that the workers' threads may open, if the threads are confined.
    confinement: Option<Arc<Confinement>>,
}

impl Pool {
    /// The time that the pool gives a worker to notice that it must end. It is enough for some
    /// ticks of the watchdog, or for the longest single instruction, which fills the whole memory
    /// of an instance.
    const GRACE: Duration = Duration::from_secs(1);

    /// Returns the builder of a pool whose workers all run `plugin`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let pool = Pool::builder(&plugin).jobs("2".parse()?).build()?;
    /// assert_eq!(pool.workers(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(plugin: &Plugin) -> PoolBuilder {
        PoolBuilder::with_identical(plugin)
    }

    /// Returns the builder of a pool with the given workers, which may differ.
    ///
    /// All plugins of the pool must have been loaded with the same [`Engine`](crate::Engine).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let slow = WorkerSpec::plugin(&plugin).init("large model");
    /// let quick = WorkerSpec::plugin(&plugin).init("small model");
    /// assert_eq!(Pool::builder_from_workers([slow, quick]).build()?.workers(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder_from_workers(workers: impl IntoIterator<Item = WorkerSpec>) -> PoolBuilder {
        PoolBuilder::with_list(workers.into_iter().collect())
    }

    /// Starts a worker for each of `opens`.
    pub(crate) fn start(
        opens: Vec<Open>,
        settings: Settings,
        ticks: &Ticks,
        cancel: Cancel,
    ) -> Result<Self, std::io::Error> {
        let live = Arc::new(AtomicUsize::new(opens.len()));
        let progress = Progress::default();
        let (mailboxes, workers) = (Vec::new(), Vec::new());
        let memory = Arc::default();
        let mut pool = Self { settings, progress, mailboxes, workers, cancel, memory };
        for (number, open) in (0..).zip(opens) {
            let index = WorkerIndex::new(number);
            let worker = Worker {
                index,
                open,
                chunk_size: pool.settings.chunk_size,
                restart_policy: pool.settings.restart_policy,
                ticks: ticks.clone(),
                observers: pool.settings.observers.clone(),
                live: Arc::clone(&live),
                cancel: pool.cancel.clone(),
            };
            let (mailbox, tickets) = mailbox();
            let (ends, report) = bounded(1);
            let confinement = pool.settings.confinement.clone();
            let reads_schedule = pool.settings.has_deadlines && confinement.is_some();
            let serve = move || {
                if reads_schedule {
                    // A confined thread cannot open its `schedstat` file, so the thread opens the
                    // file now.
                    let _ = SchedStat::of_this_thread();
                }
                let confined = confinement.map_or(Ok(()), |confinement| confinement.enter());
                if let Err(error) = confined {
                    tracing::debug!(%index, %error, "a worker's thread is not confined");
                }
                // The send fails only if the pool no longer waits for the report.
                let _ = ends.send(worker.serve(&tickets));
            };
            let thread = thread::Builder::new().name(format!("mtl-worker-{index}"));
            // If the system refuses a thread, dropping the pool ends the threads started before it.
            let thread = thread.spawn(serve)?;
            pool.workers.push(WorkerThread { index, thread, report });
            pool.mailboxes.push(mailbox);
        }
        Ok(pool)
    }

    /// Returns the pool, with `memory` as the account of its plugins' memory.
    pub(crate) fn counting(mut self, memory: Arc<PoolMemory>) -> Self {
        self.memory = memory;
        self
    }

    /// Returns the memory that the plugins of all workers use now, in bytes.
    ///
    /// The number includes linear memories and tables, which [`memory`](PoolBuilder::memory)
    /// limits. The memory of an instance is included until the instance is dropped. Workers in
    /// processes are included only if the pool has a [`total_memory`](PoolBuilder::total_memory)
    /// limit.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/greedy.wat")?;
    /// // An item that begins with `g` makes the plugin grow its memory by 1 MiB.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
    /// pool.map(["one"]).try_collect::<Vec<_>>()?;
    /// let before = pool.memory_in_use();
    /// pool.map(["grow", "grow"]).try_collect::<Vec<_>>()?;
    /// assert_eq!(pool.memory_in_use(), before + (2 << 20));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn memory_in_use(&self) -> usize {
        self.memory.used()
    }

    /// Returns the number of workers.
    ///
    /// ```
    /// # use mtl_host::{Engine, Init, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let each = Init::Each(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    /// assert_eq!(Pool::builder(&plugin).init(each).build()?.workers(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Returns a handle with which another thread can read the progress of the current run.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let progress = pool.progress();
    /// pool.map(["one", "two"]).try_collect::<Vec<_>>()?;
    /// assert_eq!(progress.snapshot().done, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs every item of `items` through the workers, and returns the results lazily.
    ///
    /// A separate thread reads the items. The [`window`](PoolBuilder::window) limits how far this
    /// thread reads ahead. If `items` knows its length, [`Results`] knows the number of results.
    ///
    /// ```
    /// # use mtl_host::{Engine, Jobs, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/counter.wat")?;
    /// // The plugin returns the number of its calls so far.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
    /// for numbers in [["01", "02"], ["03", "04"]] {
    ///     for (result, number) in pool.map(["item", "item"]).zip(numbers) {
    ///         assert_eq!(result?.bytes(), Some(number.as_bytes()));
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the operating system refuses the reader's thread, as [`std::thread::spawn`] does.
    pub fn map<I>(&mut self, items: I) -> Results<'_, I::IntoIter>
    where
        I: IntoIterator,
        I::IntoIter: Send + 'static,
        I::Item: AsRef<[u8]>,
    {
        let source = Items::new(items);
        let size = source.size_hint().items;
        let consumer =
            self.begin(source, RecordRule::Any, &|thread, read| thread.spawn(read).map(Some));
        Results::new(consumer.expect("the system starts the reader's thread"), size)
    }

    /// Runs items through the workers as [`map`](Self::map) does, but the items may be borrowed.
    ///
    /// The method passes the results to `with`, waits until the reader's thread has ended, and
    /// returns the value of `with`. If `with` returns early while `items` blocks the reader's
    /// thread, the method waits for `items`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let text = String::from("one two three");
    /// let words = pool.map_scoped(text.split(' '), |results| results.count());
    /// assert_eq!(words, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics as [`map`](Self::map) does, and if `with` panics.
    pub fn map_scoped<I, R>(
        &mut self,
        items: I,
        with: impl FnOnce(Results<'_, I::IntoIter>) -> R,
    ) -> R
    where
        I: IntoIterator,
        I::IntoIter: Send,
        I::Item: AsRef<[u8]>,
    {
        let source = Items::new(items);
        let size = source.size_hint().items;
        thread::scope(|scope| {
            let consumer = self.begin(source, RecordRule::Any, &|thread, read| {
                thread.spawn_scoped(scope, read).map(|_| None)
            });
            with(Results::new(consumer.expect("the system starts the reader's thread"), size))
        })
    }

    /// Runs every item of `source` through the workers, and gives each outcome to `sink` on this
    /// thread.
    ///
    /// The method returns when the sink has all outcomes, or when the run has ended early. If the
    /// run ends early, the summary contains the number of items that were not run. The sink
    /// receives the outcome of an item that was not run only if a later item was run.
    ///
    /// A run that does not end early waits until every worker has started. If a worker cannot
    /// start, the run has an error, even if the other workers have run all items. The summary
    /// includes the items of the other workers.
    ///
    /// ```
    /// use mtl_host::sink::{self, Output};
    /// use mtl_host::source::{self, Inputs};
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let (input, mut output) = (&b"one\ntwo\n"[..], Vec::new());
    /// let source = source::Lines::new(Inputs::from_reader("memory", input));
    /// let mut sink = sink::Lines::new(Output::to("memory", &mut output));
    ///
    /// let summary = Pool::builder(&plugin).build()?.run(source, &mut sink).into_result()?;
    /// assert_eq!(summary.counts.records(), 2);
    /// drop(sink);
    /// assert_eq!(output, b"ONE\nTWO\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(&mut self, source: impl Source + 'static, sink: &mut dyn Sink) -> RunResult {
        let spawn =
            |thread: thread::Builder, read: ReaderTask<'static>| thread.spawn(read).map(Some);
        match self.begin(source, sink.rule(), &spawn) {
            Ok(consumer) => deliver(consumer, sink),
            Err(error) => RunResult::not_started(error),
        }
    }

    fn begin<'source>(
        &mut self,
        source: impl Source + 'source,
        rule: RecordRule,
        spawn: SpawnReader<'_, 'source>,
    ) -> Result<Consumer, Error> {
        let Settings { order, policy, max_faults, window, results, .. } = self.settings;
        let workers = self.mailboxes.len();
        self.progress.begin(source.size_hint());
        let (source_stop, cancel) = (source.stop_flag(), self.cancel.clone());
        let join_timeout = self.settings.join_timeout;
        let recalls = self.mailboxes.iter().map(Mailbox::recall).collect();
        let run_settings = RunSettings {
            order,
            policy,
            rule,
            results,
            source_stop,
            cancel,
            join_timeout,
            recalls,
        };
        let run = Run::new(Queue::new(window, workers), self.progress.clone(), run_settings);
        // The channel has room for the outcomes of each worker, so that a worker can send its
        // outcomes and continue without a wait. Only the window limits the number of outcomes.
        let (outbox, inbox) = bounded(workers * 4);
        for mailbox in &self.mailboxes {
            mailbox.put(Ticket { run: Arc::clone(&run), outbox: outbox.clone() });
        }
        drop(outbox);
        // This must come after the tickets were put: a stop takes back the tickets in the mailboxes.
        self.settings.stop.on_set(&run);
        let reader = Reader::start(source, Arc::clone(&run), spawn);
        let reader = reader.inspect_err(|_| run.stop())?;
        let (collector, tally) = (Collector::new(order), Tally::begin());
        let stop = self.settings.stop.clone();
        let (inbox, has_recalled, last_fetch) = (Some(inbox), false, Instant::now());
        Ok(Consumer {
            run,
            reader,
            inbox,
            collector,
            max_faults,
            tally,
            stop,
            has_recalled,
            last_fetch,
        })
    }

    /// Ends all workers, and returns their reports.
    ///
    /// A worker that is starting finishes its start. A plugin finishes its current item, and then
    /// returns its finish report. If a [`join_timeout`](PoolBuilder::join_timeout) is set, the pool
    /// interrupts a plugin that takes longer. If a worker cannot be interrupted, the pool leaves
    /// the worker's thread behind, and the worker's report says so.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/finish.wat")?;
    /// // The plugin returns its last item as its finish report.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
    /// pool.map(["one", "last"]).try_collect::<Vec<_>>()?;
    /// let reports = pool.close();
    /// assert_eq!(reports[0].items, 2);
    /// assert_eq!(reports[0].finish_report, Ok(Some(b"last".to_vec())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a worker's thread has panicked, which is a bug of this library.
    pub fn close(mut self) -> Vec<WorkerReport> {
        self.cancel.cancel_retries();
        let end = self.settings.join_timeout.and_then(|timeout| self.cancel.end_in(timeout));
        self.mailboxes.clear();
        let until = end.and_then(|end| end.checked_add(Self::GRACE));
        let workers = std::mem::take(&mut self.workers);
        let reports = workers.into_iter().map(|worker| {
            let report = worker.join(until);
            report.notify_observers(&self.settings.observers);
            report
        });
        reports.collect()
    }
}

impl WorkerThread {
    /// Waits until the worker has ended, at the longest until `until`.
    fn join(self, until: Option<Instant>) -> WorkerReport {
        let report = match until {
            Some(until) => self.report.recv_deadline(until),
            None => self.report.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match report {
            Ok(report) => {
                self.thread.join().expect("a worker does not panic");
                report
            }
            // The pool leaves the thread behind.
            Err(RecvTimeoutError::Timeout) => WorkerReport::of_abandoned(self.index),
            Err(RecvTimeoutError::Disconnected) => {
                self.thread.join().expect("a worker does not panic");
                unreachable!("a worker that does not panic sends its report")
            }
        }
    }
}

impl Drop for Pool {
    /// Ends all workers in bounded time. The pool interrupts the current items, and the plugins
    /// give no finish reports. If a native worker does not return within a second, the pool leaves
    /// the worker's thread behind. That thread ends when the call of the worker returns.
    fn drop(&mut self) {
        self.cancel.cancel_all();
        self.mailboxes.clear();
        let until = Instant::now() + Self::GRACE;
        for worker in self.workers.drain(..) {
            match worker.report.recv_deadline(until) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                    // The panic hook has reported a panic on the worker's own thread.
                    let _ = worker.thread.join();
                }
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
