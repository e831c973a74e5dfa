//! Decompresses an input while it is read.
//!
//! Compressed bytes may arrive slowly, for example through a pipe. A decoder passes on all bytes
//! that it can decode before it waits for more input. Otherwise, items that have arrived would wait
//! in the decoder and not reach the workers. If a part of the input is damaged, the decoder first
//! passes on the bytes before the damage, and then returns the error.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::write::GzDecoder;
use zstd::stream::raw::{self, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DCtx;

/// The compression of an input. Only the file name decides.
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

/// A reader of the decompressed bytes. Several compressed streams in a row are one input.
pub(super) enum Decoder {
    Plain(Bytes),
    Gzip(Box<Gunzip>),
    Zstd(Box<Unzstd>),
}

impl Decoder {
    pub(super) fn new(compression: Compression, bytes: Bytes) -> io::Result<Self> {
        Ok(match compression {
            Compression::Plain => Self::Plain(bytes),
            Compression::Gzip => Self::Gzip(Box::new(Gunzip::new(bytes))),
            Compression::Zstd => Self::Zstd(Box::new(Unzstd::new(bytes)?)),
        })
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(buffer),
            Self::Gzip(gunzip) => gunzip.read(buffer),
            Self::Zstd(unzstd) => unzstd.read(buffer),
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

/// A gzip decoder that waits for input only if it has no decoded bytes.
///
/// It passes compressed bytes to the library's write-side decoder. If that decoder fails, its
/// output before the damage is still available. `Gunzip` returns this output before the error. The
/// library's read-side decoder does not report how many bytes it has decoded before an error.
///
/// Members may follow one another, and zeros may follow the last member, as on a tape. `gzip -d`
/// accepts both.
pub(super) struct Gunzip {
    bytes: BufReader<Bytes>,
    /// The decoder of one member.
    decoder: GzDecoder<Vec<u8>>,
    at: At,
    /// The number of decoded bytes that have been given out.
    given: usize,
    /// The error that follows the decoded bytes.
    error: Option<io::Error>,
}

/// The position of the next byte in a gzip file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Member,
    /// After the last member: only zeros may follow.
    Padding,
}

/// The result of an attempt to decode more.
enum DecodeStep {
    /// The step consumed or produced bytes.
    Done,
    /// Nothing is available now. If the step was allowed to wait, the input has ended.
    Nothing,
}

impl Gunzip {
    fn new(bytes: Bytes) -> Self {
        let (bytes, decoder) = (BufReader::new(bytes), GzDecoder::new(Vec::new()));
        Self { bytes, decoder, at: At::Member, given: 0, error: None }
    }

    /// Copies decoded bytes into `buffer`, as many as fit.
    fn copy_decoded(&mut self, buffer: &mut [u8]) -> usize {
        let decoded = &self.decoder.get_ref()[self.given..];
        let most = decoded.len().min(buffer.len());
        buffer[..most].copy_from_slice(&decoded[..most]);
        self.given += most;
        most
    }

    /// Decodes more, after all decoded bytes have been given out.
    fn step(&mut self, may_wait: bool) -> io::Result<DecodeStep> {
        self.decoder.get_mut().clear();
        self.given = 0;
        if self.bytes.buffer().is_empty() {
            // The decoder may hold output that had no space when the last bytes went in.
            self.decoder.flush()?;
            if !self.decoder.get_ref().is_empty() {
                return Ok(DecodeStep::Done);
            }
            if !may_wait {
                return Ok(DecodeStep::Nothing);
            }
        }
        let available = self.bytes.fill_buf()?;
        if available.is_empty() {
            return self.decoder.try_finish().map(|()| DecodeStep::Nothing);
        }
        if self.at == At::Padding {
            let zeros = available.iter().take_while(|byte| **byte == 0).count();
            if zeros < available.len() {
                return Err(bytes_after_padding());
            }
            self.bytes.consume(zeros);
            return Ok(DecodeStep::Done);
        }
        let consumed = self.decoder.write(available).inspect_err(|_| {
            // Saves the output that the decoder still holds. The flush repeats the same error.
            let _ = self.decoder.flush();
        })?;
        if consumed > 0 {
            self.bytes.consume(consumed);
            return Ok(DecodeStep::Done);
        }
        // The decoder takes no bytes after the end of its member.
        self.decoder.try_finish()?;
        match available.first() {
            Some(0) => self.at = At::Padding,
            _ => self.begin_member(),
        }
        Ok(DecodeStep::Done)
    }

    /// Creates the decoder of the next member. It keeps the output of the last decoder.
    fn begin_member(&mut self) {
        let decoded = std::mem::take(self.decoder.get_mut());
        self.decoder = GzDecoder::new(decoded);
    }
}

fn bytes_after_padding() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "bytes other than zeros follow the last gzip member")
}

impl Read for Gunzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        loop {
            given += self.copy_decoded(&mut buffer[given..]);
            if given == buffer.len() {
                return Ok(given);
            }
            match self.error.take_if(|_| given == 0) {
                Some(error) => return Err(error),
                None if self.error.is_some() => return Ok(given),
                None => {}
            }
            match self.step(given == 0) {
                Ok(DecodeStep::Done) => {}
                Ok(DecodeStep::Nothing) => return Ok(given),
                Err(error) => self.error = Some(error),
            }
        }
    }
}

/// A zstd decoder that passes at most one block at a time to the library's decoder.
///
/// If a step of the library's decoder fails, the output of that step is lost. So a step must not
/// contain parts of both a good block and a damaged block.
pub(super) struct Unzstd {
    bytes: BufReader<Bytes>,
    decoder: raw::Decoder<'static>,
    /// The number of bytes that the decoder prefers for its next step.
    next_size: usize,
    /// True after a whole frame, where the input may end.
    frame_ended: bool,
}

impl Unzstd {
    /// The size of a block header. The decoder prefers to get it together with the previous block.
    const HEADER: usize = 3;

    fn new(bytes: Bytes) -> io::Result<Self> {
        let bytes = BufReader::with_capacity(DCtx::in_size(), bytes);
        Ok(Self { bytes, decoder: raw::Decoder::new()?, next_size: 0, frame_ended: false })
    }

    /// Returns the number of bytes for one step: the number that the library's decoder prefers,
    /// minus the size of the next block's header.
    fn step_size(&self) -> usize {
        match self.next_size {
            0 => 1,
            header @ 1..=Self::HEADER => header,
            more => more - Self::HEADER,
        }
    }

    /// Decodes up to `most` of the available bytes.
    fn step(&mut self, most: usize, buffer: &mut [u8]) -> io::Result<usize> {
        if self.frame_ended && most > 0 {
            self.decoder.reinit()?;
            self.frame_ended = false;
        }
        let mut input = InBuffer::around(&self.bytes.buffer()[..most]);
        let mut output = OutBuffer::around(buffer);
        self.next_size = self.decoder.run(&mut input, &mut output)?;
        self.frame_ended |= self.next_size == 0;
        let (consumed, given) = (input.pos(), output.pos());
        self.bytes.consume(consumed);
        Ok(given)
    }
}

impl Read for Unzstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // The decoder gives out the bytes that it holds before it waits for more.
        let mut given = self.step(0, buffer)?;
        while given == 0 {
            let available = self.bytes.fill_buf()?.len();
            if available == 0 {
                let mut output = OutBuffer::around(buffer);
                self.decoder.finish(&mut output, self.frame_ended)?;
                return Ok(output.pos());
            }
            given = self.step(available.min(self.step_size()), buffer)?;
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests;
