//! Items that were read together, and the runs of them that travel on.
//!
//! A source fills a [`BlockBuilder`] with whatever it has now; the reader numbers and seals
//! it as a [`Block`], which is shared and never changes again. What moves through the queue
//! and to a worker is a [`Span`]: a block and a range of its items.
//!
//! ```text
//! bytes    o n e t w o t h r e e        items stand back to back,
//! ends           3     6         11     so a span is one run of bytes
//! ```

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod again;

pub(crate) use self::again::Blocks;

/// Position of an item in the input, counted from 0.
///
/// ```
/// use mtl_host::{Engine, ItemIndex, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let (_, faults, _) = pool.map(["good", "!bad"]).collect_all();
/// assert_eq!(faults[0].index(), ItemIndex::new(1));
/// assert_eq!(faults[0].index().get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIndex(u64);

impl ItemIndex {
    /// The item at `position`.
    #[must_use]
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    /// The position as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn plus(self, items: usize) -> Self {
        Self(self.0 + items as u64)
    }
}

impl fmt::Display for ItemIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The items of a block while a source fills it.
///
/// ```
/// use mtl_host::BlockBuilder;
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
    bytes: Vec<u8>,
    ends: Vec<usize>,
    rejected: Vec<(usize, String)>,
    /// With the place of the item, ascending; an item that is no file has none.
    paths: Vec<(usize, PathBuf)>,
    input_bytes: u64,
}

impl BlockBuilder {
    /// Where a block is full: large enough that hand-over costs nothing per item, small
    /// enough that a few dozen fit into the window.
    pub const FULL: usize = 256 * 1024;
    /// What an item costs the host beside its own bytes: its end, and its slot in the outcomes.
    pub(crate) const ITEM_COST: usize = 32;

    /// A block with no items.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one item.
    pub fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.ends.push(self.bytes.len());
    }

    /// Adds one item: what `fill` appends to the bytes it is given.
    ///
    /// ```
    /// # use mtl_host::BlockBuilder;
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
    /// Passes on the error of `fill`; then nothing has been added.
    ///
    /// # Panics
    ///
    /// When `fill` shortens what was there.
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

    /// Says that the item added last is the content of the file at `path`.
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::{Filled, Source, SourceError};
    /// # use mtl_host::{BlockBuilder, Engine, Plugin, Pool};
    /// struct Letter;
    ///
    /// impl Source for Letter {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
    ///         block.push(b"dear sir");
    ///         block.set_path("letters/1".into());
    ///         Ok(Filled::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
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
    /// When the block has no item.
    pub fn set_path(&mut self, path: PathBuf) {
        let last = self.last();
        self.paths.pop_if(|(item, _)| *item == last);
        self.paths.push((last, path));
    }

    /// Says that the item added last cannot be worked on: it becomes a fault `bad-item` with
    /// this message and never reaches a plugin.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{Filled, Source, SourceError};
    /// # use mtl_host::{BlockBuilder, Engine, FaultKind, Plugin, Pool};
    /// struct Damaged;
    ///
    /// impl Source for Damaged {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
    ///         block.push(b"half of a");
    ///         block.reject("its checksum is wrong");
    ///         Ok(Filled::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
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
    /// When the block has no item.
    pub fn reject(&mut self, why: impl Into<String>) {
        let last = self.last();
        // What is said last counts.
        let _ = self.rejected.pop_if(|(item, _)| *item == last);
        self.rejected.push((last, why.into()));
    }

    /// Rejects each item that `judge` has something against: it is given the items after the first
    /// `before`, counted from there, with their paths. Those rejected before stay as they are.
    pub(crate) fn judge(
        &mut self,
        before: usize,
        mut judge: impl FnMut(usize, &[u8], Option<&Path>) -> Option<String>,
    ) {
        let known = self.rejected.partition_point(|(item, _)| *item < before);
        let known = self.rejected.split_off(known);
        let mut start = before.checked_sub(1).map_or(0, |last| self.ends[last]);
        for (item, end) in self.ends.iter().enumerate().skip(before) {
            let bytes = &self.bytes[std::mem::replace(&mut start, *end)..*end];
            let path = noted(&self.paths, item).map(PathBuf::as_path);
            let why = match noted(&known, item) {
                Some(why) => Some(why.clone()),
                None => judge(item - before, bytes, path),
            };
            self.rejected.extend(why.map(|why| (item, why)));
        }
    }

    /// The place of the item added last.
    fn last(&self) -> usize {
        self.ends.len().checked_sub(1).expect("an item was added before")
    }

    /// Counts bytes of the input that the items of this block took, separators included.
    /// A progress bar knows by them how far the input is done.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{Filled, Source, SourceError};
    /// # use mtl_host::{BlockBuilder, Engine, Plugin, Pool};
    /// struct Line;
    ///
    /// impl Source for Line {
    ///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
    ///         block.push(b"one");
    ///         block.add_input_bytes(4);
    ///         Ok(Filled::End)
    ///     }
    /// }
    ///
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// pool.run(Line, &mut Memory::new()).into_result()?;
    /// assert_eq!(pool.progress().snapshot().bytes, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_input_bytes(&mut self, bytes: u64) {
        self.input_bytes += bytes;
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether a source should stop adding items, for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.cost() >= Self::FULL
    }

    /// What the items take of the window, in bytes.
    pub(crate) fn cost(&self) -> usize {
        self.bytes.len() + self.ends.len() * Self::ITEM_COST
    }

    /// Whether there is room for the items of `other`, too.
    pub(crate) fn can_take(&self, other: &Self) -> bool {
        self.cost() + other.cost() <= Self::FULL
    }

    /// Moves all items of `other` to the end of this block.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let (bytes, items) = (self.bytes.len(), self.ends.len());
        self.bytes.append(&mut other.bytes);
        self.ends.extend(other.ends.drain(..).map(|end| bytes + end));
        self.rejected.extend(other.rejected.drain(..).map(|(item, why)| (items + item, why)));
        self.paths.extend(other.paths.drain(..).map(|(item, path)| (items + item, path)));
        self.input_bytes += std::mem::take(&mut other.input_bytes);
    }

    /// Drops all items after the first `items`.
    pub(crate) fn truncate(&mut self, items: usize) {
        if items >= self.ends.len() {
            return;
        }
        self.ends.truncate(items);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
        self.paths.retain(|(item, _)| *item < items);
        self.rejected.retain(|(item, _)| *item < items);
    }

    /// What it takes, in bytes, beside what is said of few items.
    fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// Forgets all items; the memory stays.
    fn clear(&mut self) {
        let Self { bytes, ends, rejected, paths, input_bytes } = self;
        bytes.clear();
        ends.clear();
        rejected.clear();
        paths.clear();
        *input_bytes = 0;
    }

    pub(crate) fn seal(self, first: ItemIndex) -> Block {
        Block { first, content: self }
    }
}

