//! Workers with their queues: the engine of a run.
//!
//! ```text
//!  reader ──▶ queue ──▶ workers ──▶ outcomes ──▶ delivery ──▶ sink, or iterator
//!  (thread)  (window)  (threads)   (channel)    (this thread)
//! ```
//!
//! A pool starts its workers when it is built and keeps them until it is closed or dropped:
//! several runs can follow one another, and the workers keep their state between them. Each
//! run has a queue, a channel and a reader of its own.

mod builder;
mod delivery;
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
pub use self::delivery::Ended;
pub use self::error::BuildError;
pub use self::jobs::Jobs;
pub use self::results::{Record, Results};
pub use self::spec::WorkerSpec;

use self::delivery::{Account, Delivery};
use self::reader::{Launch, Reader, Reading};
use self::writer::deliver;
use crate::collector::policy::{ErrorPolicy, MaxFaults};
use crate::collector::{Collector, Order};
use crate::control::cancel::Cancel;
use crate::control::schedule::Schedule;
use crate::control::stop::StopFlag;
use crate::control::watchdog::Ticks;
use crate::event::Audience;
use crate::executor::Open;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::outcome::RecordRule;
use crate::plugin::Plugin;
use crate::queue::{Queue, Window};
use crate::run::error::Error;
use crate::run::ticket::{Mailbox, Ticket, mailbox};
use crate::run::{Plan, Run};
use crate::sandbox::confinement::Confinement;
use crate::sandbox::meter::PoolMemory;
use crate::sink::Sink;
use crate::source::{Items, Source};
use crate::stats::Progress;
use crate::worker::pace::ChunkSize;
use crate::worker::renewal::Renewal;
use crate::worker::{Worker, WorkerReport};

/// Workers, each with its own instance of a plugin.
///
/// They start when the pool is built, and stay: several runs can follow one another, and what a
/// plugin keeps, it keeps from run to run. [`close`](Self::close) lets the plugins finish; a pool
/// that is dropped gives up what they do.
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
    workers: Vec<Running>,
    cancel: Cancel,
    memory: Arc<PoolMemory>,
}

/// A worker's thread.
struct Running {
    index: WorkerIndex,
    thread: JoinHandle<()>,
    /// Gets the worker's report at its end.
    report: Receiver<WorkerReport>,
}

/// How the runs of a pool are done.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) order: Order,
    pub(crate) policy: ErrorPolicy,
    pub(crate) max_faults: MaxFaults,
    pub(crate) window: Window,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) renewal: Renewal,
    /// How long the end may take.
    pub(crate) join_timeout: Option<Duration>,
    pub(crate) results: Option<Format>,
    pub(crate) stop: StopFlag,
    pub(crate) audience: Audience,
    /// Returns whether some guest has to be done in time.
    pub(crate) has_deadlines: bool,
    /// The files that the threads of workers may open, where that is bounded.
    confinement: Option<Arc<Confinement>>,
}

impl Pool {
    /// How long a worker may take to notice that it is to end: some ticks of the watchdog, or
    /// the longest instruction there is (to fill all memory that an instance may have).
    const GRACE: Duration = Duration::from_secs(1);

