//! Fuzzes sources with arbitrary inputs that arrive in arbitrary pieces.
//!
//! A second decoder reads each format in a few plain lines, without buffers, and must return the same items. For two
//! kinds of input, the expected items are unknown: damaged input, and plain input with the name of a compressed file.
//! Even so, the pieces in which the bytes of such input arrive must not change the items.

#![no_main]

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_stream::block::{BlockBuilder, Span};
use mtl_stream::item::index::ItemIndex;
use mtl_stream::source::{FillStatus, Frames, Inputs, ItemLimit, Jsonl, Lines, Source, Take};

use self::source::decompress;

#[path = "../../../host/stream/src/source"]
mod source {
    use std::io::{self, Read};
    use std::path::Path;

    use self::decoder::{Compression, Decoder};

    mod decoder;

    /// Decompresses an input, according to its name.
    pub(crate) fn decompress(
        name: &str,
        reader: impl Read + Send + 'static,
    ) -> io::Result<Box<dyn Read + Send>> {
        let compression = Compression::of(Path::new(name));
        Ok(Box::new(Decoder::new(compression, Box::new(reader))?))
    }
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    format: Format,
    limit: Bound,
    packing: Packing,
    /// The number of items to read.
    first: Option<u8>,
    pieces: Vec<Piece>,
    input: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Lines,
    Nul,
    Jsonl,
    Frames,
}

/// The limit on the size of an item.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Bound {
    Default,
    /// A limit from 1 to 256 bytes.
    Small(u8),
    /// A limit around the part that is kept of an oversized item.
    Medium(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Packing {
    Plain,
    /// A compressed input.
    Gzip,
    Zstd,
    /// A compressed input with a changed byte.
    Damaged {
        zstd: bool,
        at: u16,
        by: u8,
    },
    /// An uncompressed input with the name of a compressed file.
    Claimed {
        zstd: bool,
    },
}

/// The result of one read.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Piece {
    Bytes(u8),
    Interrupted,
}

impl Bound {
    fn limit(self) -> ItemLimit {
        let bytes = match self {
            Self::Default => return ItemLimit::DEFAULT,
            Self::Small(bytes) => usize::from(bytes) + 1,
            Self::Medium(bytes) => usize::from(bytes) + 1,
        };
        ItemLimit::new(bytes).expect("the limit is at least 1")
    }
}

/// A reader that returns its bytes in pieces, and after the last piece all remaining bytes.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    pieces: VecDeque<Piece>,
}

impl Pieces {
    fn new(bytes: &[u8], pieces: &[Piece]) -> Self {
        Self { bytes: bytes.to_vec(), at: 0, pieces: pieces.iter().copied().collect() }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match self.pieces.pop_front() {
            Some(Piece::Interrupted) => return Err(io::ErrorKind::Interrupted.into()),
            Some(Piece::Bytes(bytes)) => usize::from(bytes).max(1),
            None => usize::MAX,
        };
        let most = most.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..most].copy_from_slice(&self.bytes[self.at..self.at + most]);
        self.at += most;
        Ok(most)
    }
}

/// Everything that a source returned.
#[derive(Default)]
struct SourceOutput {
    /// The items. A rejected item has the reason.
    items: Vec<(Vec<u8>, Option<String>)>,
    /// The error of the source, if any.
    error: Option<String>,
}

impl SourceOutput {
    /// Reads `source` to its end. Panics if the source announces more items and returns none, because a run would then
    /// loop forever.
    fn read_all(mut source: impl Source) -> Self {
        let mut output = Self::default();
        loop {
            let mut block = BlockBuilder::new();
            let filled = source.fill(&mut block);
            assert!(
                !block.is_empty() || !matches!(filled, Ok(FillStatus::More)),
                "the source announces items and returns none"
            );
            let span = Span::whole(block.seal(ItemIndex::default()));
            for at in 0..span.len() {
                output.items.push((span.item(at).to_vec(), span.rejection(at).map(str::to_owned)));
            }
            match filled {
                Ok(FillStatus::More) => {}
                Ok(FillStatus::End) => return output,
                Err(error) => {
                    output.error = Some(error.to_string());
                    return output;
                }
            }
        }
    }
}

