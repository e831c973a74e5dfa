//! The tickets by which a pool tells a worker of a run.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Sender, TrySendError};

use crate::executor::{Outlet, Tray};
use crate::outcome::Outcomes;
use crate::run::Run;

/// A run, and where a worker's outcomes of it go. The run is over when every worker has dropped
/// its ticket.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) run: Arc<Run>,
    pub(crate) outbox: Sender<Outcomes>,
}

impl Outlet for Ticket {
    /// Never waits: the guest's time goes on.
    fn hand_over(&self, outcomes: &mut Outcomes) -> bool {
        if outcomes.kept() == 0 || outcomes.is_to_be_retried() {
            return true;
        }
        if self.outbox.is_full() {
            return false;
        }
        let Run { queue, rooms, .. } = &*self.run;
        let part = outcomes.split(rooms.take());
        self.run.apply_policy(&part);
        let bytes = part.result_bytes();
        queue.hold(bytes);
        match self.outbox.try_send(part) {
            // Another worker has filled it meanwhile.
            Err(TrySendError::Full(part)) => {
                queue.release(0, bytes);
                rooms.keep(outcomes.unsplit(part));
                false
            }
            // Where nobody takes it, the run is over.
            Ok(()) | Err(TrySendError::Disconnected(_)) => true,
        }
    }

    fn offer(&self, tray: &Arc<Tray>) {
        if self.run.trays.add(tray) {
            // Wakes the consumer, so that it looks there. If there is no room for this, it is awake.
            let _ = self.outbox.try_send(Outcomes::default());
        }
    }
}

/// Where one worker finds its next ticket: the pool's end of it. It holds one: a ticket that was
/// not taken is of a run that nobody waits for any more, and makes way for the next. The worker
/// leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Mailbox(Arc<Shared>);

/// The worker's end of a mailbox. What comes when it is dropped is lost, as its worker is.
#[derive(Debug)]
pub(crate) struct Tickets(Arc<Shared>);

/// What takes back a ticket that no worker needs any more.
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

/// A mailbox, and the worker's end of it.
pub(crate) fn mailbox() -> (Mailbox, Tickets) {
    let shared = Arc::new(Shared::default());
    (Mailbox(Arc::clone(&shared)), Tickets(shared))
}

impl Mailbox {
    pub(crate) fn put(&self, ticket: Ticket) {
        let mut state = self.0.lock();
        let before = if state.closed { Some(ticket) } else { state.ticket.replace(ticket) };
        drop(state);
        self.0.changed.notify_one();
        // Not under the lock: it may be the last that holds its run.
        drop(before);
    }

    pub(crate) fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.0))
    }
}

impl Tickets {
    /// Waits for the next ticket; none when no more will come.
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
    /// Takes back the ticket of `run`, if the worker has not taken it: the run does not wait for
    /// a worker that is still starting.
    pub(crate) fn ticket_of(&self, run: &Run) {
        let mut state = self.0.lock();
        let ticket = state.ticket.take_if(|ticket| std::ptr::eq(&*ticket.run, run));
        drop(state);
        drop(ticket);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing of others runs under it, and between statements the state is whole.
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

impl Drop for Tickets {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}
