//! The builder of a block. A source fills it with items, back to back, and notes about them.

use std::path::{Path, PathBuf};

use super::Block;
use super::note_of;
use crate::item::index::ItemIndex;

/// The items of a block while a source fills it.
///
/// ```
/// use mtl_host::source::BlockBuilder;
///
/// let mut block = BlockBuilder::new();
/// assert!(block.is_empty());
/// block.push(b"one");
/// block.push(b"two");
/// assert_eq!(block.len(), 2);
/// assert!(!block.is_full());
/// block.push(&[0; BlockBuilder::FULL]);
/// assert!(block.is_full());
/// ```
#[derive(Debug, Default)]
pub struct BlockBuilder {
    pub(super) bytes: Vec<u8>,
    /// The position in `bytes` where the first item starts.
    pub(super) start: usize,
    pub(super) ends: Vec<usize>,
    pub(super) rejected: Vec<(usize, String)>,
    /// The paths with the positions of their items, in ascending order. An item that is not a file
    /// has no path.
    pub(super) paths: Vec<(usize, PathBuf)>,
    pub(super) input_bytes: u64,
}

impl BlockBuilder {
    /// The size at which a block is full, in bytes (256 KiB). Handing over a block of this size
    /// takes little time per item. A few dozen such blocks fit into the window.
    pub const FULL: usize = 256 * 1024;
    /// The cost of an item in addition to its own bytes: its end, and its slot in the outcomes.
    pub(crate) const ITEM_COST: usize = 32;

