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
    used: usize,
    /// What the growth that is being tried has added, to be taken back if it fails.
    last: usize,
    denied: bool,
}

impl Meter {
    pub(crate) fn new(limit: MemoryLimit) -> Self {
        Self { limit, used: 0, last: 0, denied: false }
    }

    /// Whether a growth was refused since the last call: it tells a plugin that ran out of
    /// memory from one that broke for another reason.
    pub(crate) fn take_denied(&mut self) -> bool {
        std::mem::take(&mut self.denied)
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes);
        let allowed = used <= self.limit.0;
        if allowed {
            self.used = used;
            self.last = bytes;
        } else {
            self.denied = true;
        }
        allowed
    }

    fn take_back(&mut self) {
        self.used -= std::mem::take(&mut self.last);
        self.denied = true;
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
        self.take_back();
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
        self.take_back();
        Ok(())
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
        assert!(meter.take_denied());
        assert!(!meter.take_denied(), "it is told once");
        assert!(meter.table_growing(0, 12, None).unwrap());
        assert!(!meter.memory_growing(900, 910, None).unwrap());
    }

    #[test]
    fn a_growth_that_failed_is_not_charged() {
        let mut meter = Meter::new(MemoryLimit(1000));
        assert!(meter.memory_growing(0, 900, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(meter.memory_growing(0, 1000, None).unwrap());
    }
}
