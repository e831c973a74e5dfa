//! Tests: items are retried, and observers receive an event for each retry.

use super::*;
use crate::event::{Event, Observer};
use crate::item::retry_on::RetryOn;
use crate::worker::restart_policy::MaxRestarts;

/// An observer that records each retried item and the number of the attempt.
#[derive(Default)]
struct RetryLog(Mutex<Vec<(u64, u32)>>);

impl Observer for RetryLog {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Retry { item, attempt, .. } = event {
            self.0.lock().unwrap().push((item.get(), *attempt));
        }
    }
}

#[test]
fn only_items_on_fresh_instances_count_as_retries() {
    with_timeout(|| {
        let retries =
            |most| RestartPolicy { retries: 3, max_restarts: most, ..RestartPolicy::default() };
        #[rustfmt::skip]
        let cases = [
            ("tries as often as it may",     retries(MaxRestarts::Unlimited),  vec![(0, 1), (0, 2), (0, 3)]),
            ("counts as one restart",        retries(MaxRestarts::AtMost(1)),  vec![(0, 1), (0, 2), (0, 3)]),
            ("is retired before the first",  retries(MaxRestarts::AtMost(0)),  vec![]),
        ];
        for (case, restart_policy, expected) in cases {
            let retries_seen = Arc::new(RetryLog::default());
            let observers = Observers::new(retries_seen.clone());
            let mut pool =
                pool(1, Settings { restart_policy, observers, ..settings() }, |_, _| Reply::Fail);
            let ended = pool.run(Items::new(["bad"]), &mut Memory::new());
            assert_eq!(ended.summary.retried, expected.len() as u64, "{case}");
            assert_eq!(*retries_seen.0.lock().unwrap(), expected, "{case}");
            assert_eq!(ended.summary.counts.faults_of(FaultKind::Trap), 1, "{case}");
        }
    });
}

#[test]
fn a_retry_without_a_new_instance_does_not_count() {
    with_timeout(|| {
        let retries_seen = Arc::new(RetryLog::default());
        let observers = Observers::new(retries_seen.clone());
        let restart_policy = RestartPolicy { retries: 3, ..RestartPolicy::default() };
        let mut started = false;
        let open = Box::new(move || {
            if std::mem::replace(&mut started, true) {
                return Err(StartError::InitRefused { message: "not again".into() });
            }
            Ok(boxed(|_: &[u8]| Reply::Fail))
        }) as Open;
        let mut pool =
            start(Settings { restart_policy, observers, ..settings() }, std::iter::once(open));
        let ended = pool.run(Items::new(["bad", "next"]), &mut Memory::new());
        assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })), "{:?}", ended.error);
        assert_eq!(ended.summary.retried, 0);
        assert_eq!(*retries_seen.0.lock().unwrap(), []);
        assert_eq!(ended.summary.counts.faults_of(FaultKind::Trap), 1);
        assert_eq!(ended.summary.counts.not_run(), ended.summary.read - 1);
    });
}

#[test]
fn a_retried_item_is_counted_once() {
    with_timeout(|| {
        for workers in [1, 3] {
            let failures: Arc<Mutex<HashMap<Vec<u8>, u32>>> = Arc::default();
            // Of every three items, one makes the instance fail twice, and one is refused twice. Items 297 and 298 fail
            // at every attempt.
            let call = move |_: usize, item: &[u8]| {
                let number: u64 = std::str::from_utf8(item).unwrap().parse().unwrap();
                let mut failures = failures.lock().unwrap();
                let failed = failures.entry(item.to_vec()).or_default();
                *failed += 1;
                match number % 3 {
                    0 if *failed <= 2 || number == 297 => Reply::Fail,
                    1 if *failed <= 2 || number == 298 => Reply::Refused,
                    _ => Reply::Record(item.to_vec()),
                }
            };
            let retry_on = RetryOn::default().with(FaultKind::Refused);
            let restart_policy = RestartPolicy { retries: 2, retry_on, ..RestartPolicy::default() };
            let mut pool = pool(workers, Settings { restart_policy, ..settings() }, call);
            let mut sink = Memory::new();
            let summary = pool.run(Items::new(numbers(300)), &mut sink).into_result().unwrap();
            assert_eq!(summary.retried, 400);
            assert_eq!((summary.read, summary.delivered), (300, 300));
            assert_eq!((summary.counts.records(), summary.counts.failed()), (298, 2));
            for (index, result) in sink.results().iter().enumerate() {
                match result {
                    Ok(record) => assert_eq!(record.as_deref(), Some(index.to_string().as_bytes())),
                    Err(fault) => assert_eq!(fault.index().get(), index as u64),
                }
            }
            assert_eq!(pool.close().iter().map(|report| report.items).sum::<u64>(), 300);
        }
    });
}
