//! The queue between the reader and the workers, and the window that bounds it.
//!
//! ```text
//!            push                claim (from the front)           release
//!  reader ─────────▶ │ span span span open │ ─────────▶ workers ──────────▶ consumer
//!     ▲                                ▲  give back │ share                    │
//!     │                                └────────────┘                          │
//!     └──────────────── room: items and bytes that are held ◀──────────────────┘
//! ```
//!
//! An item is *held* from the moment it is pushed until the consumer has taken its outcome:
//! a slow item at the head stalls the reader and never fills memory. Small pushes gather in
//! an open block at the back; a worker that finds nothing else takes it as it is, so that
//! nothing waits for a block to fill.
//!
//! One mutex guards it all. It is taken once per claimed run of items (about a millisecond
//! of work), not once per item: a worker starts the items of its claim one by one by an atomic
//! step. A worker that finds nothing waiting takes items that another holds and has not
//! started, so that none is idle while another sits on work.
//!
//! # Invariants
//!
//! * `waiting` is sorted by item, without overlap, and holds `waiting_items`; the open block
//!   comes after all of it.
//! * No item at or past the horizon is started; the horizon never grows.
//! * An item is in one place: waiting, claimed by one worker, or done.
//! * No worker sleeps while there is an item that it may start.
//!
//! `tests/model-check` holds this file to them in every order of the threads' steps.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use crate::block::{BlockBuilder, Blocks, Span};
use crate::control::sync::atomic::{AtomicU64, Ordering};
use crate::control::sync::{Condvar, Mutex, MutexGuard};
use crate::item::index::ItemIndex;

mod claim;
mod left;
mod loan;
mod window;

use self::claim::Held;
pub use self::claim::{Claim, Reach, Rest, SharedReach};
pub use self::left::Left;
pub use self::loan::Loan;
pub use self::window::Window;

/// The queue of one run.
#[derive(Debug)]
pub struct Queue {
    window: Window,
    workers: usize,
    state: Arc<Mutex<State>>,
    /// Items may have come for a worker, or none will come any more.
    work: Arc<Condvar>,
    /// There may be room for the reader.
    room: Condvar,
    /// Items from here on are not started.
    horizon: AtomicU64,
    /// The number of times that the mutex was taken.
    #[cfg(test)]
    locked: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Span>,
    /// How many items wait, without those of the open block.
    waiting_items: usize,
    open: BlockBuilder,
    blocks: Blocks,
    /// Items that were read and that the window does not admit yet; they come after all others.
    unadmitted: Option<Span>,
    /// The position of the next item to be pushed.
    next: ItemIndex,
    held_items: usize,
    held_bytes: usize,
    /// The claims that are open.
    claimed: Vec<Arc<Held>>,
    /// What was such a claim, for the next ones.
    ended: Vec<Arc<Held>>,
    /// A claim of nothing.
    nobody: Arc<Held>,
    /// Items that were started, and came back because their outcomes were lost.
    begun: Vec<Range<u64>>,
    closed: bool,
    workers_wait: usize,
    reader_waits: bool,
}

/// The answer to whether the window has room for another item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HasRoom {
    /// More may be pushed.
    Yes,
    /// The window is full.
    No,
}

