//! Native workers: Rust code in this process, without a plugin and without a sandbox.
//!
//! The host opens and runs a native worker on one thread, so the worker need not be `Send`. The host handles a panic of
//! the worker like a trap of a plugin: the item gets the fault `trap`, and the host opens a fresh worker. A native
//! worker has no sandbox. Therefore nothing limits its memory, and nothing interrupts it.

mod executor;
mod failure;

use crate::item::argument_passing::ArgumentPassing;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::item::limits::ResultLimit;

pub(crate) use self::executor::{OpenNative, open_with};
pub use self::failure::Failure;

/// A worker in Rust, which can share a pool with plugins; see
/// [`WorkerSpec::native`](crate::WorkerSpec::native).
///
/// A closure that takes an item and returns a `Result` implements this trait, for example `|item:
/// &[u8]| Ok(item.to_vec())`.
///
/// ```
/// use mtl_host::native::{Failure, NativeWorker, Reply};
/// use mtl_host::{Pool, WorkerSpec};
///
/// /// Numbers lines, and filters out empty lines.
/// struct Numbers(u64);
///
/// impl NativeWorker for Numbers {
///     fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
///         if item.is_empty() {
///             return Ok(Reply::NoRecord);
///         }
///         let text = std::str::from_utf8(item).map_err(Failure::bad_item)?;
///         self.0 += 1;
///         record.extend_from_slice(format!("{}. {text}", self.0).as_bytes());
///         Ok(Reply::Record)
///     }
/// }
///
/// let mut pool = Pool::builder_from_workers([WorkerSpec::native(|_| Ok(Numbers(0)))]).build()?;
/// let lines = pool.map(["one", "", "two"]).collect::<Result<Vec<_>, _>>()?;
/// let lines: Vec<_> = lines.iter().filter_map(|line| line.bytes()).collect();
/// assert_eq!(lines, [b"1. one", b"2. two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait NativeWorker {
    /// Works on one item.
    ///
    /// `record` is empty when the host calls this method. If the reply is [`Reply::Record`], the content of `record`
    /// becomes the record of the item. The host reuses the buffer `record` for all items.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot produce a result for the item. If the error policy of the run allows failed items,
    /// the run continues.
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure>;

    /// Returns the format of the records (default: text). The host calls this method repeatedly during a run.
    fn format(&self) -> Format {
        Format::Text
    }

    /// Returns whether [`finish`](Self::finish) returns a report (default: no). If this method returns true and a panic
    /// prevents the report, the host notifies observers of the lost report.
    fn has_report(&self) -> bool {
        false
    }

    /// Ends the work and returns a finish report (default: no report).
    ///
    /// The host calls this method once: when the pool is closed, or before a fresh worker replaces this worker. The
    /// host does not call this method after a panic.
    ///
    /// # Errors
    ///
    /// Fails if the worker should give a report but cannot.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}

/// The reply of a [`NativeWorker`] to an item.
///
/// ```
/// use mtl_host::native::{Failure, NativeWorker, Reply};
/// use mtl_host::{Pool, WorkerSpec};
///
/// /// Passes long items, and filters out short ones.
/// struct Long;
///
/// impl NativeWorker for Long {
///     fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
///         if item.len() < 10 {
///             return Ok(Reply::NoRecord);
///         }
///         record.extend_from_slice(item);
///         Ok(Reply::Record)
///     }
/// }
///
/// let mut pool = Pool::builder_from_workers([WorkerSpec::native(|_| Ok(Long))]).build()?;
/// let (_, _, ended) = pool.map(["short", "not so short"]).collect_all();
/// assert_eq!((ended.summary.counts.records(), ended.summary.counts.no_record()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The buffer has the record.
    Record,
    /// The item is filtered out and has no record.
    NoRecord,
}

impl<F, R> NativeWorker for F
where
    F: FnMut(&[u8]) -> Result<R, Failure>,
    R: AsRef<[u8]>,
{
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
        record.extend_from_slice(self(item)?.as_ref());
        Ok(Reply::Record)
    }
}

/// The properties of the pool that a native worker may read when the host opens the worker.
///
/// ```
/// use mtl_host::{Pool, WorkerSpec};
///
/// let number = || {
///     WorkerSpec::native(|context| {
///         let name = format!("{} of {}", context.worker(), context.workers());
///         Ok(move |_: &[u8]| Ok(name.clone()))
///     })
/// };
/// let mut pool = Pool::builder_from_workers([number()]).build()?;
/// assert_eq!(pool.map([""]).next().unwrap()?.bytes(), Some(&b"0 of 1"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WorkerContext {
    pub(crate) worker: WorkerIndex,
    pub(crate) workers: u32,
    pub(crate) item_format: Format,
    pub(crate) passing: ArgumentPassing,
    pub(crate) max_result: ResultLimit,
}

impl WorkerContext {
    /// Returns the number of this worker.
    #[must_use]
    pub fn worker(&self) -> WorkerIndex {
        self.worker
    }

    /// Returns the number of workers of the pool, of all kinds.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// Returns the format of the items.
    ///
    /// ```
    /// # use mtl_host::{ArgumentPassing, Format, Pool, WorkerSpec};
    /// let worker = WorkerSpec::native(|context| {
    ///     assert_eq!(context.argument_passing(), ArgumentPassing::Kwargs);
    ///     assert_eq!(context.item_format(), Format::Json);
    ///     Ok(|item: &[u8]| Ok(item.to_vec()))
    /// });
    /// let pool = Pool::builder_from_workers([worker]).item_format(Format::Json);
    /// let mut pool = pool.argument_passing(ArgumentPassing::Kwargs).build()?;
    /// assert!(pool.map([r#"{"a": 1}"#]).next().unwrap().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn item_format(&self) -> Format {
        self.item_format
    }

    /// Returns the way in which an item fills the parameters of `call`. A native worker always receives whole items.
    /// Use this method in a worker that imitates the plugins of its pool.
    #[must_use]
    pub fn argument_passing(&self) -> ArgumentPassing {
        self.passing
    }
}
