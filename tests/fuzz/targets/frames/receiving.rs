//! Receives frames from a stream that arrives in pieces.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use mtl_stream::control::alarm::Notify;
use mtl_stream::control::deadline::Overdue;

use crate::isolation::buffer_bytes;
use crate::isolation::child_connection::{ChildConnection, LinkError, WaitPolicy};
use crate::isolation::eventfd::EventFd;

/// An event while the parent waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// The arrival of these bytes.
    Bytes(&'a [u8]),
    /// A signal of the eventfd.
    EventFd,
    /// The parent's decision to give up.
    GiveUp,
}

/// The result of receiving.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// The kinds and payloads of the frames.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    /// The text of the error that ended the connection.
    pub(crate) end: String,
    /// The largest capacity of the buffer.
    pub(crate) buffer_bytes: usize,
}

/// Receives frames of at most `most` bytes until an error.
pub(crate) fn receive_all<'a>(pieces: impl Iterator<Item = Piece<'a>>, most: usize) -> Received {
    let event_fd = Arc::new(EventFd::new().expect("there is a descriptor"));
    let (mut connection, end) = ChildConnection::pair(&event_fd).expect("there are descriptors");
    let mut child = Child { pieces, end: Some(end.into()), event_fd };
    let mut received = Received::default();
    loop {
        let error = match connection.receive(most, &mut child) {
            Ok(frame) => {
                received.frames.push((frame.kind as u8, frame.payload.rest().to_vec()));
                None
            }
            Err(error) => Some(error),
        };
        received.buffer_bytes = received.buffer_bytes.max(buffer_bytes(&connection));
        if let Some(error) = error {
            assert!(!matches!(error, LinkError::Io(_)), "the system reports no error");
            received.end = error.to_string();
            return received;
        }
    }
}

/// A child that acts only when the parent waits, so that the parent never blocks.
struct Child<I> {
    pieces: I,
    end: Option<UnixStream>,
    event_fd: Arc<EventFd>,
}

impl<'a, I: Iterator<Item = Piece<'a>>> WaitPolicy for Child<I> {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        match self.pieces.find(|piece| !matches!(piece, Piece::Bytes([]))) {
            Some(Piece::Bytes(bytes)) => {
                let end = self.end.as_mut().expect("the socket is closed only after all pieces");
                end.write_all(bytes).expect("the socket is empty");
            }
            Some(Piece::EventFd) => self.event_fd.notify(),
            Some(Piece::GiveUp) => return Err(Overdue::Cancelled),
            None => self.end = None,
        }
        Ok(None)
    }
}
