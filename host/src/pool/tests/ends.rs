//! Tests: items fail, workers fail, sources and sinks give up. Each run ends correctly and counts all items.

use super::*;
use crate::outcome::OutcomeIter;
use crate::stats::Summary;
use crate::worker::restart_policy::MaxRestarts;

#[test]
fn each_error_policy_decides_output_and_error() {
    with_timeout(|| {
        let call = |_: usize, item: &[u8]| match item {
            b"3" | b"5" => Reply::Refused,
            b"6" => Reply::NoRecord,
            _ => Reply::Record(item.to_vec()),
        };
        for (policy, written, error) in [
            (ErrorPolicy::Ignore, 8, None),
            (ErrorPolicy::Immediate, 4, Some("an item failed")),
            (ErrorPolicy::Deferred, 8, Some("2 items failed")),
        ] {
            let mut pool = pool(2, Settings { policy, ..settings() }, call);
            let mut sink = Memory::new();
            let ended = pool.run(Items::new(numbers(8)), &mut sink);
            let message = ended.error.as_ref().map(ToString::to_string);
            assert_eq!(message.as_deref(), error, "{policy}");
            assert_eq!(sink.results().len(), written, "{policy}");
            assert_eq!(ended.summary.delivered, written as u64, "{policy}");
            let Summary { read, counts, delivered, undelivered, .. } = ended.summary;
            assert_eq!(read, counts.total(), "{policy}");
            assert_eq!(delivered + undelivered, read - counts.not_run(), "{policy}");
            assert_eq!(sink.results()[2].as_ref().unwrap().as_deref(), Some(&b"2"[..]));
            assert!(sink.results()[3].is_err(), "{policy}");
        }
    });
}

#[test]
fn undelivered_results_are_counted() {
    with_timeout(|| {
        for taken in 1..=3 {
            // Each item waits until all three items have started. So the workers finish all three items, however many
            // results the test takes.
            let all = Barrier::new(3);
            let call = move |_: usize, item: &[u8]| {
                all.wait();
                Reply::Record(item.to_vec())
            };
            let chunk_size = ChunkSize::Fixed(NonZeroUsize::MIN);
            let mut pool = pool(3, Settings { chunk_size, ..settings() }, call);
            let mut results = pool.map(numbers(3));
            assert_eq!(results.by_ref().take(taken).filter(Result::is_ok).count(), taken);
            let Summary { delivered, undelivered, .. } = results.end().summary;
            assert_eq!((delivered, undelivered), (taken as u64, 3 - taken as u64));
        }
    });
}

#[test]
fn an_immediate_end_delivers_items_before_the_failed_one() {
    with_timeout(|| {
        // Item 0 waits until the pool knows that item 5 has failed. Only then does the pool drop an endless source.
        let (reads, is_read) = bounded::<()>(0);
        let call = move |_: usize, item: &[u8]| match item {
            b"0" => {
                assert_eq!(is_read.recv_timeout(TEST_TIMEOUT), Err(RecvTimeoutError::Disconnected));
                Reply::Record(item.to_vec())
            }
            b"5" => Reply::Refused,
            _ => Reply::Record(item.to_vec()),
        };
        let endless = (0..).map(move |number: u64| {
            let _read = &reads;
            number.to_string()
        });
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::MIN);
        let policy = ErrorPolicy::Immediate;
        let mut pool = pool(2, Settings { policy, chunk_size, ..settings() }, call);
        let mut sink = Memory::new();
        let ended = pool.run(Items::new(endless), &mut sink);
        assert!(matches!(ended.error, Some(Error::ItemFailed(fault)) if fault.index().get() == 5));
        let records: Vec<_> = sink.into_results().into_iter().filter_map(Result::ok).collect();
        assert_eq!(records.len(), 5);
        let counts = ended.summary.counts;
        assert_eq!((counts.records(), counts.failed()), (5, 1), "no later item was started");
    });
}

#[test]
fn failed_instances_are_replaced_and_other_items_succeed() {
    with_timeout(|| {
        for workers in [1, 3] {
            let opened = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&opened);
            let open = move || {
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(boxed(|item: &[u8]| match item {
                    b"0" | b"7" | b"8" | b"19" => Reply::Fail,
                    _ => Reply::Record(item.to_vec()),
                }))
            };
            let opens = (0..workers).map(|_| Box::new(open.clone()) as Open);
            let mut pool = start(settings(), opens);
            let mut sink = Memory::new();
            let summary = pool.run(Items::new(numbers(20)), &mut sink).into_result().unwrap();
            assert_eq!(summary.counts.faults_of(FaultKind::Trap), 4);
            assert_eq!(summary.counts.records(), 16);
            for (index, result) in sink.results().iter().enumerate() {
                match result {
                    Ok(record) => assert_eq!(record.as_deref(), Some(index.to_string().as_bytes())),
                    Err(fault) => assert_eq!(fault.index().get(), index as u64),
                }
            }
            let reports = pool.close();
            assert_eq!(reports.iter().map(|report| report.failed_instances).sum::<u64>(), 4);
            assert_eq!(reports.iter().map(|report| report.items).sum::<u64>(), 20);
        }
    });
}

