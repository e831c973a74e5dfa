//! Items from an iterator.

use super::{FillStatus, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;

/// A source that takes its items from an iterator. Each block has one item. A source must not wait
/// for the second item of a block, and an iterator cannot report whether its next item is
/// available.
///
/// ```
/// use mtl_host::source::{Items, Source};
///
/// let source = Items::new(["one", "two"]);
/// assert_eq!(source.size_hint().items, (2, Some(2)));
/// ```
#[derive(Clone, Debug)]
pub struct Items<I>(I);

impl<I: Iterator> Items<I> {
    /// Creates a source of `items`, in their order.
    pub fn new(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self(items.into_iter())
    }
}

impl<I> Source for Items<I>
where
    I: Iterator + Send,
    I::Item: AsRef<[u8]>,
{
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        match self.0.next() {
            Some(item) => {
                block.push(item.as_ref());
                Ok(FillStatus::More)
            }
            None => Ok(FillStatus::End),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint { items: self.0.size_hint(), bytes: None }
    }
}
