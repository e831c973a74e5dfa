//! Sources, from which a run reads its items.

#[doc(inline)]
pub use mtl_stream::source::{
    Files, Filled, Frames, Inputs, ItemLimit, Items, Jsonl, Limit, Lines, Placed, Size, Source,
    SourceError,
};
