//! Generates a child's replies about items on loan, and its writes into the shared page during the loan.

use arbitrary::Arbitrary;
use mtl_stream::item::fault::FaultKind;
use mtl_stream::item::format::Format;
use mtl_stream::item::limits::ResultLimit;
use mtl_stream::item::retry_on::RetryOn;
use mtl_stream::outcome::RecordRule;

use crate::lending::{
    self, ChildEnd, ItemEnd, ItemPlaces, Lending, honest_part, honest_reply, lend_and_settle,
};

#[derive(Arbitrary, Debug)]
pub(crate) struct Case<'a> {
    items: u8,
    done: u8,
    sent: u8,
    rule: Rule,
    /// A set of fault kinds, with one bit for each.
    retry_on: u16,
    limit: u16,
    steps: Vec<Step>,
    reply: Reply<'a>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Rule {
    Any,
    Without(u8),
    ValidJson,
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Write(u32, u32),
    /// Values close to the valid ones.
    WriteSmall(u8, u8),
    Start(u8),
    Steal(u8),
    Stop(u8),
    /// An early reply about some items, honest or not.
    Part(Vec<Item>),
    AnyPart(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Reply<'a> {
    Any(&'a [u8]),
    Honest(Honest),
    /// An honest reply with a later change.
    Changed {
        honest: Honest,
        at: u16,
        by: u8,
        cut: u16,
    },
}

/// The content of a reply that an honest child encodes.
#[derive(Arbitrary, Debug)]
struct Honest {
    end: End,
    is_json: bool,
    items: Vec<Item>,
    /// True if `items` is repeated until its length is the number of items that were sent.
    all: bool,
}

#[derive(Arbitrary, Debug)]
enum End {
    Done,
    Yielded,
    Failed(u8, String),
}

#[derive(Arbitrary, Clone, Debug)]
enum Item {
    Record(Vec<u8>),
    NoRecord,
    Fault(u8, String),
}

impl Item {
    fn to_end(&self) -> ItemEnd {
        match self {
            Self::Record(bytes) => ItemEnd::Record(bytes.clone()),
            Self::NoRecord => ItemEnd::NoRecord,
            Self::Fault(number, message) => ItemEnd::Fault(kind(*number), message.clone()),
        }
    }
}

fn kind(number: u8) -> FaultKind {
    FaultKind::ALL[usize::from(number) % FaultKind::ALL.len()]
}

impl Case<'_> {
    pub(crate) fn check(&self) {
        let lending = self.lending();
        let steps: Vec<_> = self.steps.iter().map(|step| step.to_lending()).collect();
        let payload = self.reply.payload(lending.sent);
        let places = lend_and_settle(&lending, &steps, &payload);
        check_places(&lending, &places);
        if let Reply::Honest(honest) = &self.reply
            && self.is_plain()
        {
            let starts = self.steps.iter().map(|step| match step {
                Step::Start(items) => usize::from(*items),
                _ => 0,
            });
            honest.check(1 + starts.sum::<usize>(), &lending, &places);
        }
    }

    fn lending(&self) -> Lending {
        let items = usize::from(self.items) + 1;
        let done = usize::from(self.done) % items;
        let sent = usize::from(self.sent) % (items - done) + 1;
        let rule = match self.rule {
            Rule::Any => RecordRule::Any,
            Rule::Without(byte) => RecordRule::Without(byte),
            Rule::ValidJson => RecordRule::ValidJson,
        };
        let limit = usize::from(self.limit) + 1;
        let limit = ResultLimit::new(limit.try_into().expect("the limit is at least 1"));
        Lending { items, done, sent, rule, retry_on: self.retry_on(), limit }
    }

    fn retry_on(&self) -> RetryOn {
        let kinds = FaultKind::ALL.into_iter().enumerate();
        kinds.fold(RetryOn::NONE, |retry_on, (bit, kind)| match self.retry_on >> bit & 1 {
            0 => retry_on,
            _ => retry_on.with(kind),
        })
    }

    /// Returns whether the parent takes the outcomes of an honest child unchanged.
    fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Start(_)))
            && matches!(self.rule, Rule::Any)
            && self.retry_on() == RetryOn::NONE
            && self.limit == u16::MAX
    }
}

