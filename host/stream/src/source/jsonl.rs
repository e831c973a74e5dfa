//! Items that are JSON values, one on each line.

use serde::de::IgnoredAny;

use super::lines::too_long;
use super::records::{Content, Record, Records};
use super::{FillStatus, Inputs, ItemLimit, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// The mark that some editors write at the beginning of a file. It is not part of the value.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A source in which each line of the inputs is an item, which must be one JSON value. Any other
/// line is a faulty item. The source skips lines with only white space.
///
/// ```
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::source::{Inputs, Jsonl, Source};
///
/// let mut values = Jsonl::new(Inputs::from_reader("memory", &b"{\"n\": 1}\n\n[2]\n"[..]));
/// let mut block = BlockBuilder::new();
/// values.fill(&mut block)?;
/// assert_eq!(block.len(), 2);
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Jsonl(Records);

impl Jsonl {
    /// Creates a source of the values of `inputs`.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        Self(Records::new(inputs, b'\n'))
    }

    /// Bounds the length of a line (default: 64 MiB). A longer line is a faulty item.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{Inputs, ItemLimit, Jsonl};
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let input = Inputs::from_reader("memory", &b"[1]\n[1,2,3,4,5,6]\n"[..]);
    /// let source = Jsonl::new(input).item_limit(ItemLimit::new(10).unwrap());
    /// let mut sink = Memory::new();
    /// Pool::builder(&plugin).build()?.run(source, &mut sink).into_result()?;
    /// assert!(sink.results()[0].is_ok());
    /// assert_eq!(sink.results()[1].as_ref().unwrap_err().kind(), FaultKind::BadItem);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn item_limit(mut self, limit: ItemLimit) -> Self {
        self.0.set_limit(limit);
        self
    }
}

impl Source for Jsonl {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        let limit = self.0.limit();
        self.0.fill(block, |record, block| match record.content {
            Content::Whole(line) => add(line, record, block),
            Content::TooLong(head) => {
                block.push(head);
                block.reject(too_long(record, limit));
            }
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size()
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.0.stop_flag()
    }
}

fn add(line: &[u8], record: Record<'_>, block: &mut BlockBuilder) {
    let value = trim(line, record.number == 1);
    if value.is_empty() {
        return;
    }
    block.push(value);
    if let Err((reason, column)) = check(value) {
        // The message counts columns in the line of the file, before white space is trimmed.
        let column = column + line.len() - line.trim_ascii_start().len();
        let Record { input, number, .. } = record;
        block.reject(format!("`{input}` line {number}: not JSON: {reason} at column {column}"));
    }
}

fn trim(line: &[u8], first: bool) -> &[u8] {
    let marked = if first { line.strip_prefix(BYTE_ORDER_MARK) } else { None };
    marked.unwrap_or(line).trim_ascii()
}

/// Checks that `value` is one JSON value. The error is the reason and the column, counted from 1.
fn check(value: &[u8]) -> Result<(), (String, usize)> {
    let text = std::str::from_utf8(value)
        .map_err(|error| ("not valid UTF-8".to_owned(), error.valid_up_to() + 1))?;
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Ok(()),
        Err(error) => {
            let position = format!(" at line {} column {}", error.line(), error.column());
            let reason = error.to_string();
            let reason = reason.strip_suffix(&position).unwrap_or(&reason);
            Err((reason.to_owned(), error.column()))
        }
    }
}

#[cfg(test)]
mod tests;
