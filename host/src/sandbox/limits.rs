//! How much a plugin may take.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use wasmtime::ResourceLimiter;

use crate::byte_size::ByteSize;

/// What one instance may take of memory: its linear memories and its tables together.
///
/// It does not bound what the host allocates on behalf of the plugin. It is written as a number
/// of bytes, or with a unit: `64KiB`, `64MiB`, `2GiB` (or `64K`, `64M`, `2G`), `1GB`.
///
/// ```
/// use mtl_host::MemoryLimit;
///
/// let limit: MemoryLimit = "64MiB".parse()?;
/// assert_eq!(limit.bytes(), 64 * 1024 * 1024);
/// assert_eq!(MemoryLimit::DEFAULT.to_string(), "512MiB");
/// assert!(MemoryLimit::new(1000.try_into().unwrap()) < limit);
/// # Ok::<(), mtl_host::NotAMemoryLimit>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryLimit(NonZeroUsize);

impl MemoryLimit {
    /// Room for a model of some size, and small enough that one plugin per core cannot
    /// exhaust a laptop.
    pub const DEFAULT: Self = Self(NonZeroUsize::new(512 * 1024 * 1024).expect("not zero"));

    /// So many bytes.
    #[must_use]
    pub const fn new(bytes: NonZeroUsize) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0.get()
    }
}

impl Default for MemoryLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Not an amount of memory.
///
/// ```
/// let error = "lots".parse::<mtl_host::MemoryLimit>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "not an amount of memory, such as `64MiB`, `2GiB` or `1000000`",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount of memory, such as `64MiB`, `2GiB` or `1000000`")]
pub struct NotAMemoryLimit;

impl FromStr for MemoryLimit {
    type Err = NotAMemoryLimit;

    fn from_str(text: &str) -> Result<Self, NotAMemoryLimit> {
        text.parse().map(|ByteSize(bytes)| Self(bytes)).map_err(|_| NotAMemoryLimit)
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ByteSize(self.0).fmt(f)
    }
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
        let allowed = used <= self.limit.bytes();
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

    fn limit(text: &str) -> MemoryLimit {
        text.parse().unwrap()
    }

    #[test]
    fn a_limit_is_a_number_with_a_unit_or_without() {
        #[rustfmt::skip]
        let cases = [
            // text       bytes                 shown
            ("1",         Some(1),              "1"),
            ("1000000",   Some(1_000_000),      "1000000"),
            ("64KiB",     Some(65_536),         "64KiB"),
            ("64 MiB",    Some(67_108_864),     "64MiB"),
            ("64m",       Some(67_108_864),     "64MiB"),
            ("1024KiB",   Some(1_048_576),      "1MiB"),
            ("2GiB",      Some(2_147_483_648),  "2GiB"),
            ("1MB",       Some(1_000_000),      "1000000"),
            ("5B",        Some(5),              "5"),
            ("0",         None,                 ""),
            ("0MiB",      None,                 ""),
            ("",          None,                 ""),
            ("MiB",       None,                 ""),
            ("-1",        None,                 ""),
            ("1.5GiB",    None,                 ""),
            ("64é",       None,                 ""),
            ("lots",      None,                 ""),
            ("99999999999GiB", None,            ""),
        ];
        for (text, bytes, shown) in cases {
            let limit = text.parse::<MemoryLimit>().ok();
            assert_eq!(limit.map(MemoryLimit::bytes), bytes, "{text}");
            assert_eq!(limit.map(|limit| limit.to_string()).unwrap_or_default(), shown, "{text}");
            let again = limit.map(|limit| limit.to_string().parse().unwrap());
            assert_eq!(again, limit, "{text}");
        }
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = Meter::new(limit("1000"));
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
        let mut meter = Meter::new(limit("1000"));
        for _ in 0..2 {
            assert!(meter.memory_growing(0, 500, None).unwrap());
            // As the engine does when a new size is beyond all numbers: it has not asked before.
            meter.table_grow_failed(wasmtime::Error::msg("overflow")).unwrap();
        }
        assert!(!meter.memory_growing(0, 1, None).unwrap());
    }
}
