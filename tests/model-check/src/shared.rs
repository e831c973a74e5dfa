//! The shared word of a claim. In the host, two processes share it.

use crate::queue::SharedClaimProgress;
use crate::sync::atomic::AtomicU64;

/// A word that a parent and a child share. In a model, the child is another thread.
#[derive(Debug, Default)]
pub(crate) struct ClaimWord(AtomicU64);

impl SharedClaimProgress for ClaimWord {
    fn word(&self) -> &AtomicU64 {
        &self.0
    }
}
