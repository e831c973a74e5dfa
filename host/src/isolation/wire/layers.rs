//! The reply with the layers of the jail that a child has tried.

use super::{Frame, Payload, ProtocolError, Reply};
use crate::jail::JailLayers;

pub(crate) fn encode(layers: &JailLayers) -> Vec<u8> {
    Frame::reply(Reply::Layers).data(layers).seal()
}

pub(crate) fn decode(payload: Payload<'_>) -> Result<JailLayers, ProtocolError> {
    payload.data(ProtocolError("invalid layers"))
}
