//! The outcomes of the items of a span.
//!
//! Every item ends in exactly one outcome: a record, no record (the plugin filtered it out),
//! or a fault. A worker appends them in order; what it could not do stays out and goes back
//! to the queue. Those at the front may be handed over while the worker is still on a later item.

use std::path::Path;

mod iter;
mod room;
mod rule;
mod slots;

pub use self::iter::Cursor;
pub use self::iter::OutcomeIter;
pub use self::room::{Room, Rooms};
pub use self::rule::RecordRule;

use self::slots::{Slot, Slots};

use crate::block::Span;
use crate::item::failure::Broken;
use crate::item::fault::{Fault, FaultKind};
use crate::item::format::Format;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::limits::ResultLimit;
use crate::item::retry_on::RetryOn;

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
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
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

/// What became of the first items of a span, in order.
#[derive(Debug)]
pub struct Outcomes {
    span: Span,
    worker: Option<WorkerIndex>,
    /// The number of outcomes at the front that were handed over already.
    gone: usize,
    /// The length of their results, in bytes.
    gone_bytes: usize,
    slots: Slots,
    format: Format,
    rule: RecordRule,
    /// After which faults an item is tried again.
    retry_on: RetryOn,
    /// Whether the last outcome is such a fault.
    to_be_retried: bool,
}

/// The state of a worker's outcomes after an item.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// The number of items that have their outcome.
    pub len: usize,
    /// True if they are to be handed over before another item is started.
    pub is_due: bool,
}

impl Outcomes {
    /// Results of so many bytes are not kept for more of them.
    pub const LARGE: usize = 1024 * 1024;

    /// No outcomes yet, of items that `worker` has claimed, in memory of their own.
    #[doc(hidden)]
    pub fn new(span: Span, worker: WorkerIndex, rule: RecordRule) -> Self {
        Self::in_room(Room::default(), span, worker, rule)
    }

    /// No outcomes yet, of items that `worker` has claimed, in memory that earlier ones had.
    pub fn in_room(room: Room, span: Span, worker: WorkerIndex, rule: RecordRule) -> Self {
        Self { worker: Some(worker), rule, ..Self::of_nobody(room, span) }
    }

    fn of_nobody(room: Room, span: Span) -> Self {
        let Room(mut slots) = room;
        debug_assert!(slots.len() == 0, "a room is cleared when it is kept");
        slots.reserve(span.len());
        Self {
            span,
            worker: None,
            gone: 0,
            gone_bytes: 0,
            slots,
            format: Format::default(),
            rule: RecordRule::default(),
            retry_on: RetryOn::NOTHING,
            to_be_retried: false,
        }
    }

    /// The same, but that an item with one of these faults is to be tried again.
    pub fn retrying(self, retry_on: RetryOn) -> Self {
        Self { retry_on, ..self }
    }

    /// The outcomes of items whose turn never came.
    pub fn not_run(span: Span) -> Self {
        let mut outcomes = Self::of_nobody(Room::default(), span);
        while !outcomes.is_complete() {
            outcomes.fault(FaultKind::NotRun, "the run ended first");
        }
        outcomes
    }

    /// Gives back the memory in which they are.
    pub fn into_room(self) -> Room {
        Room(self.slots)
    }

    /// The outcomes of items that were started, and of which nothing more is known.
    pub fn unknown(span: Span) -> Self {
        let mut outcomes = Self::of_nobody(Room::default(), span);
        while !outcomes.is_complete() {
            let why = "it was started in a process that ended before its result came, and the run \
                       ended before it could be executed again";
            outcomes.fault(FaultKind::Crashed, why);
        }
        outcomes
    }

    /// Returns the number of items that have their outcome, here or handed over: the place of the next one in
    /// the span.
    pub fn len(&self) -> usize {
        self.gone + self.slots.len()
    }

    /// Returns whether no item has its outcome.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether each item has its outcome.
    pub fn is_complete(&self) -> bool {
        self.len() == self.span.len()
    }

