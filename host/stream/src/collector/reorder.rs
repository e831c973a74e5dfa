//! Puts runs of items back into input order.
//!
//! Workers finish in any order. The sink of an ordered run takes outcomes in the order in which
//! their items were read. This module stores each outcome that arrives before its turn.
//!
//! ```text
//! arrives    4..6   0..2   2..4   7..8   6..7
//! waiting   {4..6} {4..6}    -   {7..8}    -
//! due         -     0..2   2..6     -    6..8
//! ```
//!
//! # Invariants
//!
//! * Only the run of items that starts at `next` is due. `next` never decreases.
//! * Every waiting run of items starts at or after `next`.
//! * The window bounds the number of waiting items, because an item is part of the window until the
//!   consumer has taken its outcome. So a slow item stalls the reader before this queue becomes
//!   longer than the window.

use std::collections::VecDeque;

use crate::item::index::ItemIndex;

/// A queue of runs of items that wait for an earlier run.
#[derive(Debug)]
pub(crate) struct Reorder<T> {
    next: ItemIndex,
    /// The waiting runs, sorted by position. A new run nearly always goes to the end.
    waiting: VecDeque<WaitingRun<T>>,
}

#[derive(Debug)]
struct WaitingRun<T> {
    first: ItemIndex,
    items: usize,
    run: T,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: ItemIndex::default(), waiting: VecDeque::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes `run`, which covers `items` items from `first` on.
    pub(super) fn accept(&mut self, first: ItemIndex, items: usize, run: T) {
        debug_assert!(items > 0, "an empty run would never be due");
        debug_assert!(first >= self.next, "item {first} arrived twice");
        let at = self.waiting.partition_point(|waiting| waiting.first < first);
        let next = self.waiting.get(at).map(|waiting| waiting.first);
        debug_assert!(next != Some(first), "item {first} arrived twice");
        self.waiting.insert(at, WaitingRun { first, items, run });
    }

    /// Returns the next run in input order, if it has arrived.
    pub(super) fn next_due(&mut self) -> Option<T> {
        let WaitingRun { items, run, .. } =
            self.waiting.pop_front_if(|waiting| waiting.first == self.next)?;
        self.next = self.next.plus(items);
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_are_released_in_input_order_without_delay() {
        let arrivals = [(4, 2), (0, 2), (2, 2), (7, 1), (6, 1)];
        let expected: [&[u64]; 5] = [&[], &[0], &[2, 4], &[], &[6, 7]];
        let mut reorder = Reorder::default();
        for ((first, items), due) in arrivals.into_iter().zip(expected) {
            reorder.accept(ItemIndex::new(first), items, first);
            let came: Vec<_> = std::iter::from_fn(|| reorder.next_due()).collect();
            assert_eq!(came, due, "after {first}");
        }
    }

    proptest! {
        #[test]
        fn each_run_is_released_once_in_order_for_any_arrivals(
            lengths in prop::collection::vec(1_usize..5, 0..40),
            seed in any::<u64>(),
        ) {
            let mut first = 0;
            let mut runs: Vec<(u64, usize)> = lengths
                .iter()
                .map(|&items| {
                    let run = (first, items);
                    first += items as u64;
                    run
                })
                .collect();
            let in_order: Vec<u64> = runs.iter().map(|run| run.0).collect();
            runs.sort_by_key(|run| (run.0 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut reorder = Reorder::default();
            let mut came = Vec::new();
            for (first, items) in runs {
                reorder.accept(ItemIndex::new(first), items, first);
                came.extend(std::iter::from_fn(|| reorder.next_due()));
            }
            prop_assert_eq!(came, in_order);
        }
    }
}
