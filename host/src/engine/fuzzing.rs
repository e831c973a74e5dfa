//! What fuzz targets see of plugins: of their answers, and of what they take.

use super::core_abi::{Answer, PackedResult};
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;

pub use super::core_abi::fuzzing::{Batch, BatchEnd};
pub use super::typed::fuzzing::Taken;

/// What a plugin answered, with its bytes where they lie in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered<'a> {
    /// A record.
    Record(&'a [u8]),
    /// No record.
    NoRecord,
    /// An error, and whether the item was at fault.
    Refused(&'a [u8], bool),
    /// What is not lawful, and the kind of fault that it is.
    Broken(FaultKind),
}

impl<'a> Answered<'a> {
    pub(crate) fn of(answer: Result<Answer<'a>, Broken>) -> Self {
        match answer {
            Ok(Answer::Record(bytes)) => Self::Record(bytes),
            Ok(Answer::NoRecord) => Self::NoRecord,
            Ok(Answer::Refused(message)) => Self::Refused(message, false),
            Ok(Answer::BadItem(message)) => Self::Refused(message, true),
            Err(broken) => Self::Broken(broken.kind),
        }
    }
}

/// Reads what `word` says out of `memory`.
#[must_use]
pub fn answered(word: i64, memory: &[u8]) -> Answered<'_> {
    Answered::of(PackedResult::new(word).read(memory))
}
