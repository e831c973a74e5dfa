//! The outcomes of the items of a span.
//!
//! Every item has exactly one outcome: a record, no record (the plugin filtered the item out), or a fault. A worker
//! appends outcomes in the order of the items. It gives items without an outcome back to the queue. A worker may hand
//! over the first outcomes of a span while it is still working on a later item.

use std::path::Path;

mod buffers;
mod iter;
mod rule;
mod slots;

pub use self::buffers::{OutcomeBuffer, OutcomeBuffers};
pub use self::iter::Cursor;
pub use self::iter::OutcomeIter;
pub use self::rule::RecordRule;

use self::slots::{Slot, Slots};

use crate::block::Span;
use crate::item::fault::{Fault, FaultKind};
use crate::item::format::Format;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::item::retry_on::RetryOn;

/// One item and its outcome, as a sink sees it.
///
/// ```
/// use mtl_host::sink::{Sink, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Outcome, Plugin, Pool};
///
/// /// Writes down the outcome of each item.
/// struct Ledger(Vec<String>);
///
/// impl Sink for Ledger {
///     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
///         let item = String::from_utf8_lossy(outcome.item);
///         let result = match outcome.result {
///             Ok(Some(record)) => format!("{} bytes", record.len()),
///             Ok(None) => "left out".to_owned(),
///             Err(fault) => fault.kind().to_string(),
///         };
///         self.0.push(format!("{} {item}: {result}", outcome.index));
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
    /// The item's position in the input, counted from 0.
    pub index: ItemIndex,
    /// The item itself.
    pub item: &'a [u8],
    /// The path of the file whose content the item is, if it is the content of a file.
    pub path: Option<&'a Path>,
    /// The record, or `None` if the plugin filtered the item out, or the fault.
    pub result: Result<Option<&'a [u8]>, &'a Fault>,
    /// The format of the plugin's records, as the plugin declares it.
    pub format: Format,
}

/// The outcomes of the first items of a span, in order.
#[derive(Debug)]
pub struct Outcomes {
    span: Span,
    worker: Option<WorkerIndex>,
    /// The number of outcomes at the front that were already handed over.
    handed_over: usize,
    /// The total length of the results that were handed over, in bytes.
    handed_over_bytes: usize,
    slots: Slots,
    format: Format,
    rule: RecordRule,
    /// The faults after which an item is tried again.
    retry_on: RetryOn,
    /// True if the last outcome is a fault after which its item is tried again.
    needs_retry: bool,
}

/// The state of a worker's outcomes after an item.
#[derive(Clone, Copy, Debug)]
pub struct OutcomesState {
    /// The number of items that have their outcome.
    pub len: usize,
    /// True if the outcomes must be handed over before another item is started.
    pub is_due: bool,
}

impl Outcomes {
    /// The size of results, in bytes, at which outcomes are handed over before another item is started.
    pub const LARGE: usize = 1024 * 1024;

    /// Creates empty outcomes for items that `worker` has claimed, in new memory.
    #[doc(hidden)]
    pub fn new(span: Span, worker: WorkerIndex, rule: RecordRule) -> Self {
        Self::in_buffer(OutcomeBuffer::default(), span, worker, rule)
    }

    /// Creates empty outcomes for items that `worker` has claimed, in the memory of earlier outcomes.
    pub fn in_buffer(
        buffer: OutcomeBuffer,
        span: Span,
        worker: WorkerIndex,
        rule: RecordRule,
    ) -> Self {
        Self { worker: Some(worker), rule, ..Self::without_worker(buffer, span) }
    }

    fn without_worker(buffer: OutcomeBuffer, span: Span) -> Self {
        let OutcomeBuffer(mut slots) = buffer;
        debug_assert!(slots.len() == 0, "a recycled buffer is empty");
        slots.reserve(span.len());
        Self {
            span,
            worker: None,
            handed_over: 0,
            handed_over_bytes: 0,
            slots,
            format: Format::default(),
            rule: RecordRule::default(),
            retry_on: RetryOn::NONE,
            needs_retry: false,
        }
    }

    /// Sets the faults after which an item is tried again.
    pub fn retrying(self, retry_on: RetryOn) -> Self {
        Self { retry_on, ..self }
    }

