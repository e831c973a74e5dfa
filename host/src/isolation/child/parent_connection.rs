//! The child's end of the socket to its parent.

use std::io::{self, IoSlice, IoSliceMut, Write as _};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::isolation::process::MAX_FDS_PER_MESSAGE;
use crate::isolation::wire::{self, HEADER, Order};

/// The descriptors that a child receives.
#[derive(Debug)]
pub(super) struct Files {
    /// The two descriptors that each task has.
    pub(super) task_files: [OwnedFd; 2],
    /// The file for a snapshot.
    pub(super) snapshot_file: Option<OwnedFd>,
    /// The granted directories.
    pub(super) dirs: Vec<OwnedFd>,
}

/// The child's end of the socket. Any thread may send frames, one at a time. Only one thread
/// receives frames.
#[derive(Debug)]
pub(super) struct ParentConnection {
    socket: UnixStream,
    /// The buffer of the frame that was sent last.
    outgoing: Mutex<Vec<u8>>,
    /// The bytes that were read after the frame that was received last.
    ahead: Mutex<Vec<u8>>,
}

/// A frame from the parent.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) order: Order,
    /// The whole frame, with its header.
    pub(super) frame: Vec<u8>,
}

impl Received {
    pub(super) fn payload(&self) -> &[u8] {
        &self.frame[HEADER..]
    }
}

impl ParentConnection {
    /// The number of bytes that one read requests.
    const READ_SIZE: usize = 64 * 1024;
    /// The most bytes of the frame buffer that this keeps for the next frame.
    const MAX_KEPT_BYTES: usize = 1024 * 1024;

    /// Returns the connection whose socket is standard input.
    pub(super) fn of_standard_input() -> io::Result<Self> {
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self { socket, outgoing: Mutex::default(), ahead: Mutex::default() })
    }

    /// Receives the descriptors, which come before all frames.
    pub(super) fn receive_files(&self) -> io::Result<Files> {
        let mut count = [0; 4];
        let mut files = self.receive_some(&mut count)?;
        let count = usize::try_from(u32::from_le_bytes(count)).map_err(io::Error::other)?;
        let snapshot_file = if files.len() == 3 { files.pop() } else { None };
        let task_files =
            files.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut dirs = Vec::new();
        while dirs.len() < count {
            let some = self.receive_some(&mut [0])?;
            if some.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            dirs.extend(some);
        }
        Ok(Files { task_files, snapshot_file, dirs })
    }

    /// Receives one message with descriptors. The message's bytes go into `bytes`.
    fn receive_some(&self, bytes: &mut [u8]) -> io::Result<Vec<OwnedFd>> {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS_PER_MESSAGE))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [IoSliceMut::new(bytes)];
        recvmsg(&self.socket, &mut bytes, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let files = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        });
        Ok(files.flatten().collect())
    }

    /// Waits for the next frame and puts it into `memory`. Returns `None` if the parent has closed
    /// its end.
    pub(super) fn receive(&self, memory: Vec<u8>) -> io::Result<Option<Received>> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frame = memory;
        frame.clear();
        frame.append(&mut ahead);
        if !self.fill(&mut frame, HEADER)? {
            return if frame.is_empty() { Ok(None) } else { Err(cut_off()) };
        }
        let header = frame.first_chunk().expect("`fill` has read the header");
        let (length, kind) = wire::header(*header);
        let order = Order::of(kind).map_err(io::Error::other)?;
        let length = HEADER + length;
        if !self.fill(&mut frame, length)? {
            return Err(cut_off());
        }
        ahead.extend_from_slice(&frame[length..]);
        frame.truncate(length);
        Ok(Some(Received { order, frame }))
    }

    /// Reads until the frame has at least `length` bytes. Returns false if the parent has closed
    /// its end.
    fn fill(&self, frame: &mut Vec<u8>, length: usize) -> io::Result<bool> {
        while frame.len() < length {
            frame.reserve(Self::READ_SIZE.max(length - frame.len()));
            match rustix::io::read(&self.socket, rustix::buffer::spare_capacity(frame)) {
                Ok(0) => return Ok(false),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Sends a frame.
    pub(super) fn send(&self, frame: &[u8]) -> io::Result<()> {
        let _guard = self.lock();
        (&self.socket).write_all(frame)
    }

    /// Sends one frame in two pieces. `make` builds the first piece in the buffer of an earlier
    /// frame; `last` is the second piece.
    pub(super) fn send_made(
        &self,
        make: impl FnOnce(Vec<u8>) -> Vec<u8>,
        last: &[u8],
    ) -> io::Result<()> {
        let mut memory = self.lock();
        let frame = make(mem::take(&mut *memory));
        let sent = write_all(&self.socket, &mut [IoSlice::new(&frame), IoSlice::new(last)]);
        *memory = frame;
        memory.clear();
        memory.shrink_to(Self::MAX_KEPT_BYTES);
        sent
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, and waits for its answer.
    pub(super) fn ask(&self, frame: &[u8]) -> io::Result<Received> {
        self.send(frame)?;
        self.receive(Vec::new())?.ok_or_else(cut_off)
    }
}

fn cut_off() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// Writes all parts in turn.
fn write_all(socket: &UnixStream, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Skips empty parts.
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        // The jail allows `writev` and refuses `sendmsg`.
        match rustix::io::writev(socket, parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut parts, written),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
