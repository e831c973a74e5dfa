//! The run, as a worker sees it: its number, the formats, and log messages.
//!
//! In a plugin, these functions call the host. In a native build, as under `cargo test`, stand-ins
//! replace the host. They report one worker and text items unless a test sets another
//! [`testing::Context`](crate::testing::Context).

pub(crate) mod answers;
#[cfg(target_arch = "wasm32")]
mod imports;
mod kinds;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod stand_in;

#[cfg(target_arch = "wasm32")]
use imports as host;
#[cfg(not(target_arch = "wasm32"))]
use stand_in as host;

pub use self::kinds::{Format, Level, Passing};

/// Returns the number of this worker: from 0 to [`worker_count`] - 1.
///
/// ```
/// assert_eq!(mtl_plugin::context::worker_index(), 0);
/// ```
#[must_use]
pub fn worker_index() -> u32 {
    host::worker_index()
}

/// Returns the number of workers of the pool.
///
/// ```
/// assert_eq!(mtl_plugin::context::worker_count(), 1);
/// ```
#[must_use]
pub fn worker_count() -> u32 {
    host::worker_count()
}

/// Returns the way in which the run passes arguments (`--args`). A plugin that never calls this function runs only with
/// `--args single`.
///
/// ```
/// use mtl_plugin::context::{Passing, argument_passing};
///
/// assert_eq!(argument_passing(), Passing::Single);
/// ```
#[must_use]
pub fn argument_passing() -> Passing {
    match host::argument_passing() {
        1 => Passing::Args,
        2 => Passing::Kwargs,
        _ => Passing::Single,
    }
}

/// Returns the format of the run's items.
///
/// ```
/// use mtl_plugin::context::{Format, item_format};
///
/// assert_eq!(item_format(), Format::Text);
/// ```
#[must_use]
pub fn item_format() -> Format {
    match host::item_format() {
        1 => Format::Json,
        _ => Format::Text,
    }
}

/// Declares the format of all results. A worker calls this function in `init`, for example if the
/// format depends on `--init`. For results of the type [`Json`](crate::Json), the SDK declares the
/// format.
///
/// ```
/// use mtl_plugin::{context, testing};
///
/// context::result_format(context::Format::Json);
/// assert_eq!(testing::result_format(), context::Format::Json);
/// ```
pub fn result_format(format: Format) {
    host::result_format(format as u32);
}

/// Shows a message, with the worker's name, among the messages of the run.
///
/// ```
/// use mtl_plugin::context::{Level, log, worker_index};
///
/// log(Level::Info, &format!("worker {} has loaded its model", worker_index()));
/// ```
pub fn log(level: Level, message: &str) {
    host::log(level as u32, message);
}
