//! The progress of the claim that a child has, on the page that it shares with its parent.
//!
//! ```text
//! word 0   how many items the child has started, and how many it may start: `queue/claim.rs`
//! word 1   whether the child has begun with them at all: one that died before was on none
//! ```
//!
//! The child starts its items by an atomic step on word 0. So the parent knows at any moment which item the child is
//! on, and takes back the items that are not started. The child may write anything there: `queue/loan.rs` says
//! what the parent believes of it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::jail::shared_page::SharedPage;
use crate::queue::{Reach, SharedReach};

/// The page, as both ends use it.
#[derive(Debug)]
pub(crate) struct ClaimPage(SharedPage);

impl ClaimPage {
    /// Makes a page, and the descriptor by which the child gets it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let (page, file) = SharedPage::create()?;
        Ok((Self(page), file))
    }

    /// Maps the page that the parent has made.
    pub(crate) fn open(file: &OwnedFd) -> io::Result<Self> {
        SharedPage::open(file).map(Self)
    }

    /// Returns how far the child's claim has gone.
    pub(crate) fn reach(&self) -> Reach<'_> {
        SharedReach::reach(self)
    }

    /// Returns whether the child has begun with the items that it was sent last, as it says.
    pub(crate) fn has_begun(&self) -> bool {
        // What it has sent is read from a socket, which orders more than this could.
        self.begun().load(Ordering::Relaxed) != 0
    }

    /// Says whether the child has begun with its items.
    pub(crate) fn set_begun(&self, begun: bool) {
        self.begun().store(begun.into(), Ordering::Relaxed);
    }

    fn begun(&self) -> &AtomicU64 {
        &self.0.words()[1]
    }
}

impl SharedReach for ClaimPage {
    fn word(&self) -> &AtomicU64 {
        &self.0.words()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_see_how_far_a_claim_has_gone() {
        let (page, file) = ClaimPage::create().unwrap();
        let other = ClaimPage::open(&file).unwrap();
        page.reach().set(1, 3);
        assert!(other.reach().start_next() && other.reach().start_next());
        assert!(!page.reach().start_next());
        page.reach().set(u32::MAX, u32::MAX);
        assert!(!page.reach().start_next(), "whatever is written there");
        assert!(!page.has_begun());
        other.set_begun(true);
        assert!(page.has_begun());
    }
}
