//! Sources, which read items.
//!
//! The run reads a source on a separate thread, one block at a time, and only while the window has
//! room. So the source never reads more items than the window admits. A source has no access to
//! workers.

mod decoder;
mod descriptor;
mod error;
mod files;
mod frames;
mod input;
mod input_buffer;
mod item_limit;
mod iter;
mod jsonl;
mod lines;
mod records;
#[cfg(test)]
mod script;
mod take;
mod with_output_path;

pub use self::error::SourceError;
pub use self::files::Files;
pub use self::frames::Frames;
pub use self::input::Inputs;
pub use self::item_limit::ItemLimit;
pub use self::iter::Items;
pub use self::jsonl::Jsonl;
pub use self::lines::Lines;
pub use self::take::Take;
pub use self::with_output_path::WithOutputPath;

use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;

/// A stream of items that is read lazily.
///
/// ```
/// use mtl_host::sink::Memory;
/// use mtl_host::source::{FillStatus, Source, SourceError};
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// /// Counts down.
/// struct Countdown(u32);
///
/// impl Source for Countdown {
///     fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
///         if self.0 == 0 {
///             return Ok(FillStatus::End);
///         }
///         block.push(self.0.to_string().as_bytes());
///         self.0 -= 1;
///         Ok(FillStatus::More)
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/echo.wat")?;
/// let mut sink = Memory::new();
/// Pool::builder(&plugin).build()?.run(Countdown(3), &mut sink).into_result()?;
/// assert_eq!(sink.results()[2], Ok(Some(b"1".to_vec())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Source: Send {
    /// Adds available items to `block` until the block is full. A source may wait for the first
    /// item of the block, but never for a later item, so that workers get available items without
    /// delay.
    ///
    /// # Errors
    ///
    /// Returns an error if the input cannot be read further. The run processes the items that were
    /// added before the error, and then ends with the error.
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError>;

    /// Returns the length, or the part of it that is known in advance.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }

    /// Returns the flag that interrupts `fill` while it waits for input, or `None`. The run sets
    /// the flag when it needs no more items, even at a normal end. So the flag must not be shared
    /// with a pool or with another source. Otherwise, the run would stop them. If a source has no
    /// flag, a stop cannot interrupt a wait of `fill`, and the reading thread ends only when `fill`
    /// returns.
    fn stop_flag(&self) -> Option<StopFlag> {
        None
    }
}

/// The state of a source after a block: more items may come, or none.
///
/// ```
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::source::{FillStatus, Items, Source};
///
/// let (mut source, mut block) = (Items::new(["one"]), BlockBuilder::new());
/// assert_eq!(source.fill(&mut block)?, FillStatus::More);
/// assert_eq!(source.fill(&mut block)?, FillStatus::End);
/// assert_eq!(block.len(), 1);
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillStatus {
    /// There may be more items. The run calls `fill` again.
    More,
    /// There are no more items. The items that `fill` added to this block count.
    End,
}

/// The length of a source, or the part of it that is known in advance.
///
/// ```
/// use mtl_host::source::{Items, SizeHint, Source};
///
/// assert_eq!(Items::new(["one", "two"]).size_hint(), SizeHint::from_items(2));
/// assert_eq!(SizeHint::from_bytes(100).items, (0, None), "the number of items is unknown");
/// assert_eq!(SizeHint::from_bytes(100).bytes, Some(100));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeHint {
    /// The lower bound of the number of items, and the upper bound if it is known, as in
    /// [`Iterator::size_hint`].
    pub items: (usize, Option<usize>),
    /// The number of bytes, if known, in the measure of [`BlockBuilder::add_input_bytes`].
    pub bytes: Option<u64>,
}

impl SizeHint {
    /// Creates a size hint of this number of bytes and an unknown number of items.
    #[must_use]
    pub fn from_bytes(bytes: u64) -> Self {
        Self { bytes: Some(bytes), ..Self::default() }
    }

    /// Creates a size hint of this number of items.
    #[must_use]
    pub fn from_items(items: usize) -> Self {
        Self { items: (items, Some(items)), bytes: None }
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        (**self).fill(block)
    }

    fn size_hint(&self) -> SizeHint {
        (**self).size_hint()
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        (**self).stop_flag()
    }
}
