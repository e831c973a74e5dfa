//! The memory meter of an instance. It counts the memory of the instance, and the memory of all
//! instances of the pool together.
//!
//! Granted memory stays charged until the instance ends, even if the growth fails afterwards. So an
//! instance that runs many items cannot exceed its limit little by little.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::ResourceLimiter;

use crate::item::limits::{MemoryLimit, TotalMemory};

/// The memory of all instances of a pool together.
#[derive(Debug, Default)]
pub(crate) struct PoolMemory {
    limit: TotalMemory,
    used: AtomicUsize,
    /// The function that requests memory from another process. It is set if another process counts
    /// the memory of the pool.
    request: Option<RequestMemory>,
}

/// A request to another process for more memory.
pub(crate) struct RequestMemory(pub(crate) Box<dyn Fn(usize) -> bool + Send + Sync>);

impl fmt::Debug for RequestMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMemory").finish_non_exhaustive()
    }
}

impl PoolMemory {
    pub(crate) fn new(limit: TotalMemory) -> Self {
        Self { limit, used: AtomicUsize::new(0), request: None }
    }

    /// Returns the pool memory of a process that must request it from another process.
    pub(crate) fn with_request(limit: TotalMemory, request: RequestMemory) -> Self {
        Self { request: Some(request), ..Self::new(limit) }
    }

    /// Returns the number of bytes that are in use now.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> TotalMemory {
        self.limit
    }

    /// Charges `bytes`. Fails with the limit if fewer bytes are left.
    fn take(&self, bytes: usize) -> Result<(), TotalMemory> {
        if let Some(RequestMemory(grant)) = &self.request {
            return if grant(bytes) { Ok(()) } else { Err(self.limit) };
        }
        // Relaxed is enough: only the sum counts, and it orders no other memory.
        let more =
            |used: usize| Some(used.saturating_add(bytes)).filter(|sum| self.limit.allows(*sum));
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map(drop).map_err(|_| self.limit)
    }

    fn give_back(&self, bytes: usize) {
        if self.request.is_some() {
            // The other process returns all memory of this process when it ends.
            return;
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A part of a pool's memory that another process uses. This part returns to the pool when the
/// lease is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<PoolMemory>,
    /// The memory limit of one instance. An honest process requests no more.
    limit: MemoryLimit,
    taken: usize,
}

impl Lease {
    pub(crate) fn of(pool: &Arc<PoolMemory>, limit: MemoryLimit) -> Self {
        Self { pool: Arc::clone(pool), limit, taken: 0 }
    }

    /// Charges `bytes` if the limits allow it. Returns whether they do.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let sum = self.taken.checked_add(bytes).filter(|sum| *sum <= self.limit.bytes());
        let taken = sum.filter(|_| self.pool.take(bytes).is_ok());
        self.taken = taken.unwrap_or(self.taken);
        taken.is_some()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.give_back(self.taken);
    }
}

/// The reason for a refused growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrowthDenied {
    /// The instance would exceed its limit.
    Instance(MemoryLimit),
    /// All instances of the pool together would exceed their limit.
    Pool(TotalMemory),
    /// Another bound was met: the memory's own maximum, the address space, or the system's memory.
    Elsewhere,
}

impl fmt::Display for GrowthDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(limit) => write!(f, "more memory than the {limit:#} of `memory`"),
            Self::Pool(limit) => {
                write!(f, "more memory than is left of the {limit:#} of `total_memory`")
            }
            Self::Elsewhere => f.write_str("more memory than it can have"),
        }
    }
}

/// Keeps an instance within its memory limit, and notes refused growths.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: MemoryLimit,
    pool: Arc<PoolMemory>,
    /// The granted bytes. They stay charged even if the growth fails afterwards. The engine reports
    /// failures even for growths that it never requested from this meter. A refund for such a
    /// failure would give the plugin memory beyond its limit.
    used: usize,
    denied: Option<GrowthDenied>,
}

impl Meter {
    /// The most instances in a store. A component made by tools has some dozens.
    const MAX_INSTANCES: usize = 1000;
    /// The most memories in a store. Even an empty memory needs 4 GiB of address space and several
    /// memory mappings of the process.
    const MAX_MEMORIES: usize = 32;
    /// The most tables in a store, enough for a large component.
    const MAX_TABLES: usize = 1000;