/// The run has been stopped: whoever waited gives up.
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
    /// When the run was stopped.
    pub fn wait_for_room(&self) -> Result<(), Stopped> {
        drop(self.lock_with_room()?);
        Ok(())
    }

    /// Takes all items out of `block`, as the window allows; numbers them in their order. Returns whether the next
    /// item may be read without a wait.
    ///
    /// # Errors
    ///
    /// When the run was stopped.
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
        // From here on these items count as read: whatever ends the run finds them here.
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

    /// Lets in what the window admits of the items that were read; says whether that was all.
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

    /// Says that nothing more will be pushed.
    pub fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
    }

    /// Claims up to `wanted` items, from the front or of those that another worker has not
    /// started; waits for them. None when no worker will ever get another item.
    pub fn claim(&self, wanted: usize) -> Option<Claim<'_>> {
        let wanted = wanted.clamp(1, Claim::MOST);
        loop {
            let mut state = self.lock_with_work()?;
            // No more than a fair share of what is there: others may be about to ask.
            let share = state.waiting_items.div_ceil(self.workers).max(1);
            let share = if self.window.is_overfull(state.held_bytes) { 1 } else { share };
            let waiting = state.take_front(wanted.min(share), self.horizon());
            // Another worker may have started just now what it was about to be relieved of.
            let Some(span) = waiting.or_else(|| state.relieve(wanted)) else { continue };
            let claim = Claim::new(self, &mut state, span);
            if !state.waiting.is_empty() || !state.open.is_empty() {
                self.wake_worker(&state);
            }
            return Some(claim);
        }
    }

    /// Takes items over from a worker that has not started them, if there are some: what [`claim`](Self::claim) does
    /// when none wait, for whoever must not wait.
    #[doc(hidden)]
    pub fn relieve(&self, most: usize) -> Option<Span> {
        self.lock().relieve(most)
    }

    /// Waits for an item to claim; false when no worker will ever get another one.
    pub fn wait_for_work(&self) -> bool {
        match self.lock_with_work() {
            Some(state) => {
                // It may have been woken for an item that another can take meanwhile.
                self.wake_worker(&state);
                true
            }
            None => false,
        }
    }

    /// A worker stays while others hold items that they may give back.
    fn lock_with_work(&self) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        loop {
            if state.waiting.is_empty() && !state.open.is_empty() {
                state.seal_open();
            }
            let horizon = self.horizon();
            let front = state.waiting.front().map(Span::first).filter(|first| *first < horizon);
            let work = match front {
                Some(front) => self.may_start(&state, front),
                None => self.may_relieve(&state),
            };
            if work {
                return Some(state);
            }
            let comes = !state.closed && horizon > state.next;
            let comes_back = state.claimed.iter().any(|held| held.span().first() < horizon);
            if front.is_none() && !comes && !comes_back {
                // Others that wait for the same may leave as well.
                self.work.notify_all();
                return None;
            }
            state.workers_wait += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.workers_wait -= 1;
        }
    }

    /// Whether the item at `front` may be started. Results that wait for an earlier item take
    /// memory that no reader can be blamed for: when it is too much, only the earliest item goes
    /// on, until it has let the others out.
    fn may_start(&self, state: &State, front: ItemIndex) -> bool {
        !self.window.is_overfull(state.held_bytes)
            || state.claimed.iter().all(|held| front < held.span().first())
    }

    /// Whether another worker holds items that it has not started; they are before the horizon.
    fn may_relieve(&self, state: &State) -> bool {
        !self.window.is_overfull(state.held_bytes)
            && state.claimed.iter().any(|held| held.is_open())
    }

    /// Lets go of items whose outcomes the consumer has taken.
    pub fn release(&self, items: usize, bytes: usize) {
        let mut state = self.lock();
        let was_overfull = self.window.is_overfull(state.held_bytes);
        state.held_items -= items;
        state.held_bytes -= bytes;
        if state.reader_waits {
            self.room.notify_one();
        }
        if was_overfull && !self.window.is_overfull(state.held_bytes) && state.workers_wait > 0 {
            // All of them: what there is may be with another worker, who wakes nobody.
            self.work.notify_all();
        }
    }

    /// Returns whether items that are done and still held are so many that they had better be let go of.
    pub fn are_many(&self, items: usize, bytes: usize) -> bool {
        self.window.is_much(items, bytes)
    }

    /// Holds what the outcomes take, beside their items, until it is released.
    pub fn hold(&self, bytes: usize) {
        self.lock().held_bytes += bytes;
    }

    /// Starts no item from `index` on; what is before goes on. Wakes everyone who waits.
    pub fn stop_from(&self, index: ItemIndex) {
        let mut state = self.lock();
        self.horizon.fetch_min(index.get(), Ordering::Relaxed);
        for at in 0..state.claimed.len() {
            let held = &state.claimed[at];
            let kept = index.get().saturating_sub(held.span().first().get());
            let stopped = held.cut(usize::try_from(kept).unwrap_or(usize::MAX));
            state.put_back(stopped);
        }
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Items from here on are not started.
    pub fn horizon(&self) -> ItemIndex {
        ItemIndex::new(self.horizon.load(Ordering::Relaxed))
    }

    /// Takes out what no worker has claimed, in the order of the input. To be called when all workers have left.
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

    /// Does the same, and tells items that were started once from those that never were.
    pub fn take_left(&self) -> Vec<Left> {
        let mut begun = std::mem::take(&mut self.lock().begun);
        begun.sort_unstable_by_key(|items| items.start);
        self.drain().into_iter().flat_map(|span| left::split(&span, &begun)).collect()
    }

    /// How many items have been pushed.
    pub fn pushed(&self) -> u64 {
        self.lock().next.get()
    }

    /// How many of `rest` the window admits now: at least one.
    fn admitted(&self, state: &State, rest: &Span) -> usize {
        let (mut items, mut bytes) = (state.held_items, state.held_bytes);
        let last = rest.len().saturating_sub(1);
        // As a rule there is room for all of it.
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

    /// A condition variable costs a system call even when nobody waits, so that is asked first.
    fn wake_worker(&self, state: &State) {
        if state.workers_wait > 0 {
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        #[cfg(test)]
        self.locked.fetch_add(1, Ordering::Relaxed);
        // No code of others runs under the mutex: a panic here is a bug that is already
        // reported, and the state is whole between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold(&mut self, span: &Span) {
        self.held_items += span.len();
        self.held_bytes += span.total_cost();
    }

    /// Notes that items were started that go back without an outcome.
    fn note_begun(&mut self, span: &Span) {
        if span.is_empty() {
            return;
        }
        // What comes before all that is left is done.
        let claimed = self.claimed.iter().map(|held| held.span().first());
        let first = claimed.chain(self.waiting.front().map(Span::first)).min();
        let first = first.unwrap_or_default().min(span.first()).get();
        self.begun.retain(|items| items.end > first);
        self.begun.push(span.first().get()..span.first().plus(span.len()).get());
    }

    fn seal_open(&mut self) {
        if !self.open.is_empty() {
            let first = ItemIndex::new(self.next.get() - self.open.len() as u64);
            let span = self.blocks.seal(&mut self.open, first);
            self.put_back(span);
        }
    }

    /// Keeps what was a claim, and lets go of its items.
    fn end(&mut self, mut claim: Arc<Held>) {
        if let Some(held) = Arc::get_mut(&mut claim) {
            *held = Held::new(self.nobody.span().clone());
            self.ended.push(claim);
        }
    }

    /// Takes items over from a worker that has not started them.
    fn relieve(&mut self, most: usize) -> Option<Span> {
        self.claimed.iter().filter(|held| held.is_open()).find_map(|held| held.share(most))
    }

    /// Puts a span where it belongs, joined with its neighbours of the same block.
    fn put_back(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        self.waiting_items += span.len();
        let place = self.waiting.partition_point(|other| other.first() < span.first());
        self.waiting.insert(place, span);
        self.join_at(place + 1);
        self.join_at(place);
    }

    /// Joins the span at `place` with the one before it, if they belong together.
    fn join_at(&mut self, place: usize) {
        let Some(before) = place.checked_sub(1) else { return };
        let Some(span) = self.waiting.get(place).cloned() else { return };
        if self.waiting[before].join(&span) {
            self.waiting.remove(place);
        }
    }

    /// Takes up to `items` off the front, if it begins before the horizon.
    fn take_front(&mut self, items: usize, horizon: ItemIndex) -> Option<Span> {
        let front = self.waiting.front_mut().filter(|span| span.first() < horizon)?;
        let reach = horizon.get() - front.first().get();
        let span = front.split_to(items.min(usize::try_from(reach).unwrap_or(usize::MAX)));
        if front.is_empty() {
            self.waiting.pop_front();
        }
        self.waiting_items -= span.len();
        Some(span)
    }
}

#[cfg(test)]
mod tests;
