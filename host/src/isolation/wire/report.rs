//! The reply with the finish report of an instance.
//!
//! ```text
//! u8  0 no report, 1 a report, 2 the instance failed
//!     the report; or u8 kind of fault, bytes message
//! ```

use super::ran::{broken_of, broken_to};
use super::{BadFrame, Frame, Payload, Reply};
use crate::item::failure::Broken;

/// The finish report of an instance, if it has one, or the failure of the instance.
pub(crate) type Report = Result<Option<Vec<u8>>, Broken>;

/// Returns the reply with a finish report.
pub(crate) fn encode(report: &Report) -> Vec<u8> {
    let frame = Frame::reply(Reply::Finished);
    let frame = match report {
        Ok(None) => frame.byte(0),
        Ok(Some(report)) => frame.byte(1).rest(report),
        Err(broken) => broken_to(frame.byte(2), broken),
    };
    frame.seal()
}

/// Decodes a finish report.
pub(crate) fn decode(mut payload: Payload<'_>) -> Result<Report, BadFrame> {
    match payload.byte()? {
        0 => Ok(Ok(None)),
        1 => Ok(Ok(Some(payload.rest().to_vec()))),
        2 => Ok(Err(broken_of(&mut payload)?)),
        _ => Err(BadFrame("a finish report of an unknown kind")),
    }
}
