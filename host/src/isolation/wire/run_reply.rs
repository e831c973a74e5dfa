//! The reply with the outcomes of items that a child has run.
//!
//! ```text
//! u8  end of the run: 0 done, 1 yielded, 2 failed; then u8 kind of fault, bytes message
//! u8  format of records: 1 text, 2 JSON
//! u32 number of outcomes
//! u32 for each outcome: the length of its record, or `NO_RECORD`, or `FAULT`
//!     for each fault: u8 kind, bytes message
//!     the records, back to back
//! ```
//!
//! While a child runs a long item, it sends the outcomes of earlier items in a separate message, a
//! part. The layout of a part is the layout above without the first two fields: it begins with the
//! number of outcomes. Later replies do not repeat the outcomes of a part. The child sends the
//! records directly from the buffer of the outcomes. The parent decodes all records of a message in
//! one step.

use super::{Frame, Payload, ProtocolError, Reply};
use crate::executor::ExecutionEnd;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

/// The reply of a child about the items that it was sent.
#[derive(Debug)]
pub(crate) struct ChildRunReply<'a> {
    pub(crate) ended: ChildExecutionEnd,
    pub(crate) format: Format,
    outcomes: ChildOutcomes<'a>,
}

/// Outcomes that a child has sent. Their lengths are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildOutcomes<'a> {
    lengths: &'a [[u8; 4]],
    /// The faults, and the bytes after them.
    faults: Payload<'a>,
    /// The records, back to back.
    records: &'a [u8],
    /// True if each item has a record.
    are_records: bool,
    /// The length of all records and messages, in bytes.
    bytes: usize,
}

/// The end of a run in a child.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChildExecutionEnd {
    Done,
    Yielded,
    Failed(InstanceFailure),
}

/// The values in the list of lengths that stand for "no record" and for "a fault". Every record is
/// shorter than both values.
const NO_RECORD: u32 = u32::MAX;
const FAULT: u32 = u32::MAX - 1;

/// Builds the beginning of the reply with all outcomes of `outcomes`, in the buffer of an earlier
/// reply. The caller sends the records as the end of the reply.
pub(crate) fn reply(
    memory: Vec<u8>,
    end: &ExecutionEnd,
    format: Format,
    outcomes: &Outcomes,
) -> Vec<u8> {
    let frame = Frame::reply_in(memory, Reply::Ran);
    let frame = match end {
        ExecutionEnd::Done => frame.byte(0),
        ExecutionEnd::Yielded => frame.byte(1),
        ExecutionEnd::Failed(failure)
        | ExecutionEnd::Lost { failure, .. }
        | ExecutionEnd::FailedIdle(failure) => encode_failure(frame.byte(2), failure),
    };
    encode_outcomes(frame.byte(super::start::format_byte(format)), outcomes)
}

/// Builds the beginning of a part: the outcomes of some items, sent while the child runs a later
/// item. The caller sends the records as the end of the part.
pub(crate) fn part(memory: Vec<u8>, outcomes: &Outcomes) -> Vec<u8> {
    encode_outcomes(Frame::reply_in(memory, Reply::Part), outcomes)
}

fn encode_outcomes(frame: Frame, outcomes: &Outcomes) -> Vec<u8> {
    let lengths = outcomes.lengths().map(|length| match length {
        Ok(Some(length)) => length,
        Ok(None) => NO_RECORD as usize,
        Err(_) => FAULT as usize,
    });
    let frame = frame.number(outcomes.len_not_handed_over()).numbers(lengths);
    let frame = outcomes.faults().fold(frame, |frame, fault| {
        frame.byte(fault.kind() as u8).bytes(fault.message().as_bytes())
    });
    frame.seal_before(outcomes.record_bytes())
}

/// Adds an instance failure to a frame.
pub(crate) fn encode_failure(frame: Frame, failure: &InstanceFailure) -> Frame {
    let message = super::truncate_guest_text(failure.message.clone());
    frame.byte(failure.kind as u8).bytes(message.as_bytes())
}

/// Reads the failure of an instance in a child.
pub(crate) fn decode_failure(payload: &mut Payload<'_>) -> Result<InstanceFailure, ProtocolError> {
    let kind = decode_fault_kind(payload.byte()?)?;
    Ok(InstanceFailure::new(kind, payload.text()?))
}

/// Decodes a kind of fault that a guest can cause. All other kinds are invalid: a child cannot
/// report that its process died or that an item was not run.
fn decode_fault_kind(number: u8) -> Result<FaultKind, ProtocolError> {
    let kind = FaultKind::ALL.into_iter().find(|kind| *kind as u8 == number);
    match kind {
        None | Some(FaultKind::Crashed | FaultKind::NotRun) => {
            Err(ProtocolError("a fault that only the parent may report"))
        }
        Some(kind) => Ok(kind),
    }
}

