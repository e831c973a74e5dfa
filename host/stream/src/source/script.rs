//! For tests: a reader whose reads are written down beforehand, and what a source made of it.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::{Filled, Inputs, Source, SourceError};
use crate::block::{BlockBuilder, Span};
use crate::item::index::ItemIndex;

/// Gives one piece for each read.
pub(super) struct Script {
    pieces: VecDeque<Vec<u8>>,
    then: Then,
}

/// What comes after the last piece.
#[derive(Clone, Copy)]
pub(super) enum Then {
    End,
    /// Nobody is to ask: a real input would make him wait.
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
            assert!(matches!(self.then, Then::End), "read on, though items were there");
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

/// What a source gave: the items with why they were rejected, and how it ended.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) items: Vec<(Vec<u8>, Option<String>)>,
    pub(super) input_bytes: u64,
    pub(super) error: Option<SourceError>,
}

impl Given {
    /// All that `source` gives.
    pub(super) fn by(mut source: impl Source) -> Self {
        let mut given = Self::default();
        while given.once(&mut source) == Filled::More {}
        given
    }

    /// Fills one more block.
    pub(super) fn once(&mut self, source: &mut impl Source) -> Filled {
        let mut block = BlockBuilder::new();
        let filled = source.fill(&mut block);
        assert!(!block.is_empty() || !matches!(filled, Ok(Filled::More)), "it waits for an item");
        let span = Span::whole(block.seal(ItemIndex::default()));
        // An item has a share of the bytes; a block without items keeps them to itself.
        self.input_bytes += span.input_bytes();
        for at in 0..span.len() {
            self.items.push((span.item(at).to_vec(), span.rejection(at).map(str::to_owned)));
        }
        filled.unwrap_or_else(|error| {
            self.error = Some(error);
            Filled::End
        })
    }

    /// The items as text; a rejected one as what was said of it, after an exclamation mark.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(item, why): &(Vec<u8>, Option<String>)| match why {
            Some(why) => format!("!{why}"),
            None => String::from_utf8_lossy(item).into_owned(),
        };
        self.items.iter().map(text).collect()
    }
}
