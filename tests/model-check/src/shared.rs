//! A word of a claim that two threads share, where the host has workers in processes of their own.

use crate::queue::SharedReach;
use crate::sync::atomic::AtomicU64;

/// A word that another process shares. Here the other process is another thread.
#[derive(Debug, Default)]
pub(crate) struct Word(AtomicU64);

impl SharedReach for Word {
    fn word(&self) -> &AtomicU64 {
        &self.0
    }
}
