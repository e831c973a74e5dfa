//! The settings for the end of a run, for retries and for restarts.

use std::num::NonZeroU64;
use std::time::Duration;

use super::PoolBuilder;
use crate::item::retry_on::RetryOn;
use crate::worker::restart_policy::MaxRestarts;

impl PoolBuilder {
    /// Limits the time that a run or the pool may take to end (default: no limit).
    ///
    /// The time begins when [`close`](crate::Pool::close) is called, or when a run is stopped or fails. After that
    /// time, the pool interrupts the plugins that are still running. Their current items have the fault `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
    /// // Its `init` never returns; the pool waits for it, but not for ever.
    /// let pool = Pool::builder(&plugin).join_timeout(Duration::from_millis(50));
    /// let reports = pool.jobs("1".parse()?).build()?.close();
    /// assert_eq!(reports[0].items, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.settings.join_timeout = Some(timeout);
        self
    }

    /// Sets how often a failed item is tried again (default: 0). Each retry runs the item again in a fresh instance. An
    /// item has one outcome, whatever the number of its retries.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool = Pool::builder(&plugin).retries(2).build()?;
    /// let (records, faults, ended) = pool.map(["trap", "no trap"]).collect_all();
    /// assert_eq!((records.len(), faults.len(), ended.summary.retried), (1, 1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.restart_policy.retries = retries;
        self
    }

    /// Sets the faults after which an item is tried again (default: `trap`, `timeout`, `out-of-memory` and `crashed`).
    /// The state of the instance may have caused these four faults.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
    /// let mut pool = Pool::builder(&plugin).retries(1).retry_on("refused".parse()?).build()?;
    /// let (_, faults, ended) = pool.map(["!refused", "?bad item"]).collect_all();
    /// assert_eq!((faults.len(), ended.summary.retried), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry_on(mut self, kinds: RetryOn) -> Self {
        self.settings.restart_policy.retry_on = kinds;
        self
    }

    /// Sets how often in a row a worker is restarted before it is retired (default: no limit). All retries of one item
    /// count as one restart. Even without a limit, a worker is retired after [`MaxRestarts::FAILED_STARTS`] failed
    /// starts in a row.
    ///
    /// ```
    /// # use mtl_host::limits::MaxRestarts;
    /// # use mtl_host::{Engine, Error, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool =
    ///     Pool::builder(&plugin).jobs("1".parse()?).max_restarts(MaxRestarts::AtMost(1)).build()?;
    /// let (_, _, ended) = pool.map(["trap", "trap again", "never tried"]).collect_all();
    /// assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_restarts(mut self, most: MaxRestarts) -> Self {
        self.settings.restart_policy.max_restarts = most;
        self
    }

    /// Replaces each instance after the given number of items, for plugins that leak memory (default: never).
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/counter.wat")?;
    /// // The plugin returns the number of its calls so far.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).recycle("2".parse()?).build()?;
    /// let numbers: Vec<_> = pool.map(["item"; 3]).try_collect()?;
    /// assert_eq!(numbers[1].bytes(), Some(&b"02"[..]));
    /// assert_eq!(numbers[2].bytes(), Some(&b"01"[..]), "from a fresh instance");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recycle(mut self, items: NonZeroU64) -> Self {
        self.settings.restart_policy.recycle = Some(items);
        self
    }
}
