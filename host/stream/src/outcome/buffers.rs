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
    rooms: Vec<OutcomeBuffer>,
    /// The size of all free buffers, in bytes.
    memory: usize,
}

impl OutcomeBuffers {
    /// The maximum size of all free buffers together, in bytes: as much as the default window
    /// holds.
    const MAX_KEPT: usize = Window::DEFAULT_BYTES.get();
    /// The size above which a buffer is dropped. It had a large result, and later results may be
    /// small.
    const LARGE: usize = 2 * BlockBuilder::FULL;

    /// Returns a free buffer, or a new buffer without memory.
    pub fn take(&self) -> OutcomeBuffer {
        let mut free = self.lock();
        let room = free.rooms.pop().unwrap_or_default();
        free.memory -= room.memory();
        room
    }

    /// Keeps the buffer of outcomes that are no longer needed.
    pub fn keep(&self, room: OutcomeBuffer) {
        let room = room.emptied();
        let memory = room.memory();
        let mut free = self.lock();
        if memory > 0 && free.memory + memory <= Self::MAX_KEPT {
            free.memory += memory;
            free.rooms.push(room);
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

    fn room(bytes: usize) -> OutcomeBuffer {
        let mut slots = Slots::default();
        slots.record(&vec![1; bytes]);
        OutcomeBuffer(slots)
    }

    #[test]
    fn a_room_is_used_again_and_is_empty() {
        let rooms = OutcomeBuffers::default();
        let filled = room(9);
        let place = filled.0.record_bytes().as_ptr();
        rooms.keep(filled);
        let OutcomeBuffer(slots) = rooms.take();
        let bytes = slots.record_bytes();
        assert_eq!((slots.len(), bytes.len(), bytes.as_ptr()), (0, 0, place));
        assert_eq!(rooms.take().memory(), 0);
    }

    #[test]
    fn large_ones_and_too_many_are_not_kept() {
        let rooms = OutcomeBuffers::default();
        rooms.keep(room(OutcomeBuffers::LARGE));
        assert_eq!(rooms.take().memory(), 0);
        (0..OutcomeBuffers::MAX_KEPT / 1000).for_each(|_| rooms.keep(room(1000)));
        let free = rooms.lock();
        assert_eq!(free.rooms.len(), OutcomeBuffers::MAX_KEPT / room(1000).memory());
        assert_eq!(free.memory, free.rooms.iter().map(OutcomeBuffer::memory).sum::<usize>());
    }
}
