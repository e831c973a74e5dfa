//! The queue between the reader and the workers, and the window that bounds it.
//!
//! ```text
//!            push                claim (from the front)           release
//!  reader ─────────▶ │ span span span open │ ─────────▶ workers ──────────▶ consumer
//!     ▲                                ▲  give back │ steal                    │
//!     │                                └────────────┘                          │
//!     └──────────────── released items and bytes make room ◀───────────────────┘
//! ```
//!
//! An item is *held* from the push until the consumer has taken its outcome, and the window bounds the held items. So a
//! slow item at the front stalls the reader before memory fills up.
//!
//! The queue appends small pushes to an open block at its back. A worker that finds no other items claims the open
//! block, so no item waits until a block is full.
//!
//! One mutex guards the whole queue. A worker locks this mutex once per claim. A claim is about a millisecond of work.
//! The worker starts each item of its claim by an atomic step without the lock. A worker that finds no waiting items
//! steals items that another worker has claimed and not started. So no worker is idle while another worker has claimed
//! items that it has not started.
//!
//! # Invariants
//!
//! * `waiting` is sorted by item, without overlap, and has `waiting_items` items. The items of the open block come
//!   after all waiting items.
//! * No item at or after the horizon is started. The horizon never increases.
//! * An item is in one place: waiting, claimed by one worker, or done.
//! * No worker sleeps while there is an item that it may start.
//!
//! `tests/model-check` checks these invariants for every interleaving of the threads' steps.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use crate::block::{BlockBuilder, Blocks, Span};
use crate::control::sync::atomic::{AtomicU64, Ordering};
use crate::control::sync::{Condvar, Mutex, MutexGuard};
use crate::item::index::ItemIndex;

mod claim;
mod leftover;
mod loan;
mod window;

use self::claim::OpenClaim;
pub use self::claim::{Claim, ClaimProgress, ClaimReturner, SharedClaimProgress};
pub use self::leftover::Leftover;
pub use self::loan::Loan;
pub use self::window::Window;

/// The queue of one run.
#[derive(Debug)]
pub struct Queue {
    window: Window,
    workers: usize,
    state: Arc<Mutex<State>>,
    /// Signals workers that items may be available, or that no more items will come.
    work: Arc<Condvar>,
    /// Signals the reader that the window may have room.
    room: Condvar,
    /// The horizon: no item from this position on is started.
    horizon: AtomicU64,
    /// The number of times that the mutex was taken.
    #[cfg(test)]
    locked: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Span>,
    /// The number of waiting items, without those of the open block.
    waiting_items: usize,
    open: BlockBuilder,
    blocks: Blocks,
    /// Items that were read and that the window does not admit yet. They come after all others.
    unadmitted: Option<Span>,
    /// The position of the next item to push.
    next: ItemIndex,
    held_items: usize,
    held_bytes: usize,
    /// The open claims.
    claimed: Vec<Arc<OpenClaim>>,
    /// The memory of claims that have ended, for reuse.
    recycled_claims: Vec<Arc<OpenClaim>>,
    /// A claim without items, which stands in for a claim that has ended.
    empty_claim: Arc<OpenClaim>,
    /// Items that were started and came back because their outcomes were lost.
    started_lost: Vec<Range<u64>>,
    closed: bool,
    workers_wait: usize,
    reader_waits: bool,
}

/// The state of the window: it has room for another item, or it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HasRoom {
    /// More may be pushed.
    Yes,
    /// The window is full.
    No,
}

