//! Decompresses an input as it is read.
//!
//! Compressed bytes may come slowly, through a pipe. What has arrived is decoded and given
//! out before more is waited for; a decoder that sits on decoded bytes would hold back items.
//! So is what comes before damage: the error follows the last bytes that are good.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::write::GzDecoder;
use zstd::stream::raw::{self, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DCtx;

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

/// A gzip decoder that waits only when it has nothing to give.
///
/// Compressed bytes are pushed into the library's decoder, because what that has written then
/// stays there when it fails: all that comes before the damage is given out before the error.
/// The decoder that pulls its input keeps the count of those bytes to itself.
///
/// Members may follow one another, and zeros the last member, as on a tape: `gzip -d` takes both.
pub(super) struct Gunzip {
    bytes: BufReader<Bytes>,
    /// Decodes one member.
    decoder: GzDecoder<Vec<u8>>,
    at: At,
    /// How many of the decoded bytes have been given out.
    given: usize,
    /// Comes after what has been decoded.
    error: Option<io::Error>,
}

/// Where in a gzip file the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Member,
    /// Behind the last member: only zeros may follow.
    Padding,
}

/// What came of an attempt to decode more.
enum Step {
    /// Something went in or came out.
    Done,
    /// There is nothing now; if it was waited for, nothing at all.
    Nothing,
}

impl Gunzip {
    fn new(bytes: Bytes) -> Self {
        let (bytes, decoder) = (BufReader::new(bytes), GzDecoder::new(Vec::new()));
        Self { bytes, decoder, at: At::Member, given: 0, error: None }
    }

    /// Gives out what has been decoded, as far as `buffer` has room.
    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let decoded = &self.decoder.get_ref()[self.given..];
        let most = decoded.len().min(buffer.len());
        buffer[..most].copy_from_slice(&decoded[..most]);
        self.given += most;
        most
    }

    /// Decodes more, when all that was decoded has been given out.
    fn step(&mut self, may_wait: bool) -> io::Result<Step> {
        self.decoder.get_mut().clear();
        self.given = 0;
        if self.bytes.buffer().is_empty() {
            // The decoder may hold what did not fit when the last bytes went in.
            self.decoder.flush()?;
            if !self.decoder.get_ref().is_empty() {
                return Ok(Step::Done);
            }
            if !may_wait {
                return Ok(Step::Nothing);
            }
        }
        let there = self.bytes.fill_buf()?;
        if there.is_empty() {
            return self.decoder.try_finish().map(|()| Step::Nothing);
        }
        if self.at == At::Padding {
            let zeros = there.iter().take_while(|byte| **byte == 0).count();
            if zeros < there.len() {
                return Err(after_padding());
            }
            self.bytes.consume(zeros);
            return Ok(Step::Done);
        }
        let taken = self.decoder.write(there).inspect_err(|_| {
            // For what it still holds. That it fails again is nothing new.
            let _ = self.decoder.flush();
        })?;
        if taken > 0 {
            self.bytes.consume(taken);
            return Ok(Step::Done);
        }
        // The decoder takes nothing after the end of its member.
        self.decoder.try_finish()?;
        match there.first() {
            Some(0) => self.at = At::Padding,
            _ => self.begin_member(),
        }
        Ok(Step::Done)
    }

    /// Makes a decoder for the next member. It keeps what the last one has decoded.
    fn begin_member(&mut self) {
        let decoded = std::mem::take(self.decoder.get_mut());
        self.decoder = GzDecoder::new(decoded);
    }
}

fn after_padding() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "bytes other than zeros follow the last gzip member")
}

impl Read for Gunzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        loop {
            given += self.give(&mut buffer[given..]);
            if given == buffer.len() {
                return Ok(given);
            }
            match self.error.take_if(|_| given == 0) {
                Some(error) => return Err(error),
                None if self.error.is_some() => return Ok(given),
                None => {}
            }
            match self.step(given == 0) {
                Ok(Step::Done) => {}
                Ok(Step::Nothing) => return Ok(given),
                Err(error) => self.error = Some(error),
            }
        }
    }
}

/// A zstd decoder that gets no more than one block at once.
///
/// When a step of the library's decoder fails, the step's output is lost. So a step must not
/// reach from a good block into a bad one.
pub(super) struct Unzstd {
    bytes: BufReader<Bytes>,
    decoder: raw::Decoder<'static>,
    /// How many bytes the decoder would like to have next.
    wanted: usize,
    /// Whether the input could end here.
    frame_ended: bool,
}

impl Unzstd {
    /// The header of a block; the decoder likes to have it together with the block before.
    const HEADER: usize = 3;

    fn new(bytes: Bytes) -> io::Result<Self> {
        let bytes = BufReader::with_capacity(DCtx::in_size(), bytes);
        Ok(Self { bytes, decoder: raw::Decoder::new()?, wanted: 0, frame_ended: false })
    }

    /// How much goes in at once: what is wanted, without the header of the next block.
    fn piece(&self) -> usize {
        match self.wanted {
            0 => 1,
            header @ 1..=Self::HEADER => header,
            more => more - Self::HEADER,
        }
    }

    /// Decodes up to `most` of the bytes that are there.
    fn step(&mut self, most: usize, buffer: &mut [u8]) -> io::Result<usize> {
        if self.frame_ended && most > 0 {
            self.decoder.reinit()?;
            self.frame_ended = false;
        }
        let mut input = InBuffer::around(&self.bytes.buffer()[..most]);
        let mut output = OutBuffer::around(buffer);
        self.wanted = self.decoder.run(&mut input, &mut output)?;
        self.frame_ended |= self.wanted == 0;
        let (taken, given) = (input.pos(), output.pos());
        self.bytes.consume(taken);
        Ok(given)
    }
}

impl Read for Unzstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // What the decoder holds comes first: nobody waits for more while there is some.
        let mut given = self.step(0, buffer)?;
        while given == 0 {
            let there = self.bytes.fill_buf()?.len();
            if there == 0 {
                let mut output = OutBuffer::around(buffer);
                self.decoder.finish(&mut output, self.frame_ended)?;
                return Ok(output.pos());
            }
            given = self.step(there.min(self.piece()), buffer)?;
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests;
