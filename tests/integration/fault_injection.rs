//! Kills workers' processes at random while they run items. Each item must have exactly one
//! outcome, and each record must be correct. No item may run again after the host has its result,
//! and no process may be left.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mtl_host::event::{Event, Observer};
use mtl_host::limits::{ChunkSize, MaxRestarts};
use mtl_host::{Engine, Fault, FaultKind, Order, Plugin, PoolBuilder, Record};
use rustix::process::Signal;

use crate::support::{
    DEADLINE, by_tier, fixtures, own_children, processes, run_in_own_process_within,
};

/// Returns the number of items.
fn items() -> usize {
    by_tier(40_000, 200_000)
}

const WORKERS: usize = 3;
/// The average number of items between two kills.
const KILLED_EVERY: usize = 1_000;

/// A time limit far above the usual ten seconds.
const LONGEST: Duration = Duration::from_secs(600);

/// The settings of a run, with the signals that its processes receive.
struct Case {
    order: Order,
    retries: u32,
    signals: &'static [Signal],
}

#[test]
fn in_order() {
    run_in_own_process_within(LONGEST, module_path!(), "in_order", || {
        inject(&Case { order: Order::Input, retries: 0, signals: &[Signal::KILL] });
    });
}

#[test]
fn in_any_order() {
    run_in_own_process_within(LONGEST, module_path!(), "in_any_order", || {
        // The engine in a process may handle some of these signals itself, if they are the first.
        let signals = &[Signal::KILL, Signal::SEGV, Signal::ABORT, Signal::TERM];
        inject(&Case { order: Order::Completion, retries: 0, signals });
    });
}

#[test]
fn in_order_with_retries() {
    run_in_own_process_within(LONGEST, module_path!(), "in_order_with_retries", || {
        inject(&Case { order: Order::Input, retries: 3, signals: &[Signal::KILL] });
    });
}

#[test]
fn in_any_order_with_retries() {
    run_in_own_process_within(LONGEST, module_path!(), "in_any_order_with_retries", || {
        inject(&Case { order: Order::Completion, retries: 3, signals: &[Signal::KILL] });
    });
}

/// Checks a run in which some processes are stopped and hang until their deadline.
#[test]
fn some_processes_hang_until_their_deadline() {
    run_in_own_process_within(
        LONGEST,
        module_path!(),
        "some_processes_hang_until_their_deadline",
        || {
            let signals = &[Signal::KILL, Signal::KILL, Signal::KILL, Signal::STOP];
            inject(&Case { order: Order::Input, retries: 0, signals });
        },
    );
}

fn inject(case: &Case) {
    let mut random = Random::new();
    let seed = random.0;
    let runs = Arc::new(Runs::new());
    let (ready, plugin) = (Arc::new(Ready::default()), plugin(&runs));
    let mut pool = builder(&plugin, case).observer(ready.clone()).build().unwrap();
    ready.wait();
    let before = descriptors();
    let (mut killed, mut hung) = (0, 0);
    let mut next = random.below(2 * KILLED_EVERY);
    let mut outcomes: Vec<Option<Result<(), FaultKind>>> = vec![None; items()];
    let mut results = pool.map((0..items()).map(item));
    for (number, result) in results.by_ref().enumerate() {
        let index = index(&result);
        runs.record_result(index);
        if case.order == Order::Input {
            assert_eq!(index, number, "seed {seed}");
        }
        let outcome = check_outcome(index, &result);
        assert!(outcomes[index].replace(outcome).is_none(), "item {index} twice, seed {seed}");
        if number == next {
            next += 1 + random.below(2 * KILLED_EVERY);
            let children = own_children();
            let signal = case.signals[random.below(case.signals.len())];
            // Each hanging process costs its worker several seconds.
            let signal = if hung == 5 { Signal::KILL } else { signal };
            if let Some(child) = children.get(random.below(children.len().max(1))) {
                let was_received = usize::from(child.signal(signal));
                *(if signal == Signal::STOP { &mut hung } else { &mut killed }) += was_received;
            }
        }
    }
    let summary = results.end().into_result().unwrap();
    assert_eq!((summary.counts.total(), summary.delivered), (items() as u64, items() as u64));
    assert!(outcomes.iter().all(Option::is_some), "an item has no outcome, seed {seed}");
    let failed = |kind| outcomes.iter().filter(|outcome| **outcome == Some(Err(kind))).count();
    let (crashed, timeout) = (failed(FaultKind::Crashed), failed(FaultKind::Timeout));
    assert!(killed > items() / KILLED_EVERY / 2, "only {killed} were killed, seed {seed}");
    assert!(
        crashed <= killed && timeout <= hung,
        "more items failed than signals were sent, seed {seed}"
    );
    // A process that is stopped between two items costs no item.
    assert_eq!(hung > 0, case.signals.contains(&Signal::STOP), "{hung} hung, seed {seed}");
    // Most processes die between two items. Among many, some die during an item.
    let hits = by_tier(0, 1);
    match case.retries {
        0 => assert!(crashed >= hits, "no item was hit, seed {seed}"),
        _ => {
            assert_eq!(crashed, 0, "seed {seed}");
            assert!(summary.retried >= hits as u64, "no item was hit, seed {seed}");
        }
    }
    assert_eq!(runs.again.load(Ordering::Relaxed), 0, "items ran after their result, seed {seed}");
    assert!(descriptors() <= before, "descriptors are left, seed {seed}");
    drop(pool.close());
    assert!(own_children().is_empty(), "a process is left, seed {seed}");
}