    /// Returns the number of outcomes that were not handed over.
    pub fn kept(&self) -> usize {
        self.slots.len()
    }

    /// Splits off the outcomes that are there, to be handed over. `room` takes those that come next.
    pub fn split(&mut self, room: Room) -> Self {
        debug_assert!(!self.to_be_retried, "what is to be tried again has no outcome");
        let part = Self {
            span: self.span.slice(self.gone..self.len()),
            worker: self.worker,
            gone: 0,
            gone_bytes: 0,
            slots: std::mem::replace(&mut self.slots, room.0),
            format: self.format,
            rule: self.rule,
            retry_on: self.retry_on,
            to_be_retried: false,
        };
        self.gone += part.slots.len();
        self.gone_bytes += part.slots.bytes();
        part
    }

    /// Takes back a part that could not be handed over. Nothing has come meanwhile. Gives back the room.
    pub fn unsplit(&mut self, part: Self) -> Room {
        debug_assert!(self.slots.len() == 0, "a part is taken back before anything else is done");
        self.gone -= part.slots.len();
        self.gone_bytes -= part.slots.bytes();
        Room(std::mem::replace(&mut self.slots, part.slots))
    }

    /// Takes all of them, and leaves none.
    pub fn take(&mut self) -> Self {
        // A span of nothing of the same block: one of no block would be allocated.
        let nothing = Self::of_nobody(Room::default(), self.span.slice(0..0));
        std::mem::replace(self, nothing)
    }

    /// Forgets the outcomes that are there: they were handed over as they are.
    pub fn forget(&mut self) {
        self.gone = self.len();
        self.gone_bytes += self.slots.bytes();
        self.slots.clear();
    }

    /// Returns the items.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The position of the next item without an outcome.
    pub fn next_index(&self) -> ItemIndex {
        self.span.first().plus(self.len())
    }

    /// What records must be.
    pub fn rule(&self) -> RecordRule {
        self.rule
    }

    /// After which faults an item is tried again.
    pub fn retry_on(&self) -> RetryOn {
        self.retry_on
    }

    /// Returns the format of the records.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Says the format of the records.
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// The item has this record, if it is within `limit` and what the sink can take.
    pub fn record(&mut self, bytes: &[u8], limit: ResultLimit) {
        if let Some(Broken { kind, message, .. }) = limit.refusal("the result", bytes.len()) {
            return self.fault(kind, message);
        }
        match self.rule.broken_by(bytes, self.format) {
            None => self.place().record(bytes),
            Some(why) => self.fault(FaultKind::BadResult, why),
        }
    }

    /// The items have these records, back to back: each up to one of `ends`. Says false, and takes
    /// none, if they had better be looked at one by one.
    pub fn records(
        &mut self,
        bytes: &[u8],
        ends: impl Iterator<Item = usize>,
        limit: ResultLimit,
    ) -> bool {
        if !limit.admits(bytes.len()) || !self.rule.holds_within(bytes, self.format) {
            return false;
        }
        self.slots.records(bytes, ends);
        debug_assert!(self.len() <= self.span.len(), "an item has one outcome");
        true
    }

    /// Appends the outcome of an item that has no record.
    pub fn no_record(&mut self) {
        self.place().no_record();
    }

    /// Appends the outcome of an item that failed.
    pub fn fault(&mut self, kind: FaultKind, message: impl Into<String>) {
        let message = shortened(message.into());
        self.to_be_retried = self.retry_on.contains(kind);
        let mut fault = Fault::new(self.next_index(), kind, message);
        if let Some(worker) = self.worker {
            fault = fault.by(worker);
        }
        self.place().fault(fault);
    }

    /// Whether the last item failed in a way in which items are tried again: then its fault is
    /// to be taken back.
    pub fn is_to_be_retried(&self) -> bool {
        self.to_be_retried
    }

