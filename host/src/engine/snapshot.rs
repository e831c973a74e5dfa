//! A snapshot: what a plugin has become by its `init`, frozen, for all workers to start from.
//!
//! ```text
//! plugin ─▶ image: instrumented ─▶ instance ─▶ init, before a recorder ─▶ frozen ─▶ compiled
//!                                                 │                                   │
//!                                                 └ refusal: each worker              ├▶ worker 0
//!                                                   is initialised on its own         ├▶ worker 1
//!                                                                                     └▶ …
//! ```
//!
//! A snapshot has the memory and the globals of an instance, and nothing that the host keeps for
//! it: files that are open, who it was told that it is. What of that `init` would leave behind, the
//! recorder notes; then there is no snapshot, and nothing is lost but time.

mod clock;
pub(crate) mod dependencies;
pub(crate) mod freezing;
mod image;
mod random;
mod recorder;
mod verdict;

pub(crate) use self::clock::Clock;
pub(crate) use self::freezing::Freezing;
pub(crate) use self::image::{Instrumented, MOST};
pub(crate) use self::random::add_to_linker;
pub(crate) use self::recorder::InitRecorder;
#[cfg(test)]
pub(crate) use self::verdict::MOST_DEPENDENCIES;
pub(crate) use self::verdict::{Dependency, Verdict};
