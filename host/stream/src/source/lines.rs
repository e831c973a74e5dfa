//! Items that end in a separator: lines, or records that end in a zero byte.

use super::records::{Content, Record, Records};
use super::{FillStatus, Inputs, ItemLimit, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// A source in which each line of the inputs is an item, without its line feed. An empty line is an
/// item. A last line is an item even if it has no line feed.
///
/// If the lines are paths, the item is the path itself. For the content of the files, use
/// [`Files`](super::Files).
///
/// ```
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::source::{Inputs, Lines, Source};
///
/// let mut lines = Lines::new(Inputs::from_reader("memory", &b"one\ntwo\nthree"[..]));
/// let mut block = BlockBuilder::new();
/// lines.fill(&mut block)?;
/// assert_eq!(block.len(), 2, "the third line may be incomplete");
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Lines(Records);

impl Lines {
    /// Creates a source of the lines of `inputs`.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        Self(Records::new(inputs, b'\n'))
    }

    /// Creates a source of the records of `inputs` that end in a zero byte, as `find -print0`
    /// writes them.
    ///
    /// ```
    /// use mtl_host::source::BlockBuilder;
    /// use mtl_host::source::{Inputs, Lines, Source};
    ///
    /// let input = Inputs::from_reader("memory", &b"one\0with a\nline break\0"[..]);
    /// let mut names = Lines::nul(input);
    /// let mut block = BlockBuilder::new();
    /// names.fill(&mut block)?;
    /// assert_eq!(block.len(), 2);
    /// # Ok::<(), mtl_host::source::SourceError>(())
    /// ```
    #[must_use]
    pub fn nul(inputs: Inputs) -> Self {
        Self(Records::new(inputs, 0))
    }

    /// Bounds the length of a line (default: 64 MiB). A longer line is a faulty item.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{Inputs, ItemLimit, Lines};
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let input = Inputs::from_reader("memory", &b"short\nlonger than ten\n"[..]);
    /// let source = Lines::new(input).item_limit(ItemLimit::new(10).unwrap());
    /// let mut sink = Memory::new();
    /// Pool::builder(&plugin).build()?.run(source, &mut sink).into_result()?;
    /// assert!(sink.results()[0].is_ok());
    /// assert_eq!(sink.results()[1].as_ref().unwrap_err().kind(), FaultKind::BadItem);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn item_limit(mut self, limit: ItemLimit) -> Self {
        self.0.set_limit(limit);
        self
    }
}

impl Source for Lines {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        let limit = self.0.limit();
        self.0.fill(block, |record, block| match record.content {
            Content::Whole(bytes) => block.push(bytes),
            Content::TooLong(head) => {
                block.push(head);
                block.reject(too_long(record, limit));
            }
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size()
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.0.stop_flag()
    }
}

/// Returns the fault message of a record that is longer than the item limit.
pub(super) fn too_long(record: Record<'_>, limit: ItemLimit) -> String {
    let Record { input, number, .. } = record;
    format!("`{input}` record {number}: longer than the {limit:#} of `item_limit`")
}
