//! A claim whose items another process starts.
//!
//! How far the claim has gone is then a word in a page that both processes share. The other one may
//! write into it whatever it likes, whenever it likes, so nothing of it is believed but where an
//! item is that this process has lent and not taken away since: that is kept here. An honest
//! borrower starts no item that was taken away from it. What a dishonest one says of such an item
//! is not taken.

use std::ops::Range;
use std::sync::Arc;

use super::claim::Held;
use crate::isolation::page::Page;

/// What is lent of a claim, as the queue knows it: all from one item on, of which some are sent.
#[derive(Debug)]
pub(super) struct Lent {
    page: Arc<Page>,
    /// The first item that is lent, in the claim; the word in the page counts from it.
    first: u32,
    /// How many items the other was sent.
    sent: u32,
    /// How many items are lent and not taken away, in the page's count.
    end: u32,
}

impl Lent {
    /// How often the word may have been changed by the other while it was looked at. Between two
    /// looks an honest borrower starts an item or two.
    const ATTEMPTS: u32 = 64;

    /// Lends the items from `first` on, which is started, up to `end`.
    pub(super) fn new(page: &Arc<Page>, first: u32, end: u32, sent: u32) -> Self {
        let end = end - first;
        page.reach().set(1, end);
        Self { page: Arc::clone(page), first, sent, end }
    }

    /// Takes away the items from `end` on that are not started. Places are those in the claim.
    pub(super) fn cut(&mut self, end: u32) -> Range<u32> {
        let end = end.saturating_sub(self.first);
        self.take(|started, old| old.min(end.max(started)))
    }

    /// Takes away up to half of the items that are not started, and no more than `most`.
    pub(super) fn share(&mut self, most: u32) -> Option<Range<u32>> {
        let taken = self.take(|started, end| end - (end - started).div_ceil(2).min(most));
        (!taken.is_empty()).then_some(taken)
    }

    /// Whether some item is not started, as far as one can know.
    pub(super) fn is_open(&self) -> bool {
        self.started(self.page.reach().told().1) < self.end
    }

    /// What the page says of how many items are started, as far as it can be.
    fn started(&self, told: u32) -> u32 {
        told.clamp(1, self.end.min(self.sent))
    }

    fn take(&mut self, keep: impl Fn(u32, u32) -> u32) -> Range<u32> {
        let old = self.end;
        for attempt in 1.. {
            let (word, told, _) = self.page.reach().told();
            let started = self.started(told);
            let end = keep(started, old);
            if self.page.reach().retell(word, started, end) {
                self.end = end;
                break;
            }
            if attempt == Self::ATTEMPTS {
                // Nobody can be that quick: it is to have no more.
                self.page.reach().set(started, started);
                self.end = started;
                break;
            }
        }
        self.first + self.end..self.first + old
    }
}

/// What is lent of a claim, as its worker has it. Taken back when it is dropped: then none of its
/// items is open any more.
#[derive(Debug)]
pub(crate) struct Loan<'a> {
    held: &'a Held,
    is_out: bool,
}

/// How far a loan has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    /// How many items were started, by what the borrower says: at least one, and no more than
    /// it had.
    pub(crate) started: usize,
    /// How many items it had at last.
    pub(crate) had: usize,
}

impl<'a> Loan<'a> {
    pub(super) fn of(held: &'a Held, page: &Arc<Page>, sent: usize) -> Self {
        held.lend(page, sent);
        Self { held, is_out: true }
    }

    /// Takes the items back: `settle` says how many of them count as started, by how far the
    /// borrower says it has gone. The others are open again.
    pub(crate) fn settle(mut self, settle: impl FnOnce(Returned) -> usize) {
        self.take_back(settle);
    }

    fn take_back(&mut self, settle: impl FnOnce(Returned) -> usize) {
        self.is_out = false;
        let lent = self.held.take_back();
        let (first, end) = (lent.first, lent.end);
        let told = lent.started(lent.page.reach().told().1);
        let started = settle(Returned { started: told as usize, had: end as usize });
        let started = u32::try_from(started).unwrap_or(u32::MAX).clamp(1, end);
        self.held.resume(first + started, first + end);
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if self.is_out {
            self.take_back(|returned| returned.had);
        }
    }
}
