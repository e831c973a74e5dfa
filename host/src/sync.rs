//! The locks and atomics of what threads share, so that a model checker can put its own in
//! their place: see `tests/model-check`.

#[cfg(not(loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

#[cfg(loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
