//! Receives frames from a stream that arrives in pieces.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use mtl_stream::control::alarm::Notify;
use mtl_stream::control::deadline::Overdue;

use crate::isolation::eventfd::EventFd;
use crate::isolation::held;
use crate::isolation::link::{LinkError, Link, WaitPolicy};

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
pub(crate) struct Came {
    /// The kinds and payloads of the frames.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    /// The reason why no further frame came.
    pub(crate) end: String,
    /// The largest size of the buffer, in bytes.
    pub(crate) held: usize,
}

/// Receives frames of at most `most` bytes until an error.
pub(crate) fn received<'a>(pieces: impl Iterator<Item = Piece<'a>>, most: usize) -> Came {
    let bell = Arc::new(EventFd::new().expect("there is a descriptor"));
    let (mut link, end) = Link::pair(&bell).expect("there are descriptors");
    let mut child = Child { pieces, end: Some(end.into()), bell };
    let mut came = Came::default();
    loop {
        let gone = match link.receive(most, &mut child) {
            Ok(frame) => {
                came.frames.push((frame.kind as u8, frame.payload.rest().to_vec()));
                None
            }
            Err(gone) => Some(gone),
        };
        came.held = came.held.max(held(&link));
        if let Some(gone) = gone {
            assert!(!matches!(gone, LinkError::Io(_)), "the system reports no error");
            came.end = gone.to_string();
            return came;
        }
    }
}

/// A child that acts only when the parent waits, so that the parent never blocks.
struct Child<I> {
    pieces: I,
    end: Option<UnixStream>,
    bell: Arc<EventFd>,
}

impl<'a, I: Iterator<Item = Piece<'a>>> WaitPolicy for Child<I> {
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue> {
        match self.pieces.find(|piece| !matches!(piece, Piece::Bytes([]))) {
            Some(Piece::Bytes(bytes)) => {
                let end = self.end.as_mut().expect("the socket is closed only after all pieces");
                end.write_all(bytes).expect("the socket is empty");
            }
            Some(Piece::EventFd) => self.bell.ring(),
            Some(Piece::GiveUp) => return Err(Overdue::Unwanted),
            None => self.end = None,
        }
        Ok(None)
    }
}
