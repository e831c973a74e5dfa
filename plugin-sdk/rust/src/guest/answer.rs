//! Answers of a worker, and their encodings for core modules and components.

use crate::{Error, Failure};

/// An answer of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A result.
    Bytes(&'a [u8]),
    /// No record.
    NoRecord,
    /// A failure: the item has no result.
    Failed(Failure),
}

/// A range of the module's memory: its address and length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryRange {
    pub(crate) address: u32,
    pub(crate) length: u32,
}

/// An answer whose bytes no longer move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PinnedAnswer {
    Bytes(MemoryRange),
    NoRecord,
    BadItem(MemoryRange),
    Refused(MemoryRange),
}

/// The flags of a result word: the bits above the 30 bits of the length.
const ERROR: u64 = 1 << 31;
const BAD_ITEM: u64 = ERROR | NO_RECORD;
const NO_RECORD: u64 = 1 << 30;
pub(crate) const MAX_LENGTH: usize = (1 << 30) - 1;

impl<'a> Answer<'a> {
    /// Moves an error message to `storage`, so that the host can read it after the call. The bytes
    /// of a result stay in their buffer.
    pub(crate) fn into_pinned(self, storage: &mut String) -> PinnedAnswer {
        let failure = match self {
            Self::NoRecord => return PinnedAnswer::NoRecord,
            Self::Bytes(bytes) if bytes.len() <= MAX_LENGTH => {
                return PinnedAnswer::Bytes(MemoryRange::of(bytes));
            }
            Self::Bytes(bytes) => result_too_long_failure(bytes),
            Self::Failed(failure) => failure,
        };
        match failure {
            Failure::BadItem(message) => {
                *storage = message;
                PinnedAnswer::BadItem(MemoryRange::of(storage.as_bytes()))
            }
            Failure::Refused(message) => {
                *storage = message;
                PinnedAnswer::Refused(MemoryRange::of(storage.as_bytes()))
            }
        }
    }

    pub(crate) fn into_result(self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Bytes(bytes) => Ok(Some(bytes.to_vec())),
            Self::NoRecord => Ok(None),
            Self::Failed(failure) => Err(failure),
        }
    }
}

/// Returns the failure of an item whose result is too long for an answer.
pub(crate) fn result_too_long_failure(bytes: &[u8]) -> Failure {
    Failure::refused(format_args!(
        "a result of {} bytes; the longest that can be passed has {MAX_LENGTH}",
        bytes.len()
    ))
}

impl<'a> From<Result<Option<&'a [u8]>, Failure>> for Answer<'a> {
    fn from(result: Result<Option<&'a [u8]>, Failure>) -> Self {
        match result {
            Ok(Some(bytes)) => Self::Bytes(bytes),
            Ok(None) => Self::NoRecord,
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl From<Error> for Answer<'_> {
    fn from(error: Error) -> Self {
        Self::Failed(Failure::Refused(error.into_message()))
    }
}

impl MemoryRange {
    /// Returns the range of these bytes. Only WebAssembly code may call this function: a native
    /// address can exceed 32 bits.
    fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        let word = |number: usize| u32::try_from(number).expect("a module's memory has 32 bits");
        Self { address: word(bytes.as_ptr().addr()), length: word(bytes.len()) }
    }
}

impl PinnedAnswer {
    /// Encodes the result word of a core module: `address << 32 | flags | length`.
    pub(crate) fn encode_word(self) -> i64 {
        let (flags, range) = match self {
            Self::Bytes(range) => (0, range),
            Self::NoRecord => (NO_RECORD, MemoryRange::default()),
            Self::BadItem(range) => (BAD_ITEM, range),
            Self::Refused(range) => (ERROR, range),
        };
        (u64::from(range.address) << 32 | flags | u64::from(range.length)).cast_signed()
    }

    /// Encodes `result<option<list<u8>>, failure>` in the layout of the component model.
    pub(crate) fn encode_call(self) -> [u32; 4] {
        match self {
            Self::Bytes(range) => [0, 1, range.address, range.length],
            Self::NoRecord => [0, 0, 0, 0],
            Self::BadItem(range) => [1, 0, range.address, range.length],
            Self::Refused(range) => [1, 1, range.address, range.length],
        }
    }

    /// Encodes `result<option<list<u8>>, string>` in the layout of the component model.
    pub(crate) fn encode_finish(self) -> [u32; 4] {
        match self {
            Self::Bytes(range) => [0, 1, range.address, range.length],
            Self::NoRecord => [0, 0, 0, 0],
            Self::BadItem(range) | Self::Refused(range) => [1, range.address, range.length, 0],
        }
    }

    /// Encodes `result<_, string>` in the layout of the component model.
    pub(crate) fn encode_init(self) -> [u32; 4] {
        match self {
            Self::Bytes(_) | Self::NoRecord => [0, 0, 0, 0],
            Self::BadItem(range) | Self::Refused(range) => [1, range.address, range.length, 0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_one_word_and_one_area() {
        let range = MemoryRange { address: 0x8000_0010, length: 0x3fff_ffff };
        #[rustfmt::skip]
        let cases: [(PinnedAnswer, u64, [u32; 4]); 4] = [
            // answer                        word                   area of `call`
            (PinnedAnswer::Bytes(range),     0x8000_0010_3fff_ffff, [0, 1, 0x8000_0010, 0x3fff_ffff]),
            (PinnedAnswer::NoRecord,         0x0000_0000_4000_0000, [0, 0, 0, 0]),
            (PinnedAnswer::Refused(range),   0x8000_0010_bfff_ffff, [1, 1, 0x8000_0010, 0x3fff_ffff]),
            (PinnedAnswer::BadItem(range),   0x8000_0010_ffff_ffff, [1, 0, 0x8000_0010, 0x3fff_ffff]),
        ];
        for (pinned, word, area) in cases {
            assert_eq!(pinned.encode_word().cast_unsigned(), word, "{pinned:?}");
            assert_eq!(pinned.encode_call(), area, "{pinned:?}");
        }
    }

    #[test]
    fn only_an_error_of_init_or_finish_has_a_message() {
        let range = MemoryRange { address: 16, length: 3 };
        #[rustfmt::skip]
        let cases = [
            // answer                        area of `init`  area of `finish`
            (PinnedAnswer::Bytes(range),     [0, 0, 0, 0],   [0, 1, 16, 3]),
            (PinnedAnswer::NoRecord,         [0, 0, 0, 0],   [0, 0, 0, 0]),
            (PinnedAnswer::Refused(range),   [1, 16, 3, 0],  [1, 16, 3, 0]),
        ];
        for (pinned, init, finish) in cases {
            assert_eq!(pinned.encode_init(), init, "{pinned:?}");
            assert_eq!(pinned.encode_finish(), finish, "{pinned:?}");
        }
    }
}