    /// Returns whether there is so much of results, with those that were handed over, that no other item of the claim is
    /// to be started.
    pub fn is_large(&self) -> bool {
        self.gone_bytes + self.slots.bytes() >= Self::LARGE
    }

    /// Returns how far they are.
    pub fn stand(&self) -> Stand {
        Stand { len: self.len(), is_due: self.to_be_retried || self.is_large() }
    }

    /// Takes back the fault of an item that is to be tried again.
    pub fn take_back_fault(&mut self) -> Option<Broken> {
        if !std::mem::take(&mut self.to_be_retried) {
            return None;
        }
        let fault = self.slots.take_back_fault();
        Some(Broken::new(fault.kind(), fault.message()))
    }

    /// The item never reached a plugin: it is not what it should be.
    pub fn reject(&mut self, why: String) {
        let fault = Fault::new(self.next_index(), FaultKind::BadItem, why);
        self.place().fault(fault);
    }

    /// Returns where the outcome of the next item goes.
    fn place(&mut self) -> &mut Slots {
        debug_assert!(!self.is_complete(), "an item has one outcome");
        &mut self.slots
    }

    /// Forgets the items that have no outcome, and those whose outcome was handed over.
    pub fn cut(&mut self) {
        self.span = self.span.slice(self.gone..self.len());
        (self.gone, self.gone_bytes) = (0, 0);
    }

    /// What the outcomes take in memory, in bytes, beside what their items were charged.
    pub fn result_bytes(&self) -> usize {
        size_of::<Self>() + self.slots.bytes() + self.slots.faults().len() * size_of::<Fault>()
    }

    /// Which item failed first, of those that failed.
    pub fn first_fault(&self) -> Option<ItemIndex> {
        let at = self.slots.first_fault()?;
        Some(self.span.first().plus(self.gone + at))
    }

    /// Returns whether nobody worked on the items to their end: they were left when the run ended.
    pub fn is_left(&self) -> bool {
        self.worker.is_none()
    }

    /// Returns the number of items that were not handed over and have a record.
    pub(crate) fn with_record(&self) -> usize {
        self.slots.with_record()
    }

    /// Returns the number of items that were not handed over, have no record and did not fail.
    pub(crate) fn without_record(&self) -> usize {
        self.slots.without_record()
    }

    /// Returns for each item that was not handed over the length of its record, or why it has none.
    pub fn lengths(&self) -> impl ExactSizeIterator<Item = Result<Option<usize>, &Fault>> {
        self.slots.lengths()
    }

    /// Returns the records of those items, back to back.
    pub fn record_bytes(&self) -> &[u8] {
        self.slots.record_bytes()
    }

    /// Returns the faults that were not handed over, in their order.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.slots.faults()
    }

    /// All outcomes, in order.
    pub fn iter(&self) -> OutcomeIter<'_> {
        OutcomeIter::new(self)
    }

    /// The outcome at `cursor`, which moves on to the next.
    #[inline]
    pub fn next(&self, cursor: &mut Cursor) -> Option<Outcome<'_>> {
        let at = cursor.at;
        let result = match self.slots.get(at)? {
            Slot::Record { end } => {
                let start = std::mem::replace(&mut cursor.start, *end);
                Ok(Some(&self.slots.record_bytes()[start..*end]))
            }
            Slot::NoRecord => Ok(None),
            Slot::Fault(fault) => Err(&**fault),
        };
        cursor.at += 1;
        let place = self.gone + at;
        Some(Outcome {
            index: self.span.first().plus(place),
            item: self.span.item(place),
            path: self.span.path(place),
            result,
            format: self.format,
        })
    }
}

impl Default for Outcomes {
    /// The outcomes of no items.
    fn default() -> Self {
        Self::of_nobody(Room::default(), Span::default())
    }
}

/// A message that a plugin may have made as long as it likes, as long as people read.
pub fn shortened(mut message: String) -> String {
    const MAX: usize = 4 * 1024;
    if message.len() > MAX {
        message.truncate(message.floor_char_boundary(MAX));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
