//! The flow of items in mtl-host: everything from a source to a sink, except the workers.
//!
//! ```text
//! input ─▶ source ─▶ block ─▶ queue ─▶ (workers) ─▶ outcome ─▶ collector ─▶ sink ─▶ output
//! ```
//!
//! This crate knows nothing of WebAssembly and has no unsafe code. Its unit tests, models and fuzz targets build in
//! seconds.
//!
//! It is a part of the library `mtl-host` and changes with it. Only the items that `mtl-host` exports are stable.

#![forbid(unsafe_code)]

pub mod block;
pub mod collector;
pub mod control;
pub mod files;
pub mod item;
pub mod json_value;
pub mod outcome;
pub mod output_paths;
pub mod queue;
pub mod sink;
pub mod source;
pub mod stats;

#[cfg(test)]
#[path = "../../../tests/test_timeout.rs"]
mod test_timeout;
