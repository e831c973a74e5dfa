//! Fuzzes the reading of a plugin's packed result from its memory.
//!
//! The target decodes the word a second time, with arithmetic that cannot overflow. The target
//! `module` covers results of running plugins.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_stream::item;
use mtl_stream::item::fault::FaultKind;

use self::core_abi::packed_result::{PackedResult, PluginAnswer};

#[expect(dead_code, reason = "only the host uses all of it")]
#[path = "../../../host/src/engine/core_abi"]
mod core_abi {
    pub(crate) mod guest_memory;
    pub(crate) mod packed_result;
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    word: Word,
    memory: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Any(i64),
    /// The position of a result near the end of the memory, which random numbers rarely hit.
    NearEnd {
        flags: u8,
        start: i8,
        length: i8,
    },
}

impl Word {
    fn value(self, memory: &[u8]) -> i64 {
        match self {
            Self::Any(word) => word,
            Self::NearEnd { flags, start, length } => {
                let start = (memory.len() as i64).wrapping_add(start.into()) << 32;
                let length = i64::from(length).wrapping_sub(i64::from(start < 0)) & 0x3fff_ffff;
                start | i64::from(flags & 3) << 30 | length
            }
        }
    }
}

fuzz_target!(|case: Case<'_>| {
    let (memory, word) = (case.memory, case.word.value(case.memory).cast_unsigned());
    let (start, length) = (u128::from(word >> 32), u128::from(word & 0x3fff_ffff));
    let is_within = start + length <= memory.len() as u128;
    let bytes = || &memory[start as usize..(start + length) as usize];
    let expected = match (word >> 31 & 1, word >> 30 & 1) {
        (0, 1) => Ok(PluginAnswer::NoRecord),
        _ if !is_within => Err(FaultKind::BadResult),
        (0, _) => Ok(PluginAnswer::Record(bytes())),
        (_, 0) => Ok(PluginAnswer::Refused(bytes())),
        (..) => Ok(PluginAnswer::BadItem(bytes())),
    };
    let answer = PackedResult::new(word.cast_signed()).read(memory).map_err(|failure| failure.kind);
    assert_eq!(answer, expected);
    if let Ok(PluginAnswer::Record(record)) = answer {
        assert_eq!(record.as_ptr(), bytes().as_ptr(), "the record must not be copied");
    }
});
