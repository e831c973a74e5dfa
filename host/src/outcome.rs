//! What became of each item of a span.
//!
//! Every item ends in exactly one outcome: a record, no record (the plugin filtered it out),
//! or a fault. A worker appends them in order; what it could not do stays out and goes back
//! to the queue.

use std::path::Path;

mod iter;
mod room;

pub(crate) use self::iter::Cursor;
pub use self::iter::OutcomeIter;
pub(crate) use self::room::{Room, Rooms};

use crate::block::{ItemIndex, Span};
use crate::fault::{Fault, FaultKind};
use crate::sandbox::limits::ResultLimit;
use crate::worker::WorkerIndex;
use crate::worker::executor::Broken;
use crate::worker::renewal::RetryOn;

/// One item and what became of it, as a sink sees it.
///
/// ```
/// use mtl_host::sink::{Sink, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Outcome, Plugin, Pool};
///
/// /// Tells of each item what became of it.
/// struct Ledger(Vec<String>);
///
/// impl Sink for Ledger {
///     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
///         let item = String::from_utf8_lossy(outcome.item);
///         let what = match outcome.result {
///             Ok(Some(record)) => format!("{} bytes", record.len()),
///             Ok(None) => "left out".to_owned(),
///             Err(fault) => fault.kind().to_string(),
///         };
///         self.0.push(format!("{} {item}: {what}", outcome.index));
///         Ok(())
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut ledger = Ledger(Vec::new());
/// let source = Items::new(["one", "#two", "!three"]);
/// Pool::builder(&plugin).build()?.run(source, &mut ledger).into_result()?;
/// assert_eq!(ledger.0, ["0 one: 3 bytes", "1 #two: left out", "2 !three: refused"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// The item's position in the input, from 0.
    pub index: ItemIndex,
    /// The item itself.
    pub item: &'a [u8],
    /// The file that the item is the content of, if it is one.
    pub path: Option<&'a Path>,
    /// Its record; none if the plugin filtered it out; or its fault.
    pub result: Result<Option<&'a [u8]>, &'a Fault>,
    /// What the plugin says its records are.
    pub format: Format,
}

/// What the bytes of items or records are.
///
/// ```
/// use mtl_host::{Format, JsonValue};
///
/// let value = |format| {
///     let mut value = Vec::new();
///     JsonValue::of(b"[1]", format).append_to(&mut value);
///     String::from_utf8(value)
/// };
/// assert_eq!(value(Format::Json)?, "[1]");
/// assert_eq!(value(Format::Text)?, r#""[1]""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Any bytes; shown as text where they are UTF-8.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

impl Format {
    /// Whether `bytes` are of this format; the error says why not.
    pub(crate) fn check(self, bytes: &[u8]) -> Result<(), String> {
        if self == Self::Text {
            return Ok(());
        }
        // `from_slice` would skip over strings that are not UTF-8.
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
        parsed.map(drop).map_err(|error| error.to_string())
    }
}

/// What a record must be, for a sink to take it. One that is not becomes a fault `bad-result`.
///
/// ```
/// use mtl_host::sink::{Sink, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, FaultKind, Outcome, Plugin, Pool, RecordRule};
///
/// /// Puts a comma after each record.
/// struct Cells(Vec<u8>);
///
/// impl Sink for Cells {
///     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
///         if let Ok(Some(record)) = outcome.result {
///             self.0.extend_from_slice(record);
///             self.0.push(b',');
///         }
///         Ok(())
///     }
///
///     fn rule(&self) -> RecordRule {
///         RecordRule::Without(b',')
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let mut cells = Cells(Vec::new());
/// let source = Items::new(["a", "b,c", "d"]);
/// let summary = Pool::builder(&plugin).build()?.run(source, &mut cells).into_result()?;
/// assert_eq!(cells.0, b"A,D,");
/// assert_eq!(summary.counts.faults_of(FaultKind::BadResult), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordRule {
    /// Anything.
    #[default]
    Any,
    /// It may not hold this byte, which ends records in the output.
    Without(u8),
    /// If the plugin says that its records are JSON, it must be one JSON value.
    ValidJson,
}

impl RecordRule {
    /// Whether every part of `bytes` is what a record must be, as far as that is quickly seen.
    fn holds_within(self, bytes: &[u8], format: Format) -> bool {
        match (self, format) {
            (Self::Any, _) | (Self::ValidJson, Format::Text) => true,
            (Self::Without(byte), _) => memchr::memchr(byte, bytes).is_none(),
            (Self::ValidJson, Format::Json) => false,
        }
    }

