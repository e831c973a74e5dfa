//! Sources: where items come from.

#[doc(inline)]
pub use mtl_stream::source::{
    Files, Filled, Frames, Inputs, ItemLimit, Items, Jsonl, Limit, Lines, Placed, Size, Source,
    SourceError,
};
