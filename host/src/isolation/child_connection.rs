//! The parent's end of the socket to a child: it sends and receives frames, and limits each wait.
//!
//! The child may be hostile: it can stop reading, send half a frame, or send without end. Therefore
//! each step asks the [`WaitPolicy`] whether to continue. The parent allocates memory only for
//! bytes that have arrived, and never for the length that a frame's header announces.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::eventfd::EventFd;
use super::wire::{self, HEADER, Payload, ProtocolError, Reply};
use crate::control::deadline::Overdue;

/// A policy that limits a wait for a child.
pub(crate) trait WaitPolicy {
    /// Returns the end of the wait, or `None` if the wait has no limit.
    ///
    /// # Errors
    ///
    /// Fails with the reason if the wait must end now.
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue>;
}

/// Error of a lost connection to a child.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The child has closed its end, because it has died or is about to.
    #[error("it has ended")]
    Ended,
    /// The child has exceeded its time.
    #[error(transparent)]
    Overdue(#[from] Overdue),
    /// The child has broken the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A system call on the socket failed.
    #[error("the socket to it failed: {0}")]
    Io(io::Error),
}

/// The parent's end of the socket to a child.
#[derive(Debug)]
pub(crate) struct ChildConnection {
    socket: UnixStream,
    event_fd: Arc<EventFd>,
    /// The received bytes. The most recently returned frame lies between `frame_start` and
    /// `frame_end`. A fuzz target inspects this field.
    pub(super) inbox: Vec<u8>,
    frame_start: usize,
    frame_end: usize,
}

/// A frame from a child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) kind: Reply,
    pub(crate) payload: Payload<'a>,
}

impl ChildConnection {
    /// The number of bytes that one read requests.
    const READ_SIZE: usize = 64 * 1024;
    /// The most bytes of memory that an inbox keeps after a large frame.
    const MAX_KEPT_BYTES: usize = 1024 * 1024;

    /// Makes a connection, and returns it with the child's end.
    pub(crate) fn pair(event_fd: &Arc<EventFd>) -> io::Result<(Self, OwnedFd)> {
        let (socket, child) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        let event_fd = Arc::clone(event_fd);
        Ok((
            Self { socket, event_fd, inbox: Vec::new(), frame_start: 0, frame_end: 0 },
            child.into(),
        ))
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Returns the eventfd that wakes the parent.
    pub(super) fn event_fd(&self) -> &EventFd {
        &self.event_fd
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8], policy: &mut dyn WaitPolicy) -> Result<(), LinkError> {
        self.send_before(frame, &[], policy)
    }

    /// Sends a frame whose last bytes are `last`, without copying them together.
    pub(crate) fn send_before(
        &self,
        frame: &[u8],
        last: &[u8],
        policy: &mut dyn WaitPolicy,
    ) -> Result<(), LinkError> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let mut parts = [IoSlice::new(frame), IoSlice::new(last)];
        let mut parts = &mut parts[..];
        // Skips empty parts.
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match sendmsg(&self.socket, parts, &mut SendAncillaryBuffer::default(), flags) {
                Ok(sent) => IoSlice::advance_slices(&mut parts, sent),
                Err(Errno::AGAIN | Errno::INTR) => self.wait(PollFlags::OUT, policy)?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(LinkError::Ended),
                Err(error) => return Err(LinkError::Io(error.into())),
            }
        }
        Ok(())
    }

    /// Waits for the next frame. Fails if its payload is longer than `most` bytes.
    pub(crate) fn receive(
        &mut self,
        most: usize,
        policy: &mut dyn WaitPolicy,
    ) -> Result<Received<'_>, LinkError> {
        self.frame_start = self.frame_end;
        self.fill(HEADER, policy)?;
        let header =
            self.inbox[self.frame_start..].first_chunk().expect("`fill` has read the header");
        let (length, kind) = wire::header(*header);
        Reply::of(kind)?;
        if length > most {
            return Err(ProtocolError("a frame that is too long").into());
        }
        self.fill(HEADER + length, policy)?;
        self.frame_end = self.frame_start + HEADER + length;
        Ok(self.last_frame())
    }

    /// Returns the frame that was received last.
    pub(crate) fn last_frame(&self) -> Received<'_> {
        let frame = &self.inbox[self.frame_start..self.frame_end];
        let (header, payload) = frame.split_first_chunk().expect("a frame was received");
        let kind = Reply::of(wire::header(*header).1).expect("`receive` has checked the kind");
        Received { kind, payload: Payload(payload) }
    }

    /// Reads until the inbox has `length` bytes of the next frame.
    fn fill(&mut self, length: usize, policy: &mut dyn WaitPolicy) -> Result<(), LinkError> {
        while self.inbox.len() - self.frame_start < length {
            if self.frame_start > 0 {
                self.inbox.drain(..self.frame_start);
                self.frame_start = 0;
                if self.inbox.len() < Self::MAX_KEPT_BYTES {
                    self.inbox.shrink_to(Self::MAX_KEPT_BYTES);
                }
            }
            self.inbox.reserve(Self::READ_SIZE);
            match rustix::io::read(&self.socket, rustix::buffer::spare_capacity(&mut self.inbox)) {
                Ok(0) | Err(Errno::CONNRESET) => return Err(LinkError::Ended),
                Ok(_) => {}
                Err(Errno::AGAIN | Errno::INTR) => self.wait(PollFlags::IN, policy)?,
                Err(error) => return Err(LinkError::Io(error.into())),
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready, the eventfd is signalled, or the time is up.
    fn wait(&self, ready: PollFlags, policy: &mut dyn WaitPolicy) -> Result<(), LinkError> {
        let until = policy.next_deadline()?;
        self.event_fd.wait_for(&self.socket, ready, until).map(drop).map_err(LinkError::Io)
    }
}

#[cfg(test)]
mod tests;