/// Items that were read together: numbered, shared, unchanging.
#[derive(Debug, Default)]
pub(crate) struct Block {
    first: ItemIndex,
    content: BlockBuilder,
}

impl Block {
    fn start(&self, item: usize) -> usize {
        item.checked_sub(1).map_or(0, |before| self.content.ends[before])
    }

    /// Share of the input that the first `items` stand for.
    fn input_bytes_before(&self, items: usize) -> u64 {
        match self.content.ends.len() as u128 {
            0 => 0,
            all => u64::try_from(u128::from(self.content.input_bytes) * items as u128 / all)
                .expect("a share is not more than the whole"),
        }
    }
}

/// A run of items of one block: what the queue holds, and what a worker claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    block: Arc<Block>,
    items: Range<usize>,
}

impl Span {
    /// All items of a block.
    pub(crate) fn whole(block: impl Into<Arc<Block>>) -> Self {
        let block = block.into();
        let items = 0..block.content.len();
        Self { block, items }
    }

    /// The position of the first item in the input.
    pub(crate) fn first(&self) -> ItemIndex {
        self.block.first.plus(self.items.start)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The bytes of the item at `at`, counted from the start of this span.
    pub(crate) fn item(&self, at: usize) -> &[u8] {
        let item = self.items.start + at;
        debug_assert!(self.items.contains(&item), "the item is in the span");
        &self.block.content.bytes[self.block.start(item)..self.block.content.ends[item]]
    }

    /// The bytes of the items at `items`, back to back.
    pub(crate) fn bytes(&self, items: Range<usize>) -> &[u8] {
        let start = self.block.start(self.items.start + items.start);
        &self.block.content.bytes[start..self.block.start(self.items.start + items.end)]
    }

    /// How many items from `items.start` on, and none from `items.end` on, take no more than `room`
    /// bytes, if each takes `beside` more than it has.
    pub(crate) fn fitting(&self, items: Range<usize>, room: usize, beside: usize) -> usize {
        let from = self.items.start + items.start;
        let start = self.block.start(from);
        let ends = &self.block.content.ends[from..self.items.start + items.end];
        let ends = &ends[..ends.len().min(room / beside.max(1))];
        let fits = |at: usize| ends[at] - start + (at + 1) * beside <= room;
        let (mut fitting, mut beyond) = (0, ends.len());
        while fitting < beyond {
            let middle = fitting.midpoint(beyond);
            if fits(middle) { fitting = middle + 1 } else { beyond = middle }
        }
        fitting
    }

    /// The file that the item at `at` is the content of.
    pub(crate) fn path(&self, at: usize) -> Option<&Path> {
        noted(&self.block.content.paths, self.items.start + at).map(PathBuf::as_path)
    }

    /// Why the item at `at` cannot be worked on.
    pub(crate) fn rejection(&self, at: usize) -> Option<&str> {
        noted(&self.block.content.rejected, self.items.start + at).map(String::as_str)
    }

    /// Where the first item is, from `at` on, that cannot be worked on; or the end.
    pub(crate) fn next_rejection(&self, at: usize) -> usize {
        let from = self.items.start + at;
        let rejected = &self.block.content.rejected;
        let place = rejected.partition_point(|(item, _)| *item < from);
        rejected
            .get(place)
            .map_or(self.len(), |(item, _)| (item - self.items.start).min(self.len()))
    }

    /// Cuts off the first `items` (or all, when there are fewer) and returns them.
    pub(crate) fn split_to(&mut self, items: usize) -> Self {
        let cut = self.items.start + items.min(self.len());
        let front = Self { block: Arc::clone(&self.block), items: self.items.start..cut };
        self.items.start = cut;
        front
    }

    /// The items at `items`, counted from the start of this span.
    pub(crate) fn slice(&self, items: Range<usize>) -> Self {
        debug_assert!(items.end <= self.len(), "the items are in the span");
        let start = self.items.start;
        Self { block: Arc::clone(&self.block), items: start + items.start..start + items.end }
    }

    /// Adds `next`, when it is of the same block and follows at once; says whether it did.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let follows = Arc::ptr_eq(&self.block, &next.block) && self.items.end == next.items.start;
        if follows {
            self.items.end = next.items.end;
        }
        follows
    }

