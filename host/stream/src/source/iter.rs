//! Items out of an iterator.

use super::{Filled, Size, Source, SourceError};
use crate::block::BlockBuilder;

/// A source that takes its items from an iterator, one at a time: an iterator cannot say
/// whether its next item is there yet, so none is asked for while another one could wait.
///
/// ```
/// use mtl_host::source::{Items, Source};
///
/// let source = Items::new(["one", "two"]);
/// assert_eq!(source.size().items, (2, Some(2)));
/// ```
#[derive(Clone, Debug)]
pub struct Items<I>(I);

impl<I: Iterator> Items<I> {
    /// The items of `items`, in its order.
    pub fn new(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self(items.into_iter())
    }
}

impl<I> Source for Items<I>
where
    I: Iterator + Send,
    I::Item: AsRef<[u8]>,
{
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
        match self.0.next() {
            Some(item) => {
                block.push(item.as_ref());
                Ok(Filled::More)
            }
            None => Ok(Filled::End),
        }
    }

    fn size(&self) -> Size {
        Size { items: self.0.size_hint(), bytes: None }
    }
}
