//! Compares the results of a pool with the results of a plain loop, under many settings. The settings vary the order,
//! the length of the input, the argument passing, the workers, the chunks, the window and the state.
//!
//! The tests call `Pool::map` 42 times on each pool: twice for each number of items from 0 to 20. The first iterator
//! of items states its exact length, and the second does not. The plugin describes each call in its result. These
//! results show that each item ran once, on a worker that retained its state.

mod tally;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use mtl_host::event::{Event, Observer};
use mtl_host::isolation::Isolation;
use mtl_host::limits::{ChunkSize, Window};
use mtl_host::{
    ArgumentPassing, Engine, Order, Plugin, Pool, PoolBuilder, Record, Summary, WorkerReport,
    WorkerSpec,
};

use self::tally::Tallies;
use crate::support::{fixtures, isolation, run_in_own_process};

const WORKERS: [u32; 3] = [1, 3, 4];
const CHUNKS: [usize; 3] = [1, 2, 4];
/// The windows, in chunks; `None` is an unlimited window.
const WINDOWS: [Option<usize>; 4] = [Some(1), Some(2), Some(4), None];
const MAX_ITEMS: usize = 20;

/// The settings of a pool.
#[derive(Clone, Copy, Debug)]
struct Setting {
    order: Order,
    passing: ArgumentPassing,
    chunk: usize,
    window: Option<usize>,
}

impl Setting {
    /// Returns every setting with this argument passing.
    fn all(passing: ArgumentPassing) -> impl Iterator<Item = Self> {
        let orders = [Order::Input, Order::Completion].into_iter();
        let chunks = move |order| CHUNKS.into_iter().map(move |chunk| (order, chunk));
        orders.flat_map(chunks).flat_map(move |(order, chunk)| {
            WINDOWS.into_iter().map(move |window| Self { order, passing, chunk, window })
        })
    }

    fn build(self, pool: PoolBuilder) -> Pool {
        let count = |count| NonZeroUsize::new(count).unwrap();
        let window = match self.window {
            Some(chunks) => Window::default().with_items(count(chunks * self.chunk)),
            None => Window::UNBOUNDED,
        };
        let pool = pool.order(self.order).argument_passing(self.passing);
        pool.chunk_size(ChunkSize::Fixed(count(self.chunk))).window(window).build().unwrap()
    }
}

/// Returns the items of the plain loop, in the form that this argument passing requires.
fn items(passing: ArgumentPassing, count: usize) -> Vec<String> {
    let item = |number| match passing {
        ArgumentPassing::Single => format!("item {number}"),
        ArgumentPassing::Args => format!("[{number}, {number}]"),
        ArgumentPassing::Kwargs => format!("{{\"number\": {number}}}"),
    };
    (0..count).map(item).collect()
}

/// Maps `items` with a known length, and checks the remaining length at each step.
fn map_sized(pool: &mut Pool, items: Vec<String>) -> (Vec<Record>, Summary) {
    let (count, mut records) = (items.len(), Vec::new());
    let mut results = pool.map(items);
    for left in (1..=count).rev() {
        assert_eq!(results.len(), left);
        records.push(results.next().unwrap().unwrap());
    }
    assert_eq!((results.len(), results.next()), (0, None));
    (records, results.end().into_result().unwrap())
}

/// Maps `items` with an unknown length, and checks that no step claims an exact length.
fn map_unsized(pool: &mut Pool, items: Vec<String>) -> (Vec<Record>, Summary) {
    let count = items.len();
    let mut all = items.into_iter();
    let source: Box<dyn Iterator<Item = String> + Send> = if count.is_multiple_of(2) {
        // The source knows nothing about its length, or an upper bound.
        Box::new(std::iter::from_fn(move || all.next()))
    } else {
        Box::new(all.filter(|_| true))
    };
    let mut results = pool.map(source);
    let mut records = Vec::new();
    loop {
        let left = count - records.len();
        let (lower, upper) = results.size_hint();
        assert!(lower == 0 && upper.is_none_or(|upper| upper == left), "{left} left, {upper:?}");
        let Some(result) = results.next() else { break };
        records.push(result.unwrap());
    }
    assert_eq!((results.size_hint(), results.next()), ((0, Some(0)), None));
    (records, results.end().into_result().unwrap())
}

