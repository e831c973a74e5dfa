//! The pool with executors that do as the test says: no wasm, no files.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::*;
use crate::block::BlockBuilder;
use crate::fault::{Fault, FaultKind};
use crate::patience::{PATIENCE, watched};
use crate::plugin::StartError;
use crate::sandbox::watchdog::Watchdog;
use crate::sink::Memory;
use crate::source::{Filled, SourceError};
use crate::worker::executor::{Broken, Executor, Pause, Ran, each_item};

/// What a worker of a test answers.
enum Reply {
    Record(Vec<u8>),
    NoRecord,
    Refused,
    Break,
}

type Call = Box<dyn FnMut(&[u8]) -> Reply>;

struct Scripted {
    call: Call,
    /// Held while the executor lives.
    _alive: Option<Sender<()>>,
}

impl Executor for Scripted {
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, pause: &Pause<'_>) -> Ran {
        each_item(outcomes, until, pause, |outcomes| {
            match (self.call)(outcomes.span().item(outcomes.len())) {
                Reply::Record(record) => outcomes.record(&record),
                Reply::NoRecord => outcomes.no_record(),
                Reply::Refused => outcomes.fault(FaultKind::Refused, "no"),
                Reply::Break => return Err(Broken::new(FaultKind::Trap, "broke")),
            }
            Ok(())
        })
    }

    fn format(&self) -> Format {
        Format::Text
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        Ok(Some(b"done".to_vec()))
    }
}

fn settings() -> Settings {
    Settings {
        order: Order::Input,
        policy: ErrorPolicy::Ignore,
        max_faults: MaxFaults::Unlimited,
        window: Window::default(),
        chunk_size: ChunkSize::Auto,
        results: None,
        stop: StopFlag::new(),
        audience: Audience::default(),
    }
}

/// A pool whose workers all answer by `call`, which is told the worker's number.
fn pool<F>(workers: usize, settings: Settings, call: F) -> Pool
where
    F: Fn(usize, &[u8]) -> Reply + Send + Sync + 'static,
{
    let call = Arc::new(call);
    start(
        settings,
        (0..workers).map(|number| {
            let call = Arc::clone(&call);
            Box::new(move || {
                let call = Arc::clone(&call);
                Ok(boxed(move |item: &[u8]| call(number, item)))
            }) as Open
        }),
    )
}

fn boxed(call: impl FnMut(&[u8]) -> Reply + 'static) -> Box<dyn Executor> {
    Box::new(Scripted { call: Box::new(call), _alive: None })
}

fn start(settings: Settings, opens: impl Iterator<Item = Open>) -> Pool {
    // Time stands still, but where a test needs it.
    Pool::start(opens.collect(), settings, &Ticks::default(), Cancel::default()).unwrap()
}

fn echo(_worker: usize, item: &[u8]) -> Reply {
    Reply::Record(item.to_vec())
}

