use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::block::BlockBuilder;
use crate::control::sync::atomic::AtomicU64;
use crate::item::index::ItemIndex;
use crate::queue::{Claim, Queue, Window};

/// Returns a queue of `items` items that all fit into the first claim.
fn queue(items: usize) -> Queue {
    let queue = Queue::new(Window::UNBOUNDED, 1);
    let mut block = BlockBuilder::new();
    (0..items).for_each(|_| block.push(b"item"));
    queue.push(&mut block).unwrap();
    queue.close();
    queue
}

/// A shared word whose child is in this process.
#[derive(Debug, Default)]
pub(crate) struct Word(AtomicU64);

impl SharedClaimProgress for Word {
    fn word(&self) -> &AtomicU64 {
        &self.0
    }
}

fn page() -> Arc<Word> {
    Arc::default()
}

/// Steals up to `most` items that are not started, as another worker, and finishes all of them.
fn take_over(queue: &Queue, most: usize) -> BTreeSet<u64> {
    // The check avoids a wait for items that may never come.
    let horizon = queue.horizon();
    let waits = queue.lock().waiting.front().is_some_and(|span| span.first() < horizon);
    let may_steal = queue.may_steal(&queue.lock());
    if !waits && !may_steal {
        return BTreeSet::new();
    }
    let Some(claim) = queue.claim(most) else { return BTreeSet::new() };
    let items = items(&claim, 0..claim.span().len());
    while claim.progress().start_next() {}
    claim.end(items.len());
    items
}

fn items(claim: &Claim<'_>, positions: Range<usize>) -> BTreeSet<u64> {
    positions.map(|at| claim.span().first().get() + at as u64).collect()
}

#[test]
fn impossible_progress_of_a_child_is_ignored() {
    const MAX: u32 = u32::MAX;
    #[rustfmt::skip]
    let cases = [
        // it writes        accepted as started    (5 items; 3 were sent)
        (&[(1, 5)][..],        1),
        (&[(2, 5)],            2),
        (&[(3, 5)],            3),
        // The child was not sent more.
        (&[(4, 5)],            3),
        (&[(MAX, MAX)],      3),
        (&[(MAX, 0)],         3),
        // The first item was started when it was lent.
        (&[(0, 0)],            1),
        (&[(0, MAX)],         1),
        // The child claims to have started more items than it has.
        (&[(2, 1)],            2),
    ];
    for (words, started) in cases {
        let (queue, page) = (queue(5), page());
        let claim = queue.claim(5).unwrap();
        let loan = claim.lend(Arc::clone(&page) as _, 3);
        for (started, end) in words {
            page.progress().store(*started, *end);
        }
        let mut settled = None;
        loan.settle(|progress| {
            settled = Some(progress);
            progress.started
        });
        assert_eq!(settled, Some(LoanProgress { started, lent: 5 }), "{words:?}");
        assert!(!page.progress().start_next(), "the child cannot start another item");
        assert!(claim.progress().start_next(), "the owner can start the next item");
    }
}

#[test]
fn backward_progress_of_a_child_is_ignored() {
    let (queue, page) = (queue(8), page());
    let claim = queue.claim(8).unwrap();
    let loan = claim.lend(Arc::clone(&page) as _, 8);
    page.progress().store(6, 8);
    assert_eq!(take_over(&queue, 8), BTreeSet::from([7]));
    page.progress().store(1, 8);
    assert_eq!(take_over(&queue, 8), BTreeSet::from([6]));
    assert_eq!(take_over(&queue, 8), BTreeSet::new());
    loan.settle(|progress| {
        assert_eq!(progress, LoanProgress { started: 6, lent: 6 });
        progress.started
    });
}

