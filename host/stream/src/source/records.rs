//! Cuts the inputs into records at a separator.
//!
//! A record does not cross from one input into the next: the last one of an input may lack
//! its separator. A record that is too long is reported by its head; its tail is skipped
//! as it comes, never held.

use super::feed::{Feed, Reading};
use super::{Filled, Inputs, ItemLimit, Size, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// How much of an item that is too long is kept, so that a person can tell which it is.
const HEAD: usize = 1024;

/// The records of the inputs.
#[derive(Debug)]
pub(super) struct Records {
    feed: Feed,
    separator: u8,
    limit: ItemLimit,
    /// How many pending bytes are known not to be a separator.
    searched: usize,
    /// Whether the pending bytes belong to a record that was too long.
    skipping: bool,
    /// The number of the last record in its input, from 1.
    number: u64,
}

/// One record, without its separator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) content: Content<'a>,
    /// The input that it was read from.
    pub(super) input: &'a str,
    /// Its number in that input, from 1.
    pub(super) number: u64,
}

/// The bytes of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    Whole(&'a [u8]),
    /// Longer than an item may be: only its head.
    TooLong(&'a [u8]),
}

impl Records {
    pub(super) fn new(inputs: Inputs, separator: u8) -> Self {
        Self {
            feed: Feed::new(inputs),
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

    pub(super) fn size(&self) -> Size {
        let bytes = self.feed.inputs().total_bytes();
        Size { bytes, ..Size::default() }
    }

    pub(super) fn stop_flag(&self) -> Option<StopFlag> {
        self.feed.inputs().stop_flag()
    }

    /// Lets `add` put the records that are there into `block`; waits only when `add` has not
    /// added any.
    pub(super) fn fill(
        &mut self,
        block: &mut BlockBuilder,
        mut add: impl FnMut(Record<'_>, &mut BlockBuilder),
    ) -> Result<Filled, SourceError> {
        let before = block.len();
        loop {
            while !block.is_full()
                && let Some(record) = self.next_ready()
            {
                add(record, block);
            }
            let ended = block.len() == before && self.read()? == Reading::Ended;
            if ended || block.len() > before {
                self.feed.charge(block);
                return Ok(if ended { Filled::End } else { Filled::More });
            }
        }
    }

    /// The next record that is there as a whole.
    pub(super) fn next_ready(&mut self) -> Option<Record<'_>> {
        if self.skipping && !self.skip() {
            return None;
        }
        let pending = self.feed.pending();
        let found = memchr::memchr(self.separator, &pending[self.searched..]);
        let (length, taken) = match found.map(|at| self.searched + at) {
            Some(length) => (length, length + 1),
            None if self.feed.input_ended() && !pending.is_empty() => {
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
        self.feed.take(taken);
        Some(self.taken(length, taken))
    }

    /// The record of `length` that was among the `taken` bytes.
    fn taken(&self, length: usize, taken: usize) -> Record<'_> {
        let bytes = &self.feed.last_taken(taken)[..length];
        let content = if length > self.limit.get() {
            Content::TooLong(&bytes[..self.limit.get().min(HEAD)])
        } else {
            Content::Whole(bytes)
        };
        Record { content, input: self.feed.inputs().name(), number: self.number }
    }

    /// Drops what belongs to a record that was too long; true when it ends there.
    fn skip(&mut self) -> bool {
        let pending = self.feed.pending();
        let end = memchr::memchr(self.separator, pending);
        let tail = end.map_or(pending.len(), |at| at + 1);
        self.feed.take(tail);
        self.skipping = end.is_none() && !self.feed.input_ended();
        !self.skipping
    }

    /// Reads once, and waits if nothing is there. Call it when no record is ready.
    pub(super) fn read(&mut self) -> Result<Reading, SourceError> {
        if self.feed.input_ended() {
            self.number = 0;
        }
        self.feed.read()
    }

    /// Puts the bytes of the input behind the records taken to the account of `block`.
    pub(super) fn charge(&mut self, block: &mut BlockBuilder) {
        self.feed.charge(block);
    }
}

#[cfg(test)]
mod tests;
