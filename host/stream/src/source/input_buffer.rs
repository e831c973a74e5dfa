//! A buffer of the inputs: bytes that were read and are not yet part of an item.
//!
//! ```text
//! buffer   | taken | pending        | room for the next read |
//!                  start            end
//! ```

use super::input::ReadResult;
use super::{Inputs, SourceError};
use crate::block::BlockBuilder;

/// The buffered bytes of the inputs.
///
/// The buffer never has bytes of two inputs. The user must take all bytes of one input before the next input is read.
#[derive(Debug)]
pub(super) struct InputBuffer {
    inputs: Inputs,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    input_ended: bool,
    /// Stored bytes that were read and are not yet charged to a block.
    uncharged: u64,
    /// Pending bytes that were taken since the last charge.
    taken: usize,
}

/// The result of a read: the inputs continue, or have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputState {
    Open,
    Ended,
}

impl InputBuffer {
    /// The number of bytes of one read. One read fills several blocks. The last of these blocks may have few items,
    /// because a source does not wait for more bytes to fill a block.
    const READ: usize = 4 * BlockBuilder::FULL;

    pub(super) fn new(inputs: Inputs) -> Self {
        let (buffer, start, end) = (Vec::new(), 0, 0);
        Self { inputs, buffer, start, end, input_ended: false, uncharged: 0, taken: 0 }
    }

    pub(super) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Returns whether the pending bytes are the last of their input.
    pub(super) fn input_ended(&self) -> bool {
        self.input_ended
    }

    /// Takes the first `bytes` of the pending bytes.
    pub(super) fn take(&mut self, bytes: usize) {
        self.start += bytes;
        self.taken += bytes;
        debug_assert!(self.start <= self.end, "only pending bytes can be taken");
    }

    /// Returns the last `bytes` that were taken. They stay in the buffer until the next read.
    pub(super) fn last_taken(&self, bytes: usize) -> &[u8] {
        &self.buffer[self.start - bytes..self.start]
    }

    /// Reads once. Waits if no bytes are available.
    pub(super) fn read(&mut self) -> Result<InputState, SourceError> {
        debug_assert!(!self.input_ended || self.pending().is_empty(), "inputs do not mix");
        self.make_room();
        self.input_ended = false;
        let result = self.inputs.read(&mut self.buffer[self.end..])?;
        self.uncharged += self.inputs.take_bytes_read();
        match result {
            ReadResult::Bytes(bytes) => self.end += bytes,
            ReadResult::InputEnd => self.input_ended = true,
            ReadResult::End => return Ok(InputState::Ended),
        }
        Ok(InputState::Open)
    }

    fn make_room(&mut self) {
        let pending = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, pending);
        let room = self.buffer.len() - pending;
        if room < Self::READ / 2 {
            let more = (self.buffer.len() * 2).max(Self::READ);
            self.buffer.resize(more, 0);
        } else if self.buffer.len() > 4 * Self::READ && pending < Self::READ / 2 {
            // One large item made the buffer grow; the next items may be small.
            self.buffer.truncate(Self::READ);
            self.buffer.shrink_to_fit();
        }
    }

    /// Charges the stored bytes of the taken items to `block`.
    pub(super) fn charge(&mut self, block: &mut BlockBuilder) {
        let pending = self.pending().len();
        let share = match pending {
            0 => self.uncharged,
            _ => share(self.uncharged, self.taken, self.taken + pending),
        };
        self.uncharged -= share;
        self.taken = 0;
        block.add_input_bytes(share);
    }
}

fn share(whole: u64, part: usize, total: usize) -> u64 {
    let share = u128::from(whole) * part as u128 / total as u128;
    u64::try_from(share).expect("a share is not more than the whole")
}
