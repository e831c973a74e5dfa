//! The items that one worker has claimed. Other workers may steal the items that it has not started.
//!
//! ```text
//!  span   │ started: done, or at work │ not started │ taken away: stolen, stopped │
//!         0                        started ─▶    ◀─ end
//! ```
//!
//! The worker of the claim increments `started` without a lock, once per item. Other threads decrease `end` under the
//! queue's mutex. `started` and `end` are the two halves of one atomic word. So each item is either started or taken
//! away, never both. `tests/model-check` checks this for every interleaving of the threads' steps.
//!
//! If an instance gets many items in one call, the worker marks all of them as started before the call (*started
//! ahead*). If the instance must stop, the worker gives the items that the instance has not reached back to the queue.
//! This is the only case in which `started` decreases. The worker decreases it under the queue's mutex, and the claim
//! then has no items left to start.
//!
//! A worker may lend its claim to a child process, which starts the items. The atomic word is then in a page that both
//! processes share. `loan.rs` describes how far the host trusts this word.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use super::loan::{Loan, LoanProgress, LoanState};
use super::{Queue, State};
use crate::block::Span;
use crate::control::sync::atomic::{AtomicU64, Ordering};
use crate::control::sync::{Condvar, Mutex, MutexGuard};

/// The progress of a claim: the number of its started items, and its end.
#[derive(Clone, Copy, Debug)]
pub struct ClaimProgress<'a>(&'a AtomicU64);

/// Memory that is shared with a child, with the word of a lent claim.
pub trait SharedClaimProgress: fmt::Debug + Send + Sync {
    /// Returns the word. The child may write any value to it at any time.
    fn word(&self) -> &AtomicU64;

    /// Returns the word as the progress of a claim.
    fn progress(&self) -> ClaimProgress<'_> {
        ClaimProgress::of(self.word())
    }
}

/// A claim as the queue sees it.
#[derive(Debug, Default)]
pub(super) struct OpenClaim {
    span: Span,
    word: AtomicU64,
    /// The loan, while a child starts the items. Until the loan ends, `word` shows no open item.
    loan: Mutex<Option<LoanState>>,
}

/// A claim as its worker sees it. Items without an outcome go back to the queue when the claim is dropped.
#[derive(Debug)]
pub struct Claim<'a> {
    queue: &'a Queue,
    open: Arc<OpenClaim>,
    /// The number of items at the front that have their outcome.
    done: usize,
    /// The bytes of outcomes that the window starts to hold at the next lock of the queue's mutex.
    bytes: usize,
}

impl<'a> ClaimProgress<'a> {
    /// Interprets this word as the progress of a claim.
    fn of(word: &'a AtomicU64) -> Self {
        Self(word)
    }

    /// Returns the progress of a lent claim according to the child: the word, `started` and `end`.
    pub fn load(&self) -> (u64, u32, u32) {
        let word = self.0.load(Ordering::Relaxed);
        let (started, end) = halves(word);
        (word, started, end)
    }

    /// Sets the progress of a lent claim if the word is still `expected`. Returns whether it has set the word.
    pub(super) fn compare_exchange(&self, expected: u64, started: u32, end: u32) -> bool {
        let (order, word) = (Ordering::Relaxed, word(started, end));
        self.0.compare_exchange(expected, word, order, order).is_ok()
    }

    /// Sets the progress of a claim unconditionally.
    pub fn store(&self, started: u32, end: u32) {
        self.0.store(word(started, end), Ordering::Relaxed);
    }

    /// Closes a lent claim: an honest child starts no more of its items. Returns `started` according to the child.
    pub(super) fn close(&self) -> u32 {
        halves(self.0.swap(word(0, 0), Ordering::Relaxed)).0
    }

    /// Starts the next item. Returns `false` if no item is left to start.
    // Relaxed ordering is enough. The items never change, and the worker got them under the mutex. So this word is the
    // only data on which the threads must agree.
    pub fn start_next(&self) -> bool {
        self.change(|started, end| (started < end).then(|| (started + 1, end))).is_some()
    }

    /// Starts up to `most` items in one step. Returns their number.
    pub fn start_ahead(&self, most: u32) -> u32 {
        let ahead = |started: u32, end: u32| most.min(end.saturating_sub(started));
        let before = self.change(|started, end| {
            Some((started + ahead(started, end), end)).filter(|_| ahead(started, end) > 0)
        });
        before.map_or(0, |(started, end)| ahead(started, end))
    }

