//! The reply with the outcomes of items that a child has worked on.
//!
//! ```text
//! u8  how it ended: 0 done, 1 yielded, 2 broken; then u8 kind of fault, bytes its message
//! u8  what records are: 1 text, 2 JSON
//! u32 how many outcomes
//! u32 of each: the length of its record; or that it has none, or that it failed
//!     of each that failed: u8 kind of fault, bytes its message
//!     the records, back to back
//! ```
//!
//! A part, which comes while a later item takes its time, begins with the number of outcomes. What follows it does not
//! repeat it. The records are sent from where the outcomes have them, and taken all at once.

use super::{BadFrame, Frame, Payload, Reply};
use crate::executor::Ran;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

/// What a child says became of the items that it was sent.
#[derive(Debug)]
pub(crate) struct RanThere<'a> {
    pub(crate) ended: EndedThere,
    pub(crate) format: Format,
    outcomes: OutcomesThere<'a>,
}

/// Outcomes, as a child says them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutcomesThere<'a> {
    lengths: &'a [[u8; 4]],
    /// The faults, and what follows them.
    faults: Payload<'a>,
    /// The records, back to back.
    records: &'a [u8],
    /// True if each item has a record.
    are_records: bool,
    /// The length of all records and messages, in bytes.
    bytes: usize,
}

/// How it ended there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EndedThere {
    Done,
    Yielded,
    Broken(Broken),
}

/// In the place of a length: no record, or a fault. No record is as long.
const NO_RECORD: u32 = u32::MAX;
const FAULT: u32 = u32::MAX - 1;

/// Returns the reply that says what became of all items of `outcomes` that have an outcome, in memory that earlier ones
/// had. The records come after it, and are its end.
pub(crate) fn reply(memory: Vec<u8>, ran: &Ran, format: Format, outcomes: &Outcomes) -> Vec<u8> {
    let frame = Frame::reply_in(memory, Reply::Ran);
    let frame = match ran {
        Ran::Done => frame.byte(0),
        Ran::Yielded => frame.byte(1),
        Ran::Broken(broken) | Ran::Lost { broken, .. } | Ran::Idle(broken) => {
            broken_to(frame.byte(2), broken)
        }
    };
    outcomes_to(frame.byte(super::start::format_byte(format)), outcomes)
}

/// Returns the reply that says what became of some items, while the child is on a later one. The records come after it,
/// and are its end.
pub(crate) fn part(memory: Vec<u8>, outcomes: &Outcomes) -> Vec<u8> {
    outcomes_to(Frame::reply_in(memory, Reply::Part), outcomes)
}

fn outcomes_to(frame: Frame, outcomes: &Outcomes) -> Vec<u8> {
    let lengths = outcomes.lengths().map(|length| match length {
        Ok(Some(length)) => length,
        Ok(None) => NO_RECORD as usize,
        Err(_) => FAULT as usize,
    });
    let frame = frame.number(outcomes.kept()).numbers(lengths);
    let frame = outcomes.faults().fold(frame, |frame, fault| {
        frame.byte(fault.kind() as u8).bytes(fault.message().as_bytes())
    });
    frame.seal_before(outcomes.record_bytes())
}

/// Adds how something broke.
pub(crate) fn broken_to(frame: Frame, broken: &Broken) -> Frame {
    let message = super::cut(broken.message.clone());
    frame.byte(broken.kind as u8).bytes(message.as_bytes())
}

/// How something broke in a child.
pub(crate) fn broken_of(payload: &mut Payload<'_>) -> Result<Broken, BadFrame> {
    let kind = fault_of(payload.byte()?)?;
    Ok(Broken::new(kind, payload.text()?))
}

/// What a guest can have done: whether a process died, or an item was not run, a child cannot say.
fn fault_of(number: u8) -> Result<FaultKind, BadFrame> {
    let kind = FaultKind::ALL.into_iter().find(|kind| *kind as u8 == number);
    match kind {
        None | Some(FaultKind::Crashed | FaultKind::NotRun) => {
            Err(BadFrame("a fault that it cannot have"))
        }
        Some(kind) => Ok(kind),
    }
}

impl<'a> RanThere<'a> {
    /// Reads all of it, so that nothing of it is taken if something is wrong.
    pub(crate) fn decode(mut payload: Payload<'a>) -> Result<Self, BadFrame> {
        let ended = match payload.byte()? {
            0 => EndedThere::Done,
            1 => EndedThere::Yielded,
            2 => EndedThere::Broken(broken_of(&mut payload)?),
            _ => return Err(BadFrame("an end that there is not")),
        };
        let format = super::start::format_of(payload.byte()?)?;
        Ok(Self { ended, format, outcomes: OutcomesThere::decode(payload)? })
    }

    /// Checks it against how many items were sent, and how many of them it has started: an honest
    /// child starts no item that it does not say anything of.
    pub(crate) fn check(&self, sent: usize, started: usize) -> Result<(), BadFrame> {
        let is_done = matches!(self.ended, EndedThere::Done);
        if self.started() == started && (!is_done || self.outcomes.count() == sent) {
            return Ok(());
        }
        Err(BadFrame("another number of outcomes than it had items"))
    }

    /// Returns what it says of the items that it has not said anything of before.
    pub(crate) fn outcomes(&self) -> &OutcomesThere<'a> {
        &self.outcomes
    }

    /// How many items it has started.
    pub(crate) fn started(&self) -> usize {
        match self.ended {
            EndedThere::Done | EndedThere::Yielded => self.outcomes.count(),
            EndedThere::Broken(_) => self.outcomes.count() + 1,
        }
    }

    /// Adds the outcomes, as [`OutcomesThere::add_to`].
    pub(crate) fn add_to(&self, outcomes: &mut Outcomes, limit: ResultLimit) {
        self.outcomes.add_to(outcomes, limit);
    }
}

impl<'a> OutcomesThere<'a> {
    /// Reads all of it, so that nothing of it is taken if something is wrong.
    pub(crate) fn decode(mut payload: Payload<'a>) -> Result<Self, BadFrame> {
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
            fault_of(payload.byte()?)?;
            message_bytes += payload.bytes()?.len();
        }
        let records = payload.rest();
        if records.len() != all {
            return Err(BadFrame("records of another length than it says"));
        }
        are_records &= failed == 0;
        Ok(Self { lengths, faults, records, are_records, bytes: all + message_bytes })
    }

    /// Returns how long all records and messages are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of outcomes.
    pub(crate) fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Adds the outcomes; those after one that is to be tried again are left out.
    pub(crate) fn add_to(&self, outcomes: &mut Outcomes, limit: ResultLimit) {
        // Only a hostile child says more after such an item.
        if outcomes.is_to_be_retried() {
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
        const READ: &str = "it was read when it came";
        let (mut faults, mut records) = (self.faults, self.records);
        for length in lengths {
            if outcomes.is_to_be_retried() {
                return;
            }
            match length {
                NO_RECORD => outcomes.no_record(),
                FAULT => {
                    let kind = faults.byte().and_then(fault_of).expect(READ);
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
