//! What the host's files find where the host has the locks and atomics of the standard library.

pub use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
