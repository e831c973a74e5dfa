//! Tickets, by which a pool gives a run to its workers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Sender, TrySendError};

use crate::executor::{Outlet, SharedOutcomes};
use crate::outcome::Outcomes;
use crate::run::Run;

/// A run, and the channel for a worker's outcomes. The run is over when every worker has dropped
/// its ticket.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) run: Arc<Run>,
    pub(crate) outbox: Sender<Outcomes>,
}

impl Outlet for Ticket {
    /// Never blocks, because the time limit of the guest's current item is running.
    fn hand_over(&self, outcomes: &mut Outcomes) -> bool {
        if outcomes.len_not_handed_over() == 0 || outcomes.needs_retry() {
            return true;
        }
        if self.outbox.is_full() {
            return false;
        }
        let Run { queue, buffers, .. } = &*self.run;
        let part = outcomes.split(buffers.take());
        self.run.apply_policy(&part);
        let bytes = part.result_bytes();
        queue.hold(bytes);
        match self.outbox.try_send(part) {
            // Another worker has filled the channel in the meantime.
            Err(TrySendError::Full(part)) => {
                queue.release(0, bytes);
                buffers.keep(outcomes.unsplit(part));
                false
            }
            // A disconnected channel means that the run is over.
            Ok(()) | Err(TrySendError::Disconnected(_)) => true,
        }
    }

    fn offer(&self, outcomes: &Arc<SharedOutcomes>) {
        if self.run.early_outcomes.add(outcomes) {
            // This wakes the consumer, which then fetches the outcomes. If the channel is full, the
            // consumer is already awake.
            let _ = self.outbox.try_send(Outcomes::default());
        }
    }
}

/// The pool's end of a mailbox, through which one worker gets its next ticket.
///
/// A mailbox has room for one ticket. A new ticket replaces the old ticket, because the run of the
/// old ticket is over. The worker ends when its mailbox is dropped.
#[derive(Debug)]
pub(crate) struct Mailbox(Arc<Shared>);

/// The worker's end of a mailbox. After it is dropped, the mailbox drops new tickets.
#[derive(Debug)]
pub(crate) struct TicketReceiver(Arc<Shared>);

/// The handle with which a run takes back a ticket that the worker no longer needs.
#[derive(Clone, Debug)]
pub(crate) struct Recall(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ticket: Option<Ticket>,
    closed: bool,
}

/// Returns both ends of a new mailbox.
pub(crate) fn mailbox() -> (Mailbox, TicketReceiver) {
    let shared = Arc::new(Shared::default());
    (Mailbox(Arc::clone(&shared)), TicketReceiver(shared))
}

impl Mailbox {
    pub(crate) fn put(&self, ticket: Ticket) {
        let mut state = self.0.lock();
        let old = if state.closed { Some(ticket) } else { state.ticket.replace(ticket) };
        drop(state);
        self.0.changed.notify_one();
        // This must come after the lock is released: it may drop the last reference to a run.
        drop(old);
    }

    pub(crate) fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.0))
    }
}

impl TicketReceiver {
    /// Waits for the next ticket. Returns `None` if no more tickets will come.
    pub(crate) fn next(&self) -> Option<Ticket> {
        let mut state = self.0.lock();
        loop {
            if state.closed || state.ticket.is_some() {
                return state.ticket.take();
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Recall {
    /// Takes back the ticket of `run`, if the worker has not taken it. The run then does not wait
    /// for a worker that is still starting.
    pub(crate) fn revoke(&self, run: &Run) {
        let mut state = self.0.lock();
        let ticket = state.ticket.take_if(|ticket| std::ptr::eq(&*ticket.run, run));
        drop(state);
        drop(ticket);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under the lock, and the state is consistent between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) -> Option<Ticket> {
        let mut state = self.lock();
        state.closed = true;
        let ticket = state.ticket.take();
        drop(state);
        self.changed.notify_one();
        ticket
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}

impl Drop for TicketReceiver {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}