    pub(crate) fn new(limit: MemoryLimit, pool: &Arc<PoolMemory>) -> Self {
        Self { limit, pool: Arc::clone(pool), used: 0, denied: None }
    }

    /// Forgets earlier refusals, because another call begins.
    pub(crate) fn begin_call(&mut self) {
        self.denied = None;
    }

    /// Returns the reason for the last refused growth in this call. If the plugin failed, the
    /// reason shows whether the plugin had run out of memory.
    pub(crate) fn denied(&self) -> Option<GrowthDenied> {
        self.denied
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes);
        let granted = if used > self.limit.bytes() {
            Err(GrowthDenied::Instance(self.limit))
        } else {
            self.pool.take(bytes).map_err(GrowthDenied::Pool)
        };
        match granted {
            Ok(()) => self.used = used,
            Err(denied) => self.denied = Some(denied),
        }
        granted.is_ok()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.pool.give_back(self.used);
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = Some(GrowthDenied::Elsewhere);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(size_of::<usize>())))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = Some(GrowthDenied::Elsewhere);
        Ok(())
    }

    fn instances(&self) -> usize {
        Self::MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        Self::MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        Self::MAX_TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: &str, pool: &Arc<PoolMemory>) -> Meter {
        Meter::new(limit.parse().unwrap(), pool)
    }

    fn pool(limit: &str) -> Arc<PoolMemory> {
        Arc::new(PoolMemory::new(limit.parse().unwrap()))
    }

    #[test]
    fn a_lease_never_exceeds_the_limit_of_an_instance() {
        for total in ["1000", "unlimited"] {
            let pool = pool(total);
            let mut lease = Lease::of(&pool, "900".parse().unwrap());
            #[rustfmt::skip]
            let requests = [(usize::MAX, false), (600, true), (usize::MAX - 1, false), (301, false), (300, true), (1, false), (0, true)];
            for (bytes, granted) in requests {
                assert_eq!(lease.take(bytes), granted, "{bytes} of {total}");
            }
            drop(lease);
            assert_eq!(pool.used.load(Ordering::Relaxed), 0, "{total}");
        }
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = meter("1000", &pool("unlimited"));
        assert!(meter.memory_growing(0, 900, None).unwrap());
        assert!(!meter.table_growing(0, 100, None).unwrap(), "800 bytes more");
        assert_eq!(meter.denied(), Some(GrowthDenied::Instance("1000".parse().unwrap())));
        meter.begin_call();
        assert_eq!(meter.denied(), None, "a refusal counts only in its own call");
        assert!(meter.table_growing(0, 12, None).unwrap());
        assert!(!meter.memory_growing(900, 910, None).unwrap());
    }

    #[test]
    fn failed_growths_refund_no_memory() {
        let mut meter = meter("1000", &pool("unlimited"));
        for _ in 0..2 {
            assert!(meter.memory_growing(0, 500, None).unwrap());
            // The engine does this if a new size overflows; it has not requested the growth before.
            meter.table_grow_failed(wasmtime::Error::msg("overflow")).unwrap();
        }
        assert!(!meter.memory_growing(0, 1, None).unwrap());
    }

    #[test]
    fn instances_share_the_pool_memory_until_dropped() {
        let pool = pool("1000");
        let (mut one, mut other) = (meter("900", &pool), meter("900", &pool));
        assert!(one.memory_growing(0, 700, None).unwrap());
        assert!(!other.memory_growing(0, 301, None).unwrap());
        let denied = other.denied().unwrap().to_string();
        assert_eq!(denied, "more memory than is left of the 1000 bytes of `total_memory`");
        assert!(other.memory_growing(0, 300, None).unwrap(), "what was refused is not charged");
        assert!(!one.memory_growing(700, 1000, None).unwrap());
        assert_eq!(one.denied(), Some(GrowthDenied::Instance("900".parse().unwrap())));
        drop(one);
        assert!(other.memory_growing(300, 900, None).unwrap());
        drop(other);
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
    }
}
