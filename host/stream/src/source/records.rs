//! Cuts the inputs into records at a separator.
//!
//! A record does not continue from one input into the next. The last record of an input may lack
//! its separator. If a record is too long, the source keeps only its beginning. It skips the other
//! bytes of the record as they arrive and never stores them.

use super::input_buffer::{InputBuffer, InputState};
use super::{FillStatus, Inputs, ItemLimit, SizeHint, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// The number of bytes to keep of an item that is too long, so that a person can identify it.
const HEAD: usize = 1024;

/// The records of the inputs.
#[derive(Debug)]
pub(super) struct Records {
    buffer: InputBuffer,
    separator: u8,
    limit: ItemLimit,
    /// The number of pending bytes that are known to contain no separator.
    searched: usize,
    /// True if the pending bytes belong to a record that was too long.
    skipping: bool,
    /// The number of the last record in its input, counted from 1.
    number: u64,
}

/// One record, without its separator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) content: Content<'a>,
    /// The name of the input that holds the record.
    pub(super) input: &'a str,
    /// The number of the record in its input, counted from 1.
    pub(super) number: u64,
}

/// The bytes of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    Whole(&'a [u8]),
    /// The beginning of a record that is longer than the item limit.
    TooLong(&'a [u8]),
}

impl Records {
    pub(super) fn new(inputs: Inputs, separator: u8) -> Self {
        Self {
            buffer: InputBuffer::new(inputs),
            separator,
            limit: ItemLimit::DEFAULT,
            searched: 0,
            skipping: false,
            number: 0,
        }
    }

    pub(super) fn set_limit(&mut self, limit: ItemLimit) {
        self.limit = limit;
    }

    pub(super) fn limit(&self) -> ItemLimit {
        self.limit
    }

    pub(super) fn size(&self) -> SizeHint {
        let bytes = self.buffer.inputs().total_bytes();
        SizeHint { bytes, ..SizeHint::default() }
    }

    pub(super) fn stop_flag(&self) -> Option<StopFlag> {
        self.buffer.inputs().stop_flag()
    }

    /// Passes the available records to `add`, which appends them to `block`. If `add` has appended
    /// no item, waits for more records.
    pub(super) fn fill(
        &mut self,
        block: &mut BlockBuilder,
        mut add: impl FnMut(Record<'_>, &mut BlockBuilder),
    ) -> Result<FillStatus, SourceError> {
        let before = block.len();
        loop {
            while !block.is_full()
                && let Some(record) = self.next_ready()
            {
                add(record, block);
            }
            let ended = block.len() == before && self.read()? == InputState::Ended;
            if ended || block.len() > before {
                self.buffer.charge(block);
                return Ok(if ended { FillStatus::End } else { FillStatus::More });
            }
        }
    }

    /// Returns the next record that has arrived as a whole.
    pub(super) fn next_ready(&mut self) -> Option<Record<'_>> {
        if self.skipping && !self.skip() {
            return None;
        }
        let pending = self.buffer.pending();
        let found = memchr::memchr(self.separator, &pending[self.searched..]);
        let (length, taken) = match found.map(|at| self.searched + at) {
            Some(length) => (length, length + 1),
            None if self.buffer.input_ended() && !pending.is_empty() => {
                (pending.len(), pending.len())
            }
            None if pending.len() > self.limit.get() => {
                self.skipping = true;
                (pending.len(), pending.len())
            }
            None => {
                self.searched = pending.len();
                return None;
            }
        };
        self.searched = 0;
        self.number += 1;
        self.buffer.take(taken);
        Some(self.last_record(length, taken))
    }

    /// Returns the record of `length` bytes at the start of the last `taken` bytes.
    fn last_record(&self, length: usize, taken: usize) -> Record<'_> {
        let bytes = &self.buffer.last_taken(taken)[..length];
        let content = if length > self.limit.get() {
            Content::TooLong(&bytes[..self.limit.get().min(HEAD)])
        } else {
            Content::Whole(bytes)
        };
        Record { content, input: self.buffer.inputs().name(), number: self.number }
    }

    /// Skips bytes of a record that was too long. Returns `true` if the record ends in them.
    fn skip(&mut self) -> bool {
        let pending = self.buffer.pending();
        let end = memchr::memchr(self.separator, pending);
        let tail = end.map_or(pending.len(), |at| at + 1);
        self.buffer.take(tail);
        self.skipping = end.is_none() && !self.buffer.input_ended();
        !self.skipping
    }

    /// Reads once, and waits if no bytes are available. Call it only if no record is ready.
    pub(super) fn read(&mut self) -> Result<InputState, SourceError> {
        if self.buffer.input_ended() {
            self.number = 0;
        }
        self.buffer.read()
    }

    /// Charges the input bytes of the taken records to `block`.
    pub(super) fn charge(&mut self, block: &mut BlockBuilder) {
        self.buffer.charge(block);
    }
}

#[cfg(test)]
mod tests;