fn no_start() -> StartError {
    StartError::InitRefused { message: "no such file".into() }
}

#[test]
fn a_failed_worker_start_ends_the_run_with_its_reason() {
    with_timeout(|| {
        let opens = vec![
            Box::new(|| Ok(boxed(|item: &[u8]| Reply::Record(item.to_vec())))) as Open,
            Box::new(|| Err(no_start())) as Open,
        ];
        let mut pool = start(settings(), opens.into_iter());
        let (send, items) = bounded::<String>(1);
        send.send("first".into()).unwrap();
        let ended = pool.map(items).end();
        let error = ended.error.expect("the run has failed");
        assert!(matches!(&error, Error::Init { worker, .. } if worker.get() == 1), "{error}");
        assert_eq!(ended.summary.read, ended.summary.counts.total());
        drop(send);
    });
}

#[test]
fn a_result_loop_sees_the_run_error() {
    with_timeout(|| {
        let cannot_start = || Box::new(|| Err(no_start())) as Open;
        let mut pool = start(settings(), std::iter::once(cannot_start()));
        let all: Result<Vec<_>, _> = pool.map(["one", "two"]).collect();
        assert_eq!(all.unwrap_err().kind(), FaultKind::NotRun);
        let last = pool.map(["one"]).last().unwrap().unwrap_err();
        assert_eq!(last.message(), "worker 0 could not be started: init failed: no such file");
    });
}

#[test]
fn a_panicking_item_iterator_gives_a_last_fault() {
    with_timeout(|| {
        let items = (0..5).map(|number| {
            assert!(number < 3, "three is enough");
            number.to_string()
        });
        let mut pool = pool(2, settings(), echo);
        let results: Vec<_> = pool.map(items).map(text).collect();
        let panic = "item 3: not-run: the source of the items panicked: three is enough";
        assert_eq!(results, ["0", "1", "2", panic]);
    });
}

#[test]
fn a_slow_item_of_an_abandoned_run_holds_up_only_its_own_worker() {
    with_timeout(|| {
        let (go, waits) = bounded::<()>(0);
        let (begins, has_begun) = bounded::<()>(1);
        let slow = move |_: usize, item: &[u8]| {
            if item == b"slow" {
                begins.send(()).unwrap();
                waits.recv_timeout(TEST_TIMEOUT).unwrap();
            }
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, settings(), slow);
        let results = pool.map(["slow"]);
        has_begun.recv_timeout(TEST_TIMEOUT).unwrap();
        drop(results);
        for item in ["second", "third"] {
            let mut results = pool.map([item]);
            assert_eq!(results.next().map(text).as_deref(), Some(item));
        }
        go.send(()).unwrap();
        assert_eq!(pool.map(["last"]).map(text).collect::<Vec<_>>(), ["last"]);
    });
}

#[test]
fn no_replacement_starts_without_remaining_items() {
    with_timeout(|| {
        let opened = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&opened);
        let open = Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(boxed(|_: &[u8]| Reply::Fail))
        }) as Open;
        let mut pool = start(settings(), std::iter::once(open));
        assert_eq!(pool.map(["bad"]).count(), 1);
        drop(pool);
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    });
}

/// An observer that panics at every event.
struct Nervous;

impl crate::event::Observer for Nervous {
    fn notify(&self, _event: &crate::event::Event<'_>) {
        panic!("not that!");
    }
}

#[test]
fn an_observer_that_panics_costs_no_item() {
    with_timeout(|| {
        let observers = Observers::new(Arc::new(Nervous));
        let fail_one = |_: usize, item: &[u8]| match item {
            b"1" => Reply::Fail,
            _ => Reply::Record(item.to_vec()),
        };
        let mut pool = pool(2, Settings { observers, ..settings() }, fail_one);
        let results: Vec<_> = pool.map(numbers(3)).map(text).collect();
        assert_eq!(results, ["0", "item 1: trap: failed", "2"]);
    });
}

