//! The reply with the finish report of an instance.
//!
//! ```text
//! u8  0 no report, 1 a report, 2 the instance failed
//!     the report; or u8 kind of fault, bytes message
//! ```

use super::run_reply::{decode_failure, encode_failure};
use super::{Frame, Payload, ProtocolError, Reply};
use crate::item::instance_failure::InstanceFailure;

/// The finish report of an instance, if it has one, or the failure of the instance.
pub(crate) type FinishReply = Result<Option<Vec<u8>>, InstanceFailure>;

/// Returns the reply with a finish report.
pub(crate) fn encode(report: &FinishReply) -> Vec<u8> {
    let frame = Frame::reply(Reply::Finished);
    let frame = match report {
        Ok(None) => frame.byte(0),
        Ok(Some(report)) => frame.byte(1).rest(report),
        Err(failure) => encode_failure(frame.byte(2), failure),
    };
    frame.seal()
}

/// Decodes a finish report.
pub(crate) fn decode(mut payload: Payload<'_>) -> Result<FinishReply, ProtocolError> {
    match payload.byte()? {
        0 => Ok(Ok(None)),
        1 => Ok(Ok(Some(payload.rest().to_vec()))),
        2 => Ok(Err(decode_failure(&mut payload)?)),
        _ => Err(ProtocolError("a finish report of an unknown kind")),
    }
}
