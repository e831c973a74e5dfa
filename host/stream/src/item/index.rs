//! Numbers of items and of workers.

use std::fmt;

/// The position of an item in the input, counted from 0.
///
/// ```
/// use mtl_host::{Engine, ItemIndex, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let (_, faults, _) = pool.map(["good", "!bad"]).collect_all();
/// assert_eq!(faults[0].index(), ItemIndex::new(1));
/// assert_eq!(faults[0].index().get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIndex(u64);

impl ItemIndex {
    /// Returns the index of the item at `position`.
    #[must_use]
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    /// Returns the position as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn plus(self, items: usize) -> Self {
        Self(self.0 + items as u64)
    }
}

impl fmt::Display for ItemIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a worker, counted from 0.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, WorkerIndex};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let reports = Pool::builder(&plugin).jobs("2".parse()?).build()?.close();
/// assert_eq!(reports[1].worker, WorkerIndex::new(1));
/// assert_eq!(reports[1].worker.get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerIndex(u32);

impl WorkerIndex {
    /// Returns the index of the worker with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WorkerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
