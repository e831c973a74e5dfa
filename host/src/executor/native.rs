//! Workers that are code of this process: no plugin, no sandbox.
//!
//! Such a worker is opened on its own thread and never leaves it, so that it need not be `Send`.
//! What it does wrong is treated as with a plugin: a panic is the fault `trap` of its item, and
//! a fresh worker is opened. What only a sandbox can do is not there: nothing bounds its memory,
//! and nothing stops it while it works.

mod executor;
mod failure;

use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::item::limits::ResultLimit;
use crate::item::passing::ArgumentPassing;

pub(crate) use self::executor::{OpenNative, open_with};
pub use self::failure::Failure;

/// A worker in Rust that can stand beside plugins in a pool; see
/// [`WorkerSpec::native`](crate::WorkerSpec::native).
///
/// A closure that takes an item and gives a `Result` is one, too:
/// `|item: &[u8]| Ok(item.to_vec())`.
///
/// ```
/// use mtl_host::{Failure, NativeWorker, Pool, Reply, WorkerSpec};
///
/// /// Numbers lines, and leaves out those that are empty.
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
/// let mut pool = Pool::of([WorkerSpec::native(|_| Ok(Numbers(0)))]).build()?;
/// let lines = pool.map(["one", "", "two"]).collect::<Result<Vec<_>, _>>()?;
/// let lines: Vec<_> = lines.iter().filter_map(|line| line.bytes()).collect();
/// assert_eq!(lines, [b"1. one", b"2. two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait NativeWorker {
    /// Works on one item. `record` is empty; what is in it afterwards is the item's record, if
    /// the answer is [`Reply::Record`]. Its memory is used again, from item to item.
    ///
    /// # Errors
    ///
    /// When the item has no result; the run goes on, if its policy allows that.
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure>;

    /// What the records are. Asked from time to time. Default: text.
    fn format(&self) -> Format {
        Format::Text
    }

    /// Whether [`finish`](Self::finish) gives a report: then observers are told of one that was
    /// lost with a panic. Default: no.
    fn has_report(&self) -> bool {
        false
    }

    /// Ends the work and gives a closing report: called once, when the pool is closed, or
    /// before a fresh worker takes its place; never after a panic. Default: none.
    ///
    /// # Errors
    ///
    /// When there is no report although there should be one.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}

/// What a [`NativeWorker`] answers to an item.
///
/// ```
/// use mtl_host::{Failure, NativeWorker, Pool, Reply, WorkerSpec};
///
/// /// Lets long items pass.
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
/// let mut pool = Pool::of([WorkerSpec::native(|_| Ok(Long))]).build()?;
/// let (_, _, ended) = pool.map(["short", "not so short"]).collect_all();
/// assert_eq!((ended.summary.counts.records(), ended.summary.counts.no_record()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The record is in the buffer.
    Record,
    /// There is none: the item is filtered out.
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

/// What a worker may know of its place when it is opened.
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
/// let mut pool = Pool::of([number()]).build()?;
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
    /// The number of this worker.
    #[must_use]
    pub fn worker(&self) -> WorkerIndex {
        self.worker
    }

    /// How many workers the pool has, of all kinds.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// What items are.
    ///
    /// ```
    /// # use mtl_host::{ArgumentPassing, Format, Pool, WorkerSpec};
    /// let worker = WorkerSpec::native(|context| {
    ///     assert_eq!(context.argument_passing(), ArgumentPassing::Kwargs);
    ///     assert_eq!(context.item_format(), Format::Json);
    ///     Ok(|item: &[u8]| Ok(item.to_vec()))
    /// });
    /// let pool = Pool::of([worker]).item_format(Format::Json);
    /// let mut pool = pool.argument_passing(ArgumentPassing::Kwargs).build()?;
    /// assert!(pool.map([r#"{"a": 1}"#]).next().unwrap().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn item_format(&self) -> Format {
        self.item_format
    }

    /// How an item's parameters are to be passed. A native worker takes its items as they are:
    /// this is for one that does the same as a plugin beside it.
    #[must_use]
    pub fn argument_passing(&self) -> ArgumentPassing {
        self.passing
    }
}
