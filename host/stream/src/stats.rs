//! Counters: the progress of a run, and its results.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::item::fault::FaultKind;
use crate::outcome::Outcomes;
use crate::source::SizeHint;

/// The number of items by outcome.
///
/// ```
/// use mtl_host::{Engine, FaultKind, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let (_, _, ended) = pool.map(["good", "good", "#filtered out", "!bad"]).collect_all();
/// let counts = ended.summary.counts;
/// assert_eq!((counts.records(), counts.no_record()), (2, 1));
/// assert_eq!((counts.failed(), counts.not_run()), (1, 0));
/// assert_eq!(counts.faults_of(FaultKind::Refused), 1);
/// assert_eq!(counts.total(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    records: u64,
    no_record: u64,
    faults: [u64; FaultKind::ALL.len()],
}

impl Counts {
    /// Counts these outcomes.
    #[doc(hidden)]
    pub fn add(&mut self, outcomes: &Outcomes) {
        self.records += outcomes.with_record() as u64;
        self.no_record += outcomes.without_record() as u64;
        for fault in outcomes.faults() {
            self.faults[fault.kind() as usize] += 1;
        }
    }

    /// Returns the number of items that gave a record.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Returns the number of items that the plugin filtered out.
    #[must_use]
    pub fn no_record(&self) -> u64 {
        self.no_record
    }

    /// Returns the number of items that ended in a fault of this kind.
    #[must_use]
    pub fn faults_of(&self, kind: FaultKind) -> u64 {
        self.faults[kind as usize]
    }

    /// Returns the number of items that were tried and failed: all faults except `not-run`.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.faults.iter().sum::<u64>() - self.not_run()
    }

    /// Returns the number of items that were read and never run.
    #[must_use]
    pub fn not_run(&self) -> u64 {
        self.faults_of(FaultKind::NotRun)
    }

    /// Returns the number of all items that have an outcome.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.records + self.no_record + self.faults.iter().sum::<u64>()
    }
}

/// The result of a run, in numbers.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/misbehave.wat")?;
/// let mut pool = Pool::builder(&plugin).retries(1).build()?;
/// let (_, _, ended) = pool.map(["no trap", "trap"]).collect_all();
/// let summary = ended.into_result()?;
/// assert_eq!((summary.read, summary.counts.total(), summary.delivered), (2, 2, 2));
/// assert_eq!(summary.retried, 1);
/// assert!(!summary.stopped);
/// println!("{} items in {:?}", summary.read, summary.took);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of items that were read.
    pub read: u64,
    /// The number of items by outcome. The sum is `read`.
    pub counts: Counts,
    /// The number of finished items whose outcomes the sink wrote, or the iterator returned.
    pub delivered: u64,
    /// The number of finished items whose outcomes were not delivered. There are three possible causes:
    ///
    /// - an earlier item was not run or ended the run;
    /// - the caller wanted no more results;
    /// - the outcome could not be written.
    ///
    /// The sum of `delivered` and `undelivered` is the number of finished items.
    pub undelivered: u64,
    /// The number of retries of all items.
    pub retried: u64,
    /// The time from the start of the run to its end.
    pub took: Duration,
    /// Is `true` if the run was stopped on request.
    pub stopped: bool,
}

impl Summary {
    /// Returns the number of items that workers finished, with any outcome. It is the number of items that were read
    /// minus the number of items that were not run.
    ///
    /// ```
    /// use mtl_host::{Engine, Plugin, Pool};
    ///
    /// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let mut results = pool.map(["good", "!bad", "good"]);
    /// results.next();
    /// let summary = results.end().summary;
    /// assert_eq!(summary.done(), summary.delivered + summary.undelivered);
    /// assert_eq!(summary.done() + summary.counts.not_run(), summary.read);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn done(&self) -> u64 {
        self.counts.total() - self.counts.not_run()
    }
}

/// The progress of a run, for other threads to read.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let progress = pool.progress();
/// pool.map(["good", "!bad", "good"]).collect_all().2.into_result()?;
/// let done = std::thread::spawn(move || progress.snapshot()).join().unwrap();
/// assert_eq!((done.done, done.failed), (3, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    done: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    /// The number of items plus one, or 0 while the number is unknown.
    total: AtomicU64,
    /// The number of bytes plus one, or 0 while the number is unknown.
    total_bytes: AtomicU64,
}

/// The progress of a run at one moment.
///
/// ```
/// use mtl_host::sink::Memory;
/// use mtl_host::source::{Inputs, Lines};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let lines = Lines::new(Inputs::from_reader("memory", &b"good\n!bad\n"[..]));
/// pool.run(lines, &mut Memory::new()).into_result()?;
/// let now = pool.progress().snapshot();
/// assert_eq!((now.done, now.failed, now.bytes), (2, 1, 10));
/// assert_eq!((now.total, now.total_bytes), (Some(2), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgressSnapshot {
    /// The number of items whose outcomes were delivered.
    pub done: u64,
    /// The number of items among `done` that failed.
    pub failed: u64,
    /// The number of input bytes that the items of `done` took.
    pub bytes: u64,
    /// The total number of items, once it is known.
    pub total: Option<u64>,
    /// The total number of input bytes, if it is known.
    pub total_bytes: Option<u64>,
}

impl Progress {
    /// Returns the current state.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let progress = pool.progress();
    /// let mut results = pool.map(["one", "two"]);
    /// assert_eq!(progress.snapshot().total, Some(2));
    /// results.try_for_each(|result| result.map(drop))?;
    /// assert_eq!(progress.snapshot().done, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> ProgressSnapshot {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        ProgressSnapshot {
            done: read(&self.0.done),
            failed: read(&self.0.failed),
            bytes: read(&self.0.bytes),
            total: read(&self.0.total).checked_sub(1),
            total_bytes: read(&self.0.total_bytes).checked_sub(1),
        }
    }

    /// Starts the counters of a run over an input of this size.
    #[doc(hidden)]
    pub fn begin(&self, size: SizeHint) {
        for number in [&self.0.done, &self.0.failed, &self.0.bytes] {
            number.store(0, Ordering::Relaxed);
        }
        let (least, most) = size.items;
        let items =
            most.filter(|most| *most == least).map_or(0, |items| (items as u64).saturating_add(1));
        self.0.total.store(items, Ordering::Relaxed);
        self.0
            .total_bytes
            .store(size.bytes.map_or(0, |bytes| bytes.saturating_add(1)), Ordering::Relaxed);
    }

    /// Sets the total number of items, when the input has ended.
    #[doc(hidden)]
    pub fn set_total(&self, items: u64) {
        self.0.total.store(items + 1, Ordering::Relaxed);
    }

    /// Adds finished items, the number of failed items among them, and their input bytes.
    #[doc(hidden)]
    pub fn advance(&self, items: u64, failed: u64, bytes: u64) {
        self.0.done.fetch_add(items, Ordering::Relaxed);
        self.0.failed.fetch_add(failed, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
