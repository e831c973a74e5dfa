use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::*;

use super::loan::tests::Word;
use super::*;
use crate::test_timeout::with_timeout;

fn items(items: &[&str]) -> BlockBuilder {
    let mut block = BlockBuilder::new();
    for item in items {
        block.push(item.as_bytes());
    }
    block
}

fn numbered(from: u64, count: u64) -> BlockBuilder {
    let mut block = BlockBuilder::new();
    for number in from..from + count {
        block.push(number.to_string().as_bytes());
    }
    block
}

fn texts(span: &Span) -> Vec<String> {
    (0..span.len()).map(|at| String::from_utf8_lossy(span.item(at)).into_owned()).collect()
}

/// Claims up to `most` items and finishes all of them.
fn take(queue: &Queue, most: usize) -> Option<Span> {
    let claim = queue.claim(most)?;
    while claim.progress().start_next() {}
    let span = claim.span().clone();
    claim.end(span.len());
    Some(span)
}

fn window(items: usize) -> Window {
    Window::UNBOUNDED.with_items(NonZeroUsize::new(items).unwrap())
}

#[test]
fn returned_items_never_start_past_the_horizon() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 6)).unwrap();
    queue.close();
    let claim = queue.claim(5).unwrap();
    assert_eq!((claim.progress().start_ahead(2), claim.progress().start_ahead(9)), (2, 2));
    assert_eq!(claim.progress().start_ahead(1), 0, "all items are started");
    assert!(queue.lock().steal(9).is_none(), "started items are not stolen");
    queue.stop_from(ItemIndex::new(4));
    claim.returner().give_back(2);
    assert!(!claim.progress().start_next());
    claim.end(1);
    // The item that was started and has no outcome came back, as the others did.
    assert_eq!(texts(&take(&queue, 9).unwrap()), ["1", "2", "3"]);
    assert!(queue.claim(9).is_none());
    assert_eq!(queue.drain().iter().map(Span::len).sum::<usize>(), 2);
}

#[test]
fn keeping_a_failed_item_returns_items_started_ahead() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 5)).unwrap();
    let mut claim = queue.claim(5).unwrap();
    assert_eq!(claim.progress().start_ahead(9), 4);
    assert_eq!(texts(&claim.keep(1, 1)), ["1"]);
    assert_eq!(texts(&take(&queue, 9).unwrap()), ["2", "3", "4"]);
    claim.end(2);
    assert!(queue.drain().is_empty());
}

#[test]
fn small_pushes_gather_and_are_claimed_together() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut items(&["one"])).unwrap();
    queue.push(&mut items(&["two", "three"])).unwrap();
    let span = take(&queue, 10).unwrap();
    assert_eq!(texts(&span), ["one", "two", "three"]);
    queue.push(&mut items(&["four"])).unwrap();
    assert_eq!(take(&queue, 10).unwrap().first().get(), 3);
    assert_eq!(queue.pushed(), 4);
}

#[test]
fn a_claim_takes_the_wanted_items_from_the_front() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 5)).unwrap();
    assert_eq!(texts(&take(&queue, 2).unwrap()), ["0", "1"]);
    assert_eq!(texts(&take(&queue, 2).unwrap()), ["2", "3"]);
    assert_eq!(texts(&take(&queue, 2).unwrap()), ["4"]);
}

#[test]
fn a_claim_leaves_the_others_their_share() {
    let queue = Queue::new(Window::default(), 4);
    queue.push(&mut numbered(0, 10)).unwrap();
    let claims: Vec<_> = (0..6).map(|_| take(&queue, 100).unwrap().len()).collect();
    assert_eq!(claims, [3, 2, 2, 1, 1, 1]);
}

#[test]
fn returned_items_are_claimed_first_in_input_order() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 6)).unwrap();
    let (first, second) = (queue.claim(2).unwrap(), queue.claim(2).unwrap());
    first.end(0);
    second.end(0);
    assert_eq!(texts(&take(&queue, 10).unwrap()), ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn unstarted_items_of_a_claim_are_stolen_in_shares() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 8)).unwrap();
    let slow = queue.claim(8).unwrap();
    assert!(slow.progress().start_next());
    let stolen = [(); 3].map(|()| texts(&take(&queue, 100).unwrap()));
    assert_eq!(
        stolen,
        [vec!["5", "6", "7"], vec!["3", "4"], vec!["2"]]
            .map(|items| items.iter().map(ToString::to_string).collect::<Vec<_>>())
    );
    assert!(!slow.progress().start_next(), "all unstarted items were stolen");
    slow.end(2);
}