    /// Returns the outcomes of items that were never run.
    pub fn not_run(span: Span) -> Self {
        let mut outcomes = Self::without_worker(OutcomeBuffer::default(), span);
        while !outcomes.is_complete() {
            outcomes.fault(FaultKind::NotRun, "the run ended first");
        }
        outcomes
    }

    /// Returns the memory of the outcomes for reuse.
    pub fn into_buffer(self) -> OutcomeBuffer {
        OutcomeBuffer(self.slots)
    }

    /// Returns the outcomes of items that were started and whose results are unknown.
    pub fn of_lost_items(span: Span) -> Self {
        let mut outcomes = Self::without_worker(OutcomeBuffer::default(), span);
        while !outcomes.is_complete() {
            let message = "it was started in a process that ended before its result came, and the run \
                       ended before it could be executed again";
            outcomes.fault(FaultKind::Crashed, message);
        }
        outcomes
    }

    /// Returns the number of items that have an outcome, including outcomes that were handed over. The next item of the
    /// span is at this position.
    pub fn len(&self) -> usize {
        self.handed_over + self.slots.len()
    }

    /// Returns whether no item has an outcome.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether each item has an outcome.
    pub fn is_complete(&self) -> bool {
        self.len() == self.span.len()
    }

    /// Returns the number of outcomes that were not handed over.
    pub fn len_not_handed_over(&self) -> usize {
        self.slots.len()
    }

    /// Splits off the present outcomes, to be handed over. Later outcomes go into `buffer`.
    pub fn split(&mut self, buffer: OutcomeBuffer) -> Self {
        debug_assert!(!self.needs_retry, "an item that is to be retried has no outcome");
        let part = Self {
            span: self.span.slice(self.handed_over..self.len()),
            worker: self.worker,
            handed_over: 0,
            handed_over_bytes: 0,
            slots: std::mem::replace(&mut self.slots, buffer.0),
            format: self.format,
            rule: self.rule,
            retry_on: self.retry_on,
            needs_retry: false,
        };
        self.handed_over += part.slots.len();
        self.handed_over_bytes += part.slots.bytes();
        part
    }

    /// Restores a part that could not be handed over, and returns an empty buffer. The caller must not have added
    /// outcomes since it split the part off.
    pub fn unsplit(&mut self, part: Self) -> OutcomeBuffer {
        debug_assert!(self.slots.len() == 0, "a part is restored before other outcomes are added");
        self.handed_over -= part.slots.len();
        self.handed_over_bytes -= part.slots.bytes();
        OutcomeBuffer(std::mem::replace(&mut self.slots, part.slots))
    }

    /// Takes all outcomes and leaves none.
    pub fn take(&mut self) -> Self {
        // An empty span of the same block needs no allocation, unlike a span without a block.
        let nothing = Self::without_worker(OutcomeBuffer::default(), self.span.slice(0..0));
        std::mem::replace(self, nothing)
    }

    /// Drops the present outcomes after they were sent in another form.
    pub fn forget(&mut self) {
        self.handed_over = self.len();
        self.handed_over_bytes += self.slots.bytes();
        self.slots.clear();
    }

    /// Returns the items.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Returns the position of the next item without an outcome.
    pub fn next_index(&self) -> ItemIndex {
        self.span.first().plus(self.len())
    }

    /// Returns the rule for records.
    pub fn rule(&self) -> RecordRule {
        self.rule
    }

    /// Returns the faults after which an item is tried again.
    pub fn retry_on(&self) -> RetryOn {
        self.retry_on
    }

    /// Returns the format of the records.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Sets the format of the records.
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Appends a record, if it is within `limit` and follows the rule of the sink. Otherwise, appends a fault.
    pub fn record(&mut self, bytes: &[u8], limit: ResultLimit) {
        if let Some(InstanceFailure { kind, message, .. }) =
            limit.too_long("the result", bytes.len())
        {
            return self.fault(kind, message);
        }
        match self.rule.violation_in(bytes, self.format) {
            None => self.slots_for_next().record(bytes),
            Some(violation) => self.fault(FaultKind::BadResult, violation),
        }
    }