fn numbers(count: u64) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn text(result: Result<Record, Fault>) -> String {
    match result {
        Ok(record) => match record.bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "(none)".into(),
        },
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn results_come_in_input_order_whatever_the_numbers() {
    watched(|| {
        for workers in [1, 3, 4] {
            for items in (0..20).chain([1000, 50_000]) {
                for window in [Window::default(), at_most(1), at_most(7)] {
                    if items > 1000 && window != Window::default() {
                        continue;
                    }
                    let mut pool = pool(workers, Settings { window, ..settings() }, echo);
                    let results: Vec<_> = pool.map(numbers(items)).map(text).collect();
                    assert_eq!(results, numbers(items), "{workers} workers, {window:?}");
                }
            }
        }
    });
}

fn at_most(items: usize) -> Window {
    Window::UNBOUNDED.with_items(NonZeroUsize::new(items).unwrap())
}

#[test]
fn unordered_results_are_the_same_in_another_order() {
    watched(|| {
        let mut pool = pool(3, Settings { order: Order::Completion, ..settings() }, echo);
        let mut results: Vec<_> = pool.map(numbers(1000)).map(text).collect();
        results.sort_by_key(|number| number.parse::<u64>().unwrap());
        assert_eq!(results, numbers(1000));
    });
}

#[test]
fn a_finished_item_does_not_wait_for_a_slow_one_when_order_does_not_matter() {
    watched(|| {
        let (go, waits) = bounded::<()>(0);
        let slow = move |_: usize, item: &[u8]| {
            if item == b"slow" {
                waits.recv_timeout(PATIENCE).expect("the other result has come out");
            }
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, Settings { order: Order::Completion, ..settings() }, slow);
        let mut results = pool.map(["slow", "quick"]);
        assert_eq!(results.next().map(text).as_deref(), Some("quick"));
        go.send(()).unwrap();
        assert_eq!(results.next().map(text).as_deref(), Some("slow"));
    });
}

#[test]
fn the_length_of_the_input_passes_through() {
    watched(|| {
        let mut pool = pool(2, settings(), echo);
        let mut results = pool.map(["a", "b", "c"]);
        assert_eq!(results.len(), 3);
        results.next();
        assert_eq!(results.len(), 2);
        assert_eq!(results.by_ref().count(), 2);
        assert_eq!(results.size_hint(), (0, Some(0)));
        drop(results);
        let unsized_items = (0..4).map(|n| n.to_string()).filter(|text| text != "2");
        assert_eq!(pool.map(unsized_items).size_hint(), (0, Some(4)));
    });
}

#[test]
fn the_source_is_read_no_further_ahead_than_the_window() {
    watched(|| {
        for items in [1, 2, 5] {
            let pulled = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&pulled);
            let source = std::iter::from_fn(move || {
                Some(counter.fetch_add(1, Ordering::SeqCst).to_string())
            });
            let mut pool = pool(1, Settings { window: at_most(items), ..settings() }, echo);
            let mut results = pool.map(source);
            for taken in 1..200_u64 {
                results.next().unwrap().unwrap();
                let ahead = pulled.load(Ordering::SeqCst) - taken;
                // The reader may already have taken the place of the result just taken.
                assert!(ahead <= items as u64, "{ahead} ahead with a window of {items}");
            }
        }
    });
}

#[test]
fn an_item_is_worked_on_before_the_next_one_has_come() {
    watched(|| {
        let (send, items) = bounded::<String>(0);
        let mut pool = pool(2, settings(), echo);
        let mut results = pool.map(items);
        for number in numbers(20) {
            send.send(number.clone()).unwrap();
            assert_eq!(text(results.next().unwrap()), number);
        }
        drop(send);
        assert_eq!(results.next(), None);
    });
}

/// Signals its end when it is dropped.
struct Counting {
    next: u64,
    _alive: Sender<()>,
}

impl Iterator for Counting {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.next += 1;
        Some(self.next.to_string())
    }
}

fn has_ended(alive: &Receiver<()>) {
    alive.recv_timeout(PATIENCE).expect_err("nobody sends");
    assert!(alive.try_recv().is_err_and(|error| error.is_disconnected()), "it still lives");
}

#[test]
fn dropping_results_and_pool_half_way_leaves_nothing_behind() {
    watched(|| {
        for taken in [0, 1, 100] {
            let (alive, executors) = bounded(0);
            let open = move || -> Result<Box<dyn Executor>, StartError> {
                let call: Call = Box::new(|item: &[u8]| Reply::Record(item.to_vec()));
                Ok(Box::new(Scripted { call, _alive: Some(alive.clone()) }))
            };
            let opens = vec![Box::new(open.clone()) as Open, Box::new(open)];
            let mut pool = start(settings(), opens.into_iter());
            let (alive, source) = bounded(0);
            let mut results = pool.map(Counting { next: 0, _alive: alive });
            assert_eq!(results.by_ref().take(taken).count(), taken);
            drop(results);
            assert!(source.try_recv().is_err_and(|error| error.is_disconnected()));
            // The pool can still be used.
            assert_eq!(pool.map(["again"]).map(text).collect::<Vec<_>>(), ["again"]);
            drop(pool);
            has_ended(&executors);
        }
    });
}

#[test]
fn a_source_that_blocks_for_ever_is_let_go() {
    watched(|| {
        let (send, items) = bounded::<String>(0);
        let mut pool = pool(1, settings(), echo);
        drop(pool.map(items));
        drop(pool);
        drop(send);
    });
}

