//! Checks with loom the part of the host where threads meet: the queue with its claims, its
//! window and its stop, and the alarm that wakes who sleeps inside a guest.
//!
//! A test on real threads sees the few orders that the machine happens to take. loom runs a
//! model in all of them: each execution has another order of the steps at locks, condition
//! variables and atomics, and other values that a relaxed load may see. A thread that nobody
//! wakes is found as a deadlock.
//!
//! # Why a crate of its own
//!
//! The code under test is the host's own: its files are included as they are. They take locks
//! and atomics from `crate::control::sync`, which in the host means those of the standard library, and
//! here those of loom. Building the host itself with `--cfg loom` would build its engine anew,
//! and put loom into crates that have nothing to do with this.
//!
//! # When a model fails
//!
//! What failed is said first, with the name of the model. `LOOM_LOCATION=1` adds where each
//! thread of a deadlock waits.
//!
//! # What it does not see
//!
//! * An order that needs more interruptions of threads than a model allows (`check.rs`).
//! * Wake-ups without a cause, and waits that end by the clock: loom has neither.
//! * `notify_one` wakes who has waited longest; who that is varies.

// The unit tests in the host's files are the host's. `--all-targets` would want them from here.
#![cfg(not(test))]

mod check;
pub mod models;
mod run;
mod shared;
pub mod sync;

/// The host's files, in the places where they are there.
#[expect(dead_code, reason = "the host uses more of it")]
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
