//! The child's end of the protocol, as `host/src/isolation/wire.rs` has it, without its manners.

use std::fs::File;
use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::Value;

/// Kinds of frames that a child sends.
pub(crate) const READY: u8 = 1;
pub(crate) const STARTED: u8 = 3;
pub(crate) const RAN: u8 = 5;
pub(crate) const OUTPUT: u8 = 7;
pub(crate) const LOG: u8 = 8;
pub(crate) const DROPPED: u8 = 9;
pub(crate) const DENIED: u8 = 10;
pub(crate) const CALL: u8 = 11;
pub(crate) const TAKE: u8 = 12;
pub(crate) const COMPILED: u8 = 13;
pub(crate) const NOT_COMPILED: u8 = 14;
pub(crate) const INSPECTED: u8 = 15;

/// The socket to the parent.
pub(crate) struct Line(UnixStream);

impl Line {
    /// It is the standard input of a child.
    pub(crate) fn of_standard_input() -> io::Result<Self> {
        Ok(Self(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?)))
    }

    /// The files that come first, of which the first is the page of a worker.
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

    /// What comes next from the parent.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head)?;
        let [a, b, c, d, _] = head;
        let mut payload = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
        self.0.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// The task of this child, which the set-up has, and the arguments for `init` that come after it.
    pub(crate) fn task(&mut self) -> io::Result<(Value, Vec<u8>)> {
        let payload = self.receive()?;
        let (length, rest) = payload.split_at(4);
        let length = u32::from_le_bytes(length.try_into().map_err(io::Error::other)?) as usize;
        let (setup, init) = rest.split_at(length);
        let mut setup: Value = serde_json::from_slice(setup)?;
        Ok((setup["task"].take(), init.to_vec()))
    }

    pub(crate) fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.claim(kind, payload.len())?;
        self.raw(payload)
    }

    /// Sends the head of a frame.
    pub(crate) fn claim(&mut self, kind: u8, length: usize) -> io::Result<()> {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.raw(&length.to_le_bytes())?;
        self.raw(&[kind])
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Sends the same for ever.
    pub(crate) fn flood(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        loop {
            self.send(kind, payload)?;
        }
    }

    /// Closes the socket, standard input with it.
    pub(crate) fn close(self) -> io::Result<()> {
        self.0.shutdown(std::net::Shutdown::Both)
    }
}

/// What became of items: so many outcomes, of which these are.
pub(crate) fn ran(count: u32, records: &[&[u8]]) -> Vec<u8> {
    let mut payload = vec![0, 1];
    payload.extend(count.to_le_bytes());
    for record in records {
        payload.extend(u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    payload.extend(records.concat());
    payload
}

/// The first item of an order, which is all that an order of one has.
pub(crate) fn item(order: &[u8]) -> &[u8] {
    // Before it: how records are checked, a format, a count, and its length.
    const BEFORE: usize = 2 + 1 + 4 + 4;
    order.get(BEFORE..).unwrap_or_default()
}