#[test]
fn each_policy_does_what_it_says() {
    watched(|| {
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
            let told = ended.error.as_ref().map(ToString::to_string);
            assert_eq!(told.as_deref(), error, "{policy}");
            assert_eq!(sink.results().len(), written, "{policy}");
            assert_eq!(ended.summary.delivered, written as u64, "{policy}");
            assert_eq!(ended.summary.read, ended.summary.counts.total(), "{policy}");
            assert_eq!(sink.results()[2].as_ref().unwrap().as_deref(), Some(&b"2"[..]));
            assert!(sink.results()[3].is_err(), "{policy}");
        }
    });
}

#[test]
fn an_immediate_end_in_order_still_gives_all_that_comes_before_the_failed_item() {
    watched(|| {
        // Item 0 is held back until item 5 has failed.
        let (failed, waits) = bounded::<()>(1);
        let call = move |_: usize, item: &[u8]| match item {
            b"0" => {
                waits.recv_timeout(PATIENCE).unwrap();
                Reply::Record(item.to_vec())
            }
            b"5" => {
                failed.send(()).unwrap();
                Reply::Refused
            }
            _ => Reply::Record(item.to_vec()),
        };
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::MIN);
        let policy = ErrorPolicy::Immediate;
        let mut pool = pool(2, Settings { policy, chunk_size, ..settings() }, call);
        let mut sink = Memory::new();
        let ended = pool.run(Items::new(numbers(1000)), &mut sink);
        assert!(matches!(ended.error, Some(Error::ItemFailed(fault)) if fault.index().get() == 5));
        let records: Vec<_> = sink.into_results().into_iter().filter_map(Result::ok).collect();
        assert_eq!(records.len(), 5);
        let counts = ended.summary.counts;
        assert_eq!((counts.records(), counts.failed()), (5, 1), "nothing after it was started");
    });
}

