//! The result that a core module packs into one word.
//!
//! ```text
//! 63                          32  31  30  29                      0
//! │ address                      │ E │ N │ length                  │
//! E    an error message           E N  an error message; the item itself was at fault
//! N    no record
//! ```

use super::guest_memory;
use crate::item::fault::FaultKind;
use crate::item::instance_failure::InstanceFailure;

/// A packed answer of the plugin, which is not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackedResult(u64);

/// An answer of the plugin, with its bytes borrowed from the plugin's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PluginAnswer<'a> {
    Record(&'a [u8]),
    NoRecord,
    Refused(&'a [u8]),
    BadItem(&'a [u8]),
}

impl PackedResult {
    const ERROR: u32 = 1 << 31;
    const NO_RECORD: u32 = 1 << 30;
    const LENGTH: u32 = Self::NO_RECORD - 1;

    pub(crate) fn new(word: i64) -> Self {
        Self(word.cast_unsigned())
    }

    /// Packs an answer of a batch. The offsets `start` and `end` from the address `out` delimit the answer's bytes. The
    /// highest bits of `end` contain the flags.
    pub(crate) fn between(out: u32, start: u32, end: u32) -> Result<Self, InstanceFailure> {
        let length = Self::length(end).checked_sub(start);
        match (out.checked_add(start), length) {
            (Some(ptr), Some(length)) => {
                let low = end & !Self::LENGTH | length;
                Ok(Self(u64::from(ptr) << 32 | u64::from(low)))
            }
            (_, None) => {
                let end = Self::length(end);
                let message =
                    format!("`call_batch` gave a result that ends at {end} and begins at {start}");
                Err(InstanceFailure::new(FaultKind::BadResult, message))
            }
            (None, _) => {
                let message = format!("`call_batch` gave a result {start} bytes after {out}");
                Err(InstanceFailure::new(FaultKind::BadResult, message))
            }
        }
    }

    /// Returns a length without its flags.
    pub(crate) fn length(low: u32) -> u32 {
        low & Self::LENGTH
    }

    /// Reads the answer from `memory`.
    pub(crate) fn read(self, memory: &[u8]) -> Result<PluginAnswer<'_>, InstanceFailure> {
        let (ptr, low) = (self.upper(), self.lower());
        let (is_error, is_empty) = (low & Self::ERROR != 0, low & Self::NO_RECORD != 0);
        if is_empty && !is_error {
            return Ok(PluginAnswer::NoRecord);
        }
        let len = low & Self::LENGTH;
        let Some(bytes) = guest_memory::bytes(memory, ptr, len) else {
            let message = format!(
                "the plugin answered with {len} bytes at {ptr}, but its memory ends at {}",
                memory.len()
            );
            return Err(InstanceFailure::new(FaultKind::BadResult, message));
        };
        Ok(match (is_error, is_empty) {
            (false, _) => PluginAnswer::Record(bytes),
            (true, false) => PluginAnswer::Refused(bytes),
            (true, true) => PluginAnswer::BadItem(bytes),
        })
    }

    fn upper(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[expect(clippy::cast_possible_truncation, reason = "the result is the lower half")]
    fn lower(self) -> u32 {
        self.0 as u32
    }
}

/// Returns a plugin's message as text, cut to a bounded length.
pub(crate) fn text(message: &[u8]) -> String {
    const MAX: usize = 64 * 1024;
    String::from_utf8_lossy(&message[..message.len().min(MAX)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(ptr: u32, flags: u32, len: u32) -> PackedResult {
        PackedResult(u64::from(ptr) << 32 | u64::from(flags | len))
    }

    #[test]
    fn an_answer_outside_the_memory_is_rejected() {
        let memory = b"0123456789";
        let (error, empty) = (PackedResult::ERROR, PackedResult::NO_RECORD);
        #[rustfmt::skip]
        let cases = [
            ("a record",             word(2, 0, 3),               Some(PluginAnswer::Record(b"234"))),
            ("an empty record",      word(0, 0, 0),               Some(PluginAnswer::Record(b""))),
            ("empty, at the end",    word(10, 0, 0),              Some(PluginAnswer::Record(b""))),
            ("up to the end",        word(0, 0, 10),              Some(PluginAnswer::Record(b"0123456789"))),
            ("no record",            word(0, empty, 0),           Some(PluginAnswer::NoRecord)),
            ("no record, no place",  word(99, empty, 99),         Some(PluginAnswer::NoRecord)),
            ("refused",              word(1, error, 1),           Some(PluginAnswer::Refused(b"1"))),
            ("bad item",             word(1, error | empty, 1),   Some(PluginAnswer::BadItem(b"1"))),
            ("one past the end",     word(0, 0, 11),              None),
            ("starts past the end",  word(11, 0, 0),              None),
            ("wraps around",         word(u32::MAX, 0, 2),        None),
            ("as long as can be",    word(1, 0, PackedResult::LENGTH),    None),
            ("error out of memory",  word(11, error, 1),          None),
        ];
        for (case, word, answer) in cases {
            let read = word.read(memory);
            let kind = read.as_ref().err().map(|failure| failure.kind);
            assert_eq!(read.ok(), answer, "{case}");
            assert_eq!(kind, answer.is_none().then_some(FaultKind::BadResult), "{case}");
        }
    }

    #[test]
    fn a_batch_result_starts_where_the_previous_one_ends() {
        let (error, empty) = (PackedResult::ERROR, PackedResult::NO_RECORD);
        #[rustfmt::skip]
        let cases = [
            // case                 out        start  end              is
            ("a record",            100,       2,     5,               Ok(word(102, 0, 3))),
            ("an empty record",     100,       2,     2,               Ok(word(102, 0, 0))),
            ("no record",           100,       2,     empty | 2,       Ok(word(102, empty, 0))),
            ("refused",             100,       2,     error | 5,       Ok(word(102, error, 3))),
            ("bad item",            100,       2,     error | empty | 5, Ok(word(102, error | empty, 3))),
            ("as far as can be",    u32::MAX - 2, 2,  5,               Ok(word(u32::MAX, 0, 3))),
            ("past all addresses",  u32::MAX,  2,     5,               Err("`call_batch` gave a result 2 bytes after 4294967295")),
            ("it ends before",      100,       2,     1,               Err("`call_batch` gave a result that ends at 1 and begins at 2")),
            ("flags are no length", 100,       2,     error | empty | 1, Err("`call_batch` gave a result that ends at 1 and begins at 2")),
        ];
        for (case, out, start, end, expected) in cases {
            let word = PackedResult::between(out, start, end).map_err(|failure| failure.message);
            assert_eq!(word, expected.map_err(str::to_owned), "{case}");
        }
    }
}
