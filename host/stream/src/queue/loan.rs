//! A claim whose items a child process starts.
//!
//! The progress of such a claim is a word in a page that both processes share. The child may write any value to this
//! word at any time. An item is on loan if the host has lent it and has not taken it away. This module records in the
//! host's own memory which items are on loan. From the shared word, the host reads only how many of these items are
//! started. An honest child starts no item that was taken away. If a compromised child reports on an item that was
//! taken away, the host ignores the report.

use std::ops::Range;
use std::sync::Arc;

use super::claim::{OpenClaim, SharedClaimProgress};

/// The lent part of a claim, for the queue: the item at `first` and all items after it. The host
/// has sent the first `sent` of these items to the child.
#[derive(Debug)]
pub(super) struct LoanState {
    page: Arc<dyn SharedClaimProgress>,
    /// The first lent item, as a position in the claim. The word in the page counts from it.
    first: u32,
    /// The number of items that were sent to the child.
    sent: u32,
    /// The largest number of started items that the child has reported, counted from `first`.
    started: u32,
    /// The number of items that are lent and not taken away.
    end: u32,
}

impl LoanState {
    /// The number of times that the host tries to change the word while the child changes it. After
    /// the last attempt, the host closes the word.
    const ATTEMPTS: u32 = 16;

    /// Lends the items from `first` up to `end`. The first of them is started.
    pub(super) fn new(page: Arc<dyn SharedClaimProgress>, first: u32, end: u32, sent: u32) -> Self {
        let end = end - first;
        page.progress().store(1, end);
        Self { page, first, sent, started: 1, end }
    }

    /// Takes away the items from `end` on that are not started. Positions are those in the claim.
    pub(super) fn cut(&mut self, end: u32) -> Range<u32> {
        let end = end.saturating_sub(self.first);
        self.take_away(|started, old| old.min(end.max(started)))
    }

    /// Takes away at most `most` items and at most half of the items that are not started.
    pub(super) fn steal_half(&mut self, most: u32) -> Option<Range<u32>> {
        let stolen = self.take_away(|started, end| end - (end - started).div_ceil(2).min(most));
        (!stolen.is_empty()).then_some(stolen)
    }

    /// Ends the loan. Returns the end of the started items and the end of all items on loan, as
    /// positions in the claim.
    pub(super) fn settle(mut self, settle: impl FnOnce(LoanProgress) -> usize) -> (u32, u32) {
        let started = settle(self.close());
        let started = u32::try_from(started).unwrap_or(u32::MAX).clamp(self.started, self.end);
        (self.first + started, self.first + self.end)
    }

    /// Returns whether an item is not started, as far as the host can know.
    pub(super) fn is_open(&mut self) -> bool {
        self.started() < self.end
    }

    /// Returns the number of started items, as far as the host can know.
    pub(super) fn started(&mut self) -> u32 {
        self.update_started(self.page.progress().load().1)
    }

    /// Updates the number of started items to the value that the child reports, clamped to the
    /// possible range.
    fn update_started(&mut self, reported: u32) -> u32 {
        self.started = reported.clamp(self.started, self.end.min(self.sent));
        self.started
    }

    /// Takes away the items at or after a new end. `keep` computes the new end from the number of
    /// started items and the old end.
    fn take_away(&mut self, keep: impl Fn(u32, u32) -> u32) -> Range<u32> {
        let (page, old) = (Arc::clone(&self.page), self.end);
        let kept = (0..Self::ATTEMPTS).find_map(|_| {
            let (word, reported, _) = page.progress().load();
            let started = self.update_started(reported);
            let end = keep(started, old);
            page.progress().compare_exchange(word, started, end).then_some(end)
        });
        self.end = kept.unwrap_or_else(|| {
            // The child changes the word faster than this process can, or never stops changing it. The host takes away
            // all items that are not started: one atomic step closes the word and returns its last value.
            let started = self.update_started(page.progress().close());
            page.progress().store(started, started);
            started
        });
        self.first + self.end..self.first + old
    }

    /// Closes the loan and returns its progress, as far as the host can know. After the loan is closed, an honest child
    /// starts no more items.
    fn close(&mut self) -> LoanProgress {
        let started = self.update_started(self.page.progress().close());
        LoanProgress { started: started as usize, lent: self.end as usize }
    }
}

/// The lent part of a claim, for the worker of the claim. When a `Loan` is dropped, the host takes all items back and
/// treats all of them as started.
#[derive(Debug)]
pub struct Loan<'a> {
    claim: &'a OpenClaim,
    is_active: bool,
}

/// The progress of a loan at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoanProgress {
    /// The number of started items according to the child: at least one, and at most `lent`.
    pub started: usize,
    /// The number of items that were lent and not taken away in the end.
    pub lent: usize,
}

impl<'a> Loan<'a> {
    pub(super) fn of(
        claim: &'a OpenClaim,
        page: Arc<dyn SharedClaimProgress>,
        sent: usize,
    ) -> Self {
        claim.lend(page, sent);
        Self { claim, is_active: true }
    }

    /// Returns the number of started items, as far as the host can know. It never decreases.
    pub fn started(&self) -> usize {
        self.claim.started_of_lent()
    }

    /// Takes the items back. `settle` gets the progress that the child has reported, and returns the number of items to
    /// treat as started. After that, the worker of the claim may start the other items. `settle` must be fast, because
    /// workers that want to steal wait until it returns.
    pub fn settle(mut self, settle: impl FnOnce(LoanProgress) -> usize) {
        self.is_active = false;
        self.claim.end_loan(settle);
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if self.is_active {
            self.claim.end_loan(|progress| progress.lent);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
