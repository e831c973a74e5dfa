//! Items that one worker holds; what it has not started, others may take from it.
//!
//! ```text
//!  span   │ started: done, or at work │ not started │ gone: to others, or stopped │
//!         0                        started ─▶    ◀─ end
//! ```
//!
//! The worker that holds the claim moves `started` up, one item at a time, without a lock.
//! Others, under the queue's mutex, move `end` down. Both are halves of one atomic word, so
//! an item goes one way or the other; `tests/model-check` checks it in every order of their steps.
//!
//! An instance that is given many items at once has them started all together, ahead of their
//! turns. Those that it has not come to when it is told to stop go back to the queue: only then, and
//! under the queue's mutex, `started` moves back, and the claim is left with nothing to start.
//!
//! A claim may be lent to another process, which starts its items: then the word is in a page that
//! both share, and `loan.rs` says what is believed of it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use super::loan::{Lent, Loan, Returned};
use super::{Queue, State};
use crate::block::Span;
use crate::control::sync::atomic::{AtomicU64, Ordering};
use crate::control::sync::{Condvar, Mutex, MutexGuard};

/// How far the items of a claim have gone.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a>(&'a AtomicU64);

/// Memory that another process shares, with a word for the claim that it has on loan.
pub trait SharedReach: fmt::Debug + Send + Sync {
    /// Returns the word. The other process may write anything there, at any time.
    fn word(&self) -> &AtomicU64;

    /// Returns the word as one that says how far the claim has gone.
    fn reach(&self) -> Reach<'_> {
        Reach::of(self.word())
    }
}

/// A claim as the queue knows it.
#[derive(Debug, Default)]
pub(super) struct Held {
    span: Span,
    word: AtomicU64,
    /// Where its items go while another process starts them. Until it is given back, none is
    /// open by `reach`.
    lent: Mutex<Option<Lent>>,
}

/// A claim as its worker has it. What it has no outcome for goes back when it is dropped.
#[derive(Debug)]
pub struct Claim<'a> {
    queue: &'a Queue,
    held: Arc<Held>,
    /// How many items at the front have their outcome.
    done: usize,
    /// The memory of outcomes that the window is to hold when the queue's mutex is taken next, in bytes.
    bytes: usize,
}

impl<'a> Reach<'a> {
    /// Reads and changes this word.
    fn of(word: &'a AtomicU64) -> Self {
        Self(word)
    }

    /// Of a claim that is lent: how far it has gone, as whoever has it says.
    pub fn told(&self) -> (u64, u32, u32) {
        let word = self.0.load(Ordering::Relaxed);
        let (started, end) = halves(word);
        (word, started, end)
    }

    /// Moves the end of a claim that is lent, if nobody has changed the word since it was told.
    pub(super) fn retell(&self, told: u64, started: u32, end: u32) -> bool {
        let (order, word) = (Ordering::Relaxed, word(started, end));
        self.0.compare_exchange(told, word, order, order).is_ok()
    }

    /// Says how far a claim has gone, whatever was there.
    pub fn set(&self, started: u32, end: u32) {
        self.0.store(word(started, end), Ordering::Relaxed);
    }

    /// Ends a claim that is lent: whoever has it starts no more of it. Gives how far it has gone,
    /// as it says.
    pub(super) fn close(&self) -> u32 {
        halves(self.0.swap(word(0, 0), Ordering::Relaxed)).0
    }

    /// Starts the next item, if there is one.
    // The items themselves never change, and were handed over under the mutex: nothing but
    // the word itself must be agreed on.
    pub fn start_next(&self) -> bool {
        self.change(|started, end| (started < end).then(|| (started + 1, end))).is_some()
    }

    /// Starts up to `most` items at once; says how many.
    pub fn start_ahead(&self, most: u32) -> u32 {
        let ahead = |started: u32, end: u32| most.min(end.saturating_sub(started));
        let before = self.change(|started, end| {
            Some((started + ahead(started, end), end)).filter(|_| ahead(started, end) > 0)
        });
        before.map_or(0, |(started, end)| ahead(started, end))
    }

