//! Decodes replies that concern no items and ask no questions.

use crate::isolation::wire::frozen::{ChildSnapshotReply, not_frozen, refusal};
use crate::isolation::wire::start::{Started, not_started, start_error};
use crate::isolation::wire::{ProtocolError, Payload, Reply, guest_event, report};

/// Decodes a reply and returns the frame that an honest child would send for it.
pub(crate) fn understood(kind: u8, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let (kind, payload) = (Reply::of(kind)?, Payload(payload));
    match kind {
        Reply::Started => Started::decode(payload).map(Started::encode),
        Reply::NotStarted => start_error(payload).map(|error| not_started(&error)),
        Reply::Frozen => ChildSnapshotReply::decode(payload).map(ChildSnapshotReply::encode),
        Reply::NotFrozen => refusal(payload).map(|why| not_frozen(&why)),
        Reply::Finished => report::decode(payload).map(|report| report::encode(&report)),
        Reply::Guest => guest_event::decode(payload).map(|event| guest_event::encode(&event)),
        _ => Err(ProtocolError("what is of another sort")),
    }
}