impl Step {
    fn to_lending(&self) -> lending::Step {
        match *self {
            Self::Write(started, end) => lending::Step::Write(started, end),
            Self::WriteSmall(started, end) => lending::Step::Write(started.into(), end.into()),
            Self::Start(items) => lending::Step::Start(items.into()),
            Self::Steal(most) => lending::Step::Steal(most.into()),
            Self::Stop(from) => lending::Step::Stop(from.into()),
            Self::Part(ref items) => lending::Step::Part(honest_part(
                &items.iter().map(Item::to_end).collect::<Vec<_>>(),
            )),
            Self::AnyPart(ref bytes) => lending::Step::Part(bytes.clone()),
        }
    }
}

impl Reply<'_> {
    fn payload(&self, sent: usize) -> Vec<u8> {
        match self {
            Self::Any(bytes) => bytes.to_vec(),
            Self::Honest(honest) => honest.payload(sent),
            Self::Changed { honest, at, by, cut } => {
                let mut payload = honest.payload(sent);
                let at = usize::from(*at) % payload.len();
                payload[at] ^= by;
                payload.truncate(payload.len() - usize::from(*cut) % payload.len());
                payload
            }
        }
    }
}

impl Honest {
    fn child_end(&self) -> ChildEnd {
        match &self.end {
            End::Done => ChildEnd::Done,
            End::Yielded => ChildEnd::Yielded,
            End::Failed(number, message) => ChildEnd::Failed(kind(*number), message.clone()),
        }
    }

    fn items(&self, sent: usize) -> Vec<ItemEnd> {
        let items = self.items.iter().map(Item::to_end);
        match self.all && !self.items.is_empty() {
            true => items.cycle().take(sent).collect(),
            false => items.collect(),
        }
    }

    fn payload(&self, sent: usize) -> Vec<u8> {
        let format = if self.is_json { Format::Json } else { Format::Text };
        honest_reply(&self.child_end(), format, &self.items(sent))
    }

    /// Checks that the parent accepts a reply exactly if it can be true.
    fn check(&self, started: usize, lending: &Lending, places: &ItemPlaces) {
        let items = self.items(lending.sent);
        let end = self.child_end();
        let started = started.min(lending.sent);
        let fits = match end {
            ChildEnd::Done => items.len() == lending.sent && items.len() == started,
            ChildEnd::Yielded => items.len() == started,
            ChildEnd::Failed(..) => items.len() + 1 == started,
        };
        let is_valid_kind = |kind| !matches!(kind, FaultKind::Crashed | FaultKind::NotRun);
        let items_are_valid = items.iter().all(|item| match item {
            ItemEnd::Fault(kind, _) => is_valid_kind(*kind),
            _ => true,
        });
        let end_is_valid = match end {
            ChildEnd::Failed(kind, _) => is_valid_kind(kind),
            _ => true,
        };
        let is_accepted = fits && items_are_valid && end_is_valid;
        assert_eq!(places.refused.is_none(), is_accepted, "{:?}", places.refused);
        if is_accepted {
            let reported = places.outcomes.iter().skip(lending.done);
            assert!(reported.map(|(_, end)| end).eq(&items), "the outcomes differ from the reply");
        }
    }
}

/// Checks that each item is in exactly one place, and that a refused reply added no outcome.
fn check_places(lending: &Lending, places: &ItemPlaces) {
    let outcomes = places.outcomes.len();
    assert!(outcomes <= lending.done + lending.sent, "more outcomes than items");
    if places.refused.is_some() {
        assert_eq!(outcomes, places.before, "an outcome comes from a refused reply");
        assert!(places.failed.is_some(), "a refused reply must fail an item");
    }
    let ranges = places.stolen.iter().chain(&places.waiting).cloned().flatten();
    let done = places.outcomes.iter().map(|(index, _)| *index);
    let mut items: Vec<_> = ranges.chain(done).chain(places.failed).collect();
    items.sort_unstable();
    assert!(
        items.iter().copied().eq(0..lending.items as u64),
        "each item must be in one place: {items:?}"
    );
}