#[test]
fn what_breaks_is_replaced_and_every_other_item_has_its_result() {
    watched(|| {
        for workers in [1, 3] {
            let opened = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&opened);
            let open = move || {
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(boxed(|item: &[u8]| match item {
                    b"0" | b"7" | b"8" | b"19" => Reply::Break,
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
            assert_eq!(reports.iter().map(|report| report.broken).sum::<u64>(), 4);
            assert_eq!(reports.iter().map(|report| report.items).sum::<u64>(), 20);
        }
    });
}

fn no_start() -> StartError {
    StartError::InitRefused { message: "no such file".into() }
}

#[test]
fn a_worker_that_cannot_start_ends_the_run_and_says_why() {
    watched(|| {
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
fn a_loop_that_only_takes_results_sees_that_the_run_failed() {
    watched(|| {
        let cannot_start = || Box::new(|| Err(no_start())) as Open;
        let mut pool = start(settings(), std::iter::once(cannot_start()));
        let all: Result<Vec<_>, _> = pool.map(["one", "two"]).collect();
        assert_eq!(all.unwrap_err().kind(), FaultKind::NotRun);
        let last = pool.map(["one"]).last().unwrap().unwrap_err();
        assert_eq!(last.message(), "worker 0 could not be started: init failed: no such file");
    });
}

#[test]
fn a_panic_in_an_iterator_is_the_last_result() {
    watched(|| {
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
    watched(|| {
        let (go, waits) = bounded::<()>(0);
        let (begun, has_begun) = bounded::<()>(1);
        let slow = move |_: usize, item: &[u8]| {
            if item == b"slow" {
                begun.send(()).unwrap();
                waits.recv_timeout(PATIENCE).unwrap();
            }
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, settings(), slow);
        let results = pool.map(["slow"]);
        has_begun.recv_timeout(PATIENCE).unwrap();
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
fn a_replacement_is_not_made_when_there_is_nothing_left_to_do() {
    watched(|| {
        let opened = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&opened);
        let open = Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(boxed(|_: &[u8]| Reply::Break))
        }) as Open;
        let mut pool = start(settings(), std::iter::once(open));
        assert_eq!(pool.map(["bad"]).count(), 1);
        drop(pool);
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    });
}

/// Panics at whatever it is told.
struct Nervous;

impl crate::event::Observer for Nervous {
    fn notify(&self, _event: &crate::event::Event<'_>) {
        panic!("not that!");
    }
}

#[test]
fn an_observer_that_panics_costs_no_item() {
    watched(|| {
        let audience = Audience::new(Arc::new(Nervous));
        let break_one = |_: usize, item: &[u8]| match item {
            b"1" => Reply::Break,
            _ => Reply::Record(item.to_vec()),
        };
        let mut pool = pool(2, Settings { audience, ..settings() }, break_one);
        let results: Vec<_> = pool.map(numbers(3)).map(text).collect();
        assert_eq!(results, ["0", "item 1: trap: broke", "2"]);
    });
}

#[test]
fn after_an_immediate_end_in_order_nothing_that_was_finished_early_is_written() {
    watched(|| {
        let (done, all_done) = bounded::<()>(3);
        let call = move |_: usize, item: &[u8]| {
            if item == b"0" {
                for _ in 0..3 {
                    all_done.recv_timeout(PATIENCE).unwrap();
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
        assert_eq!(ended.summary.counts.records(), 3, "they are accounted for all the same");
    });
}

#[test]
fn when_no_worker_can_be_started_again_the_rest_is_not_run() {
    watched(|| {
        let open = || {
            let mut started = false;
            Box::new(move || {
                if std::mem::replace(&mut started, true) {
                    return Err(no_start());
                }
                Ok(boxed(|item: &[u8]| match item {
                    b"bad" => Reply::Break,
                    _ => Reply::Record(item.to_vec()),
                }))
            }) as Open
        };
        let mut pool = start(settings(), [open(), open()].into_iter());
        let ended = pool.run(Items::new(["bad", "bad", "good", "good"]), &mut Memory::new());
        assert!(matches!(ended.error, Some(Error::NoWorkerLeft { .. })), "{:?}", ended.error);
        assert_eq!(ended.summary.counts.faults_of(FaultKind::Trap), 2);
        assert_eq!(ended.summary.counts.total(), ended.summary.read);
        // A run that comes later is told as well.
        let later = pool.run(Items::new(["good"]), &mut Memory::new());
        assert!(matches!(later.error, Some(Error::NoWorkerLeft { .. })));
    });
}

/// Gives two items, then fails in the way that it was told.
struct Failing(Option<fn() -> Result<Filled, SourceError>>);

impl Source for Failing {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<Filled, SourceError> {
        block.push(b"one");
        block.push(b"two");
        self.0.take().expect("a source that has failed is not asked again")()
    }
}

#[test]
fn a_source_that_fails_or_panics_loses_nothing_that_was_read() {
    watched(|| {
        let fails: fn() -> _ = || Err(SourceError::other("the tape is torn"));
        let panics: fn() -> _ = || panic!("no more");
        for (fail, read, error) in [
            (fails, 2, "cannot read items"),
            // What a panic leaves half-filled is not counted as read.
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

/// Takes so many outcomes, and then no more.
struct Full(u64);

impl Sink for Full {
    fn write(&mut self, _outcome: &crate::outcome::Outcome<'_>) -> Result<(), SinkError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| SinkError::other("no space"))?;
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_run_and_the_account_is_right() {
    watched(|| {
        for room in [0, 1, 500] {
            let endless = (0..).map(|number: u64| number.to_string());
            let ended = pool(2, settings(), echo).run(Items::new(endless), &mut Full(room));
            assert!(matches!(ended.error, Some(Error::Sink(_))), "{:?}", ended.error);
            assert_eq!(ended.summary.delivered, room);
            assert_eq!(ended.summary.read, ended.summary.counts.total());
        }
    });
}

#[test]
fn a_stop_finishes_what_workers_have_and_reads_nothing_more() {
    watched(|| {
        let stop = StopFlag::new();
        let (begun, has_begun) = bounded::<()>(2);
        let (go, waits) = bounded::<()>(2);
        let call = move |_: usize, item: &[u8]| {
            begun.send(()).unwrap();
            waits.recv_timeout(PATIENCE).unwrap();
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, Settings { stop: stop.clone(), ..settings() }, call);
        let (send, items) = bounded::<String>(8);
        for number in numbers(8) {
            send.send(number).unwrap();
        }
        let stopper = std::thread::Builder::new().spawn(move || {
            for _ in 0..2 {
                has_begun.recv_timeout(PATIENCE).unwrap();
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
        assert_eq!(ended.summary.counts.records(), 2, "one item in each worker");
        assert_eq!(ended.summary.counts.total(), ended.summary.read);
        assert_eq!(sink.results().len(), 2);
        assert!(ended.error.is_none(), "{:?}", ended.error);
        drop(send);
    });
}

#[test]
fn too_many_faults_end_the_run() {
    watched(|| {
        let refuse = |_: usize, _: &[u8]| Reply::Refused;
        let max_faults = MaxFaults::Count(3);
        let mut pool = pool(1, Settings { max_faults, ..settings() }, refuse);
        let endless = (0..).map(|number: u64| number.to_string());
        let ended = pool.run(Items::new(endless), &mut Memory::new());
        assert!(matches!(ended.error, Some(Error::TooManyFaults { .. })), "{:?}", ended.error);
    });
}

#[test]
fn no_worker_idles_while_another_holds_items_it_has_not_started() {
    watched(|| {
        // Eight items meet at a barrier of four, twice: any worker that held two of them
        // would wait for itself.
        let barrier = Barrier::new(4);
        let meet = move |worker: usize, _: &[u8]| {
            barrier.wait();
            Reply::Record(worker.to_string().into_bytes())
        };
        let mut pool = pool(4, settings(), meet);
        let workers: Vec<_> = pool.map(numbers(8)).map(text).collect();
        for round in workers.chunks(4) {
            let mut round = round.to_vec();
            round.sort();
            assert_eq!(round, ["0", "1", "2", "3"]);
        }
    });
}

#[test]
fn a_claim_that_takes_too_long_is_shared() {
    watched(|| {
        let (tick, told) = bounded::<()>(1);
        let watchdog = Watchdog::start(move || tick.try_send(()).unwrap_or_default()).unwrap();
        let seen: Arc<Mutex<HashMap<usize, u64>>> = Arc::default();
        let counts = Arc::clone(&seen);
        // Each item takes a tick, though the claims are of a hundred.
        let slow = move |worker: usize, item: &[u8]| {
            told.recv_timeout(PATIENCE).unwrap();
            *counts.lock().unwrap().entry(worker).or_default() += 1;
            Reply::Record(item.to_vec())
        };
        let slow = Arc::new(slow);
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(100).unwrap());
        let opens: Vec<Open> = (0..2)
            .map(|number| {
                let slow = Arc::clone(&slow);
                Box::new(move || {
                    let slow = Arc::clone(&slow);
                    Ok(boxed(move |item: &[u8]| slow(number, item)))
                }) as Open
            })
            .collect();
        let ticks = watchdog.ticks();
        let settings = Settings { chunk_size, ..settings() };
        let mut pool = Pool::start(opens, settings, &ticks, Cancel::default()).unwrap();
        assert_eq!(pool.map(numbers(40)).map(text).collect::<Vec<_>>(), numbers(40));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2, "both workers had items: {seen:?}");
    });
}

#[test]
fn workers_keep_their_state_from_run_to_run_and_report_it_at_the_end() {
    watched(|| {
        let opens = std::iter::once(Box::new(|| {
            let mut calls = 0_u64;
            Ok(boxed(move |_: &[u8]| {
                calls += 1;
                Reply::Record(calls.to_string().into_bytes())
            }))
        }) as Open);
        let mut pool = start(settings(), opens);
        assert_eq!(pool.map(["a", "b"]).map(text).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(pool.map(["c"]).map(text).collect::<Vec<_>>(), ["3"]);
        let reports = pool.close();
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].closing, Ok(Some(b"done".to_vec())));
        assert_eq!(reports[0].items, 3);
    });
}

#[test]
fn progress_is_seen_from_another_thread() {
    watched(|| {
        let mut pool = pool(2, settings(), echo);
        let progress = pool.progress();
        let mut results = pool.map(numbers(10));
        assert_eq!(progress.snapshot().total, Some(10));
        assert_eq!(results.by_ref().count(), 10);
        assert_eq!(progress.snapshot().done, 10);
        assert!(results.end().summary.took < Duration::MAX);
    });
}
