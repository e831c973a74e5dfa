//! The replies about the start of an instance, and the bytes of formats.

use serde::{Deserialize, Serialize};

use super::{Frame, Payload, ProtocolError, Reply};
use crate::executor::start_error::StartError;
use crate::item::format::Format;

pub(crate) const fn format_byte(format: Format) -> u8 {
    match format {
        Format::Text => 1,
        Format::Json => 2,
    }
}

pub(crate) fn format_of(byte: u8) -> Result<Format, ProtocolError> {
    match byte {
        1 => Ok(Format::Text),
        2 => Ok(Format::Json),
        _ => Err(ProtocolError("an unknown format")),
    }
}

/// The reply that an instance has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    pub(crate) format: Format,
    pub(crate) has_report: bool,
}

impl Started {
    pub(crate) fn encode(self) -> Vec<u8> {
        Frame::reply(Reply::Started).data(&self).seal()
    }

    pub(crate) fn decode(payload: Payload<'_>) -> Result<Self, ProtocolError> {
        payload.data(ProtocolError("an invalid start reply"))
    }
}

/// Returns the reply that an instance has not started, with the error.
pub(crate) fn encode_start_error(error: &StartError) -> Vec<u8> {
    let frame = Frame::reply(Reply::NotStarted);
    let frame = match error {
        // None of these occurs in a child.
        StartError::Process { .. }
        | StartError::Jail { .. }
        | StartError::Crashed { .. }
        | StartError::Native(_)
        | StartError::NativePanicked { .. } => {
            frame.data(&StartError::Instantiate { message: error.to_string() })
        }
        error => frame.data(error),
    };
    frame.seal()
}

/// Decodes the error of a start.
pub(crate) fn start_error(payload: Payload<'_>) -> Result<StartError, ProtocolError> {
    /// The most bytes of an error. Each message is shorter.
    const MAX: usize = 2 * 1024 * 1024;
    if payload.rest().len() > MAX {
        return Err(ProtocolError("an error that is too long"));
    }
    payload.data(ProtocolError("an invalid error"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::wire::HEADER;
    use crate::item::bounded::guest;

    #[test]
    fn a_start_error_round_trips_and_is_bounded() {
        let long = "é".repeat(guest::MAX);
        for message in ["why", &long] {
            let message = || message.to_owned();
            for error in [
                StartError::Instantiate { message: message() },
                StartError::Abi { found: -1, supported: 1 },
                StartError::Timeout { message: message() },
                StartError::OutOfMemory { message: message() },
                StartError::OutOfFuel { message: message() },
                StartError::InitRefused { message: message() },
                StartError::ParameterCount { message: message() },
                StartError::InitFailed { message: message() },
                StartError::RestoreFailed { message: message() },
            ] {
                let sent = encode_start_error(&error);
                let received = start_error(Payload(&sent[HEADER..])).unwrap();
                assert_eq!(std::mem::discriminant(&received), std::mem::discriminant(&error));
                let (received, sent) = (received.to_string(), error.to_string());
                assert!(sent.starts_with(&received), "{received}");
                assert!(received.len() <= guest::MAX + 100, "{received}");
                assert!(sent.len() > guest::MAX || received == sent, "{received}");
            }
        }
        let crashed = StartError::Crashed { message: "killed".into() };
        let received = start_error(Payload(&encode_start_error(&crashed)[HEADER..])).unwrap();
        assert_eq!(received.to_string(), "the plugin could not be instantiated: killed");
    }

    #[test]
    fn malformed_replies_are_rejected() {
        for bad in
            [&b""[..], b"\x09\x00", b"\x00\x05a", b"\x00\x01ab", b"\x00\xff\xff\xff\xff\x0fa"]
        {
            assert!(start_error(Payload(bad)).is_err(), "{bad:?}");
        }
        for bad in [&b""[..], b"\x00", b"\x02\x00", b"\x00\x02", b"\x00\x00\x00"] {
            assert!(Started::decode(Payload(bad)).is_err(), "{bad:?}");
        }
    }
}
