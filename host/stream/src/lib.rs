//! The path of an item in mtl-host from a source to a sink. The workers are in another crate.
//!
//! ```text
//! input ─▶ source ─▶ block ─▶ queue ─▶ (workers) ─▶ outcome ─▶ collector ─▶ sink ─▶ output
//! ```
//!
//! This crate has no unsafe code and does not depend on the WebAssembly engine. So its unit tests, models and fuzz
//! targets build in seconds.
//!
//! This crate is an internal part of the library `mtl-host`. Only the parts of it that `mtl-host` exports are stable.

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