    /// What the item at `at` takes of the window, in bytes.
    pub(crate) fn cost(&self, at: usize) -> usize {
        self.item(at).len() + BlockBuilder::ITEM_COST
    }

    /// What all items take of the window, in bytes.
    pub(crate) fn total_cost(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        let bytes =
            self.block.content.ends[self.items.end - 1] - self.block.start(self.items.start);
        bytes + self.len() * BlockBuilder::ITEM_COST
    }

    /// How much of the input these items stand for.
    pub(crate) fn input_bytes(&self) -> u64 {
        self.block.input_bytes_before(self.items.end)
            - self.block.input_bytes_before(self.items.start)
    }
}

/// What is noted of `item`; most items have no note.
fn noted<T>(notes: &[(usize, T)], item: usize) -> Option<&T> {
    let found = notes.binary_search_by_key(&item, |(noted, _)| *noted);
    found.ok().map(|place| &notes[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(items: &[&str]) -> Span {
        let mut block = BlockBuilder::new();
        for item in items {
            block.push(item.as_bytes());
        }
        block.add_input_bytes(10);
        Span::whole(block.seal(ItemIndex::new(100)))
    }

    #[test]
    fn a_span_is_cut_in_two_and_both_keep_their_items() {
        let mut rest = span(&["one", "", "three"]);
        let front = rest.split_to(2);
        assert_eq!((front.first().get(), front.len()), (100, 2));
        assert_eq!((front.item(0), front.item(1)), (&b"one"[..], &b""[..]));
        assert_eq!((rest.first().get(), rest.len()), (102, 1));
        assert_eq!(rest.item(0), b"three");
        assert_eq!(front.total_cost(), front.cost(0) + front.cost(1));
        assert_eq!(front.input_bytes() + rest.input_bytes(), 10, "no byte of the input is lost");
    }

    #[test]
    fn a_span_gives_no_more_than_it_has() {
        let mut rest = span(&["one"]);
        assert_eq!(rest.split_to(5).len(), 1);
        assert!(rest.is_empty());
        assert_eq!(rest.total_cost(), 0);
    }

    #[test]
    fn as_many_items_fit_as_there_is_room_for() {
        let mut rest = span(&["gone", "one", "", "three", "four"]);
        rest.split_to(1);
        #[rustfmt::skip]
        let cases = [
            // items  room        beside  fitting
            (0..4,    12,         0,      4),
            (0..4,    11,         0,      3),
            (0..4,    2,          0,      0),
            (0..4,    3,          0,      2),
            (0..4,    28,         4,      4),
            (0..4,    27,         4,      3),
            (0..4,    10,         4,      1),
            (0..4,    11,         4,      2),
            (0..2,    usize::MAX, 4,      2),
            (1..4,    4,          4,      1),
            (2..4,    12,         4,      1),
            (2..4,    8,          4,      0),
            (3..3,    100,        4,      0),
            (0..4,    0,          4,      0),
        ];
        for (items, room, beside, fitting) in cases {
            let found = rest.fitting(items.clone(), room, beside);
            assert_eq!(found, fitting, "{items:?} in {room}, {beside} beside");
        }
    }

    #[test]
    fn a_rejected_item_is_known_by_its_place_in_the_span() {
        let mut block = BlockBuilder::new();
        block.push(b"good");
        block.push(b"bad");
        block.reject("not a number");
        let mut rest = Span::whole(block.seal(ItemIndex::default()));
        assert_eq!(rest.rejection(0), None);
        rest.split_to(1);
        assert_eq!(rest.rejection(0), Some("not a number"));
    }

    #[test]
    fn items_are_judged_by_what_they_are() {
        let mut block = BlockBuilder::new();
        block.push(b"before");
        block.reject("long ago");
        for item in ["a", "", "c"] {
            block.push(item.as_bytes());
        }
        block.set_path("path".into());
        block.push(b"d");
        block.reject("known");
        let mut seen = Vec::new();
        block.judge(1, |at, item, path| {
            seen.push((at, item.to_owned(), path.map(Path::to_owned)));
            (item != b"a").then(|| format!("judged {at}"))
        });
        let path = Some(PathBuf::from("path"));
        assert_eq!(seen, [(0, b"a".into(), None), (1, b"".into(), None), (2, b"c".into(), path)]);
        let span = Span::whole(block.seal(ItemIndex::default()));
        let why: Vec<_> = (0..span.len()).map(|at| span.rejection(at)).collect();
        assert_eq!(
            why,
            [Some("long ago"), None, Some("judged 1"), Some("judged 2"), Some("known")]
        );
    }

    #[test]
    fn an_item_that_could_not_be_filled_leaves_nothing_behind() {
        let mut block = BlockBuilder::new();
        block.push(b"good");
        let failed = block.push_with(|bytes| {
            bytes.extend_from_slice(b"half");
            Err("broken")
        });
        assert_eq!(failed, Err("broken"));
        block.push(b"next");
        let span = Span::whole(block.seal(ItemIndex::default()));
        assert_eq!((span.len(), span.item(1)), (2, &b"next"[..]));
    }

    #[test]
    fn each_item_has_a_path_of_its_own_or_none() {
        let mut block = BlockBuilder::new();
        let mut next = BlockBuilder::new();
        block.push(b"none");
        block.push(b"a");
        block.set_path("a".into());
        next.push(b"none");
        next.push(b"b");
        next.set_path("b".into());
        next.push(b"none");
        next.push(b"cut");
        next.set_path("cut".into());
        next.truncate(3);
        block.append(&mut next);
        next.push(b"none");
        block.append(&mut next);
        let mut span = Span::whole(block.seal(ItemIndex::default()));
        span.split_to(1);
        let paths: Vec<_> = (0..span.len()).map(|at| span.path(at)).collect();
        let [a, b] = ["a", "b"].map(|path| Some(Path::new(path)));
        assert_eq!(paths, [a, None, b, None, None]);
    }

    #[test]
    fn the_path_that_was_set_last_counts() {
        let mut block = BlockBuilder::new();
        block.push(b"one");
        block.set_path("first".into());
        block.set_path("second".into());
        let span = Span::whole(block.seal(ItemIndex::default()));
        assert_eq!(span.path(0), Some(Path::new("second")));
    }

    #[test]
    fn a_shortened_block_forgets_what_came_after() {
        let mut block = BlockBuilder::new();
        block.push(b"one");
        block.push(b"two");
        block.reject("why");
        block.truncate(1);
        block.push(b"three");
        let span = Span::whole(block.seal(ItemIndex::default()));
        assert_eq!((span.item(1), span.rejection(1)), (&b"three"[..], None));
    }
}
