//! The child's end of the socket to its parent.

use std::io::{self, BufReader, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::isolation::process::AT_ONCE;
use crate::isolation::wire::{self, HEADER, Order};

/// The descriptors that a child gets.
#[derive(Debug)]
pub(super) struct Files {
    /// The two that each task has.
    pub(super) own: [OwnedFd; 2],
    /// The place for a snapshot.
    pub(super) third: Option<OwnedFd>,
    /// The granted directories.
    pub(super) dirs: Vec<OwnedFd>,
}

/// The child's end. Frames go out from any thread, each whole; they come in on one.
#[derive(Debug)]
pub(super) struct Station {
    socket: UnixStream,
    outgoing: Mutex<()>,
    /// Reads a frame in one piece, if it is no longer than most are.
    incoming: Mutex<BufReader<UnixStream>>,
}

impl Station {
    /// How much is read at once.
    const PIECE: usize = 64 * 1024;

    /// Its standard input is the socket.
    pub(super) fn of_standard_input() -> io::Result<Self> {
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let incoming = BufReader::with_capacity(Self::PIECE, socket.try_clone()?);
        Ok(Self { socket, outgoing: Mutex::default(), incoming: Mutex::new(incoming) })
    }

    /// Receives the descriptors that come before all frames.
    pub(super) fn receive_files(&self) -> io::Result<Files> {
        let mut count = [0; 4];
        let mut files = self.receive_some(&mut count)?;
        let count = usize::try_from(u32::from_le_bytes(count)).map_err(io::Error::other)?;
        let third = if files.len() == 3 { files.pop() } else { None };
        let own = files.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut dirs = Vec::new();
        while dirs.len() < count {
            let some = self.receive_some(&mut [0])?;
            if some.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            dirs.extend(some);
        }
        Ok(Files { own, third, dirs })
    }

    /// Receives one message with descriptors.
    fn receive_some(&self, bytes: &mut [u8]) -> io::Result<Vec<OwnedFd>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [IoSliceMut::new(bytes)];
        recvmsg(&self.socket, &mut bytes, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let files = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        });
        Ok(files.flatten().collect())
    }

    /// Waits for the next frame; none when the parent has closed its end.
    pub(super) fn receive(&self) -> io::Result<Option<(Order, Vec<u8>)>> {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        let mut header = [0; HEADER];
        match incoming.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let (length, kind) = wire::header(header);
        let kind = Order::of(kind).map_err(io::Error::other)?;
        let mut payload = vec![0; length];
        incoming.read_exact(&mut payload)?;
        Ok(Some((kind, payload)))
    }

    /// Sends a frame.
    pub(super) fn send(&self, frame: &[u8]) -> io::Result<()> {
        let _whole = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.socket).write_all(frame)
    }

    /// Sends a question, and waits for the answer to it.
    pub(super) fn ask(&self, frame: &[u8]) -> io::Result<(Order, Vec<u8>)> {
        self.send(frame)?;
        self.receive()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
