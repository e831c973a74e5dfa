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
//! A snapshot holds the memory and the globals of an instance, and nothing that the host keeps for
//! it, such as open files or the worker's index. The recorder notes whether `init` used any of
//! these. If so, no snapshot is made, and each worker runs its own `init`.

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