    /// Begins to describe a pool of workers that are alike: each runs `plugin`.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let pool = Pool::builder(&plugin).jobs("2".parse()?).build()?;
    /// assert_eq!(pool.workers(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(plugin: &Plugin) -> PoolBuilder {
        PoolBuilder::alike(plugin)
    }

    /// Begins to describe a pool of workers that differ: one for each of `workers`. Their
    /// plugins must have been loaded with one [`Engine`](crate::Engine).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, WorkerSpec};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/init.wat")?;
    /// let slow = WorkerSpec::plugin(&plugin).init("large model");
    /// let quick = WorkerSpec::plugin(&plugin).init("small model");
    /// assert_eq!(Pool::of([slow, quick]).build()?.workers(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(workers: impl IntoIterator<Item = WorkerSpec>) -> PoolBuilder {
        PoolBuilder::listed(workers.into_iter().collect())
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
                renewal: pool.settings.renewal,
                ticks: ticks.clone(),
                audience: pool.settings.audience.clone(),
                live: Arc::clone(&live),
                cancel: pool.cancel.clone(),
            };
            let (mailbox, tickets) = mailbox();
            let (ends, report) = bounded(1);
            let confinement = pool.settings.confinement.clone();
            let reads_schedule = pool.settings.has_deadlines && confinement.is_some();
            let serve = move || {
                if reads_schedule {
                    // Before it can open no such file any more.
                    let _ = Schedule::of_this_thread();
                }
                let confined = confinement.map_or(Ok(()), |confinement| confinement.enter());
                if let Err(error) = confined {
                    tracing::debug!(%index, %error, "a worker's thread is not confined");
                }
                // When nobody waits for the report any more, nobody misses it.
                let _ = ends.send(worker.serve(&tickets));
            };
            let thread = thread::Builder::new().name(format!("mtl-worker-{index}"));
            // When a thread is refused, dropping the pool ends those before it.
            let thread = thread.spawn(serve)?;
            pool.workers.push(Running { index, thread, report });
            pool.mailboxes.push(mailbox);
        }
        Ok(pool)
    }

    /// The same, whose plugins take their memory from `memory`.
    pub(crate) fn counting(mut self, memory: Arc<PoolMemory>) -> Self {
        self.memory = memory;
        self
    }

    /// How much memory the plugins of all workers have at this moment, in bytes: their memories and
    /// tables, as [`memory`](PoolBuilder::memory) limits them. What an instance has had is counted
    /// until it is gone. Of workers in processes it is counted only where there is a
    /// [`total_memory`](PoolBuilder::total_memory) for all.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/greedy.wat")?;
    /// // An item that begins with `g` grows its memory by 1 MiB.
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

    /// The number of workers.
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

    /// A view of how far the present run is, for another thread.
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

    /// Runs every item of `items` through the workers; gives the results lazily.
    ///
    /// Items are read on a thread of their own, no further ahead than the window. The length
    /// of `items` passes through: [`Results`] knows how many will come.
    ///
    /// ```
    /// # use mtl_host::{Engine, Jobs, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/counter.wat")?;
    /// // Its results are the numbers of its calls.
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
    /// When the operating system refuses the reader's thread, as [`std::thread::spawn`] does.
    pub fn map<I>(&mut self, items: I) -> Results<'_, I::IntoIter>
    where
        I: IntoIterator,
        I::IntoIter: Send + 'static,
        I::Item: AsRef<[u8]>,
    {
        let source = Items::new(items);
        let size = source.size().items;
        let delivery =
            self.begin(source, RecordRule::Any, &|thread, read| thread.spawn(read).map(Some));
        Results::new(delivery.expect("the system has a thread for the reader"), size)
    }

    /// As [`map`](Self::map), over items that may be borrowed: gives the results to `with`, and
    /// returns what that gives when the thread that reads has ended.
    ///
    /// An iterator that is blocked when `with` returns early is waited for.
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
    /// As [`map`](Self::map); and when `with` panics.
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
        let size = source.size().items;
        thread::scope(|scope| {
            let delivery = self.begin(source, RecordRule::Any, &|thread, read| {
                thread.spawn_scoped(scope, read).map(|_| None)
            });
            with(Results::new(delivery.expect("the system has a thread for the reader"), size))
        })
    }

    /// Runs every item of `source` through the workers and gives each outcome to `sink`, on
    /// this thread. Returns when all is written, or the run has ended for another reason.
    ///
    /// Items whose turn never came are counted, and written only where an item after them has
    /// been worked on. A run that goes to its end waits for every worker to start: one that
    /// cannot is an error, though others may have done all the work. The summary says how far they
    /// came.
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
    pub fn run(&mut self, source: impl Source + 'static, sink: &mut dyn Sink) -> Ended {
        let launch = |thread: thread::Builder, read: Reading<'static>| thread.spawn(read).map(Some);
        match self.begin(source, sink.rule(), &launch) {
            Ok(delivery) => deliver(delivery, sink),
            Err(error) => Ended::never_begun(error),
        }
    }

    fn begin<'source>(
        &mut self,
        source: impl Source + 'source,
        rule: RecordRule,
        launch: Launch<'_, 'source>,
    ) -> Result<Delivery, Error> {
        let Settings { order, policy, max_faults, window, results, .. } = self.settings;
        let workers = self.mailboxes.len();
        self.progress.begin(source.size());
        let (source_stop, cancel) = (source.stop_flag(), self.cancel.clone());
        let join_timeout = self.settings.join_timeout;
        let recalls = self.mailboxes.iter().map(Mailbox::recall).collect();
        let plan =
            Plan { order, policy, rule, results, source_stop, cancel, join_timeout, recalls };
        let run = Run::new(Queue::new(window, workers), self.progress.clone(), plan);
        // Room for each worker to hand over and go on, without another bound than the window.
        let (outbox, inbox) = bounded(workers * 4);
        for mailbox in &self.mailboxes {
            mailbox.put(Ticket { run: Arc::clone(&run), outbox: outbox.clone() });
        }
        drop(outbox);
        // Now that there is something to take back.
        self.settings.stop.on_set(&run);
        let reader = Reader::start(source, Arc::clone(&run), launch);
        let reader = reader.inspect_err(|_| run.stop())?;
        let (collector, account) = (Collector::new(order), Account::begin());
        let stop = self.settings.stop.clone();
        let (inbox, has_recalled, looked) = (Some(inbox), false, Instant::now());
        Ok(Delivery {
            run,
            reader,
            inbox,
            collector,
            max_faults,
            account,
            stop,
            has_recalled,
            looked,
        })
    }

    /// Ends every worker and waits for it: what is starting starts, an item that a plugin has is
    /// finished, and each plugin gives its closing report. With a
    /// [`join_timeout`](PoolBuilder::join_timeout), what takes longer is interrupted, and a worker
    /// that cannot be interrupted is left behind: its report says so.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/finish.wat")?;
    /// // Its closing report is its last item.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
    /// pool.map(["one", "last"]).try_collect::<Vec<_>>()?;
    /// let reports = pool.close();
    /// assert_eq!(reports[0].items, 2);
    /// assert_eq!(reports[0].closing, Ok(Some(b"last".to_vec())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When a worker's thread has panicked, which is a bug of this library.
    pub fn close(mut self) -> Vec<WorkerReport> {
        self.cancel.attempts();
        let end = self.settings.join_timeout.and_then(|timeout| self.cancel.end_in(timeout));
        self.mailboxes.clear();
        let until = end.and_then(|end| end.checked_add(Self::GRACE));
        let workers = std::mem::take(&mut self.workers);
        let reports = workers.into_iter().map(|worker| {
            let report = worker.join(until);
            report.tell(&self.settings.audience);
            report
        });
        reports.collect()
    }
}

impl Running {
    /// Waits for the worker's end, but not longer than until `until`.
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
            // The thread is left to itself.
            Err(RecvTimeoutError::Timeout) => WorkerReport::of_abandoned(self.index),
            Err(RecvTimeoutError::Disconnected) => {
                self.thread.join().expect("a worker does not panic");
                unreachable!("a worker that does not panic leaves its report")
            }
        }
    }
}

impl Drop for Pool {
    /// Ends every worker, in bounded time: an item that a plugin has is given up, nothing is
    /// reported. A native worker that does not return within a second is left behind, and ends
    /// when its call returns.
    fn drop(&mut self) {
        self.cancel.all();
        self.mailboxes.clear();
        let until = Instant::now() + Self::GRACE;
        for worker in self.workers.drain(..) {
            match worker.report.recv_deadline(until) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                    // A panic has been reported on its own thread.
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
