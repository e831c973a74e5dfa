//! Sinks: where results go.
//!
//! A sink is told of every outcome that is to be written, in the order in which the run gives them: input order unless
//! asked otherwise. It runs on the thread that called [`Pool::run`](crate::Pool::run), never on a worker's.

#[doc(inline)]
pub use mtl_stream::sink::{
    Directory, Frames, Jsonl, LeftOut, Lines, Locked, Memory, Output, OutputFile, Sink, SinkError,
};