impl Case<'_> {
    /// Returns the input in its stored form, and the name that selects its compression.
    fn stored(&self) -> (Vec<u8>, &'static str) {
        let name = |zstd| if zstd { "x.zst" } else { "x.gz" };
        match self.packing {
            Packing::Plain => (self.input.to_vec(), "x"),
            Packing::Gzip => (compress(self.input, false), name(false)),
            Packing::Zstd => (compress(self.input, true), name(true)),
            Packing::Damaged { zstd, at, by } => {
                let mut compressed = compress(self.input, zstd);
                let at = usize::from(at) % compressed.len();
                compressed[at] ^= by;
                (compressed, name(zstd))
            }
            Packing::Claimed { zstd } => (self.input.to_vec(), name(zstd)),
        }
    }

    fn run_source(&self, stored: &[u8], name: &str, pieces: &[Piece]) -> SourceOutput {
        let reader = decompress(name, Pieces::new(stored, pieces)).expect("the decoder starts");
        let (inputs, limit) = (Inputs::from_reader("x", reader), self.limit.limit());
        match self.format {
            Format::Lines => self.read_all(Lines::new(inputs).item_limit(limit)),
            Format::Nul => self.read_all(Lines::nul(inputs).item_limit(limit)),
            Format::Jsonl => self.read_all(Jsonl::new(inputs).item_limit(limit)),
            Format::Frames => self.read_all(Frames::new(inputs).item_limit(limit)),
        }
    }

    fn read_all(&self, source: impl Source) -> SourceOutput {
        match self.first {
            Some(items) => SourceOutput::read_all(Take::new(source, items.into())),
            None => SourceOutput::read_all(source),
        }
    }

    /// Returns the expected items, if they are known.
    fn expected(&self) -> Option<ExpectedItems> {
        let (Packing::Plain | Packing::Gzip | Packing::Zstd) = self.packing else { return None };
        let limit = self.limit.limit().get();
        let mut expected = match self.format {
            Format::Lines => ExpectedItems::of_records(self.input, b'\n', limit),
            Format::Nul => ExpectedItems::of_records(self.input, 0, limit),
            Format::Jsonl => ExpectedItems::of_values(self.input, limit),
            Format::Frames => ExpectedItems::of_frames(self.input, limit),
        };
        if let Some(first) = self.first.map(usize::from)
            && first <= expected.items.len()
        {
            expected.items.truncate(first);
            expected.fails = false;
        }
        Some(expected)
    }
}

fn compress(bytes: &[u8], zstd: bool) -> Vec<u8> {
    if zstd {
        return zstd::bulk::compress(bytes, 1).expect("the input can be compressed");
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes all bytes")
}

/// The items that a source must return.
#[derive(Debug, PartialEq, Eq)]
struct ExpectedItems {
    /// The items. The flag is true for a rejected item.
    items: Vec<(Vec<u8>, bool)>,
    /// True if the source must fail after them.
    fails: bool,
}

impl ExpectedItems {
    /// The number of bytes that a source keeps of an oversized record.
    const HEAD: usize = 1024;

    fn of_records(input: &[u8], separator: u8, limit: usize) -> Self {
        let records = input.strip_suffix(&[separator]).unwrap_or(input).split(|&b| b == separator);
        let items = records.map(|record| match record.len() > limit {
            true => (record[..limit.min(Self::HEAD)].to_vec(), true),
            false => (record.to_vec(), false),
        });
        Self { items: if input.is_empty() { Vec::new() } else { items.collect() }, fails: false }
    }

    fn of_values(input: &[u8], limit: usize) -> Self {
        let lines = Self::of_records(input, b'\n', limit).items;
        let value = |(at, (line, too_long)): (usize, (Vec<u8>, bool))| {
            if too_long {
                return Some((line, true));
            }
            let unmarked = line.strip_prefix("\u{feff}".as_bytes()).filter(|_| at == 0);
            let value = unmarked.unwrap_or(&line).trim_ascii();
            let is_json = std::str::from_utf8(value)
                .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
            (!value.is_empty()).then(|| (value.to_vec(), !is_json))
        };
        Self { items: lines.into_iter().enumerate().filter_map(value).collect(), fails: false }
    }

    fn of_frames(mut input: &[u8], limit: usize) -> Self {
        let mut items = Vec::new();
        while let Some((length, rest)) = input.split_first_chunk() {
            let length = u32::from_le_bytes(*length) as usize;
            let Some(item) = rest.get(..length).filter(|_| length <= limit) else { break };
            items.push((item.to_vec(), false));
            input = &rest[length..];
        }
        Self { items, fails: !input.is_empty() }
    }
}

fuzz_target!(|case: Case<'_>| {
    let (stored, name) = case.stored();
    let in_one_piece = case.run_source(&stored, name, &[]);
    let in_pieces = case.run_source(&stored, name, &case.pieces);
    assert_eq!(in_one_piece.items, in_pieces.items, "the items must not depend on the pieces");
    assert_eq!(in_one_piece.error, in_pieces.error, "the error must not depend on the pieces");
    if let Some(expected) = case.expected() {
        let items =
            in_one_piece.items.into_iter().map(|(item, rejection)| (item, rejection.is_some()));
        let actual = ExpectedItems { items: items.collect(), fails: in_one_piece.error.is_some() };
        assert_eq!(actual, expected);
    }
});
