//! A claim whose items another process starts.
//!
//! How far the claim has gone is then a word in a page that both processes share. The other one may
//! write into it whatever it likes, whenever it likes, so nothing of it is believed but where an
//! item is that this process has lent and not taken away since: that is kept here. An honest
//! borrower starts no item that was taken away from it. What a dishonest one says of such an item
//! is not taken.

use std::ops::Range;
use std::sync::Arc;

use super::claim::{Held, SharedReach};

/// What is lent of a claim, as the queue knows it: all from one item on, of which some are sent.
#[derive(Debug)]
pub(super) struct Lent {
    page: Arc<dyn SharedReach>,
    /// The first item that is lent, in the claim; the word in the page counts from it.
    first: u32,
    /// How many items the other was sent.
    sent: u32,
    /// How many items are started, in the page's count, by what it said so far: it never goes back.
    started: u32,
    /// How many items are lent and not taken away.
    end: u32,
}

impl Lent {
    /// How often the word may have been changed by the other while it was looked at, before it is
    /// taken away from it.
    const ATTEMPTS: u32 = 16;

    /// Lends the items from `first` on, which is started, up to `end`.
    pub(super) fn new(page: Arc<dyn SharedReach>, first: u32, end: u32, sent: u32) -> Self {
        let end = end - first;
        page.reach().set(1, end);
        Self { page, first, sent, started: 1, end }
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

    /// The items that are started and those that are not, once it is over: places in the claim.
    pub(super) fn settle(mut self, settle: impl FnOnce(Returned) -> usize) -> (u32, u32) {
        let started = settle(self.returned());
        let started = u32::try_from(started).unwrap_or(u32::MAX).clamp(self.started, self.end);
        (self.first + started, self.first + self.end)
    }

    /// Whether some item is not started, as far as one can know.
    pub(super) fn is_open(&mut self) -> bool {
        self.started() < self.end
    }

    /// Returns the number of items that are started, as far as one can know.
    pub(super) fn started(&mut self) -> u32 {
        self.see(self.page.reach().told().1)
    }

    /// How many items are started, by what the page says, as far as that can be.
    fn see(&mut self, told: u32) -> u32 {
        self.started = told.clamp(self.started, self.end.min(self.sent));
        self.started
    }

    fn take(&mut self, keep: impl Fn(u32, u32) -> u32) -> Range<u32> {
        let (page, old) = (Arc::clone(&self.page), self.end);
        let kept = (0..Self::ATTEMPTS).find_map(|_| {
            let (word, told, _) = page.reach().told();
            let started = self.see(told);
            let end = keep(started, old);
            page.reach().retell(word, started, end).then_some(end)
        });
        self.end = kept.unwrap_or_else(|| {
            // It is quicker than this process, or it writes there without end. It is to have no
            // more: one step takes that away, and says how far it has gone.
            let started = self.see(page.reach().close());
            page.reach().set(started, started);
            started
        });
        self.first + self.end..self.first + old
    }

    /// How far it has gone, as far as one can know. From here on nothing more of it is started.
    fn returned(&mut self) -> Returned {
        let started = self.see(self.page.reach().close());
        Returned { started: started as usize, had: self.end as usize }
    }
}

/// What is lent of a claim, as its worker has it. Taken back when it is dropped: then none of its
/// items is open any more.
#[derive(Debug)]
pub struct Loan<'a> {
    held: &'a Held,
    is_out: bool,
}

/// How far a loan has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// How many items were started, by what the borrower says: at least one, and no more than
    /// it had.
    pub started: usize,
    /// How many items it had at last.
    pub had: usize,
}

impl<'a> Loan<'a> {
    pub(super) fn of(held: &'a Held, page: Arc<dyn SharedReach>, sent: usize) -> Self {
        held.lend(page, sent);
        Self { held, is_out: true }
    }

    /// Returns the number of items that are started, as far as one can know: it never goes back.
    pub fn started(&self) -> usize {
        self.held.started_of_lent()
    }

    /// Takes the items back: `settle` says how many of them count as started, by how far the
    /// borrower says it has gone. The others are open again. It is to be quick: who wants to take
    /// items away, waits for it.
    pub fn settle(mut self, settle: impl FnOnce(Returned) -> usize) {
        self.is_out = false;
        self.held.take_back(settle);
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if self.is_out {
            self.held.take_back(|returned| returned.had);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