impl<'a> ChildRunReply<'a> {
    /// Decodes the whole reply first, so that no part of an invalid reply is used.
    pub(crate) fn decode(mut payload: Payload<'a>) -> Result<Self, ProtocolError> {
        let ended = match payload.byte()? {
            0 => ChildExecutionEnd::Done,
            1 => ChildExecutionEnd::Yielded,
            2 => ChildExecutionEnd::Failed(decode_failure(&mut payload)?),
            _ => return Err(ProtocolError("an unknown end of a run")),
        };
        let format = super::start::format_of(payload.byte()?)?;
        Ok(Self { ended, format, outcomes: ChildOutcomes::decode(payload)? })
    }

    /// Checks the reply against the number of sent items and the number of started items. An honest
    /// child reports on each item that it has started.
    pub(crate) fn check(&self, sent: usize, started: usize) -> Result<(), ProtocolError> {
        let is_done = matches!(self.ended, ChildExecutionEnd::Done);
        if self.started() == started && (!is_done || self.outcomes.count() == sent) {
            return Ok(());
        }
        Err(ProtocolError("a wrong number of outcomes"))
    }

    /// Returns the outcomes of the reply, without those that came in parts.
    pub(crate) fn outcomes(&self) -> &ChildOutcomes<'a> {
        &self.outcomes
    }

    /// Returns the number of items that the child has started.
    pub(crate) fn started(&self) -> usize {
        match self.ended {
            ChildExecutionEnd::Done | ChildExecutionEnd::Yielded => self.outcomes.count(),
            ChildExecutionEnd::Failed(_) => self.outcomes.count() + 1,
        }
    }

    /// Adds the outcomes, as [`ChildOutcomes::add_to`] does.
    pub(crate) fn add_to(&self, outcomes: &mut Outcomes, limit: ResultLimit) {
        self.outcomes.add_to(outcomes, limit);
    }
}

impl<'a> ChildOutcomes<'a> {
    /// Decodes all outcomes first, so that no part of an invalid reply is used.
    pub(crate) fn decode(mut payload: Payload<'a>) -> Result<Self, ProtocolError> {
        let count = payload.number()?;
        let lengths = payload.numbers(count)?;
        let (mut all, mut failed, mut are_records) = (0_usize, 0_usize, true);
        for length in lengths {
            match u32::from_le_bytes(*length) {
                NO_RECORD => are_records = false,
                FAULT => failed += 1,
                length => all = all.saturating_add(length as usize),
            }
        }
        let faults = payload;
        let mut message_bytes = 0;
        for _ in 0..failed {
            decode_fault_kind(payload.byte()?)?;
            message_bytes += payload.bytes()?.len();
        }
        let records = payload.rest();
        if records.len() != all {
            return Err(ProtocolError("records of a wrong length"));
        }
        are_records &= failed == 0;
        Ok(Self { lengths, faults, records, are_records, bytes: all + message_bytes })
    }

    /// Returns the bytes of all records and messages.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of outcomes.
    pub(crate) fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Adds the outcomes up to the first that must be retried, and drops those after it.
    pub(crate) fn add_to(&self, outcomes: &mut Outcomes, limit: ResultLimit) {
        // Only a hostile child sends more outcomes after such an item.
        if outcomes.needs_retry() {
            return;
        }
        let lengths = self.lengths.iter().map(|length| u32::from_le_bytes(*length));
        let ends = lengths.clone().scan(0, |end, length| {
            *end += length as usize;
            Some(*end)
        });
        if !self.are_records || !outcomes.records(self.records, ends, limit) {
            self.add_one_by_one(lengths, outcomes, limit);
        }
    }

    fn add_one_by_one(
        &self,
        lengths: impl Iterator<Item = u32>,
        outcomes: &mut Outcomes,
        limit: ResultLimit,
    ) {
        const READ: &str = "`decode` has read all faults";
        let (mut faults, mut records) = (self.faults, self.records);
        for length in lengths {
            if outcomes.needs_retry() {
                return;
            }
            match length {
                NO_RECORD => outcomes.no_record(),
                FAULT => {
                    let kind = faults.byte().and_then(decode_fault_kind).expect(READ);
                    let message = faults.bytes().expect(READ);
                    outcomes.fault(kind, String::from_utf8_lossy(message));
                }
                length => {
                    let (record, rest) = records.split_at(length as usize);
                    outcomes.record(record, limit);
                    records = rest;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