    /// Why `record` is not what it must be.
    fn broken_by(self, record: &[u8], format: Format) -> Option<String> {
        match (self, format) {
            (Self::Any, _) => None,
            (Self::Without(byte), _) => {
                let place = memchr::memchr(byte, record)?;
                let what = match byte {
                    b'\n' => "a line break".into(),
                    0 => "a zero byte".into(),
                    other => format!("the byte {other}"),
                };
                Some(format!("the result has {what} at byte {place}, which would end its record"))
            }
            (Self::ValidJson, format) => {
                format.check(record).err().map(|why| format!("the result is not JSON: {why}"))
            }
        }
    }
}

/// What became of the first items of a span, in order.
#[derive(Debug)]
pub(crate) struct Outcomes {
    span: Span,
    worker: Option<WorkerIndex>,
    slots: Vec<Slot>,
    bytes: Vec<u8>,
    /// What the messages of faults take.
    message_bytes: usize,
    format: Format,
    rule: RecordRule,
    /// After which faults an item is tried again.
    retry_on: RetryOn,
    /// Whether the last outcome is such a fault.
    to_be_retried: bool,
}

#[derive(Debug)]
enum Slot {
    /// A record that ends here and starts where the one before it ends.
    Record {
        end: usize,
    },
    NoRecord,
    Fault(Box<Fault>),
}

impl Outcomes {
    /// Results of so many bytes are not kept for more of them.
    const LARGE: usize = 1024 * 1024;

    /// No outcomes yet, of items that `worker` has claimed.
    pub(crate) fn new(span: Span, worker: WorkerIndex, rule: RecordRule) -> Self {
        Self::in_room(Room::default(), span, worker, rule)
    }

    /// The same, with memory that earlier ones had.
    pub(crate) fn in_room(room: Room, span: Span, worker: WorkerIndex, rule: RecordRule) -> Self {
        Self { worker: Some(worker), rule, ..Self::of_nobody(room, span) }
    }

    fn of_nobody(room: Room, span: Span) -> Self {
        let Room { mut slots, bytes } = room;
        debug_assert!(slots.is_empty() && bytes.is_empty(), "a room is cleared when it is kept");
        slots.reserve(span.len());
        Self {
            span,
            worker: None,
            slots,
            bytes,
            message_bytes: 0,
            format: Format::default(),
            rule: RecordRule::default(),
            retry_on: RetryOn::NOTHING,
            to_be_retried: false,
        }
    }

    /// The same, but that an item with one of these faults is to be tried again.
    pub(crate) fn retrying(self, retry_on: RetryOn) -> Self {
        Self { retry_on, ..self }
    }

    /// The outcomes of items whose turn never came.
    pub(crate) fn not_run(span: Span) -> Self {
        let mut outcomes = Self::of_nobody(Room::default(), span);
        while !outcomes.is_complete() {
            outcomes.fault(FaultKind::NotRun, "the run ended first");
        }
        outcomes
    }

    /// Gives back the memory in which they are.
    pub(crate) fn into_room(self) -> Room {
        Room { slots: self.slots, bytes: self.bytes }
    }

    /// How many items have their outcome: the place of the next one in the span.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.slots.len() == self.span.len()
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// The position of the next item without an outcome.
    pub(crate) fn next_index(&self) -> ItemIndex {
        self.span.first().plus(self.slots.len())
    }

    /// What records must be.
    pub(crate) fn rule(&self) -> RecordRule {
        self.rule
    }

