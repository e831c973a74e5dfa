//! The fault of one item that failed.
//!
//! A fault is data: the run counts it, the error policy judges it, and the sink writes it instead
//! of a result. A fault never ends a run by itself. An `Error` does.

use std::fmt;
use std::str::FromStr;

use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::parse_error::ParseError;

/// The reason why an item failed. Every failed item has one of these kinds.
///
/// ```
/// use mtl_host::FaultKind;
///
/// assert_eq!(FaultKind::OutOfMemory.to_string(), "out-of-memory");
/// assert_eq!("bad-item".parse(), Ok(FaultKind::BadItem));
/// for kind in FaultKind::ALL {
///     assert_eq!(kind.name().parse(), Ok(kind));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The plugin returned an error.
    Refused,
    /// The plugin stopped in the middle: by a trap, a panic or an exit.
    Trap,
    /// The item took longer than its time limit.
    Timeout,
    /// The plugin needed more memory than its limit.
    OutOfMemory,
    /// The item cost more fuel than its limit.
    OutOfFuel,
    /// The plugin would have written more to files than its worker may.
    OutOfDisk,
    /// The plugin or the reader of the item found the item invalid.
    BadItem,
    /// The plugin's answer is not a valid result, or does not fit the output.
    BadResult,
    /// The worker's process died: something killed it from outside, or the engine in it failed.
    Crashed,
    /// The run ended before a worker took the item.
    NotRun,
}

impl FaultKind {
    /// Every kind, in the order in which a summary lists them.
    pub const ALL: [Self; 10] = [
        Self::Refused,
        Self::Trap,
        Self::Timeout,
        Self::OutOfMemory,
        Self::OutOfFuel,
        Self::OutOfDisk,
        Self::BadItem,
        Self::BadResult,
        Self::Crashed,
        Self::NotRun,
    ];

    /// Returns the name that people and programs read. It is the same everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::OutOfMemory => "out-of-memory",
            Self::OutOfFuel => "out-of-fuel",
            Self::OutOfDisk => "out-of-disk",
            Self::BadItem => "bad-item",
            Self::BadResult => "bad-result",
            Self::Crashed => "crashed",
            Self::NotRun => "not-run",
        }
    }
}

impl FromStr for FaultKind {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            ParseError::of(format!("`{name}` is not a kind of fault: they are {names}"))
        })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The failure of one item: its index, its kind and its message.
///
/// ```
/// use mtl_host::{Engine, FaultKind, Plugin, Pool, WorkerIndex};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
/// let fault = pool.map(["good", "!bad"]).nth(1).unwrap().unwrap_err();
/// assert_eq!(fault.index().get(), 1);
/// assert_eq!(fault.kind(), FaultKind::Refused);
/// assert_eq!(fault.message(), "!bad");
/// assert_eq!(fault.worker(), Some(WorkerIndex::new(0)));
/// assert_eq!(fault.to_string(), "item 1: refused: !bad");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    index: ItemIndex,
    kind: FaultKind,
    message: String,
    worker: Option<WorkerIndex>,
}

impl Fault {
    /// Creates the fault of an item.
    #[doc(hidden)]
    pub fn new(index: ItemIndex, kind: FaultKind, message: impl Into<String>) -> Self {
        Self { index, kind, message: message.into(), worker: None }
    }

    pub(crate) fn with_worker(mut self, worker: WorkerIndex) -> Self {
        self.worker = Some(worker);
        self
    }

    /// Returns the position of the item in the input, counted from 0.
    #[must_use]
    pub fn index(&self) -> ItemIndex {
        self.index
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Returns the message of the plugin or of the host.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the worker that processed the item, or `None` if the item failed before it reached a
    /// worker.
    #[must_use]
    pub fn worker(&self) -> Option<WorkerIndex> {
        self.worker
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}: {}: {}", self.index, self.kind, self.message)
    }
}

impl std::error::Error for Fault {}