/// Maps as many items as the plain loop has, and returns their results in input order.
fn map(pool: &mut Pool, setting: Setting, items: &[String], is_sized: bool) -> Vec<String> {
    let map = if is_sized { map_sized } else { map_unsized };
    let (mut records, summary) = map(pool, items.to_vec());
    let count = items.len() as u64;
    let sums = (summary.read, summary.counts.total(), summary.counts.records(), summary.delivered);
    assert_eq!(sums, (count, count, count, count));
    if setting.order == Order::Completion {
        records.sort_by_key(Record::index);
    }
    let indices = records.iter().map(|record| record.index().get());
    assert!(indices.eq(0..count), "each item once, in the requested order");
    let text = |record: Record| String::from_utf8(record.into_bytes().unwrap()).unwrap();
    records.into_iter().map(text).collect()
}

/// Runs all maps of one pool; `check` compares each result with its item.
fn map_all(pool: &mut Pool, setting: Setting, mut check: impl FnMut(&str, &str)) -> usize {
    let mut total = 0;
    for count in 0..=MAX_ITEMS {
        let items = items(setting.passing, count);
        for is_sized in [true, false] {
            let results = map(pool, setting, &items, is_sized);
            results.iter().zip(&items).for_each(|(result, item)| check(result, item));
            total += count;
        }
    }
    total
}

/// Counts how often each worker was initialised.
#[derive(Default)]
struct Starts(Mutex<BTreeMap<u32, u32>>);

impl Observer for Starts {
    fn notify(&self, event: &Event<'_>) {
        if let Event::WorkerReady { worker, .. } = event {
            *self.0.lock().unwrap().entry(worker.get()).or_default() += 1;
        }
    }
}

impl Starts {
    /// Checks that each worker was initialised at most once, and that no unknown worker was.
    fn check(&self, workers: &[WorkerReport]) {
        for (worker, times) in self.0.lock().unwrap().iter() {
            assert!((*worker as usize) < workers.len() && *times == 1, "{worker}: {times} times");
        }
    }
}

fn load(plugin: &str) -> Plugin {
    Plugin::load(&Engine::new().unwrap(), fixtures().join(plugin)).unwrap()
}

/// Tests plugins without state.
fn stateless(passing: ArgumentPassing) {
    let plugin = load("passing.wat");
    for setting in Setting::all(passing) {
        for workers in WORKERS {
            let starts = Arc::new(Starts::default());
            let pool = Pool::builder(&plugin)
                .isolation(isolation())
                .jobs(workers.to_string().parse().unwrap());
            let mut pool = setting.build(pool.observer(starts.clone()));
            let total = map_all(&mut pool, setting, |result, item| {
                assert_eq!(result, format!("{} {item}", passing as u8), "{setting:?}, {workers}");
            });
            let reports = pool.close();
            starts.check(&reports);
            assert_eq!(reports.iter().map(|report| report.items).sum::<u64>(), total as u64);
        }
    }
}

/// Tests workers of any kind that count their calls.
fn stateful(setting: Setting, isolation: Isolation, workers: Vec<WorkerSpec>) {
    let starts = Arc::new(Starts::default());
    let mut tallies = Tallies::of(workers.len());
    let pool = Pool::builder_from_workers(workers).isolation(isolation).observer(starts.clone());
    let mut pool = setting.build(pool);
    let total = map_all(&mut pool, setting, |result, item| {
        tallies.record(result, setting.passing, item);
    });
    let reports = pool.close();
    starts.check(&reports);
    tallies.check(&reports, total);
}

