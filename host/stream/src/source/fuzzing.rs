//! What a fuzz target sees of a source: all that it gives, and what is unpacked for it.

use std::io::{self, Read};
use std::path::Path;

use super::decoder::{Compression, Decoder};
use super::{Filled, Source};
use crate::block::{BlockBuilder, Span};
use crate::item::index::ItemIndex;

/// All that a source gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The items, with why they were rejected.
    pub items: Vec<(Vec<u8>, Option<String>)>,
    /// How many bytes of the input they stand for.
    pub input_bytes: u64,
    /// Why there are no more, if not because the input had ended.
    pub error: Option<String>,
}

/// Reads `source` to its end.
///
/// # Panics
///
/// When it says that there is more, and gives nothing: the run would ask for ever.
pub fn given(mut source: impl Source) -> Given {
    let mut given = Given::default();
    loop {
        let mut block = BlockBuilder::new();
        let filled = source.fill(&mut block);
        assert!(!block.is_empty() || !matches!(filled, Ok(Filled::More)), "it waits for an item");
        let span = Span::whole(block.seal(ItemIndex::default()));
        given.input_bytes += span.input_bytes();
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

/// What an input of this name stands for, whose bytes `reader` gives.
///
/// # Errors
///
/// When the decoder has no memory.
pub fn unpacked(
    name: &str,
    reader: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(Decoder::new(Compression::of(Path::new(name)), Box::new(reader))?))
}
