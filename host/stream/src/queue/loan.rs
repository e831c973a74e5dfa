//! A claim whose items another process starts.
//!
//! The progress of such a claim is a word in a page that both processes share. The borrower may
//! write any value to it at any time. So the host trusts it only to tell which items are started,
//! among those that it has lent and not taken away. This module keeps that range. An honest
//! borrower starts no item that was taken away. If a dishonest borrower reports on such an item,
//! the host ignores the report.

use std::ops::Range;
use std::sync::Arc;

use super::claim::{OpenClaim, SharedClaimProgress};

/// The lent part of a claim, as the queue sees it: all items from one item on. The borrower was
/// sent some of them.
#[derive(Debug)]
pub(super) struct LoanState {
    page: Arc<dyn SharedClaimProgress>,
    /// The first lent item, as a position in the claim. The word in the page counts from it.
    first: u32,
    /// The number of items that were sent to the borrower.
    sent: u32,
    /// The number of started items, counted from `first`, according to the borrower so far. It
    /// never decreases.
    started: u32,
    /// The number of items that are lent and not taken away.
    end: u32,
}

impl LoanState {
    /// The number of attempts to change the word while the borrower changes it. After the last
    /// attempt, the host closes the word.
    const ATTEMPTS: u32 = 16;

    /// Lends the items from `first` on, which is started, up to `end`.
    pub(super) fn new(page: Arc<dyn SharedClaimProgress>, first: u32, end: u32, sent: u32) -> Self {
        let end = end - first;
        page.reach().store(1, end);
        Self { page, first, sent, started: 1, end }
    }

    /// Takes away the items from `end` on that are not started. Positions are those in the claim.
    pub(super) fn cut(&mut self, end: u32) -> Range<u32> {
        let end = end.saturating_sub(self.first);
        self.take(|started, old| old.min(end.max(started)))
    }

    /// Takes away at most `most` items and at most half of the items that are not started.
    pub(super) fn steal_half(&mut self, most: u32) -> Option<Range<u32>> {
        let taken = self.take(|started, end| end - (end - started).div_ceil(2).min(most));
        (!taken.is_empty()).then_some(taken)
    }

    /// Ends the loan. Returns the end of the started items and the end of all items, as positions
    /// in the claim.
    pub(super) fn settle(mut self, settle: impl FnOnce(LoanProgress) -> usize) -> (u32, u32) {
        let started = settle(self.returned());
        let started = u32::try_from(started).unwrap_or(u32::MAX).clamp(self.started, self.end);
        (self.first + started, self.first + self.end)
    }

    /// Returns whether an item is not started, as far as the host can know.
    pub(super) fn is_open(&mut self) -> bool {
        self.started() < self.end
    }

    /// Returns the number of started items, as far as the host can know.
    pub(super) fn started(&mut self) -> u32 {
        self.update_started(self.page.reach().load().1)
    }

    /// Updates the number of started items from the value in the page, clamped to the possible
    /// range.
    fn update_started(&mut self, told: u32) -> u32 {
        self.started = told.clamp(self.started, self.end.min(self.sent));
        self.started
    }

    fn take(&mut self, keep: impl Fn(u32, u32) -> u32) -> Range<u32> {
        let (page, old) = (Arc::clone(&self.page), self.end);
        let kept = (0..Self::ATTEMPTS).find_map(|_| {
            let (word, told, _) = page.reach().load();
            let started = self.update_started(told);
            let end = keep(started, old);
            page.reach().compare_exchange(word, started, end).then_some(end)
        });
        self.end = kept.unwrap_or_else(|| {
            // The borrower is faster than this process, or writes without end. It loses all items
            // that are not started: one atomic step closes the word and returns its progress.
            let started = self.update_started(page.reach().close());
            page.reach().store(started, started);
            started
        });
        self.first + self.end..self.first + old
    }

    /// Closes the loan and returns its progress, as far as the host can know. An honest borrower
    /// starts no more items.
    fn returned(&mut self) -> LoanProgress {
        let started = self.update_started(self.page.reach().close());
        LoanProgress { started: started as usize, lent: self.end as usize }
    }
}

/// The lent part of a claim, as its worker sees it. Dropping it takes the items back and counts all
/// of them as started.
#[derive(Debug)]
pub struct Loan<'a> {
    held: &'a OpenClaim,
    is_out: bool,
}

/// The progress of a loan at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoanProgress {
    /// The number of started items according to the borrower: at least one, and at most `had`.
    pub started: usize,
    /// The number of items that the borrower had in the end.
    pub lent: usize,
}

impl<'a> Loan<'a> {
    pub(super) fn of(held: &'a OpenClaim, page: Arc<dyn SharedClaimProgress>, sent: usize) -> Self {
        held.lend(page, sent);
        Self { held, is_out: true }
    }

    /// Returns the number of started items, as far as the host can know. It never decreases.
    pub fn started(&self) -> usize {
        self.held.started_of_lent()
    }

    /// Takes the items back. `settle` gets the progress according to the borrower, and returns how
    /// many items count as started. The other items are open again. `settle` must be fast: other
    /// workers wait for it when they steal.
    pub fn settle(mut self, settle: impl FnOnce(LoanProgress) -> usize) {
        self.is_out = false;
        self.held.end_loan(settle);
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if self.is_out {
            self.held.end_loan(|returned| returned.lent);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
