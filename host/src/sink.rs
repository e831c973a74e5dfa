//! Sinks, to which a run writes its outcomes.
//!
//! A run gives its sink each outcome that is to be written, by default in input order. The sink runs on the thread that
//! called [`Pool::run`](crate::Pool::run), never on a worker's thread.

#[doc(inline)]
pub use mtl_stream::sink::{
    Directory, Frames, Jsonl, Lines, Memory, OmitReason, Output, OutputFile, OutputLocked, Sink,
    SinkError,
};
