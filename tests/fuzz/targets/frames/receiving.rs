//! Frames out of a stream that comes in pieces.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use mtl_stream::control::alarm::Ring;
use mtl_stream::control::deadline::Overdue;

use crate::isolation::eventfd::Bell;
use crate::isolation::held;
use crate::isolation::link::{Gone, Link, Patience};

/// What happens when the parent waits for more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// These bytes come.
    Bytes(&'a [u8]),
    /// Something else has changed.
    Bell,
    /// It is waited for no longer.
    GiveUp,
}

/// What came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Came {
    /// The frames: their kinds, and what is in them.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    /// Why there are no more of them.
    pub(crate) end: String,
    /// What the inbox took at most, in bytes.
    pub(crate) held: usize,
}

/// Receives frames of at most `most` bytes, until there are no more.
pub(crate) fn received<'a>(pieces: impl Iterator<Item = Piece<'a>>, most: usize) -> Came {
    let bell = Arc::new(Bell::new().expect("there is a descriptor"));
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
            assert!(!matches!(gone, Gone::Io(_)), "the system does its part");
            came.end = gone.to_string();
            return came;
        }
    }
}

/// A child that does something only when it is waited for: so nobody ever waits.
struct Child<I> {
    pieces: I,
    end: Option<UnixStream>,
    bell: Arc<Bell>,
}

impl<'a, I: Iterator<Item = Piece<'a>>> Patience for Child<I> {
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue> {
        match self.pieces.find(|piece| !matches!(piece, Piece::Bytes([]))) {
            Some(Piece::Bytes(bytes)) => {
                let end = self.end.as_mut().expect("it is closed after all pieces");
                end.write_all(bytes).expect("there is room, as nothing is left to be read");
            }
            Some(Piece::Bell) => self.bell.ring(),
            Some(Piece::GiveUp) => return Err(Overdue::Unwanted),
            None => self.end = None,
        }
        Ok(None)
    }
}
