//! The limits of time, and the treatment of workers that break.

use std::num::NonZeroU64;
use std::time::Duration;

use super::PoolBuilder;
use crate::item::retry_on::RetryOn;
use crate::worker::renewal::MaxRestarts;

impl PoolBuilder {
    /// How long the end may take: from [`close`](crate::Pool::close), or from when the run is
    /// asked to stop or fails, to the end of the last worker. What a plugin does then is
    /// interrupted; an item that it has gets the fault `timeout`. Default: as long as it takes.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/spin-init.wat")?;
    /// // Its `init` never ends, and is waited for; but not for ever.
    /// let pool = Pool::builder(&plugin).join_timeout(Duration::from_millis(50));
    /// let reports = pool.jobs("1".parse()?).build()?.close();
    /// assert_eq!(reports[0].items, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.settings.join_timeout = Some(timeout);
        self
    }

    /// How often an item that failed is tried again, each time on a fresh instance: the plugin's code
    /// runs again, and there is one outcome. Default: 0.
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
        self.settings.renewal.retries = retries;
        self
    }

    /// After which faults an item is tried again. Default: `trap`, `timeout`, `out-of-memory` and
    /// `crashed`, which may have been the instance's.
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
        self.settings.renewal.retry_on = kinds;
        self
    }

    /// How often in a row a worker is restarted before it is retired; the retries of one item count
    /// as one restart. Default: any number, as long as it can start.
    ///
    /// ```
    /// # use mtl_host::{Engine, Error, MaxRestarts, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/misbehave.wat")?;
    /// let mut pool =
    ///     Pool::builder(&plugin).jobs("1".parse()?).max_restarts(MaxRestarts::AtMost(1)).build()?;
    /// let (_, _, ended) = pool.map(["trap", "trap again", "never tried"]).collect_all();
    /// assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_restarts(mut self, most: MaxRestarts) -> Self {
        self.settings.renewal.max_restarts = most;
        self
    }

    /// Replaces an instance after so many items, for plugins that leak. Default: never.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/counter.wat")?;
    /// // Its results are the numbers of its calls.
    /// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).recycle("2".parse()?).build()?;
    /// let numbers: Vec<_> = pool.map(["item"; 3]).try_collect()?;
    /// assert_eq!(numbers[1].bytes(), Some(&b"02"[..]));
    /// assert_eq!(numbers[2].bytes(), Some(&b"01"[..]), "of a fresh instance");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recycle(mut self, items: NonZeroU64) -> Self {
        self.settings.renewal.recycle = Some(items);
        self
    }
}
