//! The results of a run, as an iterator.

use std::marker::PhantomData;

use crate::item::fault::{Fault, FaultKind};
use crate::item::index::ItemIndex;
use crate::outcome::{Cursor, Outcome, Outcomes};
use crate::pool::Pool;
use crate::pool::consumer::{Consumer, RunResult};
use crate::run::error::Error;

/// The result of a plugin for one item.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// // The plugin filters out items that begin with `#`.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let records: Vec<_> = pool.map(["one", "# two"]).try_collect()?;
/// let [one, two] = records.try_into().unwrap();
/// assert_eq!(two.index().get(), 1);
/// assert_eq!(two.bytes(), None);
/// assert_eq!(one.into_bytes(), Some(b"one".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    index: ItemIndex,
    bytes: Option<Vec<u8>>,
}

impl Record {
    /// Returns the position of the item in the input, counted from 0.
    #[must_use]
    pub fn index(&self) -> ItemIndex {
        self.index
    }

    /// Returns the bytes of the record, or `None` if the plugin filtered the item out.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// Returns the bytes of the record by value, or `None` if the plugin filtered the item out.
    #[must_use]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        self.bytes
    }
}

/// The results of [`Pool::map`]: a lazy iterator with one result for each item that is read.
///
/// If the run ends early, the result of each item that was read but not run is a fault of kind
/// [`NotRun`](crate::FaultKind::NotRun). If an error ended the run, the iterator returns one more
/// fault of this kind as its last result. The message of the last fault is the error;
/// [`end`](Self::end) returns the error itself. If the run does not end early, the number of
/// results equals the length of the input.
///
/// Dropping the iterator early ends the run; the pool and its workers remain usable.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let mut results = pool.map(["good", "!bad", "good"]);
/// assert_eq!(results.len(), 3);
/// assert!(results.next().unwrap().is_ok());
/// assert_eq!(results.next().unwrap().unwrap_err().message(), "!bad");
/// drop(results);
/// assert_eq!(pool.map(["next"]).count(), 1, "the pool remains usable");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "results are lazy: items are read while results are taken"]
pub struct Results<'pool, I> {
    consumer: Consumer,
    current: Option<(Outcomes, Cursor)>,
    /// The number of results still to come, as in `size_hint`.
    left: (usize, Option<usize>),
    /// True if all results have come out, except for the error that ended the run.
    has_ended: bool,
    source: PhantomData<fn() -> I>,
    pool: PhantomData<&'pool mut Pool>,
}

impl<I> Results<'_, I> {
    pub(super) fn new(consumer: Consumer, (least, most): (usize, Option<usize>)) -> Self {
        // If the run of an endless input is stopped, the run yields fewer results than the lower
        // bound of the input's size.
        let least = if most.is_some() { least } else { 0 };
        Self {
            consumer,
            current: None,
            left: (least, most),
            has_ended: false,
            source: PhantomData,
            pool: PhantomData,
        }
    }

    /// Collects all records, in the order in which the iterator returns them.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool, Record};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let records: Vec<Record> = pool.map(["one", "two"]).try_collect()?;
    /// assert_eq!(records[1].bytes(), Some(&b"TWO"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with the error that ended the run. If an item fails, the method stops the run and
    /// fails with the item's fault, whatever the [`on_error`](crate::PoolBuilder::on_error) policy
    /// of the pool is.
    pub fn try_collect<C: FromIterator<Record>>(mut self) -> Result<C, Error> {
        let collected: Result<C, Fault> = self.by_ref().collect();
        let ended = self.end();
        match (collected, ended.error) {
            (_, Some(error)) => Err(error),
            (Err(fault), None) => Err(Error::ItemFailed(fault)),
            (Ok(records), None) => Ok(records),
        }
    }

    /// Collects all results: the records, the faults, and the end of the run.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let (records, faults, ended) = pool.map(["good", "!bad"]).collect_all();
    /// assert_eq!((records.len(), faults.len()), (1, 1));
    /// assert!(ended.error.is_none(), "the policy is to ignore faults");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn collect_all(mut self) -> (Vec<Record>, Vec<Fault>, RunResult) {
        let (mut records, mut faults) = (Vec::new(), Vec::new());
        for result in self.by_ref() {
            match result {
                Ok(record) => records.push(record),
                Err(fault) => faults.push(fault),
            }
        }
        (records, faults, self.end())
    }

    /// Ends the run, even if results are left, and returns its summary and its error. Results that
    /// were not taken count as undelivered.
    ///
    /// The method waits for the current items of plugins and for workers that are starting, but no
    /// longer than the [`join_timeout`](crate::PoolBuilder::join_timeout).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let mut results = pool.map(["a", "b", "c"]);
    /// results.by_ref().take(2).try_for_each(|result| result.map(drop))?;
    /// let summary = results.end().into_result()?;
    /// assert_eq!(summary.delivered, 2);
    /// assert_eq!(summary.read, summary.counts.total());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end(mut self) -> RunResult {
        if let Some((outcomes, cursor)) = self.current.take() {
            self.consumer.settle(outcomes, cursor.passed());
        }
        self.consumer.end()
    }
}

impl<I> Results<'_, I> {
    /// Returns the error of the run as a fault of the next item. Later calls return `None`. Without
    /// this fault, a loop that never calls [`end`](Self::end) would take a failed run for a
    /// success.
    fn take_run_error(&mut self) -> Option<Result<Record, Fault>> {
        // A reader that was left behind may fail after the results have ended.
        let has_ended = std::mem::replace(&mut self.has_ended, true);
        let error = self.consumer.run.error_text().filter(|_| !has_ended)?;
        let next = ItemIndex::new(self.consumer.run.queue.pushed());
        Some(Err(Fault::new(next, FaultKind::NotRun, error)))
    }
}

impl<I> Iterator for Results<'_, I> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (outcomes, mut cursor) = match self.current.take() {
            Some(current) => current,
            None => match self.consumer.next() {
                Some(outcomes) => (outcomes, Cursor::default()),
                None => {
                    self.left = (0, Some(0));
                    return self.take_run_error();
                }
            },
        };
        let outcome =
            outcomes.next(&mut cursor).expect("settled outcomes were replaced, so one is left");
        let result = to_owned_result(&outcome);
        if cursor.passed() < outcomes.len() {
            self.current = Some((outcomes, cursor));
        } else {
            // This releases the items from the window now, instead of when the caller takes the
            // next result.
            let delivered = outcomes.len();
            self.consumer.settle(outcomes, delivered);
        }
        self.left = (self.left.0.saturating_sub(1), self.left.1.map(|most| most.saturating_sub(1)));
        Some(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Results<'_, I> {}

impl<I> std::iter::FusedIterator for Results<'_, I> {}

fn to_owned_result(outcome: &Outcome<'_>) -> Result<Record, Fault> {
    match outcome.result {
        Ok(bytes) => Ok(Record { index: outcome.index, bytes: bytes.map(<[u8]>::to_vec) }),
        Err(fault) => Err(fault.clone()),
    }
}
