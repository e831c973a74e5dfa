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
use super::wire::{BadFrame, Frame, Payload, Reply, guest_event};

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
        Reply::NotStarted => start_error(payload).map(|error| not_started(&error)),
        Reply::Frozen => FrozenThere::decode(payload).map(FrozenThere::encode),
        Reply::NotFrozen => refusal(payload).map(|why| not_frozen(&why)),
        Reply::Finished => {
            let frame = Frame::reply(kind);
            let frame = match finished(Received { kind, payload })? {
                Ok(None) => frame.byte(0),
                Ok(Some(report)) => frame.byte(1).rest(&report),
                Err(broken) => broken_to(frame.byte(2), &broken),
            };
            Ok(frame.seal())
        }
        Reply::Guest => guest_event::decode(payload).map(|event| guest_event::encode(&event)),
        _ => Err(BadFrame("what is of another sort")),
    }
}