fn builder(plugin: &Plugin, case: &Case) -> PoolBuilder {
    mtl_host::Pool::builder(plugin)
        .isolation(processes())
        .jobs(WORKERS.to_string().parse().unwrap())
        .order(case.order)
        .retries(case.retries)
        .chunk_size(ChunkSize::Fixed(16.try_into().unwrap()))
        // A time limit far above the time of an item.
        .timeout(Duration::from_secs(5))
        // A process that is killed while it starts must not end the run.
        .max_restarts(MaxRestarts::AtMost(u32::MAX))
}

fn item(index: usize) -> String {
    format!("item {index}")
}

fn index(result: &Result<Record, Fault>) -> usize {
    let index = match result {
        Ok(record) => record.index(),
        Err(fault) => fault.index(),
    };
    usize::try_from(index.get()).unwrap()
}

/// Checks that a record is correct, or that a signal explains the fault.
fn check_outcome(index: usize, result: &Result<Record, Fault>) -> Result<(), FaultKind> {
    match result {
        Ok(record) => {
            assert_eq!(record.bytes(), Some(item(index).to_uppercase().as_bytes()));
            Ok(())
        }
        Err(fault) => {
            let (kind, message) = (fault.kind(), fault.message());
            let is_expected = match kind {
                FaultKind::Crashed => message.starts_with("its process was killed by signal "),
                FaultKind::Timeout => message == "took longer than 5s, and its process was killed",
                _ => false,
            };
            assert!(is_expected, "item {index}: {kind}: {message}");
            Err(kind)
        }
    }
}

/// Loads a plugin that calls back into this process for each item, which records the item's runs.
fn plugin(runs: &Arc<Runs>) -> Plugin {
    let runs = Arc::clone(runs);
    Plugin::loader(&Engine::new().unwrap())
        .host_function("acme:store/lookup@1.0.0", "get", move |_, item| {
            runs.record_start(item);
            Ok(item.to_ascii_uppercase())
        })
        .load(fixtures().join("host-function.wat"))
        .unwrap()
}

/// The items that have a result, and the number of runs after the item's result.
struct Runs {
    have_result: Vec<AtomicBool>,
    again: AtomicUsize,
}

impl Runs {
    fn new() -> Self {
        let have_result = (0..items()).map(|_| AtomicBool::new(false)).collect();
        Self { have_result, again: AtomicUsize::new(0) }
    }

    fn record_result(&self, index: usize) {
        self.have_result[index].store(true, Ordering::Relaxed);
    }

    fn record_start(&self, item: &[u8]) {
        let number = str::from_utf8(item).unwrap().strip_prefix("item ").unwrap();
        if self.have_result[number.parse::<usize>().unwrap()].load(Ordering::Relaxed) {
            self.again.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// An observer that waits for the workers to be ready, because a failed first start ends the run.
#[derive(Default)]
struct Ready {
    workers: Mutex<usize>,
    changed: Condvar,
}

impl Observer for Ready {
    fn notify(&self, event: &Event<'_>) {
        if let Event::WorkerReady { .. } = event {
            *self.workers.lock().unwrap() += 1;
            self.changed.notify_one();
        }
    }
}

impl Ready {
    fn wait(&self) {
        let workers = self.workers.lock().unwrap();
        let waited = self.changed.wait_timeout_while(workers, DEADLINE, |ready| *ready < WORKERS);
        assert!(!waited.unwrap().1.timed_out(), "the workers are not ready");
    }
}

/// Returns the number of this process's open descriptors.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A pseudo-random generator; a seed gives the same numbers again.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self(u64::from(now.subsec_nanos()) << 32 | now.as_secs() & 0xFFFF_FFFF | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }
}
