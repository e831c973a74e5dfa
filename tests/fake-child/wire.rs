//! The child's end of the protocol in `host/src/isolation/wire.rs`, without its checks.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde::{Deserialize, Serialize};

/// The kinds of frames that a child sends.
pub(crate) const READY: u8 = 1;
pub(crate) const STARTED: u8 = 3;
pub(crate) const RAN: u8 = 5;
pub(crate) const GUEST: u8 = 7;
pub(crate) const CALL: u8 = 8;
pub(crate) const TAKE: u8 = 9;
pub(crate) const COMPILED: u8 = 10;
pub(crate) const NOT_COMPILED: u8 = 11;
pub(crate) const INSPECTED: u8 = 12;

/// The task of a child, which begins its set-up. Further fields are ignored.
#[derive(Debug, Deserialize)]
pub(crate) enum Task {
    Compile(Compile),
    Work,
    Probe,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Compile {
    /// The name of the plugin.
    pub(crate) path: OsString,
}

/// The socket to the parent.
pub(crate) struct ParentSocket(UnixStream);

impl ParentSocket {
    /// Opens the socket, which is a child's standard input.
    pub(crate) fn from_standard_input() -> io::Result<Self> {
        Ok(Self(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?)))
    }

    /// Receives the first message, which passes files. A worker's first file is its shared page.
    pub(crate) fn files(&self) -> io::Result<Vec<File>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut count = [0; 4];
        let mut bytes = [IoSliceMut::new(&mut count)];
        recvmsg(&self.0, &mut bytes, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let files = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        });
        Ok(files.flatten().map(|file: OwnedFd| File::from(file)).collect())
    }

    /// Receives the payload of the next frame.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 5];
        self.0.read_exact(&mut header)?;
        let [a, b, c, d, _] = header;
        let mut payload = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
        self.0.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// Receives the set-up, and returns the task and the arguments for `init`.
    pub(crate) fn task(&mut self) -> io::Result<(Task, Vec<u8>)> {
        let payload = self.receive()?;
        let (_version, rest) = split_field(&payload)?;
        let (setup, init) = split_field(rest)?;
        let (task, _) = postcard::take_from_bytes(setup).map_err(io::Error::other)?;
        Ok((task, init.to_vec()))
    }

    pub(crate) fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.send_header(kind, payload.len())?;
        self.raw(payload)
    }

    /// Sends the header of a frame.
    pub(crate) fn send_header(&mut self, kind: u8, length: usize) -> io::Result<()> {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.raw(&length.to_le_bytes())?;
        self.raw(&[kind])
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Sends the same frame for ever.
    pub(crate) fn flood(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        loop {
            self.send(kind, payload)?;
        }
    }

    /// Shuts down the socket in both directions.
    pub(crate) fn close(self) -> io::Result<()> {
        self.0.shutdown(std::net::Shutdown::Both)
    }
}

/// Splits off the first field, which its length precedes.
fn split_field(bytes: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(rest.split_at(u32::from_le_bytes(*length) as usize))
}

/// Encodes an enum's variant by its number.
pub(crate) fn variant(number: u8, content: &impl Serialize) -> Vec<u8> {
    [vec![number], value(content)].concat()
}

pub(crate) fn value(content: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(content).expect("the value can be encoded")
}

/// Encodes events of a guest.
pub(crate) mod guest {
    use super::{value, variant};

    pub(crate) fn output(line: &str) -> Vec<u8> {
        variant(0, &(0_u8, line))
    }

    pub(crate) fn log(message: &str) -> Vec<u8> {
        variant(1, &(2_u8, message))
    }

    pub(crate) fn dropped(lines: u64, bytes: u64) -> Vec<u8> {
        variant(2, &(lines, bytes))
    }

    /// Encodes a denied name.
    pub(crate) fn denied_name(host: &str) -> Vec<u8> {
        variant(3, &(2_u8, host))
    }

    /// Encodes a denied request.
    pub(crate) fn denied_request(host: &str, port: u16) -> Vec<u8> {
        [vec![3], value(&(3_u8, host, port))].concat()
    }
}

/// Encodes reasons why a plugin is refused.
pub(crate) mod refusal {
    use super::variant;

    pub(crate) fn not_wasm(beginning: &str) -> Vec<u8> {
        variant(2, &beginning)
    }

    /// Encodes an invalid plugin with this many causes.
    pub(crate) fn invalid(cause: &str, causes: usize) -> Vec<u8> {
        variant(6, &vec![(cause, None::<i32>); causes])
    }
}

/// Encodes the result of an inspection.
pub(crate) fn found(exports: usize, refusal: Option<Vec<u8>>) -> Vec<u8> {
    let exports = vec![("", ""); exports];
    let (left_out, imports): (usize, &[()]) = (0, &[]);
    let (memory, typed, features) = (None::<()>, None::<()>, (false, false));
    let found = (0_u8, exports, left_out, imports, left_out, memory, typed, features);
    let refusal = refusal.map_or_else(|| vec![0], |refusal| [vec![1], refusal].concat());
    [value(&found), refusal].concat()
}

/// Encodes a reply that announces `count` outcomes and contains these records.
pub(crate) fn ran(count: u32, records: &[&[u8]]) -> Vec<u8> {
    let mut payload = vec![0, 1];
    payload.extend(count.to_le_bytes());
    for record in records {
        payload.extend(u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    payload.extend(records.concat());
    payload
}

/// Returns the item of an order with a single item.
pub(crate) fn item(order: &[u8]) -> &[u8] {
    // The fields before the item: the rule for records, a format, a count, and the item's length.
    const BEFORE: usize = 2 + 1 + 4 + 4;
    order.get(BEFORE..).unwrap_or_default()
}