    /// Takes back all items from `from` on, started ahead or not; says which. Under the queue's
    /// mutex, by who holds the claim: then nobody else changes the word.
    fn retreat(&self, from: u32) -> Range<u32> {
        let kept = |started: u32, end: u32| from.min(started).min(end);
        let before = self.change(|started, end| {
            let kept = kept(started, end);
            Some((kept, kept))
        });
        let (started, end) = before.expect("a retreat is always possible");
        kept(started, end)..end
    }

    /// Takes away the items from `end` on that are not started; says which.
    pub(super) fn cut(&self, end: u32) -> Range<u32> {
        let cut = |started: u32, old: u32| old.min(end.max(started));
        let before = self.change(|started, old| Some((started, cut(started, old))));
        let (started, old) = before.expect("a cut is always possible");
        cut(started, old)..old
    }

    /// Takes away items that are not started, from the back: at most `most`, and at most half
    /// of them, so that two who are quick do not take them in turns from each other.
    pub(super) fn share(&self, most: u32) -> Option<Range<u32>> {
        let kept = |started: u32, end: u32| end - (end - started).div_ceil(2).min(most);
        let before =
            self.change(|started, end| (started < end).then(|| (started, kept(started, end))));
        let (started, end) = before?;
        Some(kept(started, end)..end)
    }

    /// Whether some item is not started.
    pub(super) fn is_open(&self) -> bool {
        let (started, end) = halves(self.0.load(Ordering::Relaxed));
        started < end
    }

    /// Changes the word by `change`, if it wants to; gives the halves that were there before.
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

#[expect(clippy::cast_possible_truncation, reason = "each half is meant by itself")]
fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Held {
    /// Holds a claim whose first item is started: whoever claims, works. An empty span has nothing to start.
    pub(super) fn new(span: Span) -> Self {
        let items = u32::try_from(span.len()).expect("no more was claimed than can be");
        let word = AtomicU64::new(word(items.min(1), items));
        Self { span, word, lent: Mutex::default() }
    }

    pub(super) fn reach(&self) -> Reach<'_> {
        Reach::of(&self.word)
    }

    /// Takes away the items from `end` on that are not started.
    pub(super) fn cut(&self, end: usize) -> Span {
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        self.slice(match &mut *self.lent() {
            Some(lent) => lent.cut(end),
            None => self.reach().cut(end),
        })
    }

    /// Takes away up to half of the items that are not started, and no more than `most`.
    pub(super) fn share(&self, most: usize) -> Option<Span> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let items = match &mut *self.lent() {
            Some(lent) => lent.share(most),
            None => self.reach().share(most),
        };
        items.map(|items| self.slice(items))
    }

    /// Takes back all items from `from` on, started ahead or not.
    fn retreat(&self, from: usize) -> Span {
        self.slice(self.reach().retreat(u32::try_from(from).unwrap_or(u32::MAX)))
    }

    /// Lends the items from the one on that was started last; `sent` of them are sent.
    pub(super) fn lend(&self, page: Arc<dyn SharedReach>, sent: usize) {
        let mut lent = self.lent();
        let (_, started, end) = self.reach().told();
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        *lent = Some(Lent::new(page, started - 1, end, sent));
        self.reach().set(end, end);
    }

    /// Takes back what was lent; `settle` says how many items of it are started.
    pub(super) fn take_back(&self, settle: impl FnOnce(Returned) -> usize) {
        // In one step for whoever wants to take items away: a stop in between would find none.
        let mut lent = self.lent();
        let over = lent.take().expect("a loan is taken back once");
        let (started, end) = over.settle(settle);
        self.reach().set(started, end);
    }

    /// Returns the number of items that are started of those that are lent.
    pub(super) fn started_of_lent(&self) -> usize {
        self.lent().as_mut().map_or(0, Lent::started) as usize
    }

    fn lent(&self) -> MutexGuard<'_, Option<Lent>> {
        // Nothing of others runs under it.
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slice(&self, items: Range<u32>) -> Span {
        self.span.slice(items.start as usize..items.end as usize)
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn is_open(&self) -> bool {
        self.lent().as_mut().map_or_else(|| self.reach().is_open(), Lent::is_open)
    }
}