    /// Takes back all items at or after `from`, even items that were started ahead, and returns them. The worker of the
    /// claim calls this under the queue's mutex, so no other thread changes the word meanwhile.
    fn take_back(&self, from: u32) -> Range<u32> {
        let kept = |started: u32, end: u32| from.min(started).min(end);
        let before = self.change(|started, end| {
            let kept = kept(started, end);
            Some((kept, kept))
        });
        let (started, end) = before.expect("taking items back never fails");
        kept(started, end)..end
    }

    /// Takes away the items from `end` on that are not started, and returns them.
    pub(super) fn cut(&self, end: u32) -> Range<u32> {
        let cut = |started: u32, old: u32| old.min(end.max(started));
        let before = self.change(|started, old| Some((started, cut(started, old))));
        let (started, old) = before.expect("taking items away never fails");
        cut(started, old)..old
    }

    /// Takes away items from the back that are not started, and returns them. It takes at most `most` items and at most
    /// half of the items that are not started. The limit of half prevents two fast workers from stealing the same items
    /// back and forth.
    pub(super) fn steal_half(&self, most: u32) -> Option<Range<u32>> {
        let kept = |started: u32, end: u32| end - (end - started).div_ceil(2).min(most);
        let before =
            self.change(|started, end| (started < end).then(|| (started, kept(started, end))));
        let (started, end) = before?;
        Some(kept(started, end)..end)
    }

    /// Returns whether an item is not started.
    pub(super) fn is_open(&self) -> bool {
        let (started, end) = halves(self.0.load(Ordering::Relaxed));
        started < end
    }

    /// Applies `change` to the word, unless it returns `None`. Returns the halves before the change.
    fn change(&self, change: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Option<(u32, u32)> {
        let next = |before| {
            let (started, end) = halves(before);
            change(started, end).map(|(started, end)| word(started, end))
        };
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(halves(before))
    }
}

fn word(started: u32, end: u32) -> u64 {
    u64::from(started) << 32 | u64::from(end)
}

#[expect(clippy::cast_possible_truncation, reason = "each half is extracted on purpose")]
fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl OpenClaim {
    /// Creates a claim and starts its first item, because a worker claims items in order to process them at once. A
    /// claim of an empty span starts no item.
    pub(super) fn new(span: Span) -> Self {
        let items = u32::try_from(span.len()).expect("a claim has at most `MAX_ITEMS` items");
        let word = AtomicU64::new(word(items.min(1), items));
        Self { span, word, loan: Mutex::default() }
    }

    pub(super) fn progress(&self) -> ClaimProgress<'_> {
        ClaimProgress::of(&self.word)
    }

    /// Takes away the items from `end` on that are not started.
    pub(super) fn cut(&self, end: usize) -> Span {
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        self.slice(match &mut *self.lock_loan() {
            Some(loan) => loan.cut(end),
            None => self.progress().cut(end),
        })
    }

    /// Takes away at most `most` items and at most half of the items that are not started.
    pub(super) fn steal_half(&self, most: usize) -> Option<Span> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let items = match &mut *self.lock_loan() {
            Some(loan) => loan.steal_half(most),
            None => self.progress().steal_half(most),
        };
        items.map(|items| self.slice(items))
    }

    /// Takes back all items from `from` on, even items that were started ahead.
    fn take_back_from(&self, from: usize) -> Span {
        self.slice(self.progress().take_back(u32::try_from(from).unwrap_or(u32::MAX)))
    }

    /// Lends all items from the last started item on. The child gets the first `sent` of them.
    pub(super) fn lend(&self, page: Arc<dyn SharedClaimProgress>, sent: usize) {
        let mut loan = self.lock_loan();
        let (_, started, end) = self.progress().load();
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        *loan = Some(LoanState::new(page, started - 1, end, sent));
        self.progress().store(end, end);
    }

    /// Ends the loan. `settle` returns how many of its items count as started.
    pub(super) fn end_loan(&self, settle: impl FnOnce(LoanProgress) -> usize) {
        // The lock covers the whole step: otherwise a stop in between would find no items to take away.
        let mut loan = self.lock_loan();
        let ended = loan.take().expect("a loan ends once");
        let (started, end) = ended.settle(settle);
        self.progress().store(started, end);
    }

    /// Returns the number of lent items that are started.
    pub(super) fn started_of_lent(&self) -> usize {
        self.lock_loan().as_mut().map_or(0, LoanState::started) as usize
    }

    fn lock_loan(&self) -> MutexGuard<'_, Option<LoanState>> {
        // No foreign code runs under this mutex.
        self.loan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slice(&self, items: Range<u32>) -> Span {
        self.span.slice(items.start as usize..items.end as usize)
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock_loan().as_mut().map_or_else(|| self.progress().is_open(), LoanState::is_open)
    }
}

