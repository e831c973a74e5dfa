//! The progress of a child's claim, on the page that the child shares with its parent.
//!
//! ```text
//! word 0   the number of started items, and the number that the child may start: `queue/claim.rs`
//! word 1   1 if the child has begun to run its items; a child that dies earlier was running none
//! ```
//!
//! The child starts each item by an atomic increment in word 0. So the parent always knows which
//! item the child is running and which items remain. The parent can return the remaining items to
//! the queue. A hostile child may write any value to word 0; `queue/loan.rs` defines which values
//! the parent accepts.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::jail::shared_page::SharedPage;
use crate::queue::{ClaimProgress, SharedClaimProgress};

/// The shared page with the progress of a claim, used by parent and child.
#[derive(Debug)]
pub(crate) struct ClaimPage(SharedPage);

impl ClaimPage {
    /// Creates a page, and returns it with the descriptor that the child maps.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let (page, file) = SharedPage::create()?;
        Ok((Self(page), file))
    }

    /// Maps the page that the parent has made.
    pub(crate) fn open(file: &OwnedFd) -> io::Result<Self> {
        SharedPage::open(file).map(Self)
    }

    /// Returns the progress of the child's claim.
    pub(crate) fn progress(&self) -> ClaimProgress<'_> {
        SharedClaimProgress::progress(self)
    }

    /// Returns whether the child has begun to run the items that it was sent last.
    pub(crate) fn has_begun(&self) -> bool {
        // Relaxed is enough: the frames on the socket order the accesses to this word.
        self.begun().load(Ordering::Relaxed) != 0
    }

    /// Sets whether the child has begun to run its items.
    pub(crate) fn set_begun(&self, begun: bool) {
        self.begun().store(begun.into(), Ordering::Relaxed);
    }

    fn begun(&self) -> &AtomicU64 {
        &self.0.words()[1]
    }
}

impl SharedClaimProgress for ClaimPage {
    fn word(&self) -> &AtomicU64 {
        &self.0.words()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_processes_share_the_claim_progress() {
        let (page, file) = ClaimPage::create().unwrap();
        let other = ClaimPage::open(&file).unwrap();
        page.progress().store(1, 3);
        assert!(other.progress().start_next() && other.progress().start_next());
        assert!(!page.progress().start_next());
        page.progress().store(u32::MAX, u32::MAX);
        assert!(!page.progress().start_next(), "no value in the word lets more items start");
        assert!(!page.has_begun());
        other.set_begun(true);
        assert!(page.has_begun());
    }
}