    /// Creates a block without items.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one item.
    pub fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.ends.push(self.bytes.len());
    }

    /// Adds one item: the bytes that `fill` appends.
    ///
    /// ```
    /// # use mtl_host::source::BlockBuilder;
    /// use std::fs::File;
    /// use std::io::Read;
    ///
    /// let mut block = BlockBuilder::new();
    /// let mut push = |file| {
    ///     block.push_with(|bytes| File::open(file)?.read_to_end(bytes).map(drop))
    /// };
    /// push("Cargo.toml")?;
    /// assert!(push("no-such-file").is_err());
    /// assert_eq!(block.len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error of `fill`. In that case, the block gets no new item.
    ///
    /// # Panics
    ///
    /// Panics if `fill` shortens the bytes that are already present.
    pub fn push_with<E>(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.bytes.len();
        let filled = fill(&mut self.bytes);
        assert!(self.bytes.len() >= before, "an item is appended to the bytes of the block");
        match filled {
            Ok(()) => {
                self.ends.push(self.bytes.len());
                Ok(())
            }
            Err(error) => {
                self.bytes.truncate(before);
                Err(error)
            }
        }
    }

    /// Records that the last item is the content of the file at `path`.
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::{FillStatus, Source, SourceError};
    /// # use mtl_host::source::BlockBuilder;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// struct Letter;
    ///
    /// impl Source for Letter {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
    ///         block.push(b"dear sir");
    ///         block.set_path("letters/1".into());
    ///         Ok(FillStatus::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Jsonl::new(Output::to("memory", &mut output));
    /// Pool::builder(&plugin).build()?.run(Letter, &mut sink).into_result()?;
    /// drop(sink);
    /// let output = String::from_utf8(output)?;
    /// assert_eq!(output.trim_end(), r#"{"index":0,"path":"letters/1","ok":"DEAR SIR"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the block has no item.
    pub fn set_path(&mut self, path: PathBuf) {
        let last = self.last_index();
        self.paths.pop_if(|(item, _)| *item == last);
        self.paths.push((last, path));
    }

    /// Marks the last item as impossible to process. The item becomes a fault `bad-item` with this
    /// message and never reaches a plugin.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{FillStatus, Source, SourceError};
    /// # use mtl_host::source::BlockBuilder;
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// struct Damaged;
    ///
    /// impl Source for Damaged {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
    ///         block.push(b"half of a");
    ///         block.reject("its checksum is wrong");
    ///         Ok(FillStatus::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut sink = Memory::new();
    /// Pool::builder(&plugin).build()?.run(Damaged, &mut sink).into_result()?;
    /// let fault = sink.results()[0].as_ref().unwrap_err();
    /// assert_eq!(fault.kind(), FaultKind::BadItem);
    /// assert_eq!(fault.message(), "its checksum is wrong");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the block has no item.
    pub fn reject(&mut self, why: impl Into<String>) {
        let last = self.last_index();
        // The last reason counts.
        let _ = self.rejected.pop_if(|(item, _)| *item == last);
        self.rejected.push((last, why.into()));
    }

    /// Rejects each item for which `judge` returns a reason. The first `before` items are skipped.
    /// For each later item, `judge` gets the position, the bytes and the path. The first item after
    /// the skipped ones has position 0. An item that is already rejected has a position, but stays
    /// rejected and is not judged.
    pub(crate) fn judge(
        &mut self,
        before: usize,
        mut judge: impl FnMut(usize, &[u8], Option<&Path>) -> Option<String>,
    ) {
        let known = self.rejected.partition_point(|(item, _)| *item < before);
        let known = self.rejected.split_off(known);
        let mut start = before.checked_sub(1).map_or(self.start, |last| self.ends[last]);
        for (item, end) in self.ends.iter().enumerate().skip(before) {
            let bytes = &self.bytes[std::mem::replace(&mut start, *end)..*end];
            let path = note_of(&self.paths, item).map(PathBuf::as_path);
            let reason = match note_of(&known, item) {
                Some(reason) => Some(reason.clone()),
                None => judge(item - before, bytes, path),
            };
            self.rejected.extend(reason.map(|reason| (item, reason)));
        }
    }

    /// Returns the position of the last item.
    fn last_index(&self) -> usize {
        self.ends.len().checked_sub(1).expect("an item was added before")
    }

    /// Adds `bytes` to the number of input bytes that were read for the items of this block,
    /// including separators. A progress bar shows the sum over all blocks.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{FillStatus, Source, SourceError};
    /// # use mtl_host::source::BlockBuilder;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// struct Line;
    ///
    /// impl Source for Line {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
    ///         block.push(b"one");
    ///         block.add_input_bytes(4);
    ///         Ok(FillStatus::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// pool.run(Line, &mut Memory::new()).into_result()?;
    /// assert_eq!(pool.progress().snapshot().bytes, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_input_bytes(&mut self, bytes: u64) {
        self.input_bytes += bytes;
    }

    /// Returns the number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether the block has no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns whether a source should stop adding items for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.cost() >= Self::FULL
    }

    /// Returns the bytes of the window that the items take.
    pub(crate) fn cost(&self) -> usize {
        self.bytes.len() + self.ends.len() * Self::ITEM_COST
    }

    /// Returns whether the items of `other` fit into this block.
    pub(crate) fn can_take(&self, other: &Self) -> bool {
        self.cost() + other.cost() <= Self::FULL
    }

    /// Moves all items of `other` to the end of this block.
    pub(crate) fn append(&mut self, other: &mut Self) {
        debug_assert_eq!(other.start, 0, "a received block is not appended");
        let (bytes, items) = (self.bytes.len(), self.ends.len());
        self.bytes.append(&mut other.bytes);
        self.ends.extend(other.ends.drain(..).map(|end| bytes + end));
        self.rejected.extend(other.rejected.drain(..).map(|(item, reason)| (items + item, reason)));
        self.paths.extend(other.paths.drain(..).map(|(item, path)| (items + item, path)));
        self.input_bytes += std::mem::take(&mut other.input_bytes);
    }

    /// Drops all items after the first `items`.
    pub(crate) fn truncate(&mut self, items: usize) {
        if items >= self.ends.len() {
            return;
        }
        self.ends.truncate(items);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(self.start));
        self.paths.retain(|(item, _)| *item < items);
        self.rejected.retain(|(item, _)| *item < items);
    }

    /// Returns the size of the memory in bytes, without that of notes about items.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// Removes all items and keeps the memory.
    pub(super) fn clear(&mut self) {
        let Self { bytes, start, ends, rejected, paths, input_bytes } = self;
        bytes.clear();
        *start = 0;
        ends.clear();
        rejected.clear();
        paths.clear();
        *input_bytes = 0;
    }

    /// Seals the block, without recycling memory.
    #[doc(hidden)]
    pub fn seal(self, first: ItemIndex) -> Block {
        Block { first, content: self }
    }
}
