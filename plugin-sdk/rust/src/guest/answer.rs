//! Answers of a worker, and their encodings for the two kinds of host.

use crate::{Error, Failure};

/// An answer of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A result.
    Bytes(&'a [u8]),
    /// No record.
    Nothing,
    /// No result, for this reason.
    Failed(Failure),
}

/// A range of the module's memory, as the host sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub(crate) address: u32,
    pub(crate) length: u32,
}

/// An answer whose bytes no longer move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    Bytes(Span),
    Nothing,
    BadItem(Span),
    Refused(Span),
}

/// The flags of a result word, above a length of 30 bits.
const ERROR: u64 = 1 << 31;
const BAD_ITEM: u64 = ERROR | NO_RECORD;
const NO_RECORD: u64 = 1 << 30;
pub(crate) const MAX_LENGTH: usize = (1 << 30) - 1;

impl<'a> Answer<'a> {
    /// Moves an error message to `kept`, which keeps it alive. The bytes of a result stay in their
    /// buffer.
    pub(crate) fn placed(self, kept: &mut String) -> Placed {
        let failure = match self {
            Self::Nothing => return Placed::Nothing,
            Self::Bytes(bytes) if bytes.len() <= MAX_LENGTH => {
                return Placed::Bytes(Span::of(bytes));
            }
            Self::Bytes(bytes) => too_long(bytes),
            Self::Failed(failure) => failure,
        };
        match failure {
            Failure::BadItem(message) => {
                *kept = message;
                Placed::BadItem(Span::of(kept.as_bytes()))
            }
            Failure::Refused(message) => {
                *kept = message;
                Placed::Refused(Span::of(kept.as_bytes()))
            }
        }
    }

    pub(crate) fn into_result(self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Bytes(bytes) => Ok(Some(bytes.to_vec())),
            Self::Nothing => Ok(None),
            Self::Failed(failure) => Err(failure),
        }
    }
}

/// Returns the failure of an item whose result is too long for an answer.
pub(crate) fn too_long(bytes: &[u8]) -> Failure {
    Failure::refused(format_args!(
        "a result of {} bytes; the longest that can be passed has {MAX_LENGTH}",
        bytes.len()
    ))
}

impl<'a> From<Result<Option<&'a [u8]>, Failure>> for Answer<'a> {
    fn from(result: Result<Option<&'a [u8]>, Failure>) -> Self {
        match result {
            Ok(Some(bytes)) => Self::Bytes(bytes),
            Ok(None) => Self::Nothing,
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl From<Error> for Answer<'_> {
    fn from(error: Error) -> Self {
        Self::Failed(Failure::Refused(error.into_message()))
    }
}

impl Span {
    /// Returns the range of these bytes. Only WebAssembly calls it, where addresses have 32 bits.
    fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        let word = |number: usize| u32::try_from(number).expect("a module's memory has 32 bits");
        Self { address: word(bytes.as_ptr().addr()), length: word(bytes.len()) }
    }
}

impl Placed {
    /// Encodes the result word of a core module: `address << 32 | flags | length`.
    pub(crate) fn word(self) -> i64 {
        let (flags, span) = match self {
            Self::Bytes(span) => (0, span),
            Self::Nothing => (NO_RECORD, Span::default()),
            Self::BadItem(span) => (BAD_ITEM, span),
            Self::Refused(span) => (ERROR, span),
        };
        (u64::from(span.address) << 32 | flags | u64::from(span.length)).cast_signed()
    }

    /// Encodes `result<option<list<u8>>, failure>` in the layout of the component model.
    pub(crate) fn of_call(self) -> [u32; 4] {
        match self {
            Self::Bytes(span) => [0, 1, span.address, span.length],
            Self::Nothing => [0, 0, 0, 0],
            Self::BadItem(span) => [1, 0, span.address, span.length],
            Self::Refused(span) => [1, 1, span.address, span.length],
        }
    }

    /// Encodes `result<option<list<u8>>, string>` in the layout of the component model.
    pub(crate) fn of_finish(self) -> [u32; 4] {
        match self {
            Self::Bytes(span) => [0, 1, span.address, span.length],
            Self::Nothing => [0, 0, 0, 0],
            Self::BadItem(span) | Self::Refused(span) => [1, span.address, span.length, 0],
        }
    }

    /// Encodes `result<_, string>` in the layout of the component model.
    pub(crate) fn of_init(self) -> [u32; 4] {
        match self {
            Self::Bytes(_) | Self::Nothing => [0, 0, 0, 0],
            Self::BadItem(span) | Self::Refused(span) => [1, span.address, span.length, 0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_one_word_and_one_area() {
        let span = Span { address: 0x8000_0010, length: 0x3fff_ffff };
        #[rustfmt::skip]
        let cases: [(Placed, u64, [u32; 4]); 4] = [
            // answer                 word                   area of `call`
            (Placed::Bytes(span),     0x8000_0010_3fff_ffff, [0, 1, 0x8000_0010, 0x3fff_ffff]),
            (Placed::Nothing,         0x0000_0000_4000_0000, [0, 0, 0, 0]),
            (Placed::Refused(span),   0x8000_0010_bfff_ffff, [1, 1, 0x8000_0010, 0x3fff_ffff]),
            (Placed::BadItem(span),   0x8000_0010_ffff_ffff, [1, 0, 0x8000_0010, 0x3fff_ffff]),
        ];
        for (placed, word, area) in cases {
            assert_eq!(placed.word().cast_unsigned(), word, "{placed:?}");
            assert_eq!(placed.of_call(), area, "{placed:?}");
        }
    }

    #[test]
    fn only_an_error_of_init_or_finish_has_a_message() {
        let span = Span { address: 16, length: 3 };
        #[rustfmt::skip]
        let cases = [
            // answer                 area of `init`  area of `finish`
            (Placed::Bytes(span),     [0, 0, 0, 0],   [0, 1, 16, 3]),
            (Placed::Nothing,         [0, 0, 0, 0],   [0, 0, 0, 0]),
            (Placed::Refused(span),   [1, 16, 3, 0],  [1, 16, 3, 0]),
        ];
        for (placed, init, finish) in cases {
            assert_eq!(placed.of_init(), init, "{placed:?}");
            assert_eq!(placed.of_finish(), finish, "{placed:?}");
        }
    }
}
