//! Items that are lent to a child which writes into the page, and says of them, whatever it likes.

use std::ops::Range;
use std::sync::Arc;

use mtl_stream::block::{BlockBuilder, Span};
use mtl_stream::item::failure::Broken;
use mtl_stream::item::fault::FaultKind;
use mtl_stream::item::format::Format;
use mtl_stream::item::index::{ItemIndex, WorkerIndex};
use mtl_stream::item::limits::ResultLimit;
use mtl_stream::item::retry_on::RetryOn;
use mtl_stream::outcome::{Outcome, Outcomes, RecordRule};
use mtl_stream::queue::{Queue, Window};

use crate::executor::Ran;
use crate::isolation::claim_page::ClaimPage;
use crate::isolation::remote::lent::Lent;
use crate::isolation::wire::ran::{EndedThere, RanThere, part, reply};
use crate::isolation::wire::{HEADER, Payload};

/// What is lent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lending {
    /// How many items are claimed.
    pub(crate) items: usize,
    /// How many of them have their outcome before: not all.
    pub(crate) done: usize,
    /// How many of the others are sent: at least one.
    pub(crate) sent: usize,
    /// What records must be.
    pub(crate) rule: RecordRule,
    /// After which faults an item is tried again.
    pub(crate) retry_on: RetryOn,
    /// How long a record may be.
    pub(crate) limit: ResultLimit,
}

/// What happens while items are lent.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The child writes this into the page.
    Write(u32, u32),
    /// The child starts so many items, as an honest one does.
    Start(usize),
    /// Another worker takes over so many items at most.
    Relieve(usize),
    /// No item from here on is to be started any more.
    Stop(u64),
    /// The child says this of some items, while it is on a later one.
    Part(Vec<u8>),
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It has this record.
    Record(Vec<u8>),
    /// It has no record.
    NoRecord,
    /// It failed.
    Fault(FaultKind, String),
}

/// How a child says that it ended.
#[derive(Clone, Debug)]
pub(crate) enum ThereEnded {
    /// All items have their outcome.
    Done,
    /// Others have the rest.
    Yielded,
    /// The next item broke it.
    Broken(FaultKind, String),
}

/// Where the items are in the end.
#[derive(Debug)]
pub(crate) struct Places {
    /// What became of those that have an outcome, with their positions.
    pub(crate) outcomes: Vec<(u64, Became)>,
    /// The one that failed, and is not done with.
    pub(crate) failed: Option<u64>,
    /// Those that other workers took over.
    pub(crate) taken: Vec<Range<u64>>,
    /// Those that wait in the queue.
    pub(crate) waiting: Vec<Range<u64>>,
    /// The reason why nothing was taken of the child's last word.
    pub(crate) refused: Option<String>,
    /// The number of items that had their outcome before it said that.
    pub(crate) before: usize,
}

/// What an honest child sends that says this of its items, without the frame's header.
pub(crate) fn said(ended: &ThereEnded, format: Format, items: &[Became]) -> Vec<u8> {
    let ran = match ended {
        ThereEnded::Done => Ran::Done,
        ThereEnded::Yielded => Ran::Yielded,
        ThereEnded::Broken(kind, message) => Ran::Broken(Broken::new(*kind, message)),
    };
    let outcomes = outcomes_of(items);
    whole(reply(Vec::new(), &ran, format, &outcomes), &outcomes)
}

/// Returns the payload in which an honest child says this of some of its items.
pub(crate) fn said_early(items: &[Became]) -> Vec<u8> {
    let outcomes = outcomes_of(items);
    whole(part(Vec::new(), &outcomes), &outcomes)
}

/// Returns the payload of a reply, with the records that come after it.
fn whole(mut reply: Vec<u8>, outcomes: &Outcomes) -> Vec<u8> {
    reply.extend_from_slice(outcomes.record_bytes());
    reply.split_off(HEADER)
}

