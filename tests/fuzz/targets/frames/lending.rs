//! Lends items to a child that writes anything into the shared page, and reports anything about the items.

use std::ops::Range;
use std::sync::Arc;

use mtl_stream::block::{BlockBuilder, Span};
use mtl_stream::item::fault::FaultKind;
use mtl_stream::item::format::Format;
use mtl_stream::item::index::{ItemIndex, WorkerIndex};
use mtl_stream::item::instance_failure::InstanceFailure;
use mtl_stream::item::limits::ResultLimit;
use mtl_stream::item::retry_on::RetryOn;
use mtl_stream::outcome::{Outcome, Outcomes, RecordRule};
use mtl_stream::queue::{Queue, Window};

use crate::executor::ExecutionEnd;
use crate::isolation::claim_page::ClaimPage;
use crate::isolation::remote::remote_claim::RemoteClaim;
use crate::isolation::wire::run_reply::{ChildExecutionEnd, ChildRunReply, part, reply};
use crate::isolation::wire::{HEADER, Payload};

/// A loan with the settings of its worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lending {
    /// The number of claimed items.
    pub(crate) items: usize,
    /// The number of items that already have their outcome; at least one has not.
    pub(crate) done: usize,
    /// The number of the remaining items that are sent; at least one.
    pub(crate) sent: usize,
    /// The rule for records.
    pub(crate) rule: RecordRule,
    /// The faults after which an item is retried.
    pub(crate) retry_on: RetryOn,
    /// The limit on the size of a record.
    pub(crate) limit: ResultLimit,
}

/// An action while items are on loan.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A write of these numbers into the page by the child.
    Write(u32, u32),
    /// The start of this many items, as an honest child does it.
    Start(usize),
    /// A steal of at most this many items by another worker.
    Steal(usize),
    /// A stop: no item from this index on may start.
    Stop(u64),
    /// An early report of the child about some items, while it runs a later one.
    Part(Vec<u8>),
}

/// The outcome of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemEnd {
    /// A record.
    Record(Vec<u8>),
    /// No record.
    NoRecord,
    /// A fault.
    Fault(FaultKind, String),
}

/// The end that a child reports.
#[derive(Clone, Debug)]
pub(crate) enum ChildEnd {
    /// A finished order: all its items have their outcome.
    Done,
    /// An order whose remaining items other workers have.
    Yielded,
    /// A failure of the instance in the next item.
    Failed(FaultKind, String),
}

/// The places of all items at the end.
#[derive(Debug)]
pub(crate) struct ItemPlaces {
    /// The outcomes, with the positions of their items.
    pub(crate) outcomes: Vec<(u64, ItemEnd)>,
    /// The failed item, which still needs an outcome.
    pub(crate) failed: Option<u64>,
    /// The items that other workers stole.
    pub(crate) stolen: Vec<Range<u64>>,
    /// The items that wait in the queue.
    pub(crate) waiting: Vec<Range<u64>>,
    /// The reason why the parent refused the child's last reply.
    pub(crate) refused: Option<String>,
    /// The number of items that had their outcome before that reply.
    pub(crate) before: usize,
}

/// Returns an honest child's reply with this content, without the frame's header.
pub(crate) fn honest_reply(end: &ChildEnd, format: Format, items: &[ItemEnd]) -> Vec<u8> {
    let end = match end {
        ChildEnd::Done => ExecutionEnd::Done,
        ChildEnd::Yielded => ExecutionEnd::Yielded,
        ChildEnd::Failed(kind, message) => {
            ExecutionEnd::Failed(InstanceFailure::new(*kind, message))
        }
    };
    let outcomes = outcomes_of(items);
    payload(reply(Vec::new(), &end, format, &outcomes), &outcomes)
}

/// Returns an honest child's early reply about some items, without the frame's header.
pub(crate) fn honest_part(items: &[ItemEnd]) -> Vec<u8> {
    let outcomes = outcomes_of(items);
    payload(part(Vec::new(), &outcomes), &outcomes)
}

/// Appends the records to a reply, and returns its payload.
fn payload(mut reply: Vec<u8>, outcomes: &Outcomes) -> Vec<u8> {
    reply.extend_from_slice(outcomes.record_bytes());
    reply.split_off(HEADER)
}

fn outcomes_of(items: &[ItemEnd]) -> Outcomes {
    let mut outcomes = Outcomes::new(span(items.len()), WorkerIndex::default(), RecordRule::Any);
    for item in items {
        match item {
            ItemEnd::Record(bytes) => outcomes.record(bytes, ResultLimit::DEFAULT),
            ItemEnd::NoRecord => outcomes.no_record(),
            ItemEnd::Fault(kind, message) => outcomes.fault(*kind, message),
        }
    }
    outcomes
}

