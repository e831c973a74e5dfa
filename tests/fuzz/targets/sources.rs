//! What sources make of arbitrary inputs that come in arbitrary pieces.
//!
//! A source is held to a second account of its format, in a few plain lines without buffers. The
//! same goes for what was packed; of what only looks packed nobody knows what it stands for, but
//! it must stand for the same however its bytes come.

#![no_main]

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_stream::block::{BlockBuilder, Span};
use mtl_stream::item::index::ItemIndex;
use mtl_stream::source::{Filled, Frames, Inputs, ItemLimit, Jsonl, Limit, Lines, Source};

use self::source::unpacked;

#[path = "../../../host/stream/src/source"]
mod source {
    use std::io::{self, Read};
    use std::path::Path;

    use self::decoder::{Compression, Decoder};

    mod decoder;

    /// What an input of this name stands for, whose bytes `reader` gives.
    pub(crate) fn unpacked(
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
    /// How many items are wanted.
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

/// The most that an item may have.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Bound {
    Default,
    /// 1 and more.
    Small(u8),
    /// Around what is kept of an item that is too long.
    Medium(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Packing {
    Plain,
    /// The input was packed.
    Gzip,
    Zstd,
    /// The input was packed, and then a byte was changed.
    Damaged {
        zstd: bool,
        at: u16,
        by: u8,
    },
    /// The input claims to be packed.
    Claimed {
        zstd: bool,
    },
}

/// What one read gives.
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
        ItemLimit::new(bytes).expect("it is 1 at least")
    }
}

/// Reads in pieces; when there are no more of them, all that is left.
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

/// All that a source gave.
#[derive(Default)]
struct Given {
    /// The items, with why they were rejected.
    items: Vec<(Vec<u8>, Option<String>)>,
    /// Why there are no more, if not because the input had ended.
    error: Option<String>,
}

impl Given {
    /// Reads `source` to its end. It panics when the source says that there is more, and gives nothing: the run would
    /// ask for ever.
    fn by(mut source: impl Source) -> Self {
        let mut given = Self::default();
        loop {
            let mut block = BlockBuilder::new();
            let filled = source.fill(&mut block);
            assert!(
                !block.is_empty() || !matches!(filled, Ok(Filled::More)),
                "it waits for an item"
            );
            let span = Span::whole(block.seal(ItemIndex::default()));
            for at in 0..span.len() {
                given.items.push((span.item(at).to_vec(), span.rejection(at).map(str::to_owned)));
            }
            match filled {
                Ok(Filled::More) => {}
                Ok(Filled::End) => return given,
                Err(error) => {
                    given.error = Some(error.to_string());
                    return given;
                }
            }
        }
    }
}

impl Case<'_> {
    /// The input as it is stored, and the name that says how.
    fn stored(&self) -> (Vec<u8>, &'static str) {
        let name = |zstd| if zstd { "x.zst" } else { "x.gz" };
        match self.packing {
            Packing::Plain => (self.input.to_vec(), "x"),
            Packing::Gzip => (pack(self.input, false), name(false)),
            Packing::Zstd => (pack(self.input, true), name(true)),
            Packing::Damaged { zstd, at, by } => {
                let mut packed = pack(self.input, zstd);
                let at = usize::from(at) % packed.len();
                packed[at] ^= by;
                (packed, name(zstd))
            }
            Packing::Claimed { zstd } => (self.input.to_vec(), name(zstd)),
        }
    }

    fn given(&self, stored: &[u8], name: &str, pieces: &[Piece]) -> Given {
        let reader = unpacked(name, Pieces::new(stored, pieces)).expect("there is memory");
        let (inputs, limit) = (Inputs::from_reader("x", reader), self.limit.limit());
        match self.format {
            Format::Lines => self.of(Lines::new(inputs).item_limit(limit)),
            Format::Nul => self.of(Lines::nul(inputs).item_limit(limit)),
            Format::Jsonl => self.of(Jsonl::new(inputs).item_limit(limit)),
            Format::Frames => self.of(Frames::new(inputs).item_limit(limit)),
        }
    }

    fn of(&self, source: impl Source) -> Given {
        match self.first {
            Some(items) => Given::by(Limit::new(source, items.into())),
            None => Given::by(source),
        }
    }

    /// What must come, as far as the input is known.
    fn expected(&self) -> Option<Account> {
        let (Packing::Plain | Packing::Gzip | Packing::Zstd) = self.packing else { return None };
        let limit = self.limit.limit().get();
        let mut account = match self.format {
            Format::Lines => Account::of_records(self.input, b'\n', limit),
            Format::Nul => Account::of_records(self.input, 0, limit),
            Format::Jsonl => Account::of_values(self.input, limit),
            Format::Frames => Account::of_frames(self.input, limit),
        };
        if let Some(first) = self.first.map(usize::from)
            && first <= account.items.len()
        {
            account.items.truncate(first);
            account.fails = false;
        }
        Some(account)
    }
}

fn pack(bytes: &[u8], zstd: bool) -> Vec<u8> {
    if zstd {
        return zstd::bulk::compress(bytes, 1).expect("there is memory");
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("a vector takes all bytes")
}

/// What a source must give: the items, with whether they are rejected.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    items: Vec<(Vec<u8>, bool)>,
    fails: bool,
}

impl Account {
    /// How much is kept of a record that is too long.
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
    let at_once = case.given(&stored, name, &[]);
    let in_pieces = case.given(&stored, name, &case.pieces);
    assert_eq!(at_once.items, in_pieces.items, "however the bytes come");
    assert_eq!(at_once.error, in_pieces.error, "however the bytes come");
    if let Some(expected) = case.expected() {
        let items = at_once.items.into_iter().map(|(item, why)| (item, why.is_some()));
        let account = Account { items: items.collect(), fails: at_once.error.is_some() };
        assert_eq!(account, expected);
    }
});
