//! Decodes the replies that concern no items and need no answer.

use crate::isolation::wire::snapshot_reply::{
    ChildSnapshotReply, decode_snapshot_refusal, encode_snapshot_refusal,
};
use crate::isolation::wire::start::{Started, encode_start_error, start_error};
use crate::isolation::wire::{Payload, ProtocolError, Reply, finish_reply, guest_event};

/// Decodes a reply and returns the frame that an honest child would send for it.
pub(crate) fn reencode(kind: u8, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let (kind, payload) = (Reply::of(kind)?, Payload(payload));
    match kind {
        Reply::Started => Started::decode(payload).map(Started::encode),
        Reply::NotStarted => start_error(payload).map(|error| encode_start_error(&error)),
        Reply::Frozen => ChildSnapshotReply::decode(payload).map(ChildSnapshotReply::encode),
        Reply::NotFrozen => {
            decode_snapshot_refusal(payload).map(|refusal| encode_snapshot_refusal(&refusal))
        }
        Reply::Finished => {
            finish_reply::decode(payload).map(|report| finish_reply::encode(&report))
        }
        Reply::Guest => guest_event::decode(payload).map(|event| guest_event::encode(&event)),
        _ => Err(ProtocolError("a reply that this target does not decode")),
    }
}