#[test]
fn an_immediate_end_discards_results_after_the_failed_item() {
    with_timeout(|| {
        let (done, all_done) = bounded::<()>(3);
        let call = move |_: usize, item: &[u8]| {
            if item == b"0" {
                for _ in 0..3 {
                    all_done.recv_timeout(TEST_TIMEOUT).unwrap();
                }
                return Reply::Refused;
            }
            done.send(()).unwrap();
            Reply::Record(item.to_vec())
        };
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::MIN);
        let policy = ErrorPolicy::Immediate;
        let mut pool = pool(2, Settings { policy, chunk_size, ..settings() }, call);
        let mut sink = Memory::new();
        let ended = pool.run(Items::new(numbers(4)), &mut sink);
        assert_eq!((sink.results().len(), ended.summary.delivered), (1, 1));
        assert_eq!(ended.summary.counts.records(), 3, "the summary counts them");
    });
}

#[test]
fn without_a_restartable_worker_the_rest_is_not_run() {
    with_timeout(|| {
        let open = || {
            let mut started = false;
            Box::new(move || {
                if std::mem::replace(&mut started, true) {
                    return Err(no_start());
                }
                Ok(boxed(|item: &[u8]| match item {
                    b"bad" => Reply::Fail,
                    _ => Reply::Record(item.to_vec()),
                }))
            }) as Open
        };
        let mut pool = start(settings(), [open(), open()].into_iter());
        let ended = pool.run(Items::new(["bad", "bad", "good", "good"]), &mut Memory::new());
        assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })), "{:?}", ended.error);
        assert_eq!(ended.summary.counts.faults_of(FaultKind::Trap), 2);
        assert_eq!(ended.summary.counts.total(), ended.summary.read);
        // A later run fails with the same error.
        let later = pool.run(Items::new(["good"]), &mut Memory::new());
        assert!(matches!(later.error, Some(Error::NoWorkerLeft { .. })));
    });
}

/// A source that gives two items, and then fails in the given way.
struct Failing(Option<fn() -> Result<FillStatus, SourceError>>);

impl Source for Failing {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        block.push(b"one");
        block.push(b"two");
        self.0.take().expect("a failed source is not filled again")()
    }
}

#[test]
fn a_failing_source_loses_no_item_already_read() {
    with_timeout(|| {
        let fails: fn() -> _ = || Err(SourceError::other("the tape is torn"));
        let panics: fn() -> _ = || panic!("no more");
        for (fail, read, error) in [
            (fails, 2, "cannot read items"),
            // A block that a panic leaves half-filled is not counted as read.
            (panics, 0, "the source of the items panicked: no more"),
        ] {
            let mut sink = Memory::new();
            let mut pool = pool(2, settings(), echo);
            let ended = pool.run(Failing(Some(fail)), &mut sink);
            assert_eq!(ended.error.map(|error| error.to_string()).as_deref(), Some(error));
            assert_eq!((sink.results().len(), ended.summary.read), (read, read as u64));
        }
    });
}

/// A sink that fails after the given number of outcomes.
struct Full(u64);

impl Sink for Full {
    fn write(&mut self, _outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| SinkError::other("no space"))?;
        Ok(())
    }
}

#[test]
fn a_failing_sink_ends_the_run_with_correct_counts() {
    with_timeout(|| {
        for accepted in [0, 1, 500] {
            let endless = (0..).map(|number: u64| number.to_string());
            let ended = pool(2, settings(), echo).run(Items::new(endless), &mut Full(accepted));
            assert!(matches!(ended.error, Some(Error::Sink(_))), "{:?}", ended.error);
            assert_eq!(ended.summary.delivered, accepted);
            assert_eq!(ended.summary.read, ended.summary.counts.total());
        }
    });
}

/// A sink that takes up to `takes` outcomes in one call, and then fails.
struct Short {
    takes: usize,
    taken: usize,
}

impl Sink for Short {
    fn write(&mut self, _outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        unreachable!("the run has ended")
    }

    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        self.taken += outcomes.take(self.takes).count();
        Err(SinkError::other("no more"))
    }
}

#[test]
fn outcomes_before_the_failed_one_count_as_delivered() {
    with_timeout(|| {
        for takes in [0, 1, 100] {
            let mut sink = Short { takes, taken: 0 };
            let ended = pool(1, settings(), echo).run(Items::new(numbers(5_000)), &mut sink);
            assert!(matches!(ended.error, Some(Error::Sink(_))), "{:?}", ended.error);
            assert_eq!(ended.summary.delivered, sink.taken.saturating_sub(1) as u64, "{takes}");
        }
    });
}

