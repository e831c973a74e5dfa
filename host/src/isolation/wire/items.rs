//! The items of an order, and the terms for their records.
//!
//! ```text
//! u8  record rule: 0 any record, 1 records without the given byte, 2 JSON
//! u8  the given byte
//! u8  format of records: 1 text, 2 JSON
//! u32 number of items
//! u32 length of each item
//!     the items, back to back
//! ```
//!
//! The parent sends the items from their block; the child turns the received frame into a block.
//! Neither process copies the items.

use std::ops::Range;

use super::{Frame, HEADER, Order, Payload, ProtocolError};
use crate::block::{BlockBuilder, Span};
use crate::item::format::Format;
use crate::outcome::RecordRule;

/// The number of bytes that an item takes in an order in addition to its own bytes.
pub(crate) const PER_ITEM: usize = size_of::<u32>();

/// The terms for the records of all items of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) rule: RecordRule,
    pub(crate) format: Format,
}

/// Builds the beginning of the order to run `items` of `span`, in the buffer of an earlier order.
/// The caller sends the bytes of the items as the end of the order.
pub(crate) fn order(memory: Vec<u8>, span: &Span, items: Range<usize>, terms: Terms) -> Vec<u8> {
    let [tag, byte] = terms.rule.to_bytes();
    let frame = Frame::order_in(memory, Order::Run)
        .byte(tag)
        .byte(byte)
        .byte(super::start::format_byte(terms.format))
        .number(items.len());
    let mut start = 0;
    let lengths = span.ends(items.clone()).map(|end| end - std::mem::replace(&mut start, end));
    frame.numbers(lengths).seal_before(span.bytes(items))
}

/// Turns an order, which is all of `frame`, into a block of its items.
pub(crate) fn decode_order(
    frame: Vec<u8>,
    block: &mut BlockBuilder,
) -> Result<Terms, ProtocolError> {
    let mut payload = Payload(frame.get(HEADER..).unwrap_or_default());
    let rule = RecordRule::from_bytes([payload.byte()?, payload.byte()?]);
    let format = super::start::format_of(payload.byte()?)?;
    let items = payload.number()?;
    let lengths = payload.numbers(items)?;
    let start = frame.len() - payload.rest().len();
    let lengths = start - size_of_val(lengths)..start;
    if !block.adopt_bytes(frame, lengths) {
        return Err(ProtocolError("items that do not end with their frame"));
    }
    Ok(Terms { rule, format })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::index::ItemIndex;

    const TERMS: Terms = Terms { rule: RecordRule::Without(b'\n'), format: Format::Json };

    fn sent() -> Vec<u8> {
        let mut block = BlockBuilder::new();
        for item in ["done", "", "two", "not asked for"] {
            block.push(item.as_bytes());
        }
        let span = Span::whole(block.seal(ItemIndex::new(7)));
        let order = order(b"what was there before".to_vec(), &span, 1..3, TERMS);
        [&order, span.bytes(1..3)].concat()
    }

    #[test]
    fn sent_items_round_trip() {
        let frame = sent();
        let (length, kind) = super::super::header(*frame.first_chunk().unwrap());
        assert_eq!((length, kind), (frame.len() - HEADER, Order::Run as u8));
        let mut block = BlockBuilder::new();
        assert_eq!(decode_order(frame, &mut block), Ok(TERMS));
        let received = Span::whole(block.seal(ItemIndex::default()));
        let items: Vec<_> = (0..received.len()).map(|at| received.item(at)).collect();
        assert_eq!(items, [&b""[..], b"two"]);
    }

    #[test]
    fn a_truncated_order_is_rejected() {
        let frame = sent();
        for end in 0..frame.len() {
            let mut block = BlockBuilder::new();
            assert!(decode_order(frame[..end].to_vec(), &mut block).is_err(), "{end}");
            assert!(block.is_empty());
        }
    }
}