/// Lends items and settles the loan when the child sends `payload`. Panics if another worker steals items that must not
/// start, or that do not exist.
pub(crate) fn lend_and_settle(lending: &Lending, steps: &[Step], payload: &[u8]) -> ItemPlaces {
    let page = Arc::new(ClaimPage::create().expect("there is memory").0);
    let queue = Queue::new(Window::UNBOUNDED, 1);
    queue.push(&mut block(lending.items)).expect("the run is not stopped");
    let mut claim = queue.claim(lending.items).expect("there are items");
    let Lending { sent, rule, retry_on, .. } = *lending;
    let span = claim.span().clone();
    let mut outcomes = Outcomes::new(span, WorkerIndex::default(), rule).retrying(retry_on);
    for _ in 0..lending.done {
        outcomes.no_record();
        assert!(claim.progress().start_next(), "there is another item");
    }
    let mut remote_claim = RemoteClaim::new(claim.lend(Arc::clone(&page) as _, sent), sent);
    let (mut stolen, mut refused) = (Vec::new(), None);
    for step in steps {
        match step {
            Step::Part(part) => {
                let added = remote_claim.add_part(Payload(part), &mut outcomes, lending.limit);
                refused = added.err();
            }
            step => stolen.extend(perform(step, &page, &queue)),
        }
        if refused.is_some() {
            // The parent kills the child.
            break;
        }
    }
    let before = outcomes.len();
    let reply = refused.map_or_else(|| ChildRunReply::decode(Payload(payload)), Err);
    let (reply, started) = remote_claim.settle(reply);
    let at = lending.done + started - 1;
    assert!((1..=sent).contains(&started), "{started}");
    let ended = reply.map(|reply| {
        reply.add_to(&mut outcomes, lending.limit);
        reply.ended
    });
    // The same steps as in `worker/claim_loop.rs`.
    let failed = match &ended {
        Ok(ChildExecutionEnd::Done | ChildExecutionEnd::Yielded) => {
            outcomes.take_back_fault().map(|_| outcomes.len())
        }
        Ok(ChildExecutionEnd::Failed(_)) => Some(outcomes.len()),
        Err(_) => Some(at),
    };
    outcomes.cut();
    let kept = failed.map(|at| claim.keep(at, outcomes.len()));
    claim.end(failed.map_or(outcomes.len(), |at| at + 1));
    ItemPlaces {
        outcomes: outcomes
            .iter()
            .map(|outcome| (outcome.index.get(), item_end(&outcome)))
            .collect(),
        failed: kept.map(|span| span.first().get()),
        stolen,
        waiting: queue.take_leftovers().iter().map(|left| positions(&left.span)).collect(),
        refused: ended.err().map(|error| error.to_string()),
        before,
    }
}

/// Performs a step, and returns the items that another worker steals by it.
fn perform(step: &Step, page: &ClaimPage, queue: &Queue) -> Option<Range<u64>> {
    match *step {
        Step::Write(started, end) => page.progress().store(started, end),
        Step::Part(_) => unreachable!("a reply is no action on the page"),
        Step::Start(items) => {
            let _ = (0..items).all(|_| page.progress().start_next());
        }
        Step::Stop(from) => queue.stop_from(ItemIndex::new(from)),
        Step::Steal(most) => {
            let stolen = positions(&queue.steal(most.max(1))?);
            assert!(stolen.start < stolen.end, "another worker stole no item");
            assert!(
                stolen.end <= queue.horizon().get(),
                "another worker stole items that must not start"
            );
            return Some(stolen);
        }
    }
    None
}

fn item_end(outcome: &Outcome<'_>) -> ItemEnd {
    match outcome.result {
        Ok(Some(record)) => ItemEnd::Record(record.to_vec()),
        Ok(None) => ItemEnd::NoRecord,
        Err(fault) => ItemEnd::Fault(fault.kind(), fault.message().into()),
    }
}

fn block(items: usize) -> BlockBuilder {
    let mut block = BlockBuilder::new();
    (0..items).for_each(|_| block.push(b""));
    block
}

fn span(items: usize) -> Span {
    Span::whole(block(items).seal(ItemIndex::default()))
}

fn positions(span: &Span) -> Range<u64> {
    let first = span.first().get();
    first..first + span.len() as u64
}
