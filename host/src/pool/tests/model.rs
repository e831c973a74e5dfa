//! Tests: the policies hold for any items, faults and settings. The model has no threads: it is a list of items and
//! their outcomes.

use proptest::prelude::*;

use super::*;
use crate::stats::Summary;

/// The outcome of an item, if a worker takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Record,
    NoRecord,
    Refused,
    /// The executor fails on the item.
    InstanceFails,
}

impl Fate {
    fn fault(self) -> Option<FaultKind> {
        match self {
            Self::Record | Self::NoRecord => None,
            Self::Refused => Some(FaultKind::Refused),
            Self::InstanceFails => Some(FaultKind::Trap),
        }
    }
}

/// The outcome of an item, as it came out of the run.
type ItemOutcome = Result<Option<Vec<u8>>, FaultKind>;

/// The items and the settings of a run.
#[derive(Clone, Debug)]
struct Case {
    fates: Vec<Fate>,
    order: Order,
    policy: ErrorPolicy,
    workers: usize,
    chunk: Option<usize>,
    window: Option<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    let fate = prop_oneof![
        8 => Just(Fate::Record),
        2 => Just(Fate::NoRecord),
        1 => Just(Fate::Refused),
        1 => Just(Fate::InstanceFails),
    ];
    let fates = prop::collection::vec(fate, 0..40);
    let order = prop_oneof![Just(Order::Input), Just(Order::Completion)];
    let policy = prop_oneof![
        Just(ErrorPolicy::Ignore),
        Just(ErrorPolicy::Immediate),
        Just(ErrorPolicy::Deferred),
    ];
    let few = || prop::option::of(1_usize..6);
    (fates, order, policy, 1_usize..5, few(), few()).prop_map(
        |(fates, order, policy, workers, chunk, window)| Case {
            fates,
            order,
            policy,
            workers,
            chunk,
            window,
        },
    )
}

impl Case {
    fn pool(&self) -> Pool {
        let count = |count| NonZeroUsize::new(count).unwrap();
        let window = self
            .window
            .map_or(Window::UNBOUNDED, |items| Window::UNBOUNDED.with_items(count(items)));
        let chunk_size = self.chunk.map_or(ChunkSize::Auto, |items| ChunkSize::Fixed(count(items)));
        let (order, policy) = (self.order, self.policy);
        let settings = Settings { order, policy, window, chunk_size, ..settings() };
        let fates = self.fates.clone();
        pool(self.workers, settings, move |_, item| {
            let number: usize = std::str::from_utf8(item).unwrap().parse().unwrap();
            match fates[number] {
                Fate::Record => Reply::Record(item.to_vec()),
                Fate::NoRecord => Reply::NoRecord,
                Fate::Refused => Reply::Refused,
                Fate::InstanceFails => Reply::Fail,
            }
        })
    }

    fn items(&self) -> Vec<String> {
        numbers(self.fates.len() as u64)
    }

    /// Returns the indexes of the items that fail, if they are worked on.
    fn faults(&self) -> Vec<usize> {
        let fates = self.fates.iter().enumerate();
        fates.filter(|(_, fate)| fate.fault().is_some()).map(|(index, _)| index).collect()
    }

    /// Returns whether every item is worked on, whatever fails.
    fn goes_on(&self) -> bool {
        self.policy != ErrorPolicy::Immediate || self.faults().is_empty()
    }

    /// Checks that an item has its fate as its outcome, or was not run, if the policy allows that.
    fn check(&self, index: usize, outcome: &ItemOutcome) {
        let by_fate = match (self.fates[index], self.fates[index].fault()) {
            (_, Some(kind)) => Err(kind),
            (Fate::NoRecord, None) => Ok(None),
            (_, None) => Ok(Some(index.to_string().into_bytes())),
        };
        let before_the_fault =
            self.order == Order::Input && self.faults().first().is_none_or(|&fault| index <= fault);
        let may_be_left = !self.goes_on() && !before_the_fault;
        let is_left = may_be_left && *outcome == Err(FaultKind::NotRun);
        assert!(*outcome == by_fate || is_left, "item {index}: {outcome:?}");
    }