fn outcomes_of(items: &[Became]) -> Outcomes {
    let mut outcomes = Outcomes::new(span(items.len()), WorkerIndex::default(), RecordRule::Any);
    for item in items {
        match item {
            Became::Record(bytes) => outcomes.record(bytes, ResultLimit::DEFAULT),
            Became::NoRecord => outcomes.no_record(),
            Became::Fault(kind, message) => outcomes.fault(*kind, message),
        }
    }
    outcomes
}

/// Lends items, and takes them back when the child sends `payload` of them. It panics when a worker would get items that
/// are not to be started, or that were not there.
pub(crate) fn lent(lending: &Lending, steps: &[Step], payload: &[u8]) -> Places {
    let page = Arc::new(ClaimPage::create().expect("there is memory").0);
    let queue = Queue::new(Window::UNBOUNDED, 1);
    queue.push(&mut block(lending.items)).expect("nobody stops it");
    let mut claim = queue.claim(lending.items).expect("there are items");
    let Lending { sent, rule, retry_on, .. } = *lending;
    let span = claim.span().clone();
    let mut outcomes = Outcomes::new(span, WorkerIndex::default(), rule).retrying(retry_on);
    for _ in 0..lending.done {
        outcomes.no_record();
        assert!(claim.reach().start_next(), "there is another item");
    }
    let mut lent = Lent::new(claim.lend(Arc::clone(&page) as _, sent), sent);
    let (mut taken, mut refused) = (Vec::new(), None);
    for step in steps {
        match step {
            Step::Part(part) => {
                let added = lent.add_part(Payload(part), &mut outcomes, lending.limit);
                refused = added.err();
            }
            step => taken.extend(happen(step, &page, &queue)),
        }
        if refused.is_some() {
            // Then the child is ended.
            break;
        }
    }
    let before = outcomes.len();
    let there = refused.map_or_else(|| RanThere::decode(Payload(payload)), Err);
    let (there, started) = lent.settle(there);
    let at = lending.done + started - 1;
    assert!((1..=sent).contains(&started), "{started}");
    let ended = there.map(|there| {
        there.add_to(&mut outcomes, lending.limit);
        there.ended
    });
    // As `worker/work.rs` does it.
    let failed = match &ended {
        Ok(EndedThere::Done | EndedThere::Yielded) => {
            outcomes.take_back_fault().map(|_| outcomes.len())
        }
        Ok(EndedThere::Broken(_)) => Some(outcomes.len()),
        Err(_) => Some(at),
    };
    outcomes.cut();
    let kept = failed.map(|at| claim.keep(at, outcomes.len()));
    claim.end(failed.map_or(outcomes.len(), |at| at + 1));
    Places {
        outcomes: outcomes.iter().map(|outcome| (outcome.index.get(), became(&outcome))).collect(),
        failed: kept.map(|span| span.first().get()),
        taken,
        waiting: queue.take_left().iter().map(|left| positions(&left.span)).collect(),
        refused: ended.err().map(|why| why.to_string()),
        before,
    }
}

/// What another worker gets by a step.
fn happen(step: &Step, page: &ClaimPage, queue: &Queue) -> Option<Range<u64>> {
    match *step {
        Step::Write(started, end) => page.reach().set(started, end),
        Step::Part(_) => unreachable!("it is what the child says"),
        Step::Start(items) => {
            let _ = (0..items).all(|_| page.reach().start_next());
        }
        Step::Stop(from) => queue.stop_from(ItemIndex::new(from)),
        Step::Relieve(most) => {
            let taken = positions(&queue.relieve(most.max(1))?);
            assert!(taken.start < taken.end, "whoever takes over, works");
            assert!(taken.end <= queue.horizon().get(), "no item from there on is started");
            return Some(taken);
        }
    }
    None
}

fn became(outcome: &Outcome<'_>) -> Became {
    match outcome.result {
        Ok(Some(record)) => Became::Record(record.to_vec()),
        Ok(None) => Became::NoRecord,
        Err(fault) => Became::Fault(fault.kind(), fault.message().into()),
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
