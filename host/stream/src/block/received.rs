//! Items that arrive in one piece: the block takes over their bytes without a copy.
//!
//! ```text
//! bytes   head │ u32 length of each item │ items, back to back
//!                                        ▲ the first item begins here
//! ```

use std::mem;
use std::ops::Range;

use super::BlockBuilder;

impl BlockBuilder {
    /// Returns the memory for bytes, empty, so that new bytes can be received into it.
    #[doc(hidden)]
    pub fn take_memory(&mut self) -> Vec<u8> {
        self.clear();
        mem::take(&mut self.bytes)
    }

    /// Takes over `bytes`. The range `lengths` of `bytes` contains the lengths of the items. The items follow this
    /// range. If the items do not end where `bytes` ends, returns `false` and drops all items.
    #[doc(hidden)]
    pub fn adopt_bytes(&mut self, bytes: Vec<u8>, lengths: Range<usize>) -> bool {
        self.clear();
        let start = lengths.end;
        let (lengths, _) = bytes[lengths].as_chunks();
        let ends = lengths.iter().scan(start, |end, length| {
            *end = end.saturating_add(u32::from_le_bytes(*length) as usize);
            Some(*end)
        });
        self.ends.extend(ends);
        let fits = self.ends.last().copied().unwrap_or(start) == bytes.len();
        (self.bytes, self.start) = (bytes, start);
        if !fits {
            self.clear();
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Blocks, Span};
    use crate::item::index::ItemIndex;

    fn received(items: &[&str]) -> Vec<u8> {
        let lengths =
            items.iter().flat_map(|item| u32::try_from(item.len()).unwrap().to_le_bytes());
        let items = items.iter().flat_map(|item| item.bytes());
        b"head".iter().copied().chain(lengths).chain(items).collect()
    }

    #[test]
    fn received_items_are_not_copied() {
        let bytes = received(&["one", "", "three"]);
        let address = bytes.as_ptr();
        let mut block = BlockBuilder::new();
        assert!(block.adopt_bytes(bytes, 4..16));
        let span = Span::whole(block.seal(ItemIndex::new(7)));
        let items: Vec<_> = (0..span.len()).map(|at| span.item(at)).collect();
        assert_eq!(items, [&b"one"[..], b"", b"three"]);
        assert_eq!(
            (span.item(0).as_ptr(), span.bytes(0..3)),
            (address.wrapping_add(16), &b"onethree"[..])
        );
        assert_eq!(span.ends(0..3).collect::<Vec<_>>(), [3, 3, 8]);
        assert_eq!((span.total_cost(), span.cost(0)), (8 + 3 * 32, 3 + 32));
    }

    #[test]
    fn item_lengths_must_match_the_received_bytes() {
        let whole = received(&["one", "two"]);
        let mut longer = whole.clone();
        longer.push(0);
        let mut huge = whole.clone();
        huge[4..8].copy_from_slice(&[0xFF; 4]);
        for bytes in [longer, whole[..whole.len() - 1].to_vec(), huge] {
            let mut block = BlockBuilder::new();
            assert!(!block.adopt_bytes(bytes, 4..12));
            assert!(block.is_empty());
        }
    }

    #[test]
    fn the_memory_of_received_blocks_is_reused() {
        let (mut blocks, mut block) = (Blocks::default(), BlockBuilder::new());
        let mut addresses = Vec::new();
        for _ in 0..4 {
            let mut bytes = block.take_memory();
            assert!(bytes.is_empty());
            bytes.extend(received(&["one", "two"]));
            addresses.push(bytes.as_ptr());
            assert!(block.adopt_bytes(bytes, 4..12));
            let span = blocks.seal(&mut block, ItemIndex::default());
            assert_eq!((span.len(), span.item(1)), (2, &b"two"[..]));
        }
        assert_eq!(addresses[..2], addresses[2..], "two blocks take turns");
    }
}
