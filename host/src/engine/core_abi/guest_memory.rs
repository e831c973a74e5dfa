//! Ranges of a guest's memory, from addresses and lengths that the guest chose and that may be
//! invalid.

use std::ops::Range;

/// Returns `len` bytes of `memory` from `ptr` on; none if they are not all in the memory.
pub(crate) fn bytes(memory: &[u8], ptr: u32, len: u32) -> Option<&[u8]> {
    memory.get(range(ptr, len)?)
}

/// Returns the range of `len` bytes from `ptr` on; none if it overflows the address space.
pub(crate) fn range(ptr: u32, len: u32) -> Option<Range<usize>> {
    let start = usize::try_from(ptr).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
