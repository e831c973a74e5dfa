//! Checks what a child says of the items that it was lent against how far it can have gone.

use crate::isolation::wire::ran::{OutcomesThere, RanThere};
use crate::isolation::wire::{BadFrame, Payload};
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;
use crate::queue::Loan;

/// Items that a child has.
#[derive(Debug)]
pub(crate) struct Lent<'a> {
    loan: Loan<'a>,
    /// The number of items that it was sent.
    sent: usize,
    /// The number of outcomes that came in parts, and how long they are together.
    had: usize,
    bytes: usize,
}

impl<'a> Lent<'a> {
    pub(crate) fn new(loan: Loan<'a>, sent: usize) -> Self {
        Self { loan, sent, had: 0, bytes: 0 }
    }

    /// Adds a part: what became of some items, while the child is on a later one.
    pub(crate) fn add_part(
        &mut self,
        part: Payload<'_>,
        outcomes: &mut Outcomes,
        limit: ResultLimit,
    ) -> Result<(), BadFrame> {
        let there = OutcomesThere::decode(part)?;
        if there.count() == 0 {
            return Err(BadFrame("a part of nothing"));
        }
        let had = self.had + there.count();
        // The one that it is on is started as well. What was taken away from it cannot be.
        if had >= self.loan.started() {
            return Err(BadFrame("outcomes of items that it has not started"));
        }
        self.check_size(&there)?;
        (self.had, self.bytes) = (had, self.bytes + there.bytes());
        there.add_to(outcomes, limit);
        Ok(())
    }

    /// Checks that it has not said so much before that an honest child would have started no other item: otherwise each
    /// of thousands of items could bring a frame of the largest size.
    fn check_size(&self, there: &OutcomesThere<'_>) -> Result<(), BadFrame> {
        if self.bytes >= Outcomes::LARGE && there.count() > 0 {
            return Err(BadFrame("more of results than one chunk has"));
        }
        Ok(())
    }

    /// Takes the items back. Gives what the child has said at last, if that can be, and how many items count as
    /// started: at least one.
    pub(crate) fn settle<'there, E: From<BadFrame>>(
        self,
        said: Result<RanThere<'there>, E>,
    ) -> (Result<RanThere<'there>, E>, usize) {
        let said = said.and_then(|there| {
            self.check_size(there.outcomes())?;
            Ok(there)
        });
        let Self { loan, sent, had, .. } = self;
        let (mut checked, mut started) = (Err(BadFrame("nothing").into()), 0);
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
