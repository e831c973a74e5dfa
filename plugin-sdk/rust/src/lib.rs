//! The SDK for `mtl-host` plugins in Rust. A worker starts once, keeps its state, and is called for
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
//! With [`#[worker]`](macro@worker), `call` can have several parameters, which a JSON array or
//! object fills.
//!
//! The crate must be a `cdylib`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! A panic ends the instance. Its current item becomes a fault, and a fresh instance gets the next
//! item. The host shows the message of the panic.

mod args;
pub mod context;
mod failure;
#[doc(hidden)]
pub mod guest;
mod item;
mod json;
mod names;
mod output;
mod parameter;
pub mod testing;
mod worker;

pub use args::FromArgs;
pub use failure::{Error, Failure};
pub use item::FromItem;
pub use json::Json;
pub use output::IntoOutput;
pub use parameter::{Argument, FromParameter};
pub use worker::Worker;

/// Implements [`Worker`](trait@Worker) for a type whose `call` has one or several parameters.
///
/// ```
/// use mtl_plugin::{Error, Failure};
///
/// struct Power {
///     largest: i64,
/// }
///
/// #[mtl_plugin::worker]
/// impl Power {
///     fn init(largest: Option<String>) -> Result<Self, Error> {
///         let largest = largest.map(|text| text.parse()).transpose()?;
///         Ok(Self { largest: largest.unwrap_or(i64::MAX) })
///     }
///
///     fn call(&mut self, base: i64, exponent: u32) -> Result<i64, Failure> {
///         let power = base.checked_pow(exponent).filter(|power| *power <= self.largest);
///         Ok(power.ok_or("too large")?)
///     }
/// }
///
/// mtl_plugin::export!(Power);
///
/// // Natively, as in a test:
/// use mtl_plugin::{context::Passing, testing::{Context, Instance}};
///
/// Context { argument_passing: Passing::Args, ..Context::NEW }.enter();
/// let mut power = Instance::<Power>::start("1000")?;
/// assert_eq!(power.call("[2, 8]"), Ok(Some(b"256".to_vec())));
/// assert_eq!(power.call("[2, 10]"), Err(Failure::refused("too large")));
/// assert_eq!(power.call("[2]"), Err(Failure::bad_item("parameter `exponent` is missing")));
///
/// Context { argument_passing: Passing::Kwargs, ..Context::NEW }.enter();
/// let mut power = Instance::<Power>::start("")?;
/// assert_eq!(power.call(r#"{"exponent": 10, "base": 2}"#), Ok(Some(b"1024".to_vec())));
/// # Ok::<(), Error>(())
/// ```
///
/// - `init` is optional. It takes no parameter, or one parameter that is read from `--init`: see
///   [`FromArgs`]. It returns `Result<Self, Error>` or `Self`. Without `init`, the type must
///   implement [`Default`].
/// - `call` takes the item as one or several parameters: see [`FromParameter`]. It returns a type
///   that implements [`IntoOutput`], or a `Result` of such a type. A result may borrow from the
///   worker or from the parameters. If the type of such a result is not a reference, it must have a
///   lifetime, as in `Cow<'_, str>`.
/// - `after_restore(&mut self)` is optional. It prepares workers that start from a snapshot: see
///   [`Worker::after_restore`].
/// - `finish(self)` is optional. It returns the finish report, or a `Result` with the report.
///
/// The attribute does not change other functions of the block. `--args` decides how an item fills
/// the parameters:
///
/// | | the item | |
/// |---|---|---|
/// | `single` | is the only parameter | if `call` has more, the worker does not start |
/// | `args` | is a JSON array of the parameters, by position | `Option`s at the end may be left out |
/// | `kwargs` | is a JSON object of the parameters, by name | every `Option` may be left out |
///
/// A JSON object uses the names of the parameters; `-` may replace `_`. The pattern `Json(points):
/// Json<Vec<Point>>` has the name `points`. An item that does not fit is a bad item, and the
/// message names the parameter.
///
/// The compiler refuses a `call` that the host could not call:
///
/// ```compile_fail
/// # #[derive(Default)] struct Power;
/// #[mtl_plugin::worker]
/// impl Power {
///     fn call(self, base: i64) -> i64 { // A worker is called many times.
///         base
///     }
/// }
/// ```
///
/// ```compile_fail
/// # #[derive(Default)] struct Power;
/// #[mtl_plugin::worker]
/// impl Power {
///     fn call(&mut self, (x, y): (f64, f64)) -> f64 { // A parameter needs a name.
///         x.powf(y)
///     }
/// }
/// ```
///
/// ```compile_fail
/// # #[derive(Default)] struct Power;
/// #[mtl_plugin::worker]
/// impl Power {
///     fn call(&mut self, base: std::time::Instant) {} // No item can be read as this.
/// }
/// ```
///
/// ```compile_fail
/// struct Power { scale: i64 } // Neither `init` nor `Default`.
/// #[mtl_plugin::worker]
/// impl Power {
///     fn call(&mut self, base: i64) -> i64 {
///         base * self.scale
///     }
/// }
/// ```
pub use mtl_plugin_macros::worker;

/// Tests for the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
