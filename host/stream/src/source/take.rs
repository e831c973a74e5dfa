//! The first items of a source.

use super::{FillStatus, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// A source that ends after a given number of items. After that, it never asks its inner source for
/// more items.
///
/// ```
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::source::{Inputs, Take, Lines, Source};
///
/// let lines = Lines::new(Inputs::from_reader("memory", &b"one\ntwo\nthree\n"[..]));
/// let mut block = BlockBuilder::new();
/// Take::new(lines, 2).fill(&mut block)?;
/// assert_eq!(block.len(), 2);
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Take<S> {
    source: S,
    left: usize,
}

impl<S> Take<S> {
    /// Creates a source of the first `items` of `source`.
    pub fn new(source: S, items: usize) -> Self {
        Self { source, left: items }
    }
}

impl<S: Source> Source for Take<S> {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        if self.left == 0 {
            return Ok(FillStatus::End);
        }
        let before = block.len();
        let filled = self.source.fill(block);
        block.truncate(before.saturating_add(self.left));
        self.left -= block.len() - before;
        // An error after the last item within the limit does not matter.
        if self.left == 0 { Ok(FillStatus::End) } else { filled }
    }

    /// Returns the number of items. The number of bytes is unknown, because it depends on the
    /// lengths of the first items.
    fn size_hint(&self) -> SizeHint {
        let (least, most) = self.source.size_hint().items;
        let most = most.map_or(self.left, |most| most.min(self.left));
        SizeHint { items: (least.min(self.left), Some(most)), bytes: None }
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.source.stop_flag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Items;

    /// Returns the number of items that a limit of `limit` passes on from `items` items.
    fn count(items: usize, limit: usize) -> usize {
        let mut source = Take::new(Items::new(vec!["item"; items]), limit);
        let mut block = BlockBuilder::new();
        while source.fill(&mut block).unwrap() == FillStatus::More {}
        block.len()
    }

    #[test]
    fn take_admits_only_the_first_items() {
        // items, limit, let through
        for (items, limit, expected) in [(3, 0, 0), (3, 2, 2), (3, 3, 3), (3, 4, 3), (0, 1, 0)] {
            assert_eq!(count(items, limit), expected, "{limit} of {items}");
        }
    }

    #[test]
    fn a_maximal_take_limit_does_not_overflow() {
        let mut block = BlockBuilder::new();
        block.push(b"before");
        Take::new(Items::new(["item"]), usize::MAX).fill(&mut block).unwrap();
        assert_eq!(block.len(), 2);
    }

    /// A source that gives two items in one block, and panics if it is asked again.
    struct Pair(bool);

    impl Source for Pair {
        fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
            assert!(!std::mem::replace(&mut self.0, true), "the limit was reached");
            block.push(b"one");
            block.push(b"two");
            block.reject("only the first is wanted");
            Err(SourceError::other("there is no third"))
        }
    }

    #[test]
    fn take_does_not_read_beyond_its_limit() {
        for limit in [1, 2] {
            let mut source = Take::new(Pair(false), limit);
            let mut block = BlockBuilder::new();
            assert_eq!(source.fill(&mut block).unwrap(), FillStatus::End);
            assert_eq!(source.fill(&mut block).unwrap(), FillStatus::End);
            assert_eq!(block.len(), limit);
        }
        let mut block = BlockBuilder::new();
        assert!(Take::new(Pair(false), 3).fill(&mut block).is_err());
        assert_eq!(block.len(), 2, "items before the error count");
    }

    #[test]
    fn take_limits_the_size_hint() {
        let sizes = [(5, (2, Some(2))), (1, (1, Some(1)))];
        for (items, expected) in sizes {
            let source = Take::new(Items::new(vec!["item"; items]), 2);
            assert_eq!(source.size_hint(), SizeHint { items: expected, bytes: None });
        }
        let unknown = Take::new(Pair(false), 2);
        assert_eq!(unknown.size_hint().items, (0, Some(2)));
    }
}
