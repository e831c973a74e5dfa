//! Snapshots: the memory of a plugin after its `init`, from which all workers start.
//!
//! ```text
//! plugin ─▶ image: instrumented ─▶ instance ─▶ init, recorded ─▶ frozen ─▶ compiled
//!                                                 │                            │
//!                                                 └ refusal: each worker       ├▶ worker 0
//!                                                   runs its own `init`        ├▶ worker 1
//!                                                                              └▶ …
//! ```
//!
//! A snapshot contains the memory and the globals of an instance. It does not contain the state
//! that the host stores for the instance, such as open files or the worker's index. The recorder
//! notes whether `init` used such state. If `init` used it, the host makes no snapshot, and each
//! worker runs its own `init`.

mod clock;
pub(crate) mod dependencies;
mod image;
mod random;
mod recorder;
pub(crate) mod snapshot_outcome;
mod verdict;

pub(crate) use self::clock::Clock;
pub(crate) use self::image::{Instrumented, MAX_IMAGE_BYTES};
pub(crate) use self::random::add_to_linker;
pub(crate) use self::recorder::InitRecorder;
pub(crate) use self::snapshot_outcome::SnapshotOutcome;
#[cfg(test)]
pub(crate) use self::verdict::MAX_DEPENDENCIES;
pub(crate) use self::verdict::{Dependency, Verdict};
