//! Places in the memory of a guest: addresses and lengths that it has given, and that may be wrong.

use std::ops::Range;

/// Returns `len` bytes of `memory` from `ptr` on, if all of them are there.
pub(crate) fn bytes(memory: &[u8], ptr: u32, len: u32) -> Option<&[u8]> {
    memory.get(range(ptr, len)?)
}

/// Returns where `len` bytes from `ptr` on are; none past the end of all that can be addressed.
pub(crate) fn range(ptr: u32, len: u32) -> Option<Range<usize>> {
    let start = usize::try_from(ptr).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