/// Tests plugins with state.
fn stateful_plugins(passing: ArgumentPassing) {
    let plugin = load("tally.wat");
    for setting in Setting::all(passing) {
        for workers in WORKERS {
            let workers = (0..workers).map(|_| WorkerSpec::plugin(&plugin)).collect();
            stateful(setting, isolation(), workers);
        }
    }
}

#[test]
fn single_without_state() {
    run_in_own_process(module_path!(), "single_without_state", || {
        stateless(ArgumentPassing::Single);
    });
}

#[test]
fn args_without_state() {
    run_in_own_process(module_path!(), "args_without_state", || stateless(ArgumentPassing::Args));
}

#[test]
fn kwargs_without_state() {
    run_in_own_process(module_path!(), "kwargs_without_state", || {
        stateless(ArgumentPassing::Kwargs);
    });
}

#[test]
fn single_with_state() {
    run_in_own_process(module_path!(), "single_with_state", || {
        stateful_plugins(ArgumentPassing::Single);
    });
}

#[test]
fn args_with_state() {
    run_in_own_process(module_path!(), "args_with_state", || {
        stateful_plugins(ArgumentPassing::Args);
    });
}

#[test]
fn kwargs_with_state() {
    run_in_own_process(module_path!(), "kwargs_with_state", || {
        stateful_plugins(ArgumentPassing::Kwargs);
    });
}

/// Returns a few settings, which suffice for tests of the workers themselves.
fn some_settings(passing: ArgumentPassing) -> impl Iterator<Item = Setting> {
    Setting::all(passing).filter(|setting| setting.chunk != 2 && setting.window != Some(2))
}

#[test]
fn native_workers() {
    run_in_own_process(module_path!(), "native_workers", || {
        for passing in [ArgumentPassing::Single, ArgumentPassing::Args, ArgumentPassing::Kwargs] {
            for setting in some_settings(passing) {
                for workers in WORKERS {
                    stateful(
                        setting,
                        Isolation::Thread,
                        (0..workers).map(|_| tally::native()).collect(),
                    );
                }
            }
        }
    });
}

#[test]
fn native_workers_and_plugins_share_a_pool() {
    run_in_own_process(module_path!(), "native_workers_and_plugins_share_a_pool", || {
        let engine = Engine::new().unwrap();
        let load = |plugin| Plugin::load(&engine, fixtures().join(plugin)).unwrap();
        let (tally, upper) = (load("tally.wat"), load("component.wat"));
        let (core, component) = (|| WorkerSpec::plugin(&tally), || WorkerSpec::plugin(&upper));
        for passing in [ArgumentPassing::Args, ArgumentPassing::Kwargs] {
            for setting in some_settings(passing) {
                stateful(setting, Isolation::Thread, vec![core(), tally::native(), core()]);
            }
        }
        for setting in some_settings(ArgumentPassing::Single) {
            stateful(setting, Isolation::Thread, vec![tally::native(), component(), core()]);
            stateful(
                setting,
                Isolation::Thread,
                vec![component(), component(), core(), tally::native()],
            );
        }
    });
}

#[test]
fn workers_without_items_start_at_most_once() {
    let name = "workers_without_items_start_at_most_once";
    run_in_own_process(module_path!(), name, || {
        let plugin = load("tally.wat");
        let passing = ArgumentPassing::Single;
        for count in [0, 1, 3] {
            for order in [Order::Input, Order::Completion] {
                let setting = Setting { order, passing, chunk: 1, window: None };
                let items = items(passing, count);
                let starts = Arc::new(Starts::default());
                let mut tallies = Tallies::of(8);
                let workers = (0..8).map(|_| WorkerSpec::plugin(&plugin));
                let pool = Pool::builder_from_workers(workers)
                    .isolation(isolation())
                    .observer(starts.clone());
                let mut pool = setting.build(pool);
                for (result, item) in map(&mut pool, setting, &items, true).iter().zip(&items) {
                    tallies.record(result, passing, item);
                }
                let reports = pool.close();
                starts.check(&reports);
                tallies.check(&reports, count);
            }
        }
    });
}