    /// Checks the summary of a run.
    fn check_summary(&self, summary: &Summary) {
        let (counts, items) = (summary.counts, self.fates.len() as u64);
        assert_eq!(summary.read, counts.total());
        assert_eq!(summary.delivered + summary.undelivered, summary.done());
        assert!(if self.goes_on() { summary.read == items } else { summary.read <= items });
        let of =
            |expected: Fate| self.fates.iter().filter(|fate| **fate == expected).count() as u64;
        let pairs = [
            (counts.records(), of(Fate::Record)),
            (counts.no_record(), of(Fate::NoRecord)),
            (counts.faults_of(FaultKind::Refused), of(Fate::Refused)),
            (counts.faults_of(FaultKind::Trap), of(Fate::InstanceFails)),
        ];
        for (counted, of_this_fate) in pairs {
            assert!(if self.goes_on() { counted == of_this_fate } else { counted <= of_this_fate });
        }
        let sum: u64 = pairs.iter().map(|pair| pair.0).sum();
        assert_eq!(counts.total(), sum + counts.not_run(), "no other fault");
        assert!(counts.not_run() == 0 || !self.goes_on());
        if !self.goes_on() && self.workers == 1 && self.order == Order::Completion {
            // The first fault stops a single worker, except for the items that it has claimed.
            let most = self.faults()[0] + self.chunk.unwrap_or(self.fates.len());
            assert!(sum <= most as u64, "{sum} items were worked on");
        }
    }

    /// Checks that the error of the run, and the items in it, follow from the policy.
    fn check_error(&self, error: Option<&Error>) {
        let (faults, in_order) = (self.faults(), self.order == Order::Input);
        match (self.policy, error) {
            (_, None) => assert!(faults.is_empty() || self.policy == ErrorPolicy::Ignore),
            (ErrorPolicy::Immediate, Some(Error::ItemFailed(fault))) => {
                let index = usize::try_from(fault.index().get()).unwrap();
                assert_eq!(self.fates[index].fault(), Some(fault.kind()));
                assert!(!in_order || index == faults[0], "item {index}");
            }
            (ErrorPolicy::Deferred, Some(Error::ItemsFailed(all))) => {
                let mut all: Vec<_> = all.iter().map(|fault| fault.index().get()).collect();
                if !in_order {
                    all.sort_unstable();
                }
                assert!(all.iter().copied().eq(faults.iter().map(|&fault| fault as u64)));
            }
            (_, Some(error)) => panic!("{error:?}"),
        }
    }
}

/// A sink that records the index and the outcome of each item.
#[derive(Default)]
struct Collecting(Vec<(usize, ItemOutcome)>);

/// A sink that holds outcomes back, and writes all of them when there are many, until it fails.
struct Holding {
    /// The number of held outcomes at which the sink writes.
    full: usize,
    /// The number of outcomes that the sink can write.
    fits: usize,
    held: Vec<usize>,
    /// The number of outcomes that the sink has lost.
    lost: usize,
    written: Vec<usize>,
    left_out: Vec<(usize, OmitReason)>,
}

impl Holding {
    fn write_out(&mut self) -> Result<(), SinkError> {
        let fitting = self.held.len().min(self.fits - self.written.len());
        self.written.extend(self.held.drain(..fitting));
        self.lost += std::mem::take(&mut self.held).len();
        if self.lost > 0 { Err(SinkError::other(std::fmt::Error)) } else { Ok(()) }
    }
}

impl Sink for Holding {
    fn write(&mut self, outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        assert_eq!(self.lost, 0, "a failed sink receives nothing more");
        self.held.push(usize::try_from(outcome.index.get()).unwrap());
        if self.held.len() >= self.full { self.write_out() } else { Ok(()) }
    }

    fn unwritten(&self) -> usize {
        self.held.len() + self.lost
    }

    fn omit(
        &mut self,
        outcome: &crate::outcome::Outcome<'_>,
        why: OmitReason,
    ) -> Result<(), SinkError> {
        self.left_out.push((usize::try_from(outcome.index.get()).unwrap(), why));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.write_out()
    }
}