    /// Appends the records of several items. The records lie back to back in `bytes`, and `ends` contains the end of
    /// each record. If the records must be checked one by one, returns `false` and appends nothing.
    pub fn records(
        &mut self,
        bytes: &[u8],
        ends: impl Iterator<Item = usize>,
        limit: ResultLimit,
    ) -> bool {
        if !limit.allows(bytes.len()) || !self.rule.holds_within(bytes, self.format) {
            return false;
        }
        self.slots.records(bytes, ends);
        debug_assert!(self.len() <= self.span.len(), "an item has one outcome");
        true
    }

    /// Appends the outcome of an item without a record.
    pub fn no_record(&mut self) {
        self.slots_for_next().no_record();
    }

    /// Appends the outcome of an item that failed.
    pub fn fault(&mut self, kind: FaultKind, message: impl Into<String>) {
        let message = shorten_message(message.into());
        self.needs_retry = self.retry_on.contains(kind);
        let mut fault = Fault::new(self.next_index(), kind, message);
        if let Some(worker) = self.worker {
            fault = fault.with_worker(worker);
        }
        self.slots_for_next().fault(fault);
    }

    /// Returns whether the last item failed with a fault after which the item is tried again. If so, the caller must
    /// remove the fault.
    pub fn needs_retry(&self) -> bool {
        self.needs_retry
    }

    /// Returns whether the results are so large that the worker should start no other item of the claim. The size
    /// includes results that were handed over.
    pub fn is_large(&self) -> bool {
        self.handed_over_bytes + self.slots.bytes() >= Self::LARGE
    }

    /// Returns the state of the outcomes.
    pub fn state(&self) -> OutcomesState {
        OutcomesState { len: self.len(), is_due: self.needs_retry || self.is_large() }
    }

    /// Removes and returns the fault of an item that is to be tried again.
    pub fn take_back_fault(&mut self) -> Option<InstanceFailure> {
        if !std::mem::take(&mut self.needs_retry) {
            return None;
        }
        let fault = self.slots.take_back_fault();
        Some(InstanceFailure::new(fault.kind(), fault.message()))
    }

    /// Appends the fault of an item that is invalid and never reached a plugin.
    pub fn reject(&mut self, reason: String) {
        let fault = Fault::new(self.next_index(), FaultKind::BadItem, reason);
        self.slots_for_next().fault(fault);
    }

    /// Returns the slots that take the outcome of the next item.
    fn slots_for_next(&mut self) -> &mut Slots {
        debug_assert!(!self.is_complete(), "an item has one outcome");
        &mut self.slots
    }

    /// Drops the items that have no outcome, and the items whose outcome was handed over.
    pub fn cut(&mut self) {
        self.span = self.span.slice(self.handed_over..self.len());
        (self.handed_over, self.handed_over_bytes) = (0, 0);
    }

    /// Returns the memory of the outcomes in bytes, without the memory that was charged for their items.
    pub fn result_bytes(&self) -> usize {
        size_of::<Self>() + self.slots.bytes() + self.slots.faults().len() * size_of::<Fault>()
    }

    /// Returns the position of the first item that failed, among the outcomes that were not handed over.
    pub fn first_fault(&self) -> Option<ItemIndex> {
        let at = self.slots.first_fault()?;
        Some(self.span.first().plus(self.handed_over + at))
    }

    /// Returns whether the items were left without a worker when the run ended.
    pub fn is_leftover(&self) -> bool {
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

    /// Returns the length of the record of each item that was not handed over, or its fault.
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

    /// Returns an iterator over all outcomes, in order.
    pub fn iter(&self) -> OutcomeIter<'_> {
        OutcomeIter::new(self)
    }

    /// Returns the outcome at `cursor`, and moves the cursor to the next.
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
        let position = self.handed_over + at;
        Some(Outcome {
            index: self.span.first().plus(position),
            item: self.span.item(position),
            path: self.span.path(position),
            result,
            format: self.format,
        })
    }
}

impl Default for Outcomes {
    /// Returns the outcomes of no items.
    fn default() -> Self {
        Self::without_worker(OutcomeBuffer::default(), Span::default())
    }
}

/// Shortens the message of a plugin to the length that people read.
pub fn shorten_message(mut message: String) -> String {
    const MAX_MESSAGE: usize = 4 * 1024;
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