/// A sink that takes the first two of many outcomes together.
#[derive(Default)]
struct Mixed(Vec<u64>);

impl Sink for Mixed {
    fn write(&mut self, outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        self.0.push(outcome.index.get());
        Ok(())
    }

    fn write_many(&mut self, outcomes: &mut OutcomeIter<'_>) -> Result<(), SinkError> {
        assert!(outcomes.clone().all(|outcome| outcome.result.is_ok()), "all are records");
        outcomes.take(2).try_for_each(|outcome| self.write(&outcome))
    }
}

#[test]
fn outcomes_that_a_bulk_write_leaves_are_written_singly() {
    with_timeout(|| {
        let refuse_some = |_: usize, item: &[u8]| match item.last() {
            Some(b'7') => Reply::Refused,
            _ => Reply::Record(item.to_vec()),
        };
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(5).unwrap());
        let mut pool = pool(2, Settings { chunk_size, ..settings() }, refuse_some);
        let mut sink = Mixed::default();
        let summary = pool.run(Items::new(numbers(100)), &mut sink).into_result().unwrap();
        assert!(sink.0.into_iter().eq(0..100));
        assert_eq!((summary.delivered, summary.counts.failed()), (100, 10));
    });
}

#[test]
fn a_stop_finishes_started_items_and_ends_reading() {
    with_timeout(|| {
        let stop = StopFlag::new();
        let (begins, has_begun) = bounded::<()>(2);
        let (go, waits) = bounded::<()>(2);
        let call = move |_: usize, item: &[u8]| {
            begins.send(()).unwrap();
            waits.recv_timeout(TEST_TIMEOUT).unwrap();
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, Settings { stop: stop.clone(), ..settings() }, call);
        let (send, items) = bounded::<String>(8);
        for number in numbers(8) {
            send.send(number).unwrap();
        }
        let stopper = std::thread::Builder::new().spawn(move || {
            for _ in 0..2 {
                has_begun.recv_timeout(TEST_TIMEOUT).unwrap();
            }
            stop.set();
            for _ in 0..2 {
                go.send(()).unwrap();
            }
        });
        let mut sink = Memory::new();
        let ended = pool.run(Items::new(items), &mut sink);
        stopper.unwrap().join().unwrap();
        assert!(ended.summary.stopped);
        assert_eq!(ended.summary.counts.records(), 2, "one item for each worker");
        assert_eq!(ended.summary.counts.total(), ended.summary.read);
        assert_eq!(sink.results().len(), 2);
        assert!(ended.error.is_none(), "{:?}", ended.error);
        drop(send);
    });
}

#[test]
fn too_many_faults_end_the_run() {
    with_timeout(|| {
        let refuse = |_: usize, _: &[u8]| Reply::Refused;
        let max_faults = MaxFaults::Count(3);
        let mut pool = pool(1, Settings { max_faults, ..settings() }, refuse);
        let endless = (0..).map(|number: u64| number.to_string());
        let ended = pool.run(Items::new(endless), &mut Memory::new());
        assert!(matches!(ended.error, Some(Error::TooManyFaults { .. })), "{:?}", ended.error);
    });
}

#[test]
fn a_join_timeout_may_exceed_the_clock_range() {
    with_timeout(|| {
        let settings = Settings { join_timeout: Some(Duration::MAX), ..settings() };
        let stop = settings.stop.clone();
        let mut pool = pool(1, settings, echo);
        let mut results = pool.map(std::iter::repeat("item"));
        results.next().unwrap().unwrap();
        stop.set();
        assert!(results.end().into_result().unwrap().stopped);
        assert_eq!(pool.close()[0].finish_report, Ok(Some(b"done".to_vec())));
    });
}