#[test]
fn a_child_that_writes_endlessly_gains_no_items() {
    let (queue, page) = (queue(1000), page());
    let claim = queue.claim(1000).unwrap();
    let loan = claim.lend(Arc::clone(&page) as _, 1000);
    let writes = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let hostile = std::thread::Builder::new();
        let write = || {
            for word in
                (0..).cycle().take_while(|_| writes.load(std::sync::atomic::Ordering::Relaxed))
            {
                page.progress().store(word % 7, u32::MAX);
            }
        };
        hostile.spawn_scoped(scope, write).unwrap();
        let mut taken = BTreeSet::new();
        // The false words cost at most a few items. All other items are stolen, each once.
        while taken.len() < 993 {
            let more = take_over(&queue, 1000);
            assert!(taken.is_disjoint(&more));
            taken.extend(more);
        }
        writes.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    loan.settle(|progress| {
        assert!(progress.lent <= 7);
        progress.lent
    });
}

#[test]
fn an_unsettled_loan_allows_no_further_starts() {
    let (queue, page) = (queue(3), page());
    let claim = queue.claim(3).unwrap();
    drop(claim.lend(Arc::clone(&page) as _, 3));
    assert!(!claim.progress().start_next());
    claim.end(1);
    let left: Vec<_> = queue.drain().into();
    assert_eq!((left.len(), left[0].first().get(), left[0].len()), (1, 1, 2));
}

/// A step that may happen during a loan.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The child starts an item, like an honest child.
    Start,
    /// The child writes these values.
    Write(u32, u32),
    /// Another worker steals items.
    Steal(usize),
    /// The run stops from this item on.
    Stop(u64),
}

fn word() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 0_u32..20, any::<u32>()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Start),
        (word(), word()).prop_map(|(started, end)| Step::Write(started, end)),
        (1_usize..10).prop_map(Step::Steal),
        (0_u64..20).prop_map(Step::Stop),
    ]
}

proptest! {
    /// Whatever a child writes, each item is in one place and no code panics. An honest child never
    /// starts a stolen item.
    #[test]
    fn no_child_can_break_the_accounting(
        all in 1_usize..15,
        before in 0_usize..5,
        sent in 1_usize..15,
        steps in prop::collection::vec(step(), 0..20),
        settled in prop_oneof![Just(None), any::<usize>().prop_map(Some), (0_usize..20).prop_map(Some)],
    ) {
        let (queue, page) = (queue(all), page());
        let claim = queue.claim(all).unwrap();
        // Some items are done here before the others are lent.
        let before = (0..before).take_while(|_| claim.progress().start_next()).count();
        let mut positions: Vec<u64> = items(&claim, 0..before).into_iter().collect();
        let loan = claim.lend(Arc::clone(&page) as _, sent);
        let mut honest = Some(1_usize);
        for step in steps {
            match step {
                Step::Start => {
                    let starts = honest.is_none_or(|started| started < sent);
                    if starts && page.progress().start_next() {
                        honest = honest.map(|started| started + 1);
                    }
                }
                Step::Write(started, end) => {
                    page.progress().store(started, end);
                    honest = None;
                }
                Step::Steal(most) => positions.extend(take_over(&queue, most)),
                Step::Stop(from) => queue.stop_from(ItemIndex::new(from)),
            }
        }
        let mut done = before;
        loan.settle(|progress| {
            assert!((1..=sent.min(progress.lent)).contains(&progress.started));
            if let Some(started) = honest {
                assert_eq!(progress.started, started, "an honest child is believed");
            }
            let settled = settled.unwrap_or(progress.started);
            done += settled.clamp(1, progress.lent);
            settled
        });
        while claim.progress().start_next() {
            done += 1;
        }
        positions.extend(items(&claim, 0..done));
        // Items that were done before the loan count once.
        positions.drain(..before);
        claim.end(done);
        for span in queue.drain() {
            positions.extend((0..span.len()).map(|at| span.first().get() + at as u64));
        }
        positions.sort_unstable();
        prop_assert_eq!(positions, (0..all as u64).collect::<Vec<_>>());
    }
}
