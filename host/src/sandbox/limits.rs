//! How much a plugin may take.

use wasmtime::ResourceLimiter;

/// What one instance may take of memory: its linear memories and its tables together.
///
/// It does not bound what the host allocates on behalf of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemoryLimit(usize);

impl MemoryLimit {
    /// Room for a model of some size, and small enough that one plugin per core cannot
    /// exhaust a laptop.
    pub(crate) const DEFAULT: Self = Self(512 * 1024 * 1024);
}

/// How long one result may be.
///
/// It is what one instance could not hold many times over, and what a person would not want
/// in one record.
pub(crate) const MAX_RESULT: usize = 64 * 1024 * 1024;

/// Keeps an instance within its memory limit, and remembers when it was refused some.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: MemoryLimit,
    /// What was granted. A growth that then fails stays charged: the engine tells of failures
    /// that it never asked for, so that taking back could be had for nothing.
    used: usize,
    denied: bool,
}

impl Meter {
    /// A component that was made by tools has some dozens.
    const MAX_INSTANCES: usize = 1000;
    /// Each takes 4 GiB of addresses and several of the process's memory maps, however empty.
    const MAX_MEMORIES: usize = 32;
    /// As many as a large component needs.
    const MAX_TABLES: usize = 1000;

    pub(crate) fn new(limit: MemoryLimit) -> Self {
        Self { limit, used: 0, denied: false }
    }

    /// Forgets what was refused before: another call begins.
    pub(crate) fn begin_call(&mut self) {
        self.denied = false;
    }

    /// Whether a growth was refused in this call: it tells a plugin that ran out of memory from
    /// one that broke for another reason.
    pub(crate) fn was_denied(&self) -> bool {
        self.denied
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes);
        let allowed = used <= self.limit.0;
        if allowed {
            self.used = used;
        } else {
            self.denied = true;
        }
        allowed
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
        self.denied = true;
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
        self.denied = true;
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

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = Meter::new(MemoryLimit(1000));
        assert!(meter.memory_growing(0, 900, None).unwrap());
        assert!(!meter.table_growing(0, 100, None).unwrap(), "800 bytes more");
        assert!(meter.was_denied());
        meter.begin_call();
        assert!(!meter.was_denied(), "it is told of the call that it was in");
        assert!(meter.table_growing(0, 12, None).unwrap());
        assert!(!meter.memory_growing(900, 910, None).unwrap());
    }

    #[test]
    fn nothing_is_had_for_nothing_by_growths_that_fail() {
        let mut meter = Meter::new(MemoryLimit(1000));
        for _ in 0..2 {
            assert!(meter.memory_growing(0, 500, None).unwrap());
            // As the engine does when a new size is beyond all numbers: it has not asked before.
            meter.table_grow_failed(wasmtime::Error::msg("overflow")).unwrap();
        }
        assert!(!meter.memory_growing(0, 1, None).unwrap());
    }
}
