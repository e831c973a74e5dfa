//! The flow of items in mtl-host: from a source to a sink, with all that lies between except the workers.
//!
//! ```text
//! input ─▶ source ─▶ block ─▶ queue ─▶ (workers) ─▶ outcome ─▶ collector ─▶ sink ─▶ output
//! ```
//!
//! Nothing here knows WebAssembly, and nothing is unsafe. So its unit tests, its models and its fuzz targets build in
//! seconds.
//!
//! It is a part of the library `mtl-host` and changes with it: what that library does not export is not stable.

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
#[path = "../../../tests/patience.rs"]
mod patience;
