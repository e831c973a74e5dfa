//! Items that have no outcome at the end of a run.

use std::ops::Range;

use crate::block::Span;

/// Items without an outcome that no worker will work on.
#[derive(Debug)]
pub struct Leftover {
    /// The items.
    pub span: Span,
    /// True if the items were started and their outcomes were lost.
    pub was_started: bool,
}

/// Splits `span` into items that were started before and items that were never started. `started` is sorted by start.
pub(super) fn split(span: &Span, started: &[Range<u64>]) -> Vec<Leftover> {
    let (first, mut from, mut pieces) = (span.first().get(), 0, Vec::new());
    let mut add = |items: Range<usize>, was_started| {
        if !items.is_empty() {
            pieces.push(Leftover { span: span.slice(items), was_started });
        }
    };
    // The outcome of an item may have been lost more than once.
    for items in started {
        let position = |index: u64| {
            let position = usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX);
            position.clamp(from, span.len())
        };
        let (start, end) = (position(items.start), position(items.end));
        add(from..start, false);
        add(start..end, true);
        from = end;
    }
    add(from..span.len(), false);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockBuilder;
    use crate::item::index::ItemIndex;

    #[test]
    fn started_items_are_separated_from_unstarted_ones() {
        type Case = (&'static [Range<u64>], &'static [(Range<u64>, bool)]);
        #[rustfmt::skip]
        let cases: [Case; 6] = [
            (&[],                   &[(5..10, false)]),
            (&[0..5, 10..12],       &[(5..10, false)]),
            (&[5..10, 5..10],       &[(5..10, true)]),
            (&[0..6, 8..20],        &[(5..6, true), (6..8, false), (8..10, true)]),
            (&[6..8, 6..7, 7..9],   &[(5..6, false), (6..8, true), (8..9, true), (9..10, false)]),
            (&[6..9, 7..8],         &[(5..6, false), (6..9, true), (9..10, false)]),
        ];
        for (started, expected) in cases {
            let mut block = BlockBuilder::new();
            (0..5).for_each(|_| block.push(b""));
            let span = Span::whole(block.seal(ItemIndex::new(5)));
            let split: Vec<_> = split(&span, started).iter().map(positions).collect();
            assert_eq!(split, expected, "{started:?}");
        }
    }

    fn positions(Leftover { span, was_started }: &Leftover) -> (Range<u64>, bool) {
        (span.first().get()..span.first().plus(span.len()).get(), *was_started)
    }
}
