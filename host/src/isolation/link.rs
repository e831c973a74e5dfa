//! The parent's end of the socket to a child: frames out, frames in, and a limit to waiting.
//!
//! The child may be hostile. It may not read, send half a frame, or send for ever: each step asks
//! the [`Patience`] whether to go on. Nothing is allocated for what a frame claims to have, only
//! for what has come.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::eventfd::Bell;
use super::wire::{self, BadFrame, HEADER, Payload, Reply};
use crate::control::deadline::Overdue;

/// Says how long a child is waited for.
pub(crate) trait Patience {
    /// Until when to wait, if there is an end.
    ///
    /// # Errors
    ///
    /// Why to wait no longer.
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue>;
}

/// Why nothing more comes from a child.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Gone {
    /// Its end is closed: it has died, or is about to.
    #[error("it has ended")]
    Ended,
    /// It has taken longer than it may.
    #[error(transparent)]
    Overdue(#[from] Overdue),
    /// It does not keep to the protocol.
    #[error(transparent)]
    Bad(#[from] BadFrame),
    /// The system failed.
    #[error("the socket to it failed: {0}")]
    Io(io::Error),
}

/// The parent's end.
#[derive(Debug)]
pub(crate) struct Link {
    socket: UnixStream,
    bell: Arc<Bell>,
    /// What has come; the frame that was given last begins at `given`. A fuzz target looks at what it holds.
    pub(super) inbox: Vec<u8>,
    given: usize,
    next: usize,
}

/// A frame from a child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) kind: Reply,
    pub(crate) payload: Payload<'a>,
}

impl Link {
    /// How much is read at once.
    const PIECE: usize = 64 * 1024;
    /// What is kept of an inbox that had to be larger.
    const KEPT: usize = 1024 * 1024;

    /// A link, and the end of the child.
    pub(crate) fn pair(bell: &Arc<Bell>) -> io::Result<(Self, OwnedFd)> {
        let (socket, child) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        let bell = Arc::clone(bell);
        Ok((Self { socket, bell, inbox: Vec::new(), given: 0, next: 0 }, child.into()))
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Returns the bell that wakes the parent.
    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8], patience: &mut dyn Patience) -> Result<(), Gone> {
        self.send_before(frame, &[], patience)
    }

    /// Sends a frame that ends with `last`, from where both are.
    pub(crate) fn send_before(
        &self,
        frame: &[u8],
        last: &[u8],
        patience: &mut dyn Patience,
    ) -> Result<(), Gone> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let mut parts = [IoSlice::new(frame), IoSlice::new(last)];
        let mut parts = &mut parts[..];
        // Skips parts of nothing.
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match sendmsg(&self.socket, parts, &mut SendAncillaryBuffer::default(), flags) {
                Ok(sent) => IoSlice::advance_slices(&mut parts, sent),
                Err(Errno::AGAIN | Errno::INTR) => self.wait(PollFlags::OUT, patience)?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Gone::Ended),
                Err(error) => return Err(Gone::Io(error.into())),
            }
        }
        Ok(())
    }

    /// Waits for the next frame, whose payload has at most `most` bytes.
    pub(crate) fn receive(
        &mut self,
        most: usize,
        patience: &mut dyn Patience,
    ) -> Result<Received<'_>, Gone> {
        self.given = self.next;
        self.fill(HEADER, patience)?;
        let header = self.inbox[self.given..].first_chunk().expect("it was waited for");
        let (length, kind) = wire::header(*header);
        Reply::of(kind)?;
        if length > most {
            return Err(BadFrame("a frame that is too long").into());
        }
        self.fill(HEADER + length, patience)?;
        self.next = self.given + HEADER + length;
        Ok(self.given())
    }

    /// The frame that came last.
    pub(crate) fn given(&self) -> Received<'_> {
        let frame = &self.inbox[self.given..self.next];
        let (header, payload) = frame.split_first_chunk().expect("a frame has come");
        let kind = Reply::of(wire::header(*header).1).expect("it was looked at when it came");
        Received { kind, payload: Payload(payload) }
    }

    /// Reads until so many bytes of the next frame are there.
    fn fill(&mut self, wanted: usize, patience: &mut dyn Patience) -> Result<(), Gone> {
        while self.inbox.len() - self.given < wanted {
            if self.given > 0 {
                self.inbox.drain(..self.given);
                self.given = 0;
                if self.inbox.len() < Self::KEPT {
                    self.inbox.shrink_to(Self::KEPT);
                }
            }
            self.inbox.reserve(Self::PIECE);
            match rustix::io::read(&self.socket, rustix::buffer::spare_capacity(&mut self.inbox)) {
                Ok(0) | Err(Errno::CONNRESET) => return Err(Gone::Ended),
                Ok(_) => {}
                Err(Errno::AGAIN | Errno::INTR) => self.wait(PollFlags::IN, patience)?,
                Err(error) => return Err(Gone::Io(error.into())),
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready, or something has changed.
    fn wait(&self, ready: PollFlags, patience: &mut dyn Patience) -> Result<(), Gone> {
        let until = patience.go_on()?;
        self.bell.wait_for(&self.socket, ready, until).map(drop).map_err(Gone::Io)
    }
}

#[cfg(test)]
mod tests;
