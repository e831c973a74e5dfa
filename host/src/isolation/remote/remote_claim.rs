//! Checks the outcomes that a child sends. Each outcome must belong to an item that the parent has
//! sent and that the child can have started.

use crate::isolation::wire::run_reply::{ChildOutcomes, ChildRunReply};
use crate::isolation::wire::{Payload, ProtocolError};
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;
use crate::queue::Loan;

/// Items that are on loan to a child.
#[derive(Debug)]
pub(crate) struct RemoteClaim<'a> {
    loan: Loan<'a>,
    /// The number of items that the child was sent.
    sent: usize,
    /// The number of outcomes that were received in parts.
    received: usize,
    /// The bytes of their records and messages.
    bytes: usize,
}

impl<'a> RemoteClaim<'a> {
    pub(crate) fn new(loan: Loan<'a>, sent: usize) -> Self {
        Self { loan, sent, received: 0, bytes: 0 }
    }

    /// Adds a part: the outcomes of some items, which the child sends while it runs a later one.
    pub(crate) fn add_part(
        &mut self,
        part: Payload<'_>,
        outcomes: &mut Outcomes,
        limit: ResultLimit,
    ) -> Result<(), ProtocolError> {
        let reply = ChildOutcomes::decode(part)?;
        if reply.count() == 0 {
            return Err(ProtocolError("a part without outcomes"));
        }
        let received = self.received + reply.count();
        // The item that the child is running counts as started. Items that other workers took are never started.
        if received >= self.loan.started() {
            return Err(ProtocolError("outcomes of items that it has not started"));
        }
        self.check_size(&reply)?;
        (self.received, self.bytes) = (received, self.bytes + reply.bytes());
        reply.add_to(outcomes, limit);
        Ok(())
    }

    /// Refuses further outcomes if the received parts together have at least [`Outcomes::LARGE`]
    /// bytes. An honest child starts no item after it has sent that many bytes. Without this check,
    /// a hostile child could send a frame of the maximum size for each of thousands of items.
    fn check_size(&self, reply: &ChildOutcomes<'_>) -> Result<(), ProtocolError> {
        if self.bytes >= Outcomes::LARGE && reply.count() > 0 {
            return Err(ProtocolError("more bytes of results than the parts may have"));
        }
        Ok(())
    }

    /// Ends the loan. Returns the child's last reply and the number of started items, which is at
    /// least one. If the reply fails a check, returns the error in place of the reply.
    pub(crate) fn settle<'reply, E: From<ProtocolError>>(
        self,
        reply: Result<ChildRunReply<'reply>, E>,
    ) -> (Result<ChildRunReply<'reply>, E>, usize) {
        let reply = reply.and_then(|reply| {
            self.check_size(reply.outcomes())?;
            Ok(reply)
        });
        let Self { loan, sent, received, .. } = self;
        let (mut checked, mut started) = (Err(ProtocolError("nothing").into()), 0);
        loan.settle(|returned| {
            started = returned.started;
            checked = reply.and_then(|reply| {
                reply.check(sent - received, returned.started - received)?;
                Ok(reply)
            });
            checked.as_ref().map_or(returned.started, |reply| received + reply.started())
        });
        (checked, started)
    }
}
