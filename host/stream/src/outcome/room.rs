//! Buffers of outcomes that are used again, because results are often of similar length.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::slots::Slots;
use crate::block::BlockBuilder;
use crate::queue::Window;

/// The buffer for the outcomes of a claim.
#[derive(Debug, Default)]
pub struct Room(pub(super) Slots);

/// The free buffers of a run.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    rooms: Vec<Room>,
    /// The size of all free buffers, in bytes.
    memory: usize,
}

impl Rooms {
    /// The maximum size of all free buffers together, in bytes: as much as the default window
    /// holds.
    const MOST: usize = Window::DEFAULT_BYTES.get();
    /// The size above which a buffer is dropped. It had a large result, and later results may be
    /// small.
    const LARGE: usize = 2 * BlockBuilder::FULL;

    /// Returns a free buffer, or a new buffer without memory.
    pub fn take(&self) -> Room {
        let mut free = self.lock();
        let room = free.rooms.pop().unwrap_or_default();
        free.memory -= room.memory();
        room
    }

    /// Keeps the buffer of outcomes that are no longer needed.
    pub fn keep(&self, room: Room) {
        let room = room.emptied();
        let memory = room.memory();
        let mut free = self.lock();
        if memory > 0 && free.memory + memory <= Self::MOST {
            free.memory += memory;
            free.rooms.push(room);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        // No foreign code runs under this mutex.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Returns the cleared buffer, or a new one without memory if this one is too large.
    pub fn emptied(mut self) -> Self {
        self.0.clear();
        if self.memory() > Rooms::LARGE { Self::default() } else { self }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(bytes: usize) -> Room {
        let mut slots = Slots::default();
        slots.record(&vec![1; bytes]);
        Room(slots)
    }

    #[test]
    fn a_room_is_used_again_and_is_empty() {
        let rooms = Rooms::default();
        let filled = room(9);
        let place = filled.0.record_bytes().as_ptr();
        rooms.keep(filled);
        let Room(slots) = rooms.take();
        let bytes = slots.record_bytes();
        assert_eq!((slots.len(), bytes.len(), bytes.as_ptr()), (0, 0, place));
        assert_eq!(rooms.take().memory(), 0);
    }

    #[test]
    fn large_ones_and_too_many_are_not_kept() {
        let rooms = Rooms::default();
        rooms.keep(room(Rooms::LARGE));
        assert_eq!(rooms.take().memory(), 0);
        (0..Rooms::MOST / 1000).for_each(|_| rooms.keep(room(1000)));
        let free = rooms.lock();
        assert_eq!(free.rooms.len(), Rooms::MOST / room(1000).memory());
        assert_eq!(free.memory, free.rooms.iter().map(Room::memory).sum::<usize>());
    }
}
