//! Decompresses an input as it is read.
//!
//! Compressed bytes may come slowly, through a pipe. What has arrived is decoded and given
//! out before more is waited for; a decoder that sits on decoded bytes would hold back items.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How an input is compressed. Its name says so, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

impl Compression {
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(OsStr::to_str) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

type Bytes = Box<dyn Read + Send>;

/// Reads what the compressed bytes stand for; several of them in a row are one input.
pub(super) enum Decoder {
    Plain(Bytes),
    Gzip(Box<Gunzip>),
    /// Gives out what it holds before it reads on, by its own design.
    Zstd(Box<zstd::Decoder<'static, BufReader<Bytes>>>),
}

impl Decoder {
    pub(super) fn new(compression: Compression, bytes: Bytes) -> io::Result<Self> {
        Ok(match compression {
            Compression::Plain => Self::Plain(bytes),
            Compression::Gzip => Self::Gzip(Box::new(Gunzip::new(bytes))),
            Compression::Zstd => Self::Zstd(Box::new(zstd::Decoder::new(bytes)?)),
        })
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(buffer),
            Self::Gzip(gunzip) => gunzip.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

/// A gzip decoder that waits only when it has nothing to give.
///
/// The library's decoder asks for input before it looks at what it still holds, and it holds
/// something whenever its output did not fit. Here it always fits: compressed bytes go in by
/// small pieces, and what a piece can become at most has room in `decoded`.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Pieces>,
    decoded: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Gunzip {
    /// What one compressed byte can become at most, by the format: four times 258 bytes.
    const RATIO: usize = 1032;
    /// The decoder may hold a few more compressed bytes than the last piece, bit by bit.
    const DECODED: usize = (Pieces::PIECE + 16) * Self::RATIO;

    fn new(bytes: Bytes) -> Self {
        Self {
            decoder: MultiGzDecoder::new(Pieces { bytes: BufReader::new(bytes), patient: false }),
            decoded: vec![0; Self::DECODED].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// Decodes the next piece.
    fn refill(&mut self) -> io::Result<()> {
        let end = self.decoder.read(&mut self.decoded)?;
        debug_assert!(end < self.decoded.len(), "the decoder holds nothing back");
        (self.start, self.end) = (0, end);
        Ok(())
    }
}

impl Read for Gunzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        loop {
            let most = (buffer.len() - given).min(self.end - self.start);
            buffer[given..][..most].copy_from_slice(&self.decoded[self.start..][..most]);
            given += most;
            self.start += most;
            if given == buffer.len() {
                return Ok(given);
            }
            self.decoder.get_mut().patient = given == 0;
            match self.refill() {
                Ok(()) if self.end == 0 => return Ok(given),
                Ok(()) => {}
                Err(error) if given > 0 && error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(given);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Gives out what it reads in small pieces; when it is not patient, only what is there.
struct Pieces {
    bytes: BufReader<Bytes>,
    patient: bool,
}

impl Pieces {
    const PIECE: usize = 256;
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.patient && self.bytes.buffer().is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let there = self.bytes.fill_buf()?;
        Ok(&there[..there.len().min(Self::PIECE)])
    }

    fn consume(&mut self, bytes: usize) {
        self.bytes.consume(bytes);
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let most = there.len().min(buffer.len());
        buffer[..most].copy_from_slice(&there[..most]);
        self.consume(most);
        Ok(most)
    }
}

#[cfg(test)]
mod tests;
