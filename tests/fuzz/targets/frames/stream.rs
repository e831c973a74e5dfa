//! Compares received frames with a second decoder that reads the whole stream.

use arbitrary::Arbitrary;

use crate::receiving::{self, receive_all};

/// The number of frame kinds, which begin at one.
const KINDS: u8 = 18;

#[derive(Arbitrary, Debug)]
pub(crate) struct Case<'a> {
    /// The limit on the size of a frame.
    most: u32,
    parts: Vec<Part<'a>>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Part<'a> {
    Bytes(&'a [u8]),
    /// The header of a frame.
    Header {
        length: u16,
        kind: u8,
    },
    /// The header of a frame that claims to be large.
    Large {
        length: u32,
        kind: u8,
    },
    /// A run of zeros, which lets frames become long.
    Zeros(u16),
    EventFd,
    GiveUp,
}

impl Part<'_> {
    /// Returns the bytes that this part sends.
    fn bytes(self) -> Vec<u8> {
        let header =
            |length: u32, kind| [&length.to_le_bytes()[..], &[kind % (KINDS + 2)]].concat();
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Header { length, kind } => header(length.into(), kind),
            Self::Large { length, kind } => header(length, kind),
            Self::Zeros(zeros) => vec![0; zeros.into()],
            Self::EventFd | Self::GiveUp => Vec::new(),
        }
    }
}

impl Case<'_> {
    /// The size of one read.
    const READ: usize = 64 * 1024;
    /// The most bytes of the buffer that are kept for later frames.
    const KEPT: usize = 1024 * 1024;

    pub(crate) fn check(self) {
        let most = self.most as usize;
        let parts: Vec<_> = self.parts.iter().map(|part| (*part, part.bytes())).collect();
        let received = receive_all(parts.iter().map(|(part, bytes)| piece(*part, bytes)), most);
        let sent = parts.iter().take_while(|(part, _)| !matches!(part, Part::GiveUp));
        let bytes: Vec<u8> = sent.flat_map(|(_, bytes)| bytes).copied().collect();
        let (frames, end) = self.expected(&bytes);
        assert_eq!(received.frames, frames);
        assert_eq!(received.end, end);
        // A vector grows to twice its size.
        let bound = 2 * bytes.len() + 2 * Self::READ + Self::KEPT;
        assert!(
            received.buffer_bytes <= bound,
            "{} bytes for {}",
            received.buffer_bytes,
            bytes.len()
        );
    }

    /// Returns the frames in these bytes, and the text of the error that ends the connection.
    fn expected(&self, mut bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, &'static str) {
        let mut frames = Vec::new();
        while let Some(([length @ .., kind], rest)) = bytes.split_first_chunk::<5>() {
            let length = u32::from_le_bytes(*length) as usize;
            if !(1..=KINDS).contains(kind) {
                return (frames, "it sent a message of an unknown kind");
            }
            if length > self.most as usize {
                return (frames, "it sent a frame that is too long");
            }
            let Some((payload, rest)) = rest.split_at_checked(length) else { break };
            frames.push((*kind, payload.to_vec()));
            bytes = rest;
        }
        let gives_up = self.parts.iter().any(|part| matches!(part, Part::GiveUp));
        (frames, if gives_up { "was interrupted" } else { "it has ended" })
    }
}

fn piece<'a>(part: Part<'_>, bytes: &'a [u8]) -> receiving::Piece<'a> {
    match part {
        Part::EventFd => receiving::Piece::EventFd,
        Part::GiveUp => receiving::Piece::GiveUp,
        _ => receiving::Piece::Bytes(bytes),
    }
}
