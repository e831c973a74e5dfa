//! Frames: their kinds, and the encoding of their payloads.

use serde::{Deserialize, Serialize};

use crate::item::bounded;

/// The number of bytes before the payload.
pub(crate) const HEADER: usize = 5;

/// Defines the frames of one direction: each kind with its number.
macro_rules! kinds {
    ($(#[$docs:meta])* $name:ident { $($kind:ident = $number:literal,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($kind = $number,)*
        }

        impl $name {
            pub(crate) fn of(number: u8) -> Result<Self, ProtocolError> {
                match number {
                    $($number => Ok(Self::$kind),)*
                    _ => Err(ProtocolError("a message of an unknown kind")),
                }
            }
        }
    };
}

kinds! {
    /// The kinds of frames that a parent sends.
    Order {
        Setup = 1,
        Run = 2,
        Finish = 3,
        Answer = 4,
        Granted = 5,
        Denied = 6,
    }
}

kinds! {
    /// The kinds of frames that a child sends.
    Reply {
        Ready = 1,
        Unjailed = 2,
        Started = 3,
        NotStarted = 4,
        Ran = 5,
        Finished = 6,
        Guest = 7,
        Call = 8,
        Take = 9,
        Compiled = 10,
        NotCompiled = 11,
        Inspected = 12,
        Freezing = 13,
        Frozen = 14,
        NotFrozen = 15,
        Layers = 16,
        TakeDisk = 17,
        Part = 18,
    }
}

/// Error of a frame that the protocol does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent {0}")]
pub(crate) struct ProtocolError(pub(crate) &'static str);

/// A frame that is being written.
#[derive(Debug)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    pub(crate) fn order(kind: Order) -> Self {
        Self::new(kind as u8)
    }

    pub(crate) fn reply(kind: Reply) -> Self {
        Self::new(kind as u8)
    }

    fn new(kind: u8) -> Self {
        Self::new_in(Vec::new(), kind)
    }

    /// Begins an order in the buffer of an earlier one.
    pub(crate) fn order_in(memory: Vec<u8>, kind: Order) -> Self {
        Self::new_in(memory, kind as u8)
    }

    /// Begins a reply in the buffer of an earlier one.
    pub(crate) fn reply_in(memory: Vec<u8>, kind: Reply) -> Self {
        Self::new_in(memory, kind as u8)
    }

    fn new_in(mut memory: Vec<u8>, kind: u8) -> Self {
        memory.clear();
        memory.extend([0, 0, 0, 0, kind]);
        Self(memory)
    }

    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(crate) fn number(mut self, number: usize) -> Self {
        self.0.extend(bytes_of(number));
        self
    }

    /// Adds numbers without their count.
    pub(crate) fn numbers(mut self, numbers: impl ExactSizeIterator<Item = usize>) -> Self {
        let start = self.0.len();
        self.0.resize(start + numbers.len() * size_of::<u32>(), 0);
        for (target, number) in self.0[start..].as_chunks_mut().0.iter_mut().zip(numbers) {
            *target = bytes_of(number);
        }
        self
    }

    pub(crate) fn long(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds bytes with their count before them.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.number(bytes.len()).rest(bytes)
    }

    /// Adds bytes that end with the frame, without their count.
    pub(crate) fn rest(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a value, in the format of postcard.
    pub(crate) fn data(self, value: &impl Serialize) -> Self {
        Self(postcard::to_extend(value, self.0).expect("all lengths are known, and memory grows"))
    }

    /// Returns the finished frame.
    pub(crate) fn seal(self) -> Vec<u8> {
        self.seal_before(&[])
    }

    /// Returns the finished frame without `last`, which the caller sends after it as its end.
    pub(crate) fn seal_before(mut self, last: &[u8]) -> Vec<u8> {
        let length = self.0.len() - HEADER + last.len();
        let length = u32::try_from(length).expect("the callers bound the length of a frame");
        self.0[..4].copy_from_slice(&length.to_le_bytes());
        self.0
    }
}

fn bytes_of(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("the callers bound each number").to_le_bytes()
}

/// Returns the length and the kind of a frame from its header.
pub(crate) fn header(bytes: [u8; HEADER]) -> (usize, u8) {
    let [a, b, c, d, kind] = bytes;
    (u32::from_le_bytes([a, b, c, d]) as usize, kind)
}

/// Truncates a guest's text to the maximum length of a text in a frame. This length is three times
/// the limit on a text in the guest's memory, because each invalid byte can become a replacement
/// character of 3 bytes.
pub(crate) fn truncate_guest_text(text: String) -> String {
    bounded::truncate_text(text, bounded::guest::MAX)
}

/// A payload that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload<'a>(pub(crate) &'a [u8]);

impl<'a> Payload<'a> {
    const SHORT: ProtocolError = ProtocolError("a frame that ends too early");

    pub(crate) fn byte(&mut self) -> Result<u8, ProtocolError> {
        let (first, rest) = self.0.split_first().ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<usize, ProtocolError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*first) as usize)
    }

    pub(crate) fn long(&mut self) -> Result<u64, ProtocolError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*first))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = self.number()?;
        let (first, rest) = self.0.split_at_checked(length).ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(first)
    }

    /// Reads `count` numbers.
    pub(crate) fn numbers(&mut self, count: usize) -> Result<&'a [[u8; 4]], ProtocolError> {
        let length = count.checked_mul(size_of::<u32>()).ok_or(Self::SHORT)?;
        let (first, rest) = self.0.split_at_checked(length).ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(first.as_chunks().0)
    }

    /// Reads a guest's text, and truncates it to the maximum length for guests on threads.
    pub(crate) fn text(&mut self) -> Result<String, ProtocolError> {
        Ok(truncate_guest_text(String::from_utf8_lossy(self.bytes()?).into_owned()))
    }

    /// Returns the rest as text for users.
    pub(crate) fn message(self) -> String {
        crate::outcome::shorten_message(String::from_utf8_lossy(self.0).into_owned())
    }

    /// Decodes the rest as one value in the format of postcard.
    pub(crate) fn data<T: Deserialize<'a>>(self, error: ProtocolError) -> Result<T, ProtocolError> {
        match postcard::take_from_bytes(self.0) {
            Ok((value, [])) => Ok(value),
            Ok(_) | Err(_) => Err(error),
        }
    }

    /// Returns the rest.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Checks that nothing is left.
    pub(crate) fn end(self) -> Result<(), ProtocolError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(ProtocolError("a frame with extra bytes")),
        }
    }
}