    /// After which faults an item is tried again.
    pub(crate) fn retry_on(&self) -> RetryOn {
        self.retry_on
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// The item has this record, if it is within `limit` and what the sink can take.
    pub(crate) fn record(&mut self, bytes: &[u8], limit: ResultLimit) {
        if let Some(Broken { kind, message, .. }) = limit.refusal("the result", bytes.len()) {
            return self.fault(kind, message);
        }
        match self.rule.broken_by(bytes, self.format) {
            None => {
                self.bytes.extend_from_slice(bytes);
                self.push(Slot::Record { end: self.bytes.len() });
            }
            Some(why) => self.fault(FaultKind::BadResult, why),
        }
    }

    /// The items have these records, back to back: each up to one of `ends`. Says false, and takes
    /// none, if they had better be looked at one by one.
    pub(crate) fn records(
        &mut self,
        bytes: &[u8],
        ends: impl Iterator<Item = usize>,
        limit: ResultLimit,
    ) -> bool {
        if !limit.admits(bytes.len()) || !self.rule.holds_within(bytes, self.format) {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.slots.extend(ends.map(|end| Slot::Record { end: start + end }));
        debug_assert!(self.slots.len() <= self.span.len(), "an item has one outcome");
        true
    }

    pub(crate) fn no_record(&mut self) {
        self.push(Slot::NoRecord);
    }

    pub(crate) fn fault(&mut self, kind: FaultKind, message: impl Into<String>) {
        let message = shortened(message.into());
        self.to_be_retried = self.retry_on.contains(kind);
        self.message_bytes += message.len();
        let mut fault = Fault::new(self.next_index(), kind, message);
        if let Some(worker) = self.worker {
            fault = fault.by(worker);
        }
        self.push(Slot::Fault(Box::new(fault)));
    }

    /// Whether the last item failed in a way in which items are tried again: then its fault is
    /// to be taken back.
    pub(crate) fn is_to_be_retried(&self) -> bool {
        self.to_be_retried
    }

    /// Whether there is so much of results that they had better be handed over.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() + self.message_bytes >= Self::LARGE
    }

    /// Takes back the fault of an item that is to be tried again.
    pub(crate) fn take_back_fault(&mut self) -> Option<Broken> {
        if !std::mem::take(&mut self.to_be_retried) {
            return None;
        }
        let Some(Slot::Fault(fault)) = self.slots.pop() else {
            unreachable!("the last outcome is a fault");
        };
        self.message_bytes -= fault.message().len();
        Some(Broken::new(fault.kind(), fault.message()))
    }

    /// The item never reached a plugin: it is not what it should be.
    pub(crate) fn reject(&mut self, why: String) {
        let fault = Fault::new(self.next_index(), FaultKind::BadItem, why);
        self.push(Slot::Fault(Box::new(fault)));
    }

    fn push(&mut self, slot: Slot) {
        debug_assert!(!self.is_complete(), "an item has one outcome");
        self.slots.push(slot);
    }

    /// Forgets the items that have no outcome.
    pub(crate) fn cut(&mut self) {
        self.span = self.span.slice(0..self.slots.len());
    }

    /// What the outcomes take in memory, in bytes, beside what their items were charged.
    pub(crate) fn result_bytes(&self) -> usize {
        let faults = self.slots.iter().filter(|slot| matches!(slot, Slot::Fault(_))).count();
        size_of::<Self>() + self.bytes.len() + self.message_bytes + faults * size_of::<Fault>()
    }

    /// Which item failed first, of those that failed.
    pub(crate) fn first_fault(&self) -> Option<ItemIndex> {
        let at = self.slots.iter().position(|slot| matches!(slot, Slot::Fault(_)))?;
        Some(self.span.first().plus(at))
    }

    /// Whether no item had its turn.
    pub(crate) fn is_not_run(&self) -> bool {
        // They are made together or not at all.
        self.worker.is_none()
    }

    /// What became of each item, without its record.
    pub(crate) fn results(&self) -> impl Iterator<Item = Result<Option<()>, &Fault>> {
        self.slots.iter().map(|slot| match slot {
            Slot::Record { .. } => Ok(Some(())),
            Slot::NoRecord => Ok(None),
            Slot::Fault(fault) => Err(&**fault),
        })
    }

    /// All outcomes, in order.
    pub(crate) fn iter(&self) -> OutcomeIter<'_> {
        OutcomeIter::new(self)
    }

    /// The outcome at `cursor`, which moves on to the next.
    #[inline]
    pub(crate) fn next(&self, cursor: &mut Cursor) -> Option<Outcome<'_>> {
        let at = cursor.at;
        let result = match self.slots.get(at)? {
            Slot::Record { end } => {
                let start = std::mem::replace(&mut cursor.start, *end);
                Ok(Some(&self.bytes[start..*end]))
            }
            Slot::NoRecord => Ok(None),
            Slot::Fault(fault) => Err(&**fault),
        };
        cursor.at += 1;
        Some(Outcome {
            index: self.span.first().plus(at),
            item: self.span.item(at),
            path: self.span.path(at),
            result,
            format: self.format,
        })
    }
}