impl<'a> Claim<'a> {
    /// The maximum number of items in one claim.
    pub(super) const MAX_ITEMS: usize = u32::MAX as usize;

    /// Claims `span`, which must not be empty, for a worker.
    pub(super) fn new(queue: &'a Queue, state: &mut State, span: Span) -> Self {
        let mut open = state.recycled_claims.pop().unwrap_or_default();
        *Arc::get_mut(&mut open).expect("an ended claim has no other owner") = OpenClaim::new(span);
        state.claimed.push(Arc::clone(&open));
        Self { queue, open, done: 0, bytes: 0 }
    }

    /// Returns all items that were claimed. Some of them may have been taken away since.
    pub fn span(&self) -> &Span {
        &self.open.span
    }

    /// Returns the progress of the claim, which starts its next item. The first item of a claim is started.
    pub fn progress(&self) -> ClaimProgress<'_> {
        self.open.progress()
    }

    /// Lends the last started item and all items after it to a child, which starts them. The host sends the first
    /// `sent` of the lent items to the child.
    pub fn lend(&self, page: Arc<dyn SharedClaimProgress>, sent: usize) -> Loan<'_> {
        Loan::of(&self.open, page, sent)
    }

    /// Returns a handle that gives back items that were started ahead. The worker can use the handle during the
    /// instance's call.
    pub fn returner(&self) -> ClaimReturner {
        let Queue { state, work, .. } = self.queue;
        ClaimReturner {
            state: Arc::clone(state),
            work: Arc::clone(work),
            claim: Arc::clone(&self.open),
        }
    }

    /// Adds `bytes` of outcomes to the held bytes of the window, until the outcomes are released. The bytes are added
    /// when the claim ends, or in [`keep`](Self::keep).
    pub fn hold(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Ends the claim. The first `done` items have their outcome; the others go back.
    pub fn end(mut self, done: usize) {
        self.done = done;
    }

    /// Keeps the started item at `at` and gives all other items without an outcome back to the queue. The first `done`
    /// items have their outcomes. The items from `done` to `at` were started, and their outcomes are lost.
    pub fn keep(&mut self, at: usize, done: usize) -> Span {
        self.done = at;
        let mut state = self.queue.lock();
        state.held_bytes += std::mem::take(&mut self.bytes);
        let lost = self.open.span.slice(done..at);
        state.record_started(&lost);
        state.put_back(lost);
        state.put_back(self.open.take_back_from(at + 1));
        drop(state);
        self.queue.work.notify_all();
        self.open.span.slice(at..at + 1)
    }
}

/// A handle that gives back items of a claim that were started ahead.
#[derive(Clone, Debug)]
pub struct ClaimReturner {
    state: Arc<Mutex<State>>,
    work: Arc<Condvar>,
    claim: Arc<OpenClaim>,
}

impl ClaimReturner {
    /// Records that these items were executed, although they go back because their outcomes are lost.
    pub fn record_started(&self, items: Range<usize>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.record_started(&self.claim.span.slice(items));
    }

    /// Gives back the items at or after `from`, which the instance has not reached. The worker starts no more items of
    /// this claim.
    pub fn give_back(&self, from: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.put_back(self.claim.take_back_from(from));
        if state.workers_wait > 0 {
            self.work.notify_all();
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let at = state.claimed.iter().position(|claim| Arc::ptr_eq(claim, &self.open));
        let claim = state.claimed.swap_remove(at.expect("a claim is open until it is dropped"));
        let end = claim.progress().cut(0).end as usize;
        state.put_back(claim.span.slice(self.done..end));
        state.held_bytes += self.bytes;
        self.open = Arc::clone(&state.empty_claim);
        state.end(claim);
        // Workers may be waiting for one of three events:
        // - This claim has given back an item.
        // - The last claim has ended, so that the workers can leave.
        // - The earliest claim has ended, so that the workers can continue.
        if state.workers_wait > 0 {
            self.queue.work.notify_all();
        }
    }
}
