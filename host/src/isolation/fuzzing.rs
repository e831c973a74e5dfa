//! What a fuzz target sees of how a parent deals with a child that may say and write anything.

mod lending;
mod stream;

pub use self::lending::{Became, Lending, Places, Step, ThereEnded, lent, said, said_early};
pub use self::stream::{Came, Piece, received};

use super::link::Received;
use super::remote::finished;
use super::wire::frozen::{FrozenThere, not_frozen, refusal};
use super::wire::ran::broken_to;
use super::wire::start::{Started, not_started, start_error};
use super::wire::told::{Told, event};
use super::wire::{BadFrame, Frame, Payload, Reply};
use crate::event::Event;
use crate::item::index::WorkerIndex;

/// What a parent takes a reply for, as an honest child would send it. It is none that is about
/// items, and no question.
///
/// # Errors
///
/// Why it is not lawful.
pub fn understood(kind: u8, payload: &[u8]) -> Result<Vec<u8>, String> {
    understand(kind, payload).map_err(|why| why.to_string())
}

fn understand(kind: u8, payload: &[u8]) -> Result<Vec<u8>, BadFrame> {
    let (kind, payload) = (Reply::of(kind)?, Payload(payload));
    match kind {
        Reply::Started => Started::decode(payload).map(Started::encode),
        Reply::NotStarted => start_error(payload.rest()).map(|error| not_started(&error)),
        Reply::Frozen => FrozenThere::decode(payload).map(FrozenThere::encode),
        Reply::NotFrozen => refusal(payload.rest()).map(|why| not_frozen(&why)),
        Reply::Finished => {
            let frame = Frame::reply(kind);
            let frame = match finished(Received { kind, payload })? {
                Ok(None) => frame.byte(0),
                Ok(Some(report)) => frame.byte(1).rest(&report),
                Err(broken) => broken_to(frame.byte(2), &broken),
            };
            Ok(frame.seal())
        }
        _ => tell(Told::decode(kind, payload)?.ok_or(BadFrame("what is of another sort"))?),
    }
}

fn tell(told: Told<'_>) -> Result<Vec<u8>, BadFrame> {
    let worker = WorkerIndex::default();
    let frame = match told {
        Told::Output { stream, line } => {
            event(&Event::Output { worker, stream, line: &String::from_utf8_lossy(line) })
        }
        Told::Log { level, message } => event(&Event::Log { worker, level, message: &message }),
        Told::Dropped { lines, bytes } => event(&Event::OutputDropped { worker, lines, bytes }),
        Told::Denied(denial) => event(&Event::Denied { worker, denial: &denial }),
    };
    frame.ok_or(BadFrame("what nobody is told of"))
}
