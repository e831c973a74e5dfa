//! Writes plugins for `mtl-host`: a worker that is started once, keeps its state, and is called for
//! each of its items.
//!
//! ```
//! use mtl_plugin::{Error, Failure, Json, Worker};
//!
//! struct Square;
//!
//! impl Worker for Square {
//!     type Init = ();
//!     type Item<'a> = Json<i64>;
//!     type Output<'a> = Json<i64>;
//!
//!     fn init((): ()) -> Result<Self, Error> {
//!         Ok(Self)
//!     }
//!
//!     fn call(&mut self, Json(number): Json<i64>) -> Result<Json<i64>, Failure> {
//!         Ok(Json(number.checked_mul(number).ok_or("too large")?))
//!     }
//! }
//!
//! mtl_plugin::export!(Square);
//!
//! // Natively, as in a test:
//! let mut square = mtl_plugin::testing::Instance::<Square>::start("")?;
//! assert_eq!(square.call("12"), Ok(Some(b"144".to_vec())));
//! assert_eq!(square.call("9223372036854775807"), Err(Failure::refused("too large")));
//! assert!(matches!(square.call("twelve"), Err(Failure::BadItem(_))));
//! # Ok::<(), Error>(())
//! ```
//!
//! ```text
//! --init ─▶ FromArgs ─▶ Worker::init          once
//! item   ─▶ FromItem ─▶ Worker::call ─▶ IntoOutput ─▶ result       for each item
//!                       Worker::finish ─▶ IntoOutput ─▶ report     at the end
//! ```
//!
//! The crate has to be a `cdylib`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! A panic ends the instance: the item it was on becomes a fault, a fresh instance takes the next
//! one. The message of the panic is shown where the run shows messages.

mod args;
pub mod context;
mod failure;
#[doc(hidden)]
pub mod guest;
mod item;
mod json;
mod output;
pub mod testing;
mod worker;

pub use args::FromArgs;
pub use failure::{Error, Failure};
pub use item::FromItem;
pub use json::Json;
pub use output::IntoOutput;
pub use worker::Worker;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
