//! Sources, from which a run reads its items.

#[doc(inline)]
pub use mtl_stream::source::{
    Files, FillStatus, Frames, Inputs, ItemLimit, Items, Jsonl, Lines, SizeHint, Source,
    SourceError, Take, WithOutputPath,
};
