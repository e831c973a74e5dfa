//! Buffers that the host may write to. This module allocates, aligns and finds them without unsafe
//! code.

/// Bytes that do not move, at an aligned address.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// The start of the aligned part.
    start: usize,
}

impl Buffer {
    pub(crate) const EMPTY: Self = Self { bytes: Vec::new(), start: 0 };

    /// Allocates at least `length` bytes at a multiple of `align`. Returns `None` if memory has run
    /// out.
    pub(crate) fn new(length: usize, align: usize) -> Option<Self> {
        let total = length.checked_add(align)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(total).ok()?;
        bytes.resize(total, 0);
        let start = bytes.as_ptr().align_offset(align);
        Some(Self { bytes, start })
    }

    pub(crate) fn address(&self) -> usize {
        self.bytes.as_ptr().addr() + self.start
    }

    /// Returns the bytes at an address from the host, if all of them are in this buffer.
    pub(crate) fn get_mut(&mut self, address: usize, length: usize) -> Option<&mut [u8]> {
        if length == 0 {
            return Some(&mut []);
        }
        let offset = address.checked_sub(self.bytes.as_ptr().addr())?;
        self.bytes.get_mut(offset..offset.checked_add(length)?)
    }

    /// Returns all bytes from this address on. The slice is empty if the address is not in this
    /// buffer.
    pub(crate) fn tail_mut(&mut self, address: usize) -> &mut [u8] {
        let offset = address.checked_sub(self.bytes.as_ptr().addr());
        offset.and_then(|offset| self.bytes.get_mut(offset..)).unwrap_or_default()
    }

    fn copy_from(&mut self, other: &Self, length: usize) {
        let from = &other.bytes[other.start..];
        let to = &mut self.bytes[self.start..];
        let length = length.min(from.len()).min(to.len());
        to[..length].copy_from_slice(&from[..length]);
    }
}

/// The buffers that `cabi_realloc` has allocated: arguments of calls, and memory of an adapter.
#[derive(Debug)]
pub(crate) struct Heap {
    buffers: Vec<Buffer>,
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self { buffers: Vec::new() }
    }

    /// Allocates, grows, shrinks or frees a buffer, like the canonical ABI's `realloc`. Returns 0
    /// if memory has run out.
    pub(crate) fn realloc(
        &mut self,
        old: usize,
        old_size: usize,
        align: usize,
        size: usize,
    ) -> usize {
        let align = align.max(1);
        let previous = self.take(old);
        if size == 0 {
            return align;
        }
        let Some(mut buffer) = Buffer::new(size, align) else {
            self.buffers.extend(previous);
            return 0;
        };
        if let Some(previous) = previous {
            buffer.copy_from(&previous, old_size);
        }
        let address = buffer.address();
        self.buffers.push(buffer);
        address
    }

    /// Removes and returns the buffer at this address.
    pub(crate) fn take(&mut self, address: usize) -> Option<Buffer> {
        let index = self.buffers.iter().rposition(|buffer| buffer.address() == address)?;
        Some(self.buffers.swap_remove(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_lends_only_its_own_bytes() {
        for align in [1, 2, 8, 64] {
            let mut buffer = Buffer::new(100, align).unwrap();
            let address = buffer.address();
            assert_eq!(address % align, 0);
            #[rustfmt::skip]
            let cases = [
                // address           length      found
                (address,            100,        true),
                (address + 99,       1,          true),
                (address,            0,          true),
                (0,                  0,          true),
                (0,                  1,          false),
                (address,            100 + 65,   false),
                (address,            usize::MAX, false),
                (usize::MAX,         1,          false),
            ];
            for (at, length, found) in cases {
                assert_eq!(buffer.get_mut(at, length).is_some(), found, "{align} {length}");
            }
        }
    }

    #[test]
    fn too_large_a_buffer_is_none() {
        assert!(Buffer::new(usize::MAX, 8).is_none());
        assert!(Buffer::new(usize::MAX - 8, 8).is_none());
    }

    #[test]
    fn realloc_keeps_the_bytes_and_drops_freed_buffers() {
        let mut heap = Heap::new();
        let small = heap.realloc(0, 0, 8, 3);
        heap.buffers[0].get_mut(small, 3).unwrap().copy_from_slice(b"abc");

        let large = heap.realloc(small, 3, 8, 1000);
        assert_eq!(&heap.buffers[0].get_mut(large, 4).unwrap(), b"abc\0");
        assert_eq!(heap.buffers.len(), 1);

        assert_eq!(heap.realloc(large, 1000, 8, usize::MAX), 0);
        assert_eq!(heap.buffers.len(), 1);
        assert_eq!(heap.realloc(large, 1000, 8, 0), 8);
        assert!(heap.buffers.is_empty());
    }
}