/// The error of a thread that waited when the run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl Queue {
    /// Returns an empty queue for this number of workers.
    pub fn new(window: Window, workers: usize) -> Self {
        Self {
            window,
            workers,
            state: Arc::default(),
            work: Arc::new(Condvar::new()),
            room: Condvar::new(),
            horizon: AtomicU64::new(u64::MAX),
            #[cfg(test)]
            locked: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// Waits until at least one more item may be read.
    ///
    /// # Errors
    ///
    /// Returns an error if the run was stopped.
    pub fn wait_for_room(&self) -> Result<(), Stopped> {
        drop(self.lock_with_room()?);
        Ok(())
    }

    /// Numbers all items of `block` in order and moves them into the queue. Waits whenever the window is full. Returns
    /// whether the window has room for the next item.
    ///
    /// # Errors
    ///
    /// Returns an error if the run was stopped.
    pub fn push(&self, block: &mut BlockBuilder) -> Result<HasRoom, Stopped> {
        let mut state = self.lock_with_room()?;
        if block.is_empty() {
            return Ok(HasRoom::Yes);
        }
        let cost = block.cost();
        let fits = self.window.admits(state.held_items + block.len(), state.held_bytes + cost);
        if fits && cost < BlockBuilder::FULL / 8 && state.open.can_take(block) {
            debug_assert!(state.unadmitted.is_none(), "items are pushed in their order");
            state.held_items += block.len();
            state.held_bytes += cost;
            state.next = state.next.plus(block.len());
            state.open.append(block);
            self.wake_worker(&state);
            return Ok(self.room_after(&state));
        }
        state.seal_open();
        let first = state.next;
        let rest = state.blocks.seal(block, first);
        state.next = state.next.plus(rest.len());
        // From here on, these items count as read: the end of the run finds them in `unadmitted`.
        state.unadmitted = Some(rest);
        while !self.admit(&mut state) {
            drop(state);
            state = self.lock_with_room()?;
        }
        Ok(self.room_after(&state))
    }

    /// Returns whether another item may be read.
    fn room_after(&self, state: &State) -> HasRoom {
        let has_room = self.window.has_room(state.held_items, state.held_bytes, self.workers);
        if has_room && self.horizon() > state.next { HasRoom::Yes } else { HasRoom::No }
    }

    /// Admits as many unadmitted items as the window allows. Returns whether it admitted all of them.
    fn admit(&self, state: &mut State) -> bool {
        let Some(mut rest) = state.unadmitted.take() else { return true };
        let admitted = rest.split_to(self.admitted(state, &rest));
        state.hold(&admitted);
        state.put_back(admitted);
        self.wake_worker(state);
        let is_all = rest.is_empty();
        state.unadmitted = (!is_all).then_some(rest);
        is_all
    }

    /// Declares that no more items will be pushed.
    pub fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
    }

    /// Claims up to `most` items from the front. If no item waits, steals items that another worker has not started. If
    /// no item can be stolen, waits. Returns `None` when no more items can come.
    pub fn claim(&self, most: usize) -> Option<Claim<'_>> {
        let most = most.clamp(1, Claim::MAX_ITEMS);
        loop {
            let mut state = self.lock_with_work()?;
            // A claim takes at most a fair share of the waiting items, because other workers may claim soon.
            let share = state.waiting_items.div_ceil(self.workers).max(1);
            let share = if self.window.is_overfull(state.held_bytes) { 1 } else { share };
            let waiting = state.take_front(most.min(share), self.horizon());
            // The owner may have started these items between the check and the steal.
            let Some(span) = waiting.or_else(|| state.steal(most)) else { continue };
            let claim = Claim::new(self, &mut state, span);
            if !state.waiting.is_empty() || !state.open.is_empty() {
                self.wake_worker(&state);
            }
            return Some(claim);
        }
    }

    /// Steals up to `most` items that another worker has claimed and not started. Returns `None` if no worker has such
    /// items. Unlike [`claim`](Self::claim), it never waits.
    #[doc(hidden)]
    pub fn steal(&self, most: usize) -> Option<Span> {
        self.lock().steal(most)
    }

    /// Waits for an item to claim. Returns `false` when no worker will ever get another item.
    pub fn wait_for_work(&self) -> bool {
        match self.lock_with_work() {
            Some(state) => {
                // The wake-up may have been for an item that another worker can still take.
                self.wake_worker(&state);
                true
            }
            None => false,
        }
    }

    /// Waits until there is an item to claim or to steal, and returns the locked queue. Returns `None` when no more
    /// such items can come. A worker keeps waiting while other workers have claimed items, because they may give them
    /// back.
    fn lock_with_work(&self) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        loop {
            if state.waiting.is_empty() && !state.open.is_empty() {
                state.seal_open();
            }
            let horizon = self.horizon();
            let front = state.waiting.front().map(Span::first).filter(|first| *first < horizon);
            let has_work = match front {
                Some(front) => self.may_start(&state, front),
                None => self.may_steal(&state),
            };
            if has_work {
                return Some(state);
            }
            let more_will_come = !state.closed && horizon > state.next;
            let may_come_back = state.claimed.iter().any(|claim| claim.span().first() < horizon);
            if front.is_none() && !more_will_come && !may_come_back {
                // Other waiting workers may leave now.
                self.work.notify_all();
                return None;
            }
            state.workers_wait += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.workers_wait -= 1;
        }
    }

    /// Returns whether the item at `front` may be started. The results of later items wait in memory for the outcome of
    /// an earlier item, even if the reader stalls. If the waiting results are too large, the item may start only if its
    /// index is lower than the index of every claimed item. The outcome of such an item lets the consumer take the
    /// waiting results.
    fn may_start(&self, state: &State, front: ItemIndex) -> bool {
        !self.window.is_overfull(state.held_bytes)
            || state.claimed.iter().all(|claim| front < claim.span().first())
    }

    /// Returns whether another worker has claimed items and not started them. Such items are before the horizon.
    fn may_steal(&self, state: &State) -> bool {
        !self.window.is_overfull(state.held_bytes)
            && state.claimed.iter().any(|claim| claim.is_open())
    }

    /// Releases items whose outcomes the consumer has taken.
    pub fn release(&self, items: usize, bytes: usize) {
        let mut state = self.lock();
        let was_overfull = self.window.is_overfull(state.held_bytes);
        state.held_items -= items;
        state.held_bytes -= bytes;
        if state.reader_waits {
            self.room.notify_one();
        }
        if was_overfull && !self.window.is_overfull(state.held_bytes) && state.workers_wait > 0 {
            // All workers wake: the items may be with another worker, which wakes nobody.
            self.work.notify_all();
        }
    }

    /// Returns whether `items` finished items with `bytes` bytes fill a large share of the window. If so, the consumer
    /// should release them soon.
    pub fn should_release(&self, items: usize, bytes: usize) -> bool {
        self.window.is_large_share(items, bytes)
    }

    /// Counts the memory of outcomes as held, in addition to that of their items, until it is released.
    pub fn hold(&self, bytes: usize) {
        self.lock().held_bytes += bytes;
    }

    /// Lowers the horizon to `index`. No item at or after `index` is started any more. Earlier items continue. Wakes
    /// all waiting threads.
    pub fn stop_from(&self, index: ItemIndex) {
        let mut state = self.lock();
        self.horizon.fetch_min(index.get(), Ordering::Relaxed);
        for at in 0..state.claimed.len() {
            let claim = &state.claimed[at];
            let kept = index.get().saturating_sub(claim.span().first().get());
            let stopped = claim.cut(usize::try_from(kept).unwrap_or(usize::MAX));
            state.put_back(stopped);
        }
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Returns the horizon: no item from this position on is started.
    pub fn horizon(&self) -> ItemIndex {
        ItemIndex::new(self.horizon.load(Ordering::Relaxed))
    }

    /// Takes all items that no worker has claimed, in the order of the input. Call it after all workers have left.
    pub(crate) fn drain(&self) -> VecDeque<Span> {
        let mut state = self.lock();
        state.seal_open();
        if let Some(rest) = state.unadmitted.take() {
            state.hold(&rest);
            state.put_back(rest);
        }
        state.waiting_items = 0;
        std::mem::take(&mut state.waiting)
    }

    /// Takes the same items as `drain`, and marks those that were started before.
    pub fn take_leftovers(&self) -> Vec<Leftover> {
        let mut started = std::mem::take(&mut self.lock().started_lost);
        started.sort_unstable_by_key(|items| items.start);
        self.drain().into_iter().flat_map(|span| leftover::split(&span, &started)).collect()
    }

    /// Returns the number of items that have been pushed.
    pub fn pushed(&self) -> u64 {
        self.lock().next.get()
    }

    /// Returns how many of `rest` the window admits now: at least one.
    fn admitted(&self, state: &State, rest: &Span) -> usize {
        let (mut items, mut bytes) = (state.held_items, state.held_bytes);
        let last = rest.len().saturating_sub(1);
        // In most cases, there is room for all items.
        if self.window.has_room(items + last, bytes + rest.total_cost(), self.workers) {
            return rest.len();
        }
        let fitting = (0..rest.len()).take_while(|&at| {
            let before = (items, bytes);
            items += 1;
            bytes += rest.cost(at);
            self.window.has_room(before.0, before.1, self.workers)
        });
        fitting.count().max(1)
    }

    fn lock_with_room(&self) -> Result<MutexGuard<'_, State>, Stopped> {
        let mut state = self.lock();
        loop {
            if self.horizon() <= state.next {
                return Err(Stopped);
            }
            if self.window.has_room(state.held_items, state.held_bytes, self.workers) {
                return Ok(state);
            }
            state.reader_waits = true;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.reader_waits = false;
        }
    }

    /// Wakes a worker if a worker waits. Without this check, each notification would be a system call, even if no
    /// thread waits.
    fn wake_worker(&self, state: &State) {
        if state.workers_wait > 0 {
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        #[cfg(test)]
        self.locked.fetch_add(1, Ordering::Relaxed);
        // No foreign code runs under the mutex, so a panic under the mutex is a bug of the queue. The host reports the
        // panic elsewhere. The state is consistent between statements, so a poisoned lock is safe to use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold(&mut self, span: &Span) {
        self.held_items += span.len();
        self.held_bytes += span.total_cost();
    }

    /// Records that these items were started, although they go back without an outcome.
    fn record_started(&mut self, span: &Span) {
        if span.is_empty() {
            return;
        }
        // All items before the first claimed or waiting item are done.
        let claimed = self.claimed.iter().map(|claim| claim.span().first());
        let first = claimed.chain(self.waiting.front().map(Span::first)).min();
        let first = first.unwrap_or_default().min(span.first()).get();
        self.started_lost.retain(|items| items.end > first);
        self.started_lost.push(span.first().get()..span.first().plus(span.len()).get());
    }

    fn seal_open(&mut self) {
        if !self.open.is_empty() {
            let first = ItemIndex::new(self.next.get() - self.open.len() as u64);
            let span = self.blocks.seal(&mut self.open, first);
            self.put_back(span);
        }
    }

    /// Keeps the memory of an ended claim, and drops its items.
    fn end(&mut self, mut claim: Arc<OpenClaim>) {
        if let Some(ended) = Arc::get_mut(&mut claim) {
            *ended = OpenClaim::new(self.empty_claim.span().clone());
            self.recycled_claims.push(claim);
        }
    }

    /// Steals items from a worker that has not started them.
    fn steal(&mut self, most: usize) -> Option<Span> {
        self.claimed.iter().filter(|claim| claim.is_open()).find_map(|claim| claim.steal_half(most))
    }

    /// Inserts a span in order, and joins it with its neighbours of the same block.
    fn put_back(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        self.waiting_items += span.len();
        let at = self.waiting.partition_point(|other| other.first() < span.first());
        self.waiting.insert(at, span);
        self.join_at(at + 1);
        self.join_at(at);
    }

    /// Joins the span at `at` with the previous one, if they are adjacent in one block.
    fn join_at(&mut self, at: usize) {
        let Some(before) = at.checked_sub(1) else { return };
        let Some(span) = self.waiting.get(at).cloned() else { return };
        if self.waiting[before].join(&span) {
            self.waiting.remove(at);
        }
    }

    /// Takes up to `items` items from the front, if the front is before the horizon.
    fn take_front(&mut self, items: usize, horizon: ItemIndex) -> Option<Span> {
        let front = self.waiting.front_mut().filter(|span| span.first() < horizon)?;
        let allowed = horizon.get() - front.first().get();
        let span = front.split_to(items.min(usize::try_from(allowed).unwrap_or(usize::MAX)));
        if front.is_empty() {
            self.waiting.pop_front();
        }
        self.waiting_items -= span.len();
        Some(span)
    }
}

#[cfg(test)]
mod tests;
