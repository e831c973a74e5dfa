//! Checks that no item needs an allocation between source and sink. A run with ten times as many items performs the
//! same number of allocations, in this process and in the processes of workers.
//!
//! The global allocator counts the allocations of a whole process, so this test is a program of its own. The program
//! starts itself as the process of a worker, so it has its own `main` and no test harness. In a worker's process,
//! native code replaces the plugin. The finish report contains the number of allocations of the process.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

#[path = "../harness.rs"]
mod harness;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mtl_host::isolation::{Isolation, Processes};
use mtl_host::limits::{ChunkSize, Window};
use mtl_host::native::{Failure, NativeWorker, Reply, WorkerContext};
use mtl_host::sink::{Jsonl, Lines, Output, Sink};
use mtl_host::source::{self, Inputs};
use mtl_host::{Engine, Order, Plugin, Pool, PoolBuilder};

/// The system's allocator with a counter of allocations.
struct CountingAllocator;

static COUNT: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn count() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "counting allocations needs an allocator of our own")]
// SAFETY: every call goes unchanged to `System`, which satisfies the contract; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller satisfies the contract of `alloc`, which `System` shares.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller satisfies the contract of `alloc_zeroed`, which `System` shares.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller satisfies the contract of `realloc`, and `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller satisfies the contract of `dealloc`, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) };
    }
}

/// The number of items in a short run, which fills many windows.
const ITEMS: usize = 10_000;

/// The number of items in flight.
const WINDOW: usize = 500;

/// The number of additional allocations that a run with ten times as many items may perform. The number varies with the
/// timing of threads. Late in the run, a whole window may be in flight for the first time. Each item may then be in its
/// own claim, with its own buffer of outcomes. If each claim needed one allocation, most runs would exceed this number.
const TOLERANCE: u64 = 3 * WINDOW as u64;

/// A time limit far above the time of the tests.
const DEADLINE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    // In a child, this call does not return.
    mtl_host::isolation::child_main_with(|_: &WorkerContext| Ok(Upper));
    let tests: [harness::Test; 2] = [
        ("ten_times_the_items_take_no_more_allocations", on_threads),
        ("ten_times_the_items_take_no_more_allocations_in_processes", in_processes),
    ];
    harness::run(&tests, DEADLINE)
}

/// A native worker that behaves like `upper.wat`, and reports the number of allocations of its process.
struct Upper;

impl NativeWorker for Upper {
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
        record.extend(item.iter().map(u8::to_ascii_uppercase));
        Ok(Reply::Record)
    }

    fn has_report(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(COUNT.load(Ordering::Relaxed).to_string().into_bytes()))
    }
}

/// Settings that determine how items reach the workers.
type Settings = fn(PoolBuilder) -> PoolBuilder;

const SETTINGS: [(&str, Settings); 4] = [
    ("chunks of adaptive size", |pool| pool),
    ("chunks of 16", |pool| pool.chunk_size(chunk(16))),
    ("one by one", |pool| pool.chunk_size(chunk(1))),
    ("as items finish", |pool| pool.chunk_size(chunk(16)).order(Order::Completion)),
];

fn chunk(items: usize) -> ChunkSize {
    ChunkSize::Fixed(items.try_into().unwrap())
}

fn load(engine: &Engine, plugin: &str) -> Plugin {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    Plugin::load(engine, folder.join(plugin)).unwrap()
}

fn pool(plugin: &Plugin) -> PoolBuilder {
    let window = Window::default().with_items(WINDOW.try_into().unwrap());
    Pool::builder(plugin).jobs("2".parse().unwrap()).window(window)
}

fn on_threads() {
    let engine = Engine::new().unwrap();
    for plugin in ["upper.wat", "batch.wat"] {
        let plugin = load(&engine, plugin);
        for (name, settings) in SETTINGS {
            check(name, settings(pool(&plugin)), |output| Box::new(Lines::new(output)));
        }
        check("JSON", pool(&plugin), |output| Box::new(Jsonl::new(output)));
    }
}

fn check(name: &str, builder: PoolBuilder, sink: fn(Output<'static>) -> Box<dyn Sink>) {
    let mut pool = builder.build().unwrap();
    let [few, many] = [ITEMS, 10 * ITEMS].map(|items| count_allocations(&mut pool, items, sink));
    compare(name, few, many);
}

fn in_processes() {
    let plugin = load(&Engine::new().unwrap(), "upper.wat");
    for (name, settings) in SETTINGS {
        let [few, many] = [ITEMS, 10 * ITEMS].map(|items| {
            let isolation = Isolation::Process(Processes::new());
            let mut pool = settings(pool(&plugin)).isolation(isolation).build().unwrap();
            let in_parent =
                count_allocations(&mut pool, items, |output| Box::new(Lines::new(output)));
            let in_children = pool.close().into_iter().map(|report| {
                let count = report.finish_report.unwrap().unwrap();
                String::from_utf8(count).unwrap().parse::<u64>().unwrap()
            });
            (in_parent, in_children.sum())
        });
        compare(&format!("{name}, in the parent"), few.0, many.0);
        compare(&format!("{name}, in the children"), few.1, many.1);
    }
}

/// Runs `items` items, and returns the number of allocations in this process meanwhile.
fn count_allocations(
    pool: &mut Pool,
    items: usize,
    sink: fn(Output<'static>) -> Box<dyn Sink>,
) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    fs::write(&input, "an item of some words\n".repeat(items)).unwrap();
    let mut sink = sink(Output::create("/dev/null".as_ref()).unwrap());
    let source = source::Lines::new(Inputs::open(vec![input]).unwrap());
    let before = COUNT.load(Ordering::Relaxed);
    let summary = pool.run(source, &mut sink).into_result().unwrap();
    assert_eq!(summary.counts.records(), items as u64);
    COUNT.load(Ordering::Relaxed) - before
}

fn compare(name: &str, few: u64, many: u64) {
    assert!(
        many <= few + TOLERANCE,
        "{name}: {few} for {ITEMS} items, {many} for ten times as many"
    );
}
