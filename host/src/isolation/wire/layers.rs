//! The layers of the jail that a child has tried.

use super::{BadFrame, Frame, Payload, Reply};
use crate::jail::JailLayers;

pub(crate) fn encode(layers: &JailLayers) -> Vec<u8> {
    let json = serde_json::to_vec(layers).expect("it has no maps");
    Frame::reply(Reply::Layers).rest(&json).seal()
}

pub(crate) fn decode(payload: Payload<'_>) -> Result<JailLayers, BadFrame> {
    serde_json::from_slice(payload.rest()).map_err(|_| BadFrame("layers that are none"))
}
