//! Measures the start of workers in two cases. In the first case, 1000 workers run `word-count`, a plugin of about 100
//! KB. In the second case, 8 workers start from a snapshot. The `init` of their plugin fills 100 MB of memory.
//!
//! ```text
//! cargo bench -p mtl-host --bench workers
//! ```

#![expect(clippy::print_stdout, reason = "the benchmark prints tables")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mtl_host::event::{Event, Observer};
use mtl_host::isolation::{Isolation, Processes};
use mtl_host::{Engine, Plugin, Pool, PoolBuilder};

use self::support::{number, plugin, work};

const WORKERS: u32 = 1000;
const FROM_A_SNAPSHOT: u32 = 8;
const RUNS: usize = 9;

enum Message {
    Snapshot,
    Ready,
}

/// Sends a message for each snapshot and for each worker that is ready.
struct MessageSender(Mutex<Sender<Message>>);

impl Observer for MessageSender {
    fn notify(&self, event: &Event<'_>) {
        let message = match event {
            Event::SnapshotTaken { .. } => Message::Snapshot,
            Event::WorkerReady { .. } => Message::Ready,
            _ => return,
        };
        // The receiver may be dropped, because a measurement can end before the last message.
        let _ = self.0.lock().expect("no code panics under the lock").send(message);
    }
}

fn main() {
    mtl_host::isolation::child_main();
    // `cargo test` passes this flag, but this benchmark contains no tests.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let engine = Engine::new().expect("the engine starts");
    thousand(&plugin(&engine, "word_count.wasm"));
    let large = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/large-init.wat");
    from_a_snapshot(&Plugin::load(&engine, large).expect("the plugin is valid"));
}

fn thousand(plugin: &Plugin) {
    let mut resident = Vec::with_capacity(RUNS);
    let took = sorted(|| {
        let (took, each) = all(plugin);
        resident.push(each);
        took
    });
    resident.sort_by(f64::total_cmp);
    println!(
        "| workers | ms until all are ready, median | fastest to slowest | KiB resident each |"
    );
    println!("|---|---|---|---|");
    let (least, median, most) = (took[0], took[RUNS / 2], took[RUNS - 1]);
    let resident = resident[RUNS / 2];
    println!("| {WORKERS} | {median:.0} | {least:.0} to {most:.0} | {resident:.0} |");
}

fn from_a_snapshot(plugin: &Plugin) {
    println!();
    println!("| isolation | ms until 8 are ready, divided by 8, median | fastest to slowest |");
    println!("|---|---|---|");
    let isolations = [Isolation::Thread, Isolation::Process(Processes::new())];
    for (isolation, name) in isolations.into_iter().zip(["thread", "process"]) {
        let took = sorted(|| time_from_snapshot(plugin, &isolation));
        let (least, median, most) = (took[0], took[RUNS / 2], took[RUNS - 1]);
        println!("| {name} | {median:.2} | {least:.2} to {most:.2} |");
    }
}

/// Returns the measurements of all runs, in ascending order.
fn sorted(measure: impl FnMut() -> f64) -> Vec<f64> {
    let mut took: Vec<_> = std::iter::repeat_with(measure).take(RUNS).collect();
    took.sort_by(f64::total_cmp);
    took
}

/// Returns the time until all workers are ready, in ms, and the memory of each worker, in KiB.
fn all(plugin: &Plugin) -> (f64, f64) {
    let before = resident();
    let start = Instant::now();
    let (mut pool, messages) = starting(Pool::builder(plugin), WORKERS);
    wait_until_ready(&messages, WORKERS);
    let took = start.elapsed().as_secs_f64() * 1000.0;
    let each = (resident() - before) / f64::from(WORKERS);
    work(&mut pool, &[b"they do work"], 10_000);
    (took, each)
}

/// Starts all workers from the snapshot in parallel. Returns the total time in milliseconds, divided by the number of
/// workers. The start of a single worker can take longer than the returned value.
fn time_from_snapshot(plugin: &Plugin, isolation: &Isolation) -> f64 {
    let pool = Pool::builder(plugin).isolation(isolation.clone()).snapshot();
    let (mut pool, messages) = starting(pool, FROM_A_SNAPSHOT);
    assert!(matches!(messages.recv(), Ok(Message::Snapshot)), "the snapshot comes first");
    let start = Instant::now();
    wait_until_ready(&messages, FROM_A_SNAPSHOT);
    let took = start.elapsed().as_secs_f64() * 1000.0;
    work(&mut pool, &[b"x"], 100);
    took / f64::from(FROM_A_SNAPSHOT)
}

/// Builds a pool with the given number of workers, and returns the channel of its messages.
fn starting(pool: PoolBuilder, workers: u32) -> (Pool, Receiver<Message>) {
    let (sender, messages) = channel();
    let pool = pool
        .jobs(number(&workers.to_string()))
        .observer(Arc::new(MessageSender(Mutex::new(sender))));
    (pool.build().expect("the settings are valid"), messages)
}

fn wait_until_ready(messages: &Receiver<Message>, workers: u32) {
    for _ in 0..workers {
        assert!(matches!(messages.recv(), Ok(Message::Ready)), "each worker becomes ready");
    }
}

/// Returns the resident memory of this process in KiB. The value includes memory that instances share only once, for
/// example unchanged pages of a plugin's data.
fn resident() -> f64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux provides this file");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
    size.and_then(|size| size.parse().ok()).expect("the file has this line")
}
