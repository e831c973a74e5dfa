//! Ranges of a guest's memory. The guest chooses their addresses and lengths, which may be invalid.

use std::ops::Range;

/// Returns the `len` bytes of `memory` at `ptr`, or `None` if some of them lie outside the memory.
pub(crate) fn bytes(memory: &[u8], ptr: u32, len: u32) -> Option<&[u8]> {
    memory.get(range(ptr, len)?)
}

/// Returns the range of the `len` bytes at `ptr`, or `None` if it overflows the address space.
pub(crate) fn range(ptr: u32, len: u32) -> Option<Range<usize>> {
    let start = usize::try_from(ptr).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
