//! From the source to the sink nothing is allocated for an item: ten times the items take the same
//! number of allocations.
//!
//! All of a program is counted, so this is a program of its own, with one test.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use mtl_host::sink::{Jsonl, Lines, Output, Sink};
use mtl_host::source::{self, Inputs};
use mtl_host::{ChunkSize, Engine, Order, Plugin, Pool, PoolBuilder, Window};

/// The allocator of the system; how often it gave something.
struct Counted;

static COUNT: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn count() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is counted by one that stands before it")]
// SAFETY: all is passed on as it is to an allocator that keeps to the contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the contract.
        unsafe { System.dealloc(place, layout) };
    }
}

/// Many windows of items.
const ITEMS: usize = 10_000;

/// How many items may be on their way.
const WINDOW: usize = 500;

/// How many allocations more there may be with ten times the items. Threads meet in other ways each
/// time: at some moment a whole window may be on its way where there never was one before, each item
/// in a claim of its own with room for its outcome. One allocation for each claim of the others
/// would be far more, and is in most cases.
const CHANCE: u64 = 3 * WINDOW as u64;

/// Far more than it takes.
const DEADLINE: Duration = Duration::from_secs(300);

#[test]
fn ten_times_the_items_take_no_more_allocations() {
    let (_done, is_done) = mpsc::channel::<()>();
    let ends_what_hangs = move || {
        if is_done.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
            process::abort();
        }
    };
    let _watch = thread::Builder::new().spawn(ends_what_hangs);
    let engine = Engine::new().unwrap();
    let chunk = |items: usize| ChunkSize::Fixed(items.try_into().unwrap());
    for plugin in ["upper.wat", "batch.wat"] {
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(plugin);
        let plugin = Plugin::load(&engine, &plugin).unwrap();
        let pool = || {
            let window = Window::default().with_items(WINDOW.try_into().unwrap());
            Pool::builder(&plugin).jobs("2".parse().unwrap()).window(window)
        };
        let cases = [
            ("chunks as they come", pool()),
            ("chunks of 16", pool().chunk_size(chunk(16))),
            ("one by one", pool().chunk_size(chunk(1))),
            ("as they are done", pool().chunk_size(chunk(16)).order(Order::Completion)),
        ];
        for (name, builder) in cases {
            check(name, builder, |output| Box::new(Lines::new(output)));
        }
        check("JSON", pool(), |output| Box::new(Jsonl::new(output)));
    }
}

fn check(name: &str, builder: PoolBuilder, sink: fn(Output<'static>) -> Box<dyn Sink>) {
    let mut pool = builder.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [few, many] = [ITEMS, 10 * ITEMS].map(|items| {
        let input = folder.path().join(items.to_string());
        fs::write(&input, "an item of some words\n".repeat(items)).unwrap();
        let mut sink = sink(Output::create("/dev/null".as_ref()).unwrap());
        let source = source::Lines::new(Inputs::open(vec![input]).unwrap());
        let before = COUNT.load(Ordering::Relaxed);
        let summary = pool.run(source, &mut sink).into_result().unwrap();
        assert_eq!(summary.counts.records(), items as u64);
        COUNT.load(Ordering::Relaxed) - before
    });
    assert!(many <= few + CHANCE, "{name}: {few} for {ITEMS} items, {many} for ten times as many");
}
