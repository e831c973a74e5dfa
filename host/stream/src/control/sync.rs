//! The locks and atomics through which threads of the host synchronise. `tests/model-check`
//! replaces this module with the locks and atomics of a model checker. So every file that
//! `tests/model-check` includes must import its locks and atomics from this module.

pub use std::sync::{Condvar, Mutex, MutexGuard, atomic};
