//! Checks the outcomes that a child sends against the items that it was lent and can have started.

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
    /// The number of outcomes that came in parts, and the bytes of their records and messages.
    had: usize,
    bytes: usize,
}

impl<'a> RemoteClaim<'a> {
    pub(crate) fn new(loan: Loan<'a>, sent: usize) -> Self {
        Self { loan, sent, had: 0, bytes: 0 }
    }

    /// Adds a part: the outcomes of some items, which the child sends while it runs a later one.
    pub(crate) fn add_part(
        &mut self,
        part: Payload<'_>,
        outcomes: &mut Outcomes,
        limit: ResultLimit,
    ) -> Result<(), ProtocolError> {
        let there = ChildOutcomes::decode(part)?;
        if there.count() == 0 {
            return Err(ProtocolError("a part without outcomes"));
        }
        let had = self.had + there.count();
        // The item that the child is running counts as started. Items that other workers took are never started.
        if had >= self.loan.started() {
            return Err(ProtocolError("outcomes of items that it has not started"));
        }
        self.check_size(&there)?;
        (self.had, self.bytes) = (had, self.bytes + there.bytes());
        there.add_to(outcomes, limit);
        Ok(())
    }

    /// Refuses further outcomes once the parts have [`Outcomes::LARGE`] bytes. An honest child
    /// starts no item after that. Without this check, each of thousands of items could bring a frame
    /// of the largest size.
    fn check_size(&self, there: &ChildOutcomes<'_>) -> Result<(), ProtocolError> {
        if self.bytes >= Outcomes::LARGE && there.count() > 0 {
            return Err(ProtocolError("more bytes of results than the parts may have"));
        }
        Ok(())
    }

    /// Ends the loan. Returns the child's last reply if it passes the checks, and the number of
    /// items that count as started, which is at least one.
    pub(crate) fn settle<'there, E: From<ProtocolError>>(
        self,
        said: Result<ChildRunReply<'there>, E>,
    ) -> (Result<ChildRunReply<'there>, E>, usize) {
        let said = said.and_then(|there| {
            self.check_size(there.outcomes())?;
            Ok(there)
        });
        let Self { loan, sent, had, .. } = self;
        let (mut checked, mut started) = (Err(ProtocolError("nothing").into()), 0);
        loan.settle(|returned| {
            started = returned.started;
            checked = said.and_then(|there| {
                there.check(sent - had, returned.started - had)?;
                Ok(there)
            });
            checked.as_ref().map_or(returned.started, |there| had + there.started())
        });
        (checked, started)
    }
}