#[test]
fn a_stop_withdraws_only_unstarted_items() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 6)).unwrap();
    let claim = queue.claim(6).unwrap();
    assert!(claim.progress().start_next());
    queue.stop_from(ItemIndex::new(3));
    assert!(claim.progress().start_next(), "an item before the horizon");
    assert!(!claim.progress().start_next());
    claim.end(3);
    assert!(queue.claim(1).is_none());
    let left: Vec<_> = queue.drain().iter().flat_map(texts).collect();
    assert_eq!(left, ["3", "4", "5"]);
}

#[test]
fn keeping_one_item_returns_the_later_items() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 5)).unwrap();
    let mut claim = queue.claim(5).unwrap();
    assert!(claim.progress().start_next());
    assert_eq!(texts(&claim.keep(1, 1)), ["1"]);
    assert!(!claim.progress().start_next());
    assert_eq!(texts(&take(&queue, 10).unwrap()), ["2", "3", "4"]);
    // The claim is dropped without `end`, as by a panic. The item is not lost.
    drop(claim);
    assert_eq!(texts(&take(&queue, 10).unwrap()), ["1"]);
}

#[test]
fn a_worker_leaves_when_no_item_can_arrive() {
    with_timeout(|| {
        let queue = Arc::new(Queue::new(Window::default(), 1));
        queue.push(&mut numbered(0, 2)).unwrap();
        queue.close();
        let claim = queue.claim(2).unwrap();
        assert!(claim.progress().start_next());
        // Another worker waits, because this one may give items back.
        let other = Arc::clone(&queue);
        let other = std::thread::Builder::new()
            .spawn(move || take(&other, 2).map(|span| texts(&span)))
            .unwrap();
        while queue.lock().workers_wait == 0 {
            std::thread::yield_now();
        }
        claim.end(1);
        assert_eq!(other.join().unwrap(), Some(vec!["1".to_owned()]));
        assert!(queue.claim(1).is_none());
    });
}

#[test]
fn the_window_limit_is_exact_to_the_item() {
    with_timeout(|| {
        let queue = Arc::new(Queue::new(window(3), 1));
        let reader = Arc::clone(&queue);
        let reader =
            std::thread::Builder::new().spawn(move || reader.push(&mut numbered(0, 10))).unwrap();
        let mut taken = 0;
        while taken < 10 {
            let span = take(&queue, 10).unwrap();
            assert!(span.len() <= 3, "{} items are held", span.len());
            taken += span.len();
            queue.release(span.len(), span.total_cost());
        }
        reader.join().unwrap().unwrap();
    });
}

#[test]
fn a_stop_wakes_the_reader_and_loses_no_item() {
    with_timeout(|| {
        let queue = Arc::new(Queue::new(window(2), 1));
        let reader = Arc::clone(&queue);
        let reader =
            std::thread::Builder::new().spawn(move || reader.push(&mut numbered(0, 10))).unwrap();
        while !queue.lock().reader_waits {
            std::thread::yield_now();
        }
        queue.stop_from(ItemIndex::default());
        assert_eq!(reader.join().unwrap(), Err(Stopped));
        assert!(queue.claim(1).is_none());
        let left = queue.drain();
        assert_eq!((left.iter().map(Span::len).sum::<usize>(), queue.pushed()), (10, 10));
        // The thread that accounts for them releases them, as if the window had admitted them.
        for span in left {
            queue.release(span.len(), span.total_cost());
        }
        let state = queue.lock();
        assert_eq!((state.held_items, state.held_bytes), (0, 0));
    });
}

#[test]
fn after_a_stop_no_worker_waits_for_claimed_items() {
    with_timeout(|| {
        let queue = Queue::new(Window::default(), 2);
        queue.push(&mut numbered(0, 2)).unwrap();
        let claim = queue.claim(1).unwrap();
        queue.stop_from(ItemIndex::default());
        assert!(queue.claim(1).is_none(), "an item that comes back is not started");
        drop(claim);
    });
}

#[test]
fn an_overfull_window_admits_only_the_earliest_item() {
    with_timeout(|| {
        let bytes = NonZeroUsize::new(1000).unwrap();
        let queue = Arc::new(Queue::new(Window::UNBOUNDED.with_bytes(bytes), 3));
        queue.push(&mut numbered(0, 4)).unwrap();
        let slow = queue.claim(1).unwrap();
        queue.claim(1).unwrap().end(1);
        queue.hold(3000);
        let other = Arc::clone(&queue);
        let other = std::thread::Builder::new()
            .spawn(move || take(&other, 9).map(|span| texts(&span)))
            .unwrap();
        while queue.lock().workers_wait == 0 {
            std::thread::yield_now();
        }
        // After the slow item has ended, the next item is the earliest one: one at a time.
        slow.end(1);
        assert_eq!(other.join().unwrap(), Some(vec!["2".to_owned()]));
        queue.release(2, 3000);
        assert_eq!(texts(&take(&queue, 1).unwrap()), ["3"]);
    });
}

