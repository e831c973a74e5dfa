//! loom's locks and atomics, where the host uses those of the standard library.

pub use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
