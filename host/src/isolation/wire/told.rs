//! What a child tells beside outcomes, while a guest runs in it.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::{BadFrame, Frame, Payload, Reply};
use crate::event::{Denial, Event, Level, Stream};
use crate::sandbox::net_grant::is_host;

/// Something that a guest said or was denied.
#[derive(Debug)]
pub(crate) enum Told<'a> {
    Output { stream: Stream, line: &'a [u8] },
    Log { level: Level, message: String },
    Dropped { lines: u64, bytes: u64 },
    Denied(Denial),
}

/// What of events a parent is told of.
pub(crate) fn event(event: &Event<'_>) -> Option<Vec<u8>> {
    let frame = match *event {
        Event::Output { stream, line, .. } => {
            Frame::reply(Reply::Output).byte(stream as u8).rest(line.as_bytes())
        }
        Event::Log { level, message, .. } => {
            Frame::reply(Reply::Log).byte(level as u8).rest(message.as_bytes())
        }
        Event::OutputDropped { lines, bytes, .. } => {
            Frame::reply(Reply::Dropped).long(lines).long(bytes)
        }
        Event::Denied { denial, .. } => {
            let denied = serde_json::to_vec(&Denied::from(denial)).expect("it is text");
            Frame::reply(Reply::Denied).rest(&denied)
        }
        _ => return None,
    };
    Some(frame.seal())
}

impl<'a> Told<'a> {
    /// More than a guest can make an honest child say at once.
    const MOST: usize = 256 * 1024;

    /// None if the frame is of another sort.
    pub(crate) fn decode(kind: Reply, payload: Payload<'a>) -> Result<Option<Self>, BadFrame> {
        let told = Self::read(kind, payload)?;
        // Some of it is kept.
        if told.is_some() && payload.rest().len() > Self::MOST {
            return Err(BadFrame("more at once than can be told"));
        }
        Ok(told)
    }

    fn read(kind: Reply, mut payload: Payload<'a>) -> Result<Option<Self>, BadFrame> {
        Ok(Some(match kind {
            Reply::Output => {
                let streams = [Stream::Stdout, Stream::Stderr];
                let number = payload.byte()?;
                let stream = streams.into_iter().find(|stream| *stream as u8 == number);
                let stream = stream.ok_or(BadFrame("a stream that there is not"))?;
                Self::Output { stream, line: payload.rest() }
            }
            Reply::Log => {
                let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
                let number = payload.byte()?;
                let level = levels.into_iter().find(|level| *level as u8 == number);
                let level = level.ok_or(BadFrame("a level that there is not"))?;
                let message = String::from_utf8_lossy(payload.rest()).into_owned();
                Self::Log { level, message }
            }
            Reply::Dropped => {
                let (lines, bytes) = (payload.long()?, payload.long()?);
                payload.end()?;
                Self::Dropped { lines, bytes }
            }
            Reply::Denied => {
                let denied = serde_json::from_slice::<Denied>(payload.rest());
                let denied = denied.map_err(|_| BadFrame("a denial that is none"))?;
                if !denied.names_a_host() {
                    return Err(BadFrame("a denial of what is no host"));
                }
                Self::Denied(denied.into())
            }
            _ => return Ok(None),
        }))
    }
}

/// A denial, as it is sent.
#[derive(Debug, Serialize, Deserialize)]
enum Denied {
    Sockets,
    Connection(SocketAddr),
    Name(String),
    Request { host: String, port: u16 },
    Tls { host: String, port: u16 },
}

impl Denied {
    /// Returns whether the host that it names is one: a user is told to grant it, and copies that.
    fn names_a_host(&self) -> bool {
        match self {
            Self::Sockets | Self::Connection(_) => true,
            Self::Name(host) | Self::Request { host, .. } | Self::Tls { host, .. } => is_host(host),
        }
    }
}

impl From<&Denial> for Denied {
    fn from(denial: &Denial) -> Self {
        match denial.clone() {
            Denial::Sockets => Self::Sockets,
            Denial::Connection(address) => Self::Connection(address),
            Denial::Name(name) => Self::Name(name),
            Denial::Request { host, port } => Self::Request { host, port },
            Denial::Tls { host, port } => Self::Tls { host, port },
        }
    }
}

impl From<Denied> for Denial {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Sockets => Self::Sockets,
            Denied::Connection(address) => Self::Connection(address),
            Denied::Name(name) => Self::Name(name),
            Denied::Request { host, port } => Self::Request { host, port },
            Denied::Tls { host, port } => Self::Tls { host, port },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorkerIndex;

    fn told(denial: &Denial) -> Result<Denial, BadFrame> {
        let event = Event::Denied { worker: WorkerIndex::default(), denial };
        let frame = super::event(&event).expect("denials are told");
        // Behind its length and its kind.
        match Told::decode(Reply::Denied, Payload(&frame[5..]))? {
            Some(Told::Denied(denial)) => Ok(denial),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_denial_names_hosts_and_no_commands() {
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
                let found = told(&denial);
                assert_eq!(found.is_ok(), is_host, "{denial:?}");
                assert!(found.is_err() || found == Ok(denial));
            }
        }
    }
}
