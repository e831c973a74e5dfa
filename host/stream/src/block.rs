//! Blocks and spans. A block contains the items that a source has read together. A span is a
//! sequence of consecutive items of one block.
//!
//! A source fills a [`BlockBuilder`] with the items that are available. The reader numbers the
//! items and seals them as a [`Block`]. A sealed block is shared and never changes. A [`Span`]
//! moves through the queue to a worker. It consists of a block and a range of that block's items.
//!
//! ```text
//! bytes    o n e t w o t h r e e        items stand back to back,
//! ends           3     6         11     so a span is one run of bytes
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod builder;
mod received;
mod recycle;

pub use self::builder::BlockBuilder;
pub use self::recycle::Blocks;
use crate::item::index::ItemIndex;

/// A shared, immutable block of numbered items that were read together.
#[derive(Debug, Default)]
pub struct Block {
    first: ItemIndex,
    content: BlockBuilder,
}

impl Block {
    fn start(&self, item: usize) -> usize {
        item.checked_sub(1).map_or(self.content.start, |before| self.content.ends[before])
    }

    /// Returns the share of the input bytes that belongs to the first `items`.
    fn input_bytes_before(&self, items: usize) -> u64 {
        match self.content.ends.len() as u128 {
            0 => 0,
            all => u64::try_from(u128::from(self.content.input_bytes) * items as u128 / all)
                .expect("a share is not more than the whole"),
        }
    }
}

/// A run of items of one block: the unit that the queue holds and a worker claims.
#[derive(Clone, Debug, Default)]
pub struct Span {
    block: Arc<Block>,
    items: Range<usize>,
}

impl Span {
    /// Returns a span of all items of a block.
    pub fn whole(block: impl Into<Arc<Block>>) -> Self {
        let block = block.into();
        let items = 0..block.content.len();
        Self { block, items }
    }

    /// Returns the position of the first item in the input.
    pub fn first(&self) -> ItemIndex {
        self.block.first.plus(self.items.start)
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether the span has no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the bytes of the item at `at`, counted from the start of this span.
    pub fn item(&self, at: usize) -> &[u8] {
        let item = self.items.start + at;
        debug_assert!(self.items.contains(&item), "the item is in the span");
        &self.block.content.bytes[self.block.start(item)..self.block.content.ends[item]]
    }

    /// Returns the bytes of the items at `items`, back to back.
    pub fn bytes(&self, items: Range<usize>) -> &[u8] {
        let start = self.block.start(self.items.start + items.start);
        &self.block.content.bytes[start..self.block.start(self.items.start + items.end)]
    }

    /// Returns the ends of the items at `items`, counted from the start of the first of them.
    pub fn ends(&self, items: Range<usize>) -> impl ExactSizeIterator<Item = usize> {
        let items = self.items.start + items.start..self.items.start + items.end;
        let start = self.block.start(items.start);
        self.block.content.ends[items].iter().map(move |end| end - start)
    }

    /// Returns how many of the items in the range `items` fit into `max_bytes`, counted from the
    /// first item. Each item needs `extra` bytes in addition to its own bytes.
    pub fn fitting(&self, items: Range<usize>, max_bytes: usize, extra: usize) -> usize {
        let from = self.items.start + items.start;
        let start = self.block.start(from);
        let ends = &self.block.content.ends[from..self.items.start + items.end];
        let ends = &ends[..ends.len().min(max_bytes / extra.max(1))];
        let fits = |at: usize| ends[at] - start + (at + 1) * extra <= max_bytes;
        let (mut fitting, mut beyond) = (0, ends.len());
        while fitting < beyond {
            let middle = fitting.midpoint(beyond);
            if fits(middle) { fitting = middle + 1 } else { beyond = middle }
        }
        fitting
    }

    /// Returns the path of the file whose content the item at `at` is.
    pub(crate) fn path(&self, at: usize) -> Option<&Path> {
        note_of(&self.block.content.paths, self.items.start + at).map(PathBuf::as_path)
    }

    /// Returns the reason why the item at `at` cannot be processed, if there is one.
    pub fn rejection(&self, at: usize) -> Option<&str> {
        note_of(&self.block.content.rejected, self.items.start + at).map(String::as_str)
    }

    /// Returns the position of the first rejected item at or after `at`. If no item is rejected
    /// there, returns the end of the span.
    pub fn next_rejection(&self, at: usize) -> usize {
        let from = self.items.start + at;
        let rejected = &self.block.content.rejected;
        let next = rejected.partition_point(|(item, _)| *item < from);
        rejected.get(next).map_or(self.len(), |(item, _)| (item - self.items.start).min(self.len()))
    }

    /// Splits off the first `items` items, or all if there are fewer, and returns them.
    pub(crate) fn split_to(&mut self, items: usize) -> Self {
        let cut = self.items.start + items.min(self.len());
        let front = Self { block: Arc::clone(&self.block), items: self.items.start..cut };
        self.items.start = cut;
        front
    }

    /// Returns the items at `items`, counted from the start of this span.
    pub(crate) fn slice(&self, items: Range<usize>) -> Self {
        debug_assert!(items.end <= self.len(), "the items are in the span");
        let start = self.items.start;
        Self { block: Arc::clone(&self.block), items: start + items.start..start + items.end }
    }

    /// Adds `next` if it continues this span in the same block. Returns whether it did.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let follows = Arc::ptr_eq(&self.block, &next.block) && self.items.end == next.items.start;
        if follows {
            self.items.end = next.items.end;
        }
        follows
    }

    /// Returns the bytes of the window that the item at `at` takes.
    pub(crate) fn cost(&self, at: usize) -> usize {
        self.item(at).len() + BlockBuilder::ITEM_COST
    }

    /// Returns the bytes of the window that all items take.
    pub fn total_cost(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        let bytes =
            self.block.content.ends[self.items.end - 1] - self.block.start(self.items.start);
        bytes + self.len() * BlockBuilder::ITEM_COST
    }

    /// Returns the number of input bytes that these items took.
    pub fn input_bytes(&self) -> u64 {
        self.block.input_bytes_before(self.items.end)
            - self.block.input_bytes_before(self.items.start)
    }
}

/// Returns the note about `item`. Most items have no note.
fn note_of<T>(notes: &[(usize, T)], item: usize) -> Option<&T> {
    let found = notes.binary_search_by_key(&item, |(noted, _)| *noted);
    found.ok().map(|at| &notes[at].1)
}

#[cfg(test)]
mod tests;
