//! What became of items in a child, on its way back.
//!
//! ```text
//! u8  how it ended: 0 done, 1 yielded, 2 broken; then u8 kind of fault, bytes its message
//! u8  what records are: 1 text, 2 JSON
//! u32 how many outcomes, and each: u8 0 record, 1 no record, 2+ kind of fault; bytes
//! ```
//!
//! A part, which comes while a later item takes its time, is the last line alone. What follows it does not repeat it.

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
    payload: Payload<'a>,
    count: usize,
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

const RECORD: u8 = 0;
const NO_RECORD: u8 = 1;
/// Kinds of faults come after these.
const FAULTS: u8 = 2;

/// The reply that says what became of all items of `outcomes` that have an outcome.
pub(crate) fn reply(ran: &Ran, format: Format, outcomes: &Outcomes) -> Vec<u8> {
    let frame = Frame::reply(Reply::Ran);
    let frame = match ran {
        Ran::Done => frame.byte(0),
        Ran::Yielded => frame.byte(1),
        Ran::Broken(broken) | Ran::Lost { broken, .. } | Ran::Idle(broken) => {
            broken_to(frame.byte(2), broken)
        }
    };
    outcomes_to(frame.byte(super::start::format_byte(format)), outcomes).seal()
}

/// The reply that says what became of some items, while the child is on a later one.
pub(crate) fn part(outcomes: &Outcomes) -> Vec<u8> {
    outcomes_to(Frame::reply(Reply::Part), outcomes).seal()
}

fn outcomes_to(frame: Frame, outcomes: &Outcomes) -> Frame {
    let frame = frame.number(outcomes.kept());
    outcomes.iter().fold(frame, |frame, outcome| match outcome.result {
        Ok(Some(record)) => frame.byte(RECORD).bytes(record),
        Ok(None) => frame.byte(NO_RECORD).bytes(&[]),
        Err(fault) => frame.byte(FAULTS + fault.kind() as u8).bytes(fault.message().as_bytes()),
    })
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
        if self.started() == started && (!is_done || self.outcomes.count == sent) {
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
            EndedThere::Done | EndedThere::Yielded => self.outcomes.count,
            EndedThere::Broken(_) => self.outcomes.count + 1,
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
        let (outcomes, mut all) = (payload, 0);
        for _ in 0..count {
            let (tag, bytes) = (payload.byte()?, payload.bytes()?);
            all += bytes.len();
            match tag {
                RECORD => {}
                NO_RECORD if bytes.is_empty() => {}
                NO_RECORD => return Err(BadFrame("a record where there is none")),
                fault => drop(fault_of(fault - FAULTS)?),
            }
        }
        payload.end()?;
        Ok(Self { payload: outcomes, count, bytes: all })
    }

    /// Returns how long all records and messages are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of outcomes.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Adds the outcomes; those after one that is to be tried again are left out.
    pub(crate) fn add_to(&self, outcomes: &mut Outcomes, limit: ResultLimit) {
        let mut payload = self.payload;
        for _ in 0..self.count {
            if outcomes.is_to_be_retried() {
                return;
            }
            let (Ok(tag), Ok(bytes)) = (payload.byte(), payload.bytes()) else {
                unreachable!("it was read when it came");
            };
            match tag {
                RECORD => outcomes.record(bytes, limit),
                NO_RECORD => outcomes.no_record(),
                fault => {
                    let kind = fault_of(fault - FAULTS).expect("it was read when it came");
                    outcomes.fault(kind, String::from_utf8_lossy(bytes));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
