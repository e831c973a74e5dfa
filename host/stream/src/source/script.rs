//! For tests: a reader with scripted reads, and the items that a source made from them.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::{FillStatus, Inputs, Source, SourceError};
use crate::block::{BlockBuilder, Span};
use crate::item::index::ItemIndex;

/// A reader that gives one piece for each read.
pub(super) struct Script {
    pieces: VecDeque<Vec<u8>>,
    then: Then,
}

/// The behaviour after the last piece.
#[derive(Clone, Copy)]
pub(super) enum Then {
    End,
    /// No more reads are allowed: a real input would block.
    Silence,
}

impl Script {
    pub(super) fn new<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>, then: Then) -> Self {
        Self { pieces: pieces.into_iter().map(|piece| piece.as_ref().to_vec()).collect(), then }
    }

    pub(super) fn inputs(self) -> Inputs {
        Inputs::from_reader("script", self)
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front_mut() else {
            assert!(matches!(self.then, Then::End), "the source read again although it had items");
            return Ok(0);
        };
        let most = piece.len().min(buffer.len());
        buffer[..most].copy_from_slice(&piece[..most]);
        piece.drain(..most);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Ok(most)
    }
}

/// The output of a source: items with the reasons of rejections, and the error at its end.
#[derive(Debug, Default)]
pub(super) struct SourceOutput {
    pub(super) items: Vec<(Vec<u8>, Option<String>)>,
    pub(super) input_bytes: u64,
    pub(super) error: Option<SourceError>,
}

impl SourceOutput {
    /// Reads `source` to its end.
    pub(super) fn by(mut source: impl Source) -> Self {
        let mut given = Self::default();
        while given.once(&mut source) == FillStatus::More {}
        given
    }

    /// Fills one more block.
    pub(super) fn once(&mut self, source: &mut impl Source) -> FillStatus {
        let mut block = BlockBuilder::new();
        let filled = source.fill(&mut block);
        assert!(
            !block.is_empty() || !matches!(filled, Ok(FillStatus::More)),
            "no item, and no end"
        );
        let span = Span::whole(block.seal(ItemIndex::default()));
        // Each item has a share of the bytes. A block without items keeps all bytes.
        self.input_bytes += span.input_bytes();
        for at in 0..span.len() {
            self.items.push((span.item(at).to_vec(), span.rejection(at).map(str::to_owned)));
        }
        filled.unwrap_or_else(|error| {
            self.error = Some(error);
            FillStatus::End
        })
    }

    /// Returns the items as text. A rejected item is its reason after an exclamation mark.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(item, why): &(Vec<u8>, Option<String>)| match why {
            Some(why) => format!("!{why}"),
            None => String::from_utf8_lossy(item).into_owned(),
        };
        self.items.iter().map(text).collect()
    }
}
