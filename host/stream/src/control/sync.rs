//! The locks and atomics through which threads of the host synchronise. They have their own module
//! so that `tests/model-check` can replace them with those of a model checker. The files that
//! `tests/model-check` includes import them from here.

pub use std::sync::{Condvar, Mutex, MutexGuard, atomic};
