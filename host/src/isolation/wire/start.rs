//! What is said of an instance when it has started, or not; and of formats.

use serde::{Deserialize, Serialize};

use super::{BadFrame, Frame, Payload, Reply};
use crate::executor::start_error::StartError;
use crate::item::format::Format;

pub(crate) const fn format_byte(format: Format) -> u8 {
    match format {
        Format::Text => 1,
        Format::Json => 2,
    }
}

pub(crate) fn format_of(byte: u8) -> Result<Format, BadFrame> {
    match byte {
        1 => Ok(Format::Text),
        2 => Ok(Format::Json),
        _ => Err(BadFrame("a format that there is not")),
    }
}

/// An instance has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) format: Format,
    pub(crate) has_report: bool,
}

impl Started {
    pub(crate) fn encode(self) -> Vec<u8> {
        let frame = Frame::reply(Reply::Started).byte(format_byte(self.format));
        frame.byte(u8::from(self.has_report)).seal()
    }

    pub(crate) fn decode(mut payload: Payload<'_>) -> Result<Self, BadFrame> {
        let format = format_of(payload.byte()?)?;
        let has_report = payload.byte()? != 0;
        payload.end()?;
        Ok(Self { format, has_report })
    }
}

/// Why an instance did not start, as a child says it.
#[derive(Debug, Serialize, Deserialize)]
enum NotStarted {
    Instantiate { message: String },
    Abi { found: i32, supported: i32 },
    Timeout { message: String },
    OutOfMemory { message: String },
    OutOfFuel { message: String },
    InitRefused { message: String },
    InitBroke { message: String },
    RestoreBroke { message: String },
}

/// The reply that says why an instance has not started.
pub(crate) fn not_started(error: &StartError) -> Vec<u8> {
    let cut = |message: &String| super::cut(message.clone());
    let said = match error {
        StartError::Abi { found, supported } => {
            NotStarted::Abi { found: *found, supported: *supported }
        }
        StartError::Timeout { message } => NotStarted::Timeout { message: cut(message) },
        StartError::OutOfMemory { message } => NotStarted::OutOfMemory { message: cut(message) },
        StartError::OutOfFuel { message } => NotStarted::OutOfFuel { message: cut(message) },
        StartError::InitRefused { message } => NotStarted::InitRefused { message: cut(message) },
        StartError::InitBroke { message } => NotStarted::InitBroke { message: cut(message) },
        StartError::RestoreBroke { message } => NotStarted::RestoreBroke { message: cut(message) },
        StartError::Instantiate { message } => NotStarted::Instantiate { message: cut(message) },
        // None of these is of a child.
        other => NotStarted::Instantiate { message: cut(&other.to_string()) },
    };
    let json = serde_json::to_vec(&said);
    Frame::reply(Reply::NotStarted).rest(&json.expect("it is text")).seal()
}

/// Why an instance has not started.
pub(crate) fn start_error(payload: &[u8]) -> Result<StartError, BadFrame> {
    /// More than a message can take, however it has to be written.
    const MOST: usize = 2 * 1024 * 1024;
    if payload.len() > MOST {
        return Err(BadFrame("an error that is too long"));
    }
    let said = serde_json::from_slice(payload).map_err(|_| BadFrame("an error that is none"))?;
    Ok(match said {
        NotStarted::Abi { found, supported } => StartError::Abi { found, supported },
        NotStarted::Timeout { message } => StartError::Timeout { message },
        NotStarted::OutOfMemory { message } => StartError::OutOfMemory { message },
        NotStarted::OutOfFuel { message } => StartError::OutOfFuel { message },
        NotStarted::InitRefused { message } => StartError::InitRefused { message },
        NotStarted::InitBroke { message } => StartError::InitBroke { message },
        NotStarted::RestoreBroke { message } => StartError::RestoreBroke { message },
        NotStarted::Instantiate { message } => StartError::Instantiate { message },
    })
}