impl Sink for Collecting {
    fn write(&mut self, outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        let index = usize::try_from(outcome.index.get()).unwrap();
        let result = outcome.result.map(|record| record.map(<[u8]>::to_vec));
        self.0.push((index, result.map_err(Fault::kind)));
        Ok(())
    }
}

proptest! {
    /// Runs items into a sink, and checks the outcomes that it received and the error of the run.
    #[test]
    fn a_run_writes_outcomes_by_its_policy(case in case()) {
        with_timeout(move || {
            let mut sink = Collecting::default();
            let ended = case.pool().run(Items::new(case.items()), &mut sink);
            case.check_error(ended.error.as_ref());
            case.check_summary(&ended.summary);
            assert_eq!(ended.summary.delivered, sink.0.len() as u64);
            let mut indices: Vec<_> = sink.0.iter().map(|(index, _)| *index).collect();
            for (index, outcome) in &sink.0 {
                case.check(*index, outcome);
            }
            if case.order == Order::Input {
                // All outcomes, or those up to and including the first fault.
                let due = match case.faults().first() {
                    Some(fault) if !case.goes_on() => fault + 1,
                    _ => case.fates.len(),
                };
                assert!(indices.into_iter().eq(0..due));
            } else {
                indices.sort_unstable();
                assert!(indices.windows(2).all(|pair| pair[0] < pair[1]), "no item twice");
                assert!(!case.goes_on() || indices.len() == case.fates.len());
            }
        });
    }

    /// Runs items into a sink that holds outcomes back and fails. Each item that was read is written or left out.
    #[test]
    fn every_item_is_either_written_or_reported_as_lost(
        case in case(),
        full in 1_usize..6,
        fits in 0_usize..60,
    ) {
        with_timeout(move || {
            let mut sink = Holding {
                full,
                fits,
                held: Vec::new(),
                lost: 0,
                written: Vec::new(),
                left_out: Vec::new(),
            };
            let ended = case.pool().run(Items::new(case.items()), &mut sink);
            let Summary { read, delivered, undelivered, .. } = ended.summary;
            assert_eq!(delivered, sink.written.len() as u64);
            assert_eq!(undelivered, ended.summary.done() - delivered);
            let lost = sink.left_out.iter().filter(|left| left.1 == OmitReason::Lost);
            assert_eq!(lost.count(), sink.lost);
            let failed = matches!(ended.error, Some(Error::Sink(_)));
            assert!(failed || sink.lost == 0);
            if case.order == Order::Input {
                assert!(sink.written.iter().copied().eq(0..sink.written.len()), "the output is a prefix");
                assert!(sink.left_out.is_sorted_by_key(|left| left.0));
            }
            let left_out = sink.left_out.iter().map(|left| left.0);
            let mut all: Vec<_> = sink.written.iter().copied().chain(left_out).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..usize::try_from(read).unwrap()), "each item once");
        });
    }

    /// Runs items as an iterator. Each item that was read comes out, whatever the policy.
    #[test]
    fn a_map_yields_each_outcome_under_any_policy(case in case()) {
        with_timeout(move || {
            let mut pool = case.pool();
            let mut results = pool.map(case.items());
            let mut seen = vec![false; case.fates.len()];
            let mut order_seen = Vec::new();
            for result in results.by_ref() {
                let (index, outcome) = match result {
                    Ok(record) => (record.index(), Ok(record.into_bytes())),
                    Err(fault) => (fault.index(), Err(fault.kind())),
                };
                let index = usize::try_from(index.get()).unwrap();
                case.check(index, &outcome);
                assert!(!std::mem::replace(&mut seen[index], true), "item {index} twice");
                order_seen.push(index);
            }
            let ended = results.end();
            case.check_error(ended.error.as_ref());
            case.check_summary(&ended.summary);
            let count = order_seen.len();
            let expected = (ended.summary.done(), count as u64);
            assert_eq!((ended.summary.delivered, ended.summary.read), expected);
            assert!(case.order == Order::Completion || order_seen.into_iter().eq(0..count));
        });
    }
}
