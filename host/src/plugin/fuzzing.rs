//! What a fuzz target sees of a plugin's answer.

use super::core_abi::{Answer, Word};
use crate::fault::FaultKind;

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

/// Reads what `word` says out of `memory`.
pub fn answered(word: i64, memory: &[u8]) -> Answered<'_> {
    match Word::new(word).read(memory) {
        Ok(Answer::Record(bytes)) => Answered::Record(bytes),
        Ok(Answer::NoRecord) => Answered::NoRecord,
        Ok(Answer::Refused(message)) => Answered::Refused(message, false),
        Ok(Answer::BadItem(message)) => Answered::Refused(message, true),
        Err(broken) => Answered::Broken(broken.kind),
    }
}
