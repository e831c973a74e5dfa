//! The locks and atomics that threads of the host meet at, by a name of their own:
//! `tests/model-check` puts those of a model checker in their place. Files that it includes
//! take them from here.

pub use std::sync::{Condvar, Mutex, MutexGuard, atomic};
