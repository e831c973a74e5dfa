//! Checks the synchronisation of the host's threads with loom. The models cover the queue (with its claims, its window
//! and its stop) and the alarm that wakes a guest's sleeping thread.
//!
//! A test on real threads covers only a few interleavings. loom runs a model in all interleavings. Executions differ in
//! the order of operations on locks, condition variables and atomics, and in the values of relaxed loads. loom reports
//! a thread that is never woken as a deadlock.
//!
//! # A separate crate
//!
//! The crate includes the host's own files. These files import locks and atomics from `crate::control::sync`. This
//! module re-exports the standard library in the host, and loom in this crate. Building the host with `--cfg loom`
//! would build its engine again, and add loom to unrelated crates.
//!
//! # When a model fails
//!
//! The name of the model and its first panic are printed first. With `LOOM_LOCATION=1`, the output contains the
//! position in the source at which each thread of a deadlock waits.
//!
//! # Limits
//!
//! - The models miss interleavings that need more interruptions than their bound allows (`check.rs`).
//! - loom has neither spurious wake-ups nor waits with a timeout.
//! - `notify_one` wakes the thread that has waited longest. The models vary this thread.

// The unit tests in the host's files run in the host. `--all-targets` would build them here.
#![cfg(not(test))]

mod check;
pub mod models;
mod run;
mod shared;
pub mod sync;

/// The host's files, at the paths that they have in the host.
#[expect(dead_code, reason = "only the host uses all of it")]
#[path = "../../../host/stream/src"]
pub mod host {
    pub mod block;
    pub mod queue;

    pub mod control {
        pub mod alarm;
        pub mod cancel;

        pub use crate::sync;
    }

    pub mod item {
        pub mod byte_size;
        pub mod index;
        pub mod parse_error;
        pub mod quantity;
    }
}

use self::host::{block, control, item, queue};
