//! A closing report, on its way back.
//!
//! ```text
//! u8  0 none, 1 a report, 2 it broke
//!     the report; or u8 kind of fault, bytes its message
//! ```

use super::ran::{broken_of, broken_to};
use super::{BadFrame, Frame, Payload, Reply};
use crate::item::failure::Broken;

/// A closing report, if the instance has one, or how the instance broke.
pub(crate) type Report = Result<Option<Vec<u8>>, Broken>;

/// Returns the reply that says how an instance finished.
pub(crate) fn encode(report: &Report) -> Vec<u8> {
    let frame = Frame::reply(Reply::Finished);
    let frame = match report {
        Ok(None) => frame.byte(0),
        Ok(Some(report)) => frame.byte(1).rest(report),
        Err(broken) => broken_to(frame.byte(2), broken),
    };
    frame.seal()
}

/// Reads how an instance finished.
pub(crate) fn decode(mut payload: Payload<'_>) -> Result<Report, BadFrame> {
    match payload.byte()? {
        0 => Ok(Ok(None)),
        1 => Ok(Ok(Some(payload.rest().to_vec()))),
        2 => Ok(Err(broken_of(&mut payload)?)),
        _ => Err(BadFrame("a closing report of no kind")),
    }
}
