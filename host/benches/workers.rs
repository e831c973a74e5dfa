//! What 1000 workers cost: `word-count`, about 100 KB. Prints how long it takes until all are
//! initialised, and how much of memory each has.
//!
//! ```text
//! cargo bench -p mtl-host --bench workers
//! ```

#![expect(clippy::print_stdout, reason = "it is what it is for")]

mod support;

use std::fs;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mtl_host::{Engine, Event, Observer, Plugin, Pool};

use self::support::{number, plugin, work};

const WORKERS: u32 = 1000;
const RUNS: usize = 9;

/// Tells of each worker that is ready.
struct Ready(Mutex<Sender<()>>);

impl Observer for Ready {
    fn notify(&self, event: &Event<'_>) {
        if let Event::WorkerReady { .. } = event {
            let told = self.0.lock().expect("nothing panics under it");
            // Who has heard enough listens no more.
            let _ = told.send(());
        }
    }
}

fn main() {
    // As `cargo test` runs it: there is nothing to test.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let engine = Engine::new().expect("it starts");
    let plugin = plugin(&engine, "word_count.wasm");
    let mut runs: Vec<_> = (0..RUNS).map(|_| once(&plugin)).collect();
    runs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (least, (median, resident), most) = (runs[0].0, runs[RUNS / 2], runs[RUNS - 1].0);
    println!(
        "| workers | ms until all are ready, median | fastest to slowest | KiB resident each |"
    );
    println!("|---|---|---|---|");
    println!("| {WORKERS} | {median:.0} | {least:.0} to {most:.0} | {resident:.0} |");
}

/// How many milliseconds it took, and how many KiB each has.
fn once(plugin: &Plugin) -> (f64, f64) {
    let (tell, hear) = channel();
    let before = resident();
    let begun = Instant::now();
    let mut pool = Pool::builder(plugin)
        .jobs(number(&WORKERS.to_string()))
        .observer(Arc::new(Ready(Mutex::new(tell))))
        .build()
        .expect("it is lawful");
    (0..WORKERS).for_each(|_| hear.recv().expect("each gets ready"));
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    let each = (resident() - before) / f64::from(WORKERS);
    work(&mut pool, &[b"they do work"], 10_000);
    (took, each)
}

/// What this process has of memory, in KiB. What instances share, such as the pages of a plugin's data
/// that they have not changed, counts once.
fn resident() -> f64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux has it");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
    size.and_then(|size| size.parse().ok()).expect("it is there")
}