/// A message that a plugin may have made as long as it likes, as long as people read.
pub(crate) fn shortened(mut message: String) -> String {
    const MAX: usize = 4 * 1024;
    if message.len() > MAX {
        message.truncate(message.floor_char_boundary(MAX));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockBuilder;

    fn outcomes(rule: RecordRule, format: Format) -> Outcomes {
        let mut block = BlockBuilder::new();
        for item in [b"one", b"two", b"six"] {
            block.push(item);
        }
        let span = Span::whole(block.seal(ItemIndex::default()));
        let mut outcomes = Outcomes::new(span, WorkerIndex::default(), rule);
        outcomes.set_format(format);
        outcomes
    }

    #[test]
    fn a_record_that_the_sink_cannot_take_is_a_bad_result() {
        let line = RecordRule::Without(b'\n');
        #[rustfmt::skip]
        let cases: [(RecordRule, Format, &[u8], Option<&str>); 8] = [
            (RecordRule::Any,        Format::Text, b"a\nb",     None),
            (line,                   Format::Text, b"ab",       None),
            (line,                   Format::Text, b"a\nb",     Some("the result has a line break at byte 1, which would end its record")),
            (RecordRule::Without(0), Format::Text, b"a\0",      Some("the result has a zero byte at byte 1, which would end its record")),
            (RecordRule::ValidJson,  Format::Text, b"{",        None),
            (RecordRule::ValidJson,  Format::Json, b" [1]\n",   None),
            (RecordRule::ValidJson,  Format::Json, b"1 2",      Some("the result is not JSON: trailing characters at line 1 column 3")),
            (RecordRule::ValidJson,  Format::Json, b"\"\xff\"", Some("the result is not JSON: it is not UTF-8")),
        ];
        for (rule, format, record, why) in cases {
            let mut outcomes = outcomes(rule, format);
            outcomes.record(record, ResultLimit::DEFAULT);
            let outcome = outcomes.iter().next().unwrap();
            let told = outcome.result.err().map(|fault| (fault.kind(), fault.message()));
            assert_eq!(told, why.map(|why| (FaultKind::BadResult, why)), "{rule:?} {record:?}");
        }
    }

    #[test]
    fn records_are_taken_together_only_where_each_would_be() {
        let line = RecordRule::Without(b'\n');
        #[rustfmt::skip]
        let cases: [(RecordRule, Format, &[u8], &str, bool); 8] = [
            (RecordRule::Any,       Format::Text, b"a\nb", "1MiB", true),
            (line,                  Format::Text, b"abc",  "1MiB", true),
            (line,                  Format::Text, b"a\nb", "1MiB", false),
            (line,                  Format::Text, b"ab\n", "1MiB", false),
            (RecordRule::ValidJson, Format::Text, b"{{}",  "1MiB", true),
            (RecordRule::ValidJson, Format::Json, b"12 ",  "1MiB", false),
            (RecordRule::Any,       Format::Text, b"abc",  "3",    true),
            (RecordRule::Any,       Format::Text, b"abcd", "3",    false),
        ];
        for (rule, format, bytes, limit, is_taken) in cases {
            let limit: ResultLimit = limit.parse().unwrap();
            let (mut together, mut alone) = (outcomes(rule, format), outcomes(rule, format));
            together.record(b"0", limit);
            alone.record(b"0", limit);
            let ends = [2, bytes.len()].into_iter();
            assert_eq!(together.records(bytes, ends, limit), is_taken, "{bytes:?}");
            if is_taken {
                alone.record(&bytes[..2], limit);
                alone.record(&bytes[2..], limit);
            }
            assert_eq!(shown(&together), shown(&alone), "{bytes:?}");
        }
    }

    fn shown(outcomes: &Outcomes) -> Vec<Option<&[u8]>> {
        outcomes.iter().map(|outcome| outcome.result.expect("a record")).collect()
    }

    #[test]
    fn a_message_is_cut_between_two_characters() {
        let mut outcomes = outcomes(RecordRule::Any, Format::Text);
        outcomes.fault(FaultKind::Refused, "é".repeat(10_000));
        let fault = outcomes.iter().next().unwrap().result.unwrap_err().clone();
        assert_eq!(fault.message().chars().count(), 2048 + 1);
        assert!(fault.message().ends_with("é…"));
    }
}
