//! Tests: items are retried and instances are replaced, for any number of both.

use std::num::NonZeroU64;

use proptest::prelude::*;

use super::*;
use crate::item::retry_on::RetryOn;

/// An item that fails the given number of times, and then succeeds.
#[derive(Clone, Copy, Debug)]
struct Item {
    failures: usize,
    traps: bool,
}

/// The items and the settings of a run.
#[derive(Clone, Debug)]
struct Case {
    items: Vec<Item>,
    retries: u32,
    retries_refused: bool,
    recycle: Option<u64>,
    workers: usize,
    chunk: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let failures = prop_oneof![4 => Just(0_usize), 1 => 1_usize..5];
    let item = (failures, any::<bool>()).prop_map(|(failures, traps)| Item { failures, traps });
    let items = prop::collection::vec(item, 0..30);
    let recycle = prop::option::of(1_u64..4);
    (items, 0_u32..4, any::<bool>(), recycle, 1_usize..4, 1_usize..6).prop_map(
        |(items, retries, retries_refused, recycle, workers, chunk)| Case {
            items,
            retries,
            retries_refused,
            recycle,
            workers,
            chunk,
        },
    )
}

/// The instances that have worked on each item, in order.
type Tried = Arc<Mutex<HashMap<usize, Vec<u64>>>>;

impl Case {
    /// Returns how often an item is tried.
    fn tries(&self, item: Item) -> usize {
        let again = item.traps || self.retries_refused;
        let retries = if again { self.retries as usize } else { 0 };
        item.failures.min(retries) + 1
    }

    fn settings(&self) -> Settings {
        let mut settings = settings();
        settings.chunk_size = ChunkSize::Fixed(NonZeroUsize::new(self.chunk).unwrap());
        settings.restart_policy.retries = self.retries;
        settings.restart_policy.recycle = self.recycle.and_then(NonZeroU64::new);
        if self.retries_refused {
            settings.restart_policy.retry_on = RetryOn::default().with(FaultKind::Refused);
        }
        settings
    }

    fn pool(&self, tried: &Tried) -> Pool {
        let opened = Arc::new(AtomicU64::new(0));
        let open = || {
            let (opened, tried) = (Arc::clone(&opened), Arc::clone(tried));
            let items = self.items.clone();
            Box::new(move || {
                let (tried, items) = (Arc::clone(&tried), items.clone());
                let instance = opened.fetch_add(1, Ordering::SeqCst);
                Ok(boxed(move |item: &[u8]| {
                    let number: usize = std::str::from_utf8(item).unwrap().parse().unwrap();
                    let mut tried = tried.lock().unwrap();
                    let tries = tried.entry(number).or_default();
                    tries.push(instance);
                    match items[number] {
                        Item { failures, .. } if tries.len() > failures => {
                            Reply::Record(item.to_vec())
                        }
                        Item { traps: true, .. } => Reply::Fail,
                        Item { traps: false, .. } => Reply::Refused,
                    }
                }))
            }) as Open
        };
        start(self.settings(), (0..self.workers).map(|_| open()))
    }

    fn check(&self, tried: &HashMap<usize, Vec<u64>>) {
        let mut calls: HashMap<u64, u64> = HashMap::new();
        for (number, item) in self.items.iter().enumerate() {
            let instances = &tried[&number];
            assert_eq!(instances.len(), self.tries(*item), "item {number}: {instances:?}");
            let mut fresh = instances.clone();
            fresh.sort_unstable();
            fresh.dedup();
            assert_eq!(fresh.len(), instances.len(), "item {number} again on the same instance");
            for instance in instances {
                *calls.entry(*instance).or_default() += 1;
            }
        }
        let most = self.recycle.unwrap_or(u64::MAX);
        assert!(calls.values().all(|calls| *calls <= most), "more than {most}: {calls:?}");
    }
}

proptest! {
    #[test]
    fn retries_use_fresh_instances_up_to_their_limit(case in case()) {
        with_timeout(move || {
            let tried = Tried::default();
            let mut pool = case.pool(&tried);
            let mut results = pool.map(numbers(case.items.len() as u64));
            let seen: Vec<_> = results.by_ref().collect();
            let summary = results.end().into_result().unwrap();
            assert_eq!(seen.len(), case.items.len());
            for ((number, item), result) in case.items.iter().enumerate().zip(seen) {
                let expected = match (item.failures >= case.tries(*item), item.traps) {
                    (false, _) => Ok(number.to_string().into_bytes()),
                    (true, true) => Err(FaultKind::Trap),
                    (true, false) => Err(FaultKind::Refused),
                };
                let result = result.map(|record| record.into_bytes().unwrap());
                assert_eq!(result.map_err(|fault| fault.kind()), expected, "item {number}");
            }
            case.check(&tried.lock().unwrap());
            let retried: usize = case.items.iter().map(|item| case.tries(*item) - 1).sum();
            assert_eq!(summary.retried, retried as u64);
            assert_eq!(summary.counts.total(), summary.read);
            let reports = pool.close();
            let items: u64 = reports.iter().map(|report| report.items).sum();
            assert_eq!(items, case.items.len() as u64, "an item counts once, however often it is tried");
        });
    }
}

#[test]
fn an_instance_is_replaced_after_a_discarded_last_item() {
    with_timeout(|| {
        let (begins, has_begun) = bounded(1);
        let (go, waits) = bounded::<()>(0);
        let open = move || {
            let (begins, waits, mut calls) = (begins.clone(), waits.clone(), 0);
            Ok(boxed(move |item: &[u8]| {
                calls += 1;
                if item == b"unwanted" {
                    begins.send(()).unwrap();
                    waits.recv_timeout(TEST_TIMEOUT).unwrap();
                }
                Reply::Record(calls.to_string().into_bytes())
            }))
        };
        let mut settings = settings();
        settings.restart_policy.recycle = NonZeroU64::new(1);
        let mut pool = start(settings, std::iter::once(Box::new(open) as Open));
        let results = pool.map(["unwanted"]);
        has_begun.recv_timeout(TEST_TIMEOUT).unwrap();
        drop(results);
        go.send(()).unwrap();
        let calls: Vec<_> = pool.map(["a", "b"]).map(text).collect();
        assert_eq!(calls, ["1", "1"], "each instance has one item");
    });
}