#[test]
fn outcome_bytes_are_held_once_their_claim_ends() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 3)).unwrap();
    let mut claim = queue.claim(3).unwrap();
    let before = queue.lock().held_bytes;
    assert!(claim.progress().start_next());
    claim.hold(100);
    assert_eq!(queue.lock().held_bytes, before, "the claim has not ended");
    drop(claim.keep(1, 1));
    assert_eq!(queue.lock().held_bytes, before + 100);
    claim.hold(30);
    claim.end(2);
    assert_eq!(queue.lock().held_bytes, before + 130, "all bytes are held once");
}

#[test]
fn a_claim_locks_the_mutex_three_times_and_a_push_once() {
    let queue = Queue::new(Window::default(), 1);
    let locked = || queue.locked.load(Ordering::Relaxed);
    assert_eq!(queue.push(&mut numbered(0, 6)), Ok(HasRoom::Yes));
    assert_eq!(locked(), 1);
    for claims in 1..=3 {
        let mut claim = queue.claim(2).unwrap();
        assert!(claim.progress().start_next());
        let cost = claim.span().total_cost();
        claim.hold(100);
        claim.end(2);
        queue.release(2, cost + 100);
        assert_eq!(locked(), 1 + 3 * claims);
    }
}

#[test]
fn a_push_reports_whether_the_window_has_room() {
    let queue = Queue::new(window(3), 1);
    assert_eq!(queue.push(&mut numbered(0, 2)), Ok(HasRoom::Yes));
    assert_eq!(queue.push(&mut numbered(2, 1)), Ok(HasRoom::No));
    let queue = Queue::new(window(3), 1);
    queue.stop_from(ItemIndex::new(1));
    assert_eq!(queue.push(&mut numbered(0, 1)), Ok(HasRoom::No), "the horizon is reached");
}

#[test]
fn a_horizon_admits_earlier_items() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 10)).unwrap();
    queue.stop_from(ItemIndex::new(4));
    queue.stop_from(ItemIndex::new(7));
    assert_eq!(texts(&take(&queue, 3).unwrap()), ["0", "1", "2"]);
    assert_eq!(texts(&take(&queue, 3).unwrap()), ["3"]);
    assert!(queue.claim(3).is_none());
    assert_eq!(queue.push(&mut numbered(10, 1)), Err(Stopped));
}

#[test]
fn a_child_cannot_undo_the_start_of_an_item() {
    let queue = Queue::new(Window::default(), 1);
    queue.push(&mut numbered(0, 10)).unwrap();
    let claim = queue.claim(10).unwrap();
    let page = Arc::new(Word::default());
    let loan = claim.lend(Arc::clone(&page) as _, 10);
    page.progress().store(5, 10);
    queue.stop_from(ItemIndex::new(3));
    page.progress().store(1, 10);
    assert!(queue.lock().steal(10).is_none(), "the other items are past the horizon");
    loan.settle(|progress| {
        assert_eq!((progress.started, progress.lent), (5, 5));
        1
    });
    assert!(!claim.progress().start_next(), "the owner cannot start them either");
}

proptest! {
    /// One thread takes the steps of the reader, the workers and the consumer in the order of a
    /// script. After each step, each item is in one place and the held items fit into the window.
    #[test]
    fn each_item_is_claimed_exactly_once(
        steps in prop::collection::vec((0_u8..4, 1_usize..8), 1..200),
        bound in 1_usize..20,
    ) {
        let queue = Queue::new(window(bound), 1);
        let mut pushed = 0;
        let mut held = 0_usize;
        let mut done = Vec::new();
        for (step, count) in steps {
            if step < 2 {
                let room = bound.saturating_sub(held).min(count);
                if room > 0 {
                    queue.push(&mut numbered(pushed, room as u64)).unwrap();
                    pushed += room as u64;
                    held += room;
                }
            } else if held > 0 {
                let claim = queue.claim(count).unwrap();
                let mut span = claim.span().clone();
                let worked = if step == 2 { span.len() } else { span.len() / 2 };
                for _ in 1..worked {
                    prop_assert!(claim.progress().start_next());
                }
                claim.end(worked);
                let front = span.split_to(worked);
                done.extend(texts(&front));
                held -= front.len();
                queue.release(front.len(), front.total_cost());
            }
        }
        done.extend(queue.drain().iter().flat_map(texts));
        let expected: Vec<_> = (0..pushed).map(|number| number.to_string()).collect();
        prop_assert_eq!(done, expected);
    }
}
