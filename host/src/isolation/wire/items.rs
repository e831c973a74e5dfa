//! Items on their way to a child, and what is to be known of them there.
//!
//! ```text
//! u8  records: 0 any, 1 without a byte, 2 JSON          u32 how many items
//! u8  that byte                                         u32 each one's length
//! u16 after which faults an item is tried again         their bytes, back to back
//! u8  what records are: 0 as the plugin says, 1 text, 2 JSON
//! ```

use super::{BadFrame, Frame, Order, Payload};
use crate::block::{BlockBuilder, Span};
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::retry_on::RetryOn;
use crate::outcome::{Outcomes, RecordRule};

/// What an item takes of an order, beside its bytes.
pub(crate) const PER_ITEM: usize = size_of::<u32>();

/// The order to run the items of `outcomes` that have none, up to `until`.
pub(crate) fn order(outcomes: &Outcomes, until: usize) -> Vec<u8> {
    let (rule, retry_on) = (outcomes.rule(), outcomes.retry_on());
    let (tag, byte) = match rule {
        RecordRule::Any => (0, 0),
        RecordRule::Without(byte) => (1, byte),
        RecordRule::ValidJson => (2, 0),
    };
    let frame = Frame::order(Order::Run)
        .byte(tag)
        .byte(byte)
        .number(usize::from(retry_on.bits()))
        .byte(super::start::format_byte(outcomes.format()));
    let (span, items) = (outcomes.span(), outcomes.len()..until);
    let frame = items
        .clone()
        .fold(frame.number(items.len()), |frame, at| frame.number(span.item(at).len()));
    frame.rest(span.bytes(items)).seal()
}

/// The items of such an order, none of which has an outcome.
pub(crate) fn outcomes(worker: WorkerIndex, payload: &[u8]) -> Result<Outcomes, BadFrame> {
    let mut payload = Payload(payload);
    let (tag, byte) = (payload.byte()?, payload.byte()?);
    let rule = match tag {
        0 => RecordRule::Any,
        1 => RecordRule::Without(byte),
        _ => RecordRule::ValidJson,
    };
    let retry_on = u16::try_from(payload.number()?).map_err(|_| BadFrame("no faults"))?;
    let format = super::start::format_of(payload.byte()?)?;
    let items = payload.number()?;
    let lengths = (0..items).map(|_| payload.number()).collect::<Result<Vec<_>, _>>()?;
    let mut block = BlockBuilder::new();
    let mut bytes = payload.rest();
    for length in lengths {
        let (item, rest) = bytes.split_at_checked(length).ok_or(BadFrame("a cut item"))?;
        block.push(item);
        bytes = rest;
    }
    let span = Span::whole(block.seal(ItemIndex::default()));
    let mut outcomes = Outcomes::new(span, worker, rule).retrying(RetryOn::from_bits(retry_on));
    outcomes.set_format(format);
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::wire::HEADER;
    use crate::item::fault::FaultKind;
    use crate::item::format::Format;

    #[test]
    fn items_arrive_as_they_were_sent() {
        let mut block = BlockBuilder::new();
        for item in ["done", "", "two", "not asked for"] {
            block.push(item.as_bytes());
        }
        let span = Span::whole(block.seal(ItemIndex::new(7)));
        let retry_on = RetryOn::NOTHING.with(FaultKind::Refused);
        let rule = RecordRule::Without(b'\n');
        let mut here = Outcomes::new(span, WorkerIndex::new(3), rule).retrying(retry_on);
        here.no_record();
        here.set_format(Format::Json);
        let frame = order(&here, 3);
        let there = outcomes(WorkerIndex::new(3), &frame[HEADER..]).unwrap();
        let items: Vec<_> = (0..there.span().len()).map(|at| there.span().item(at)).collect();
        assert_eq!(items, [&b""[..], b"two"]);
        assert_eq!((there.rule(), there.retry_on()), (rule, retry_on));
        assert_eq!(there.format(), Format::Json);
    }
}
