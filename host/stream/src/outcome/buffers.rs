//! Buffers of outcomes that are used again, because results are often of similar length.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::slots::Slots;
use crate::block::BlockBuilder;
use crate::queue::Window;

/// The buffer for the outcomes of a claim.
#[derive(Debug, Default)]
pub struct OutcomeBuffer(pub(super) Slots);

/// The free buffers of a run.
#[derive(Debug, Default)]
pub struct OutcomeBuffers(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    buffers: Vec<OutcomeBuffer>,
    /// The size of all free buffers, in bytes.
    memory: usize,
}

impl OutcomeBuffers {
    /// The maximum size of all free buffers together, in bytes. It is the size of the default
    /// window.
    const MAX_KEPT: usize = Window::DEFAULT_BYTES.get();
    /// The size above which a buffer is dropped instead of kept. Such a buffer has grown for a
    /// large result, and later results may be small.
    const LARGE: usize = 2 * BlockBuilder::FULL;

    /// Returns a free buffer, or a new buffer without memory.
    pub fn take(&self) -> OutcomeBuffer {
        let mut free = self.lock();
        let buffer = free.buffers.pop().unwrap_or_default();
        free.memory -= buffer.memory();
        buffer
    }

    /// Keeps the buffer of outcomes that are no longer needed.
    pub fn keep(&self, buffer: OutcomeBuffer) {
        let buffer = buffer.emptied();
        let memory = buffer.memory();
        let mut free = self.lock();
        if memory > 0 && free.memory + memory <= Self::MAX_KEPT {
            free.memory += memory;
            free.buffers.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        // No foreign code runs under this mutex.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutcomeBuffer {
    /// Returns the cleared buffer, or a new one without memory if this one is too large.
    pub fn emptied(mut self) -> Self {
        self.0.clear();
        if self.memory() > OutcomeBuffers::LARGE { Self::default() } else { self }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(bytes: usize) -> OutcomeBuffer {
        let mut slots = Slots::default();
        slots.record(&vec![1; bytes]);
        OutcomeBuffer(slots)
    }

    #[test]
    fn a_reused_outcome_buffer_is_empty() {
        let buffers = OutcomeBuffers::default();
        let filled = buffer(9);
        let address = filled.0.record_bytes().as_ptr();
        buffers.keep(filled);
        let OutcomeBuffer(slots) = buffers.take();
        let bytes = slots.record_bytes();
        assert_eq!((slots.len(), bytes.len(), bytes.as_ptr()), (0, 0, address));
        assert_eq!(buffers.take().memory(), 0);
    }

    #[test]
    fn oversized_and_surplus_memory_is_not_kept() {
        let buffers = OutcomeBuffers::default();
        buffers.keep(buffer(OutcomeBuffers::LARGE));
        assert_eq!(buffers.take().memory(), 0);
        (0..OutcomeBuffers::MAX_KEPT / 1000).for_each(|_| buffers.keep(buffer(1000)));
        let free = buffers.lock();
        assert_eq!(free.buffers.len(), OutcomeBuffers::MAX_KEPT / buffer(1000).memory());
        assert_eq!(free.memory, free.buffers.iter().map(OutcomeBuffer::memory).sum::<usize>());
    }
}