impl<'a> Claim<'a> {
    /// The largest number of items that one claim can have.
    pub(super) const MOST: usize = u32::MAX as usize;

    /// Claims `span`, which has an item, for a worker.
    pub(super) fn new(queue: &'a Queue, state: &mut State, span: Span) -> Self {
        let mut held = state.ended.pop().unwrap_or_default();
        let place = Arc::get_mut(&mut held).expect("nobody has one that has ended");
        *place = Held::new(span);
        state.claimed.push(Arc::clone(&held));
        Self { queue, held, done: 0, bytes: 0 }
    }

    /// All items that were claimed; some of them may be gone by now.
    pub fn span(&self) -> &Span {
        &self.held.span
    }

    /// How far it has gone: what starts the next item. The first item of a claim is started.
    pub fn reach(&self) -> Reach<'_> {
        self.held.reach()
    }

    /// Lends the items to another process, which starts them, from the one on that was started
    /// last; it is sent the first `sent` of those.
    pub fn lend(&self, page: Arc<dyn SharedReach>, sent: usize) -> Loan<'_> {
        Loan::of(&self.held, page, sent)
    }

    /// What gives back items that were started ahead of their turns, from wherever their worker
    /// then is: inside the instance that works on them.
    pub fn rest(&self) -> Rest {
        let Queue { state, work, .. } = self.queue;
        Rest { state: Arc::clone(state), work: Arc::clone(work), held: Arc::clone(&self.held) }
    }

    /// Lets the window hold the memory of outcomes until they are released: from when the claim ends, or keeps one item.
    pub fn hold(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Ends the claim: the first `done` items have their outcome, the others go back.
    pub fn end(mut self, done: usize) {
        self.done = done;
    }

    /// Keeps the item at `at`, which was started; the first `done` have their outcome, the others
    /// go back. Those before `at` were started as well, and their outcomes lost.
    pub fn keep(&mut self, at: usize, done: usize) -> Span {
        self.done = at;
        let mut state = self.queue.lock();
        state.held_bytes += std::mem::take(&mut self.bytes);
        let lost = self.held.span.slice(done..at);
        state.note_begun(&lost);
        state.put_back(lost);
        state.put_back(self.held.retreat(at + 1));
        drop(state);
        self.queue.work.notify_all();
        self.held.span.slice(at..at + 1)
    }
}

/// Gives back items of a claim that were started ahead of their turns.
#[derive(Clone, Debug)]
pub struct Rest {
    state: Arc<Mutex<State>>,
    work: Arc<Condvar>,
    held: Arc<Held>,
}

impl Rest {
    /// Notes that these items were executed, though they go back: what became of them is lost.
    pub fn note_begun(&self, items: Range<usize>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.note_begun(&self.held.span.slice(items));
    }

    /// The items from `from` on go back: nobody has come to them. The worker starts no more of this
    /// claim.
    pub fn give_back(&self, from: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.put_back(self.held.retreat(from));
        if state.workers_wait > 0 {
            self.work.notify_all();
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let place = state.claimed.iter().position(|held| Arc::ptr_eq(held, &self.held));
        let held = state.claimed.swap_remove(place.expect("a claim is open until it is dropped"));
        let end = held.reach().cut(0).end as usize;
        state.put_back(held.span.slice(self.done..end));
        state.held_bytes += self.bytes;
        self.held = Arc::clone(&state.nobody);
        state.end(held);
        // What waits for this: an item that has come back; the end of the last claim, to leave;
        // the end of the earliest one, to go on.
        if state.workers_wait > 0 {
            self.queue.work.notify_all();
        }
    }
}