#[test]
fn a_panic_on_dropping_an_opener_costs_no_report() {
    struct Slip;
    impl Drop for Slip {
        fn drop(&mut self) {
            panic!("a slip at the end");
        }
    }
    with_timeout(|| {
        let slip = Slip;
        let open = move || {
            let _ = &slip;
            Ok(boxed(|item: &[u8]| Reply::Record(item.to_vec())))
        };
        let mut pool = start(settings(), std::iter::once(Box::new(open) as Open));
        assert_eq!(pool.map(["a", "b"]).map(text).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(pool.close()[0].items, 2);
    });
}

#[test]
fn ended_results_ignore_a_late_panic_of_the_reader() {
    with_timeout(|| {
        let (send, waits) = bounded::<()>(0);
        let (alive, reader) = bounded::<()>(0);
        let (begins, has_begun) = bounded(1);
        let blocked = std::iter::from_fn(move || -> Option<String> {
            let _alive = &alive;
            begins.send(()).unwrap();
            waits.recv().unwrap_err();
            panic!("the sender is gone");
        });
        let settings = settings();
        let stop = settings.stop.clone();
        let mut pool = pool(1, settings, echo);
        let mut results = pool.map(blocked);
        has_begun.recv_timeout(TEST_TIMEOUT).unwrap();
        stop.set();
        assert_eq!(results.next(), None);
        drop(send);
        reader.recv_timeout(TEST_TIMEOUT).expect_err("the reader has ended");
        assert_eq!(results.next(), None);
    });
}

/// An observer that records all events.
#[derive(Default)]
struct EventLog(Mutex<Vec<String>>);

impl crate::event::Observer for EventLog {
    fn notify(&self, event: &crate::event::Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[test]
fn items_interrupted_by_the_pool_cause_no_events() {
    with_timeout(|| {
        let events = Arc::new(EventLog::default());
        let mut settings = Settings { observers: Observers::new(events.clone()), ..settings() };
        settings.restart_policy.max_restarts = MaxRestarts::AtMost(0);
        let (begins, has_begun) = bounded(1);
        let (go, waits) = bounded::<()>(0);
        let open = move || {
            let (begins, waits) = (begins.clone(), waits.clone());
            Ok(boxed(move |_: &[u8]| {
                begins.send(()).unwrap();
                // The pool has been dropped by now, and waits.
                waits.recv_timeout(TEST_TIMEOUT).unwrap_err();
                Reply::Fail
            }))
        };
        let cancel = Cancel::default();
        let opens: Vec<Open> = vec![Box::new(open)];
        let mut pool = Pool::start(opens, settings, &Ticks::default(), cancel.clone()).unwrap();
        let results = pool.map(["item"]);
        has_begun.recv_timeout(TEST_TIMEOUT).unwrap();
        cancel.cancel_all();
        drop(go);
        drop(results);
        drop(pool);
        let events = events.0.lock().unwrap();
        assert!(events.iter().all(|event| event.starts_with("WorkerReady")), "{events:?}");
    });
}

/// An executor that works on three items, and loses the outcomes of the first two when it fails on the third.
struct Losing {
    stop: StopFlag,
}

impl Executor for Losing {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        _until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        assert!(cursor.start_next() && cursor.start_next());
        self.stop.set();
        ExecutionEnd::Lost {
            at: outcomes.len() + 2,
            failure: InstanceFailure::new(FaultKind::Crashed, "died"),
        }
    }

    fn format(&self) -> Format {
        Format::Text
    }

    fn has_finish_report(&self) -> bool {
        false
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        Ok(None)
    }
}

/// A source of four items in one block.
struct Four;

impl Source for Four {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        (0..4).for_each(|_| block.push(b"item"));
        Ok(FillStatus::End)
    }
}

/// A sink that records the faults that were not written.
#[derive(Default)]
struct LeftOutFaults(Vec<Fault>);

impl Sink for LeftOutFaults {
    fn write(&mut self, outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        panic!("{outcome:?} is written");
    }

    fn omit(
        &mut self,
        outcome: &crate::outcome::Outcome<'_>,
        _why: OmitReason,
    ) -> Result<(), SinkError> {
        self.0.extend(outcome.result.err().cloned());
        Ok(())
    }
}

#[test]
fn an_item_with_a_lost_outcome_does_not_count_as_not_run() {
    with_timeout(|| {
        let stop = StopFlag::new();
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(4).unwrap());
        let settings = Settings { stop: stop.clone(), chunk_size, ..settings() };
        let open: Open =
            Box::new(move || Ok(Box::new(Losing { stop: stop.clone() }) as Box<dyn Executor>));
        let mut pool = start(settings, [open].into_iter());
        let mut sink = LeftOutFaults::default();
        let ended = pool.run(Four, &mut sink);
        let kinds: Vec<_> = sink.0.iter().map(Fault::kind).collect();
        let (crashed, not_run) = (FaultKind::Crashed, FaultKind::NotRun);
        // The output has ended before the first of these items.
        assert_eq!(kinds, [crashed, crashed, crashed, not_run]);
        assert!(sink.0[0].message().starts_with("it was started in a process"), "{}", sink.0[0]);
        assert_eq!(sink.0[2].message(), "died");
        assert_eq!((ended.summary.done(), ended.summary.counts.not_run()), (3, 1));
    });
}
