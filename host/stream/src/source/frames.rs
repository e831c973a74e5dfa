//! Items with a length prefix: four bytes, little-endian, and then the bytes of the item.

use super::input_buffer::{InputBuffer, InputState};
use super::{FillStatus, Inputs, ItemLimit, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// The size of a frame's length field.
const HEADER: usize = size_of::<u32>();

/// A source in which each frame of the inputs is an item. A frame of length 0 is an empty item.
///
/// ```
/// use mtl_host::source::BlockBuilder;
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
    buffer: InputBuffer,
    limit: ItemLimit,
}

impl Frames {
    /// Creates a source of the frames of `inputs`.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        Self { buffer: InputBuffer::new(inputs), limit: ItemLimit::DEFAULT }
    }

    /// Bounds the length of a frame (default: 64 MiB). A longer frame ends the run. Its length may
    /// be wrong, and the source cannot find the next frame after a wrong length.
    ///
    /// ```
    /// use mtl_host::source::BlockBuilder;
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

    /// Returns the length of the next frame that has arrived as a whole.
    fn next_ready(&self) -> Result<Option<usize>, SourceError> {
        let pending = self.buffer.pending();
        let Some((header, rest)) = pending.split_first_chunk::<HEADER>() else {
            return self.unless_truncated(pending.len(), HEADER);
        };
        let length = usize::try_from(u32::from_le_bytes(*header)).unwrap_or(usize::MAX);
        match rest.len() {
            _ if length > self.limit.get() => Err(SourceError::FrameTooLong {
                name: self.buffer.inputs().name().to_owned(),
                length: length as u64,
                limit: self.limit,
            }),
            got if got < length => self.unless_truncated(got, length),
            _ => Ok(Some(length)),
        }
    }

    /// Returns `None` if the rest of the frame may still arrive, or an error if the input has ended
    /// within the frame.
    fn unless_truncated(&self, got: usize, expected: usize) -> Result<Option<usize>, SourceError> {
        if !self.buffer.input_ended() || self.buffer.pending().is_empty() {
            return Ok(None);
        }
        let name = self.buffer.inputs().name().to_owned();
        Err(SourceError::TruncatedFrame { name, got: got as u64, expected: expected as u64 })
    }

    /// Adds the frames that have arrived.
    fn add_ready(&mut self, block: &mut BlockBuilder) -> Result<(), SourceError> {
        while !block.is_full()
            && let Some(length) = self.next_ready()?
        {
            self.buffer.take(HEADER + length);
            block.push(self.buffer.last_taken(length));
        }
        Ok(())
    }
}

impl Source for Frames {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        let before = block.len();
        loop {
            // If there is an error, the block holds the frames before it.
            let added = self.add_ready(block);
            if block.len() > before || added.is_err() {
                self.buffer.charge(block);
                return added.map(|()| FillStatus::More);
            }
            if self.buffer.read()? == InputState::Ended {
                self.buffer.charge(block);
                return Ok(FillStatus::End);
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.buffer.inputs().total_bytes();
        SizeHint { bytes, ..SizeHint::default() }
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.buffer.inputs().stop_flag()
    }
}

#[cfg(test)]
mod tests;
