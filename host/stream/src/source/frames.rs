//! Items that say their length first: four bytes, little-endian, then so many bytes.

use super::feed::{Feed, Reading};
use super::{Filled, Inputs, ItemLimit, Size, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// The size of a frame's length.
const HEADER: usize = size_of::<u32>();

/// Each frame of the inputs is an item; one of length 0 is an empty item.
///
/// ```
/// use mtl_host::BlockBuilder;
/// use mtl_host::source::{Frames, Inputs, Source};
///
/// let mut frames = Frames::new(Inputs::from_reader("memory", &b"\x03\0\0\0one\0\0\0\0"[..]));
/// let mut block = BlockBuilder::new();
/// frames.fill(&mut block)?;
/// assert_eq!(block.len(), 2);
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Frames {
    feed: Feed,
    limit: ItemLimit,
}

impl Frames {
    /// The frames of `inputs`.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        Self { feed: Feed::new(inputs), limit: ItemLimit::DEFAULT }
    }

    /// Bounds the length of a frame. A longer one ends the run: after a length that cannot be
    /// true there is no telling where the next frame begins.
    ///
    /// ```
    /// use mtl_host::BlockBuilder;
    /// use mtl_host::source::{Frames, Inputs, ItemLimit, Source};
    ///
    /// let input = Inputs::from_reader("memory", &b"\xff\xff\0\0"[..]);
    /// let mut frames = Frames::new(input).item_limit(ItemLimit::new(1000).unwrap());
    /// let error = frames.fill(&mut BlockBuilder::new()).unwrap_err();
    /// assert!(error.to_string().contains("has a frame of 65535 bytes"));
    /// ```
    #[must_use]
    pub fn item_limit(mut self, limit: ItemLimit) -> Self {
        self.limit = limit;
        self
    }

    /// The length of the next frame that is there as a whole.
    fn next_ready(&self) -> Result<Option<usize>, SourceError> {
        let pending = self.feed.pending();
        let Some((header, rest)) = pending.split_first_chunk::<HEADER>() else {
            return self.unless_truncated(pending.len(), HEADER);
        };
        let length = usize::try_from(u32::from_le_bytes(*header)).unwrap_or(usize::MAX);
        match rest.len() {
            _ if length > self.limit.get() => Err(SourceError::FrameTooLong {
                name: self.feed.inputs().name().to_owned(),
                length: length as u64,
                limit: self.limit,
            }),
            got if got < length => self.unless_truncated(got, length),
            _ => Ok(Some(length)),
        }
    }

    /// No frame yet; an error when the input has ended in the middle of one.
    fn unless_truncated(&self, got: usize, expected: usize) -> Result<Option<usize>, SourceError> {
        if !self.feed.input_ended() || self.feed.pending().is_empty() {
            return Ok(None);
        }
        let name = self.feed.inputs().name().to_owned();
        Err(SourceError::TruncatedFrame { name, got: got as u64, expected: expected as u64 })
    }

    /// Adds the frames that are there.
    fn add_ready(&mut self, block: &mut BlockBuilder) -> Result<(), SourceError> {
        while !block.is_full()
            && let Some(length) = self.next_ready()?
        {
            self.feed.take(HEADER + length);
            block.push(self.feed.last_taken(length));
        }
        Ok(())
    }
}

impl Source for Frames {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
        let before = block.len();
        loop {
            // After an error, the frames before it stand in the block.
            let added = self.add_ready(block);
            if block.len() > before || added.is_err() {
                self.feed.charge(block);
                return added.map(|()| Filled::More);
            }
            if self.feed.read()? == Reading::Ended {
                self.feed.charge(block);
                return Ok(Filled::End);
            }
        }
    }

    fn size(&self) -> Size {
        let bytes = self.feed.inputs().total_bytes();
        Size { bytes, ..Size::default() }
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.feed.inputs().stop_flag()
    }
}

#[cfg(test)]
mod tests;
