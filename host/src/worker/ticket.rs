//! How a pool tells a worker of a run.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::outcome::Outcomes;
use crate::pool::run::Run;

/// A run, and where a worker's outcomes of it go. The run is over when every worker has dropped
/// its ticket.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) run: Arc<Run>,
    pub(crate) outbox: Sender<Outcomes>,
}

/// Where one worker finds its next ticket. It holds one: a ticket that was not taken is of a
/// run that nobody waits for any more, and makes way for the next.
#[derive(Debug)]
pub(crate) struct Mailbox {
    put: Sender<Ticket>,
    take: Receiver<Ticket>,
}

/// A mailbox, and the worker's end of it, which closes when the mailbox is dropped.
pub(crate) fn mailbox() -> (Mailbox, Receiver<Ticket>) {
    let (put, take) = bounded(1);
    (Mailbox { put, take: take.clone() }, take)
}

impl Mailbox {
    pub(crate) fn put(&self, mut ticket: Ticket) {
        while let Err(TrySendError::Full(refused)) = self.put.try_send(ticket) {
            ticket = refused;
            drop(self.take.try_recv());
        }
    }
}
