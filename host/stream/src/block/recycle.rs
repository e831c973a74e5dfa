//! Recycles blocks: new blocks reuse the memory of earlier blocks.
//!
//! ```text
//! reader ── full builder ──▶ seal ──▶ block, shared ──▶ its last span is dropped
//!    ▲                        │ ▲                                  │
//!    └── an empty builder ◀───┘ └────── found without an owner ◀───┘
//! ```

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::{Block, BlockBuilder, Span};
use crate::item::index::ItemIndex;

/// The blocks of a run that may be recycled.
#[derive(Debug, Default)]
pub struct Blocks(VecDeque<Arc<Block>>);

impl Blocks {
    /// The maximum number of blocks that are kept for reuse. It is slightly larger than the number
    /// of full blocks that fit into the default window.
    const MAX_KEPT: usize = 80;
    /// The size above which a block is not kept. It had a large item, and later items may be small.
    const LARGE: usize = 2 * BlockBuilder::FULL;

    /// Seals the items of `builder`. Leaves the builder empty, with the memory of an earlier block.
    #[expect(clippy::missing_panics_doc, reason = "a block that came back has no other owner")]
    pub fn seal(&mut self, builder: &mut BlockBuilder, first: ItemIndex) -> Span {
        let mut block = self.take().unwrap_or_default();
        let Block { first: block_first, content } =
            Arc::get_mut(&mut block).expect("the block has no other owner");
        *block_first = first;
        content.clear();
        mem::swap(content, builder);
        if self.0.len() < Self::MAX_KEPT && content.memory() <= Self::LARGE {
            self.0.push_back(Arc::clone(&block));
        }
        Span::whole(block)
    }

    /// Takes a block that has no other owner. The oldest block is the most likely to have none.
    fn take(&mut self) -> Option<Arc<Block>> {
        let at = self.0.iter_mut().position(|block| Arc::get_mut(block).is_some())?;
        self.0.remove(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(blocks: &mut Blocks, builder: &mut BlockBuilder, item: &[u8]) -> Span {
        builder.push(item);
        blocks.seal(builder, ItemIndex::new(7))
    }

    #[test]
    fn an_unreferenced_block_is_reused() {
        let (mut blocks, mut builder) = (Blocks::default(), BlockBuilder::new());
        let mut first = seal(&mut blocks, &mut builder, b"first");
        let address = first.item(0).as_ptr();
        let rest = first.split_to(1);
        drop(first);
        let second = seal(&mut blocks, &mut builder, b"second");
        assert_eq!((rest.item(0), second.item(0)), (&b"first"[..], &b"second"[..]));
        drop(rest);
        let third = seal(&mut blocks, &mut builder, b"third");
        assert_eq!((third.first().get(), third.len(), third.item(0)), (7, 1, &b"third"[..]));
        builder.push(b"fourth");
        assert_eq!(builder.bytes.as_ptr(), address, "the builder has the memory of the first");
        assert_eq!(builder.len(), 1);
    }

    #[test]
    fn a_reused_block_keeps_no_earlier_metadata() {
        let (mut blocks, mut builder) = (Blocks::default(), BlockBuilder::new());
        builder.push(b"first");
        builder.reject("why");
        builder.set_path("path".into());
        builder.add_input_bytes(9);
        drop(blocks.seal(&mut builder, ItemIndex::default()));
        for _ in 0..2 {
            let span = seal(&mut blocks, &mut builder, b"next");
            assert_eq!((span.rejection(0), span.path(0), span.input_bytes()), (None, None, 0));
        }
    }

    #[test]
    fn oversized_and_surplus_memory_is_not_kept() {
        let (mut blocks, mut builder) = (Blocks::default(), BlockBuilder::new());
        drop(seal(&mut blocks, &mut builder, &vec![0; Blocks::LARGE + 1]));
        assert!(blocks.0.is_empty());
        let all: Vec<_> =
            (0..=Blocks::MAX_KEPT).map(|_| seal(&mut blocks, &mut builder, b"item")).collect();
        assert_eq!((blocks.0.len(), all.len()), (Blocks::MAX_KEPT, Blocks::MAX_KEPT + 1));
    }
}
