//! Buffers that a child uses again for each order, so that no item causes an allocation.

use std::mem;

use crate::block::{BlockBuilder, Blocks, Span};
use crate::isolation::wire::ProtocolError;
use crate::isolation::wire::items;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::outcome::{OutcomeBuffer, Outcomes};

/// The buffers of the items and the outcomes of earlier orders.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    blocks: Blocks,
    block: BlockBuilder,
    outcomes: OutcomeBuffer,
}

impl Buffers {
    /// Takes the buffer for the next frame.
    pub(super) fn take_frame(&mut self) -> Vec<u8> {
        self.block.take_memory()
    }

    /// Takes the items out of an order, and returns outcomes without entries for them.
    pub(super) fn outcomes(
        &mut self,
        frame: Vec<u8>,
        worker: WorkerIndex,
    ) -> Result<Outcomes, ProtocolError> {
        let terms = items::decode_order(frame, &mut self.block)?;
        let span = self.blocks.seal(&mut self.block, ItemIndex::default());
        Ok(self.outcomes_of(span, worker, terms))
    }

    fn outcomes_of(&mut self, span: Span, worker: WorkerIndex, terms: items::Terms) -> Outcomes {
        let outcomes = mem::take(&mut self.outcomes);
        let mut outcomes = Outcomes::in_buffer(outcomes, span, worker, terms.rule);
        outcomes.set_format(terms.format);
        outcomes
    }

    /// Keeps the buffers of outcomes that were sent, for the next order.
    pub(super) fn keep(&mut self, outcomes: Outcomes) {
        self.outcomes = outcomes.into_buffer().emptied();
    }
}
