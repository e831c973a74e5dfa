//! Checks batches: each item ends as it would end without a batch.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use mtl_host::limits::ChunkSize;
use mtl_host::{Engine, FaultKind, Jobs, Plugin, Pool, PoolBuilder, RetryOn};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rustix::process::Signal;

use crate::support::{
    Finished, fixtures, host, in_processes, isolation, lines, run_in_own_process,
};

/// Runs `batch.wat` on these items, in batches or one by one, by the export that it calls.
fn run(items: &[&str], export: &str, jobs: &str) -> Finished {
    host()
        .plugin("batch.wat")
        .args(["--jobs", jobs, "--chunk-size", "64", "--call", export, "--timeout", "100ms"])
        .stdin(lines(items.iter().copied()))
        .run()
}

/// Returns the fault lines of standard error.
fn faults(finished: &Finished) -> Vec<String> {
    let text = finished.stderr_text();
    text.lines().filter(|line| line.starts_with("fault: ")).map(str::to_owned).collect()
}

#[test]
fn batched_items_have_the_outcomes_of_single_items() {
    #[rustfmt::skip]
    let cases: [&[&str]; 7] = [
        &["one", "two", "", "three"],
        &["#a", "!b", "c", "?d", "#e"],
        &["a", "b", "t", "c", "d"],
        &["t", "a", "t", "t", "b", "t"],
        &["a", "s", "b", "c"],
        &["a", "!b", "s"],
        &["a", "!x", "t", "s", "#", "?y", "", "b"],
    ];
    for items in cases {
        for jobs in ["1", "3"] {
            let (alone, together) = (run(items, "one", jobs), run(items, "call", jobs));
            assert_eq!(alone.stdout_bytes(), together.stdout_bytes(), "{items:?}");
            assert_eq!(faults(&alone), faults(&together), "{items:?}");
        }
    }
}

/// Returns a plugin whose results tell whether the items came in a batch.
fn crossings(import: &str, capacity: u32) -> String {
    let import = match import.rsplit_once('.') {
        None => String::new(),
        Some((module, name)) => {
            let parameters = match name {
                "clock_time_get" => "i32 i64 i32",
                "path_open" => "i32 i32 i32 i32 i32 i64 i64 i32 i32",
                _ => "i32 i32 i32 i32",
            };
            format!(r#"(import "{module}" "{name}" (func (param {parameters}) (result i32)))"#)
        }
    };
    format!(
        r#"(module {import} (memory (export "memory") 3) (data (i32.const 8) "onemany")
            (func (export "mtl_alloc") (param $len i32) (result i32)
              (select (i32.const 0x10000) (i32.const 0) (i32.le_u (local.get 0) (i32.const {capacity}))))
            (func (export "call") (export "one") (param i32 i32) (result i64)
              (i64.const 0x800000003))
            (func (export "call_batch") (param $batch i32) (result i32)
              (i32.store offset=8 (local.get $batch) (i32.const 11))
              (i32.store offset=16 (local.get $batch) (i32.const 4))
              (i32.store offset=4 (local.get $batch) (i32.const 1))
              (i32.const 0)))"#
    )
}

#[test]
fn items_cross_in_batches_unless_imports_or_flags_forbid() {
    const WASI: &str = "wasi_snapshot_preview1.";
    let fuel = ["--fuel", "1000000"].as_slice();
    let [said, trapped] = ["refused", "trap"].map(|kind| ["--retries", "1", "--retry-on", kind]);
    #[rustfmt::skip]
    let cases: [(&str, &str, u32, &[&str], &str); 12] = [
        ("imports nothing",        "",                 65536, &[],                       "many"),
        ("imports a clock",        "clock_time_get",   65536, &[],                       "many"),
        ("has no files",           "path_open",        65536, &[],                       "many"),
        ("has files",              "path_open",        65536, &["--dir", ".::/here"],    "one"),
        ("reads files",            "fd_read",          65536, &["--dir", ".::/here"],    "one"),
        ("writes at most",         "fd_write",         65536, &["--dir", ".::/here"],    "many"),
        ("may sleep",              "poll_oneoff",      65536, &[],                       "one"),
        ("has no room",            "",                 65535, &[],                       "one"),
        ("has fuel",               "",                 65536, fuel,                      "one"),
        ("is called by a name",    "",                 65536, &["--call", "one"],        "one"),
        ("answers provisionally",  "",                 65536, &said,                     "one"),
        ("is retried if broken",   "",                 65536, &trapped,                  "many"),
    ];
    for (case, import, capacity, args, expected) in cases {
        let import = if import.is_empty() { String::new() } else { format!("{WASI}{import}") };
        let finished = host()
            .file("crossings.wat", crossings(&import, capacity))
            .args(["crossings.wat", "--jobs", "1", "--chunk-size", "64"])
            .args(args.iter().copied())
            .stdin("item\n".repeat(1000))
            .run();
        // On a busy machine some claims arrive late, and their items cross one by one.
        let outcomes = finished.sorted_lines();
        let found = if outcomes.contains(&"many".to_owned()) { "many" } else { "one" };
        let expected = if in_processes() { "one" } else { expected };
        assert_eq!((outcomes.len(), found), (1000, expected), "{case}: {}", finished.stderr_text());
    }
}

#[test]
fn false_batch_data_faults_the_item_that_it_concerns() {
    if in_processes() {
        // In processes, items cross one by one.
        return;
    }
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 3] = [
        (&["a", "b", "C", "d"], "fault: item 2: bad-result: `call_batch` returned 1"),
        (&["a", "b", "E", "d"], "fault: item 2: bad-result: `call_batch` gave a result that ends at 0 and begins at "),
        (&["O", "b", "c", "d"], "fault: item 0: bad-result: the plugin answered with 1 bytes at 4294967280, but its memory ends at 327680"),
    ];
    for (items, fault) in cases {
        // On a busy machine these items may cross one by one, so the test tries several runs.
        let mut runs = (0..20).map(|_| run(items, "call", "1"));
        let finished =
            runs.find(|finished| !faults(finished).is_empty()).expect("some run has a batch");
        let [found] = &faults(&finished)[..] else {
            panic!("{items:?}: {}", finished.stderr_text())
        };
        assert!(found.starts_with(fault), "{items:?}: {found}");
        let results = items.iter().map(|item| if "CEO".contains(item) { "" } else { item });
        finished.code(1).stdout(lines(results));
    }
}

#[test]
fn items_after_a_slow_item_of_a_batch_are_stolen() {
    let mut running = host()
        .plugin("batch.wat")
        .args(["--jobs", "2", "--chunk-size", "64", "--unordered", "--join-timeout", "100ms"])
        .stdin_open()
        .start();
    // Each of two workers holds half of the items. The third item never ends.
    running.send("a\nb\ns\nd\ne\nf\ng\nh\ni\nj\nk\nl\n");
    running.wait_for_stdout("d\n");
    running.signal(Signal::INT);
    let finished = running.finish_with_stdin_open().code(130);
    assert!(finished.stderr_text().contains("fault: item 2: timeout: "));
}

#[test]
fn each_item_of_a_batch_has_its_own_deadline() {
    // All items together take a second.
    let items: Vec<_> = (0..20).map(|at| format!("w{at}")).collect();
    let run = || host().plugin("batch.wat").args(["--chunk-size", "64", "--timeout", "500ms"]);
    run().args(["--jobs", "1"]).stdin(lines(&items)).run().code(0).stderr("").stdout(lines(&items));
    let items = ["a", "w", "s", "w", "b", "s", "w", "c"];
    let finished = run().args(["--jobs", "1"]).stdin(lines(items)).run().code(1);
    let took = |item| format!("fault: item {item}: timeout: took longer than 500ms, in `spin`");
    assert_eq!(faults(&finished), [took(2), took(5)]);
    finished.stdout(lines(items.map(|item| if item == "s" { "" } else { item })));
}

#[test]
fn an_immediate_end_drops_batch_results_after_the_fault() {
    for (items, code) in [("a\nb\n!c\nd\n", 1), ("a\nb\nt\nd\ne\n", 1), ("!a\nb\n", 1)] {
        for export in ["one", "call"] {
            let policy = ["--on-error", "immediate", "--chunk-size", "64", "--call", export];
            let finished = host().plugin("batch.wat").args(policy).stdin(items).run().code(code);
            let before = items.lines().take_while(|item| !item.starts_with(['!', 't']));
            // The failed item has its empty line, and nothing follows it.
            finished.stdout(lines(before.chain([""])));
        }
    }
}

#[test]
fn after_a_memory_refusal_items_cross_one_by_one() {
    // One of the first chunks runs out of memory, however busy the machine is.
    let items = ["m", "a", "b", "c"].repeat(16).into_iter().chain(["d", "m", "t", "e"]);
    let finished = host()
        .plugin("batch.wat")
        .args(["--jobs", "1", "--chunk-size", "4", "--memory", "64MiB"])
        .stdin(lines(items.clone()))
        .run();
    let trap = "fault: item 66: trap: wasm `unreachable` instruction executed, in `one`";
    assert_eq!(faults(&finished), [trap]);
    finished.code(1).stdout(lines(items.map(|item| if item == "t" { "" } else { item })));
}

#[test]
fn an_out_of_memory_trap_is_recognised_after_a_tick() {
    for export in ["one", "call"] {
        let items = ["a", "b", "z", "c"];
        let finished = host()
            .plugin("batch.wat")
            .args(["--jobs", "1", "--chunk-size", "64", "--memory", "64MiB", "--call", export])
            .stdin(lines(items))
            .run();
        let message = "the plugin asked for more memory than the 64MiB of `memory`, in `one`";
        assert_eq!(faults(&finished), [format!("fault: item 2: out-of-memory: {message}")]);
        finished.code(1).stdout("a\nb\n\nc\n");
    }
}

/// The end of an item: a record, no record, or a fault.
type ItemOutcome = Result<Option<Vec<u8>>, (FaultKind, String)>;

/// The items of a run with the settings of its pool.
#[derive(Debug)]
struct Case {
    items: Vec<String>,
    jobs: usize,
    chunk: Option<usize>,
    /// The number of retries for an item with one of these faults.
    retries: u32,
    retry_on: RetryOn,
    /// The number of items after which an instance is replaced.
    recycle: Option<u64>,
}

impl Case {
    /// Returns the time limit of an item. A good item must not exceed it on a busy machine.
    fn timeout(&self) -> Duration {
        Duration::from_secs(if self.items.iter().any(|item| item == "s") { 1 } else { 60 })
    }

    /// Runs the items, and returns the end of each item with the number of retries.
    fn run(&self, plugin: &Plugin) -> (Vec<ItemOutcome>, u64) {
        let chunk = |items| ChunkSize::Fixed(NonZeroUsize::new(items).unwrap());
        let pool = Pool::builder(plugin)
            .isolation(isolation())
            .jobs(self.jobs.to_string().parse::<Jobs>().unwrap())
            .chunk_size(self.chunk.map_or(ChunkSize::Auto, chunk))
            .max_result("1KiB".parse().unwrap())
            .timeout(self.timeout())
            .retries(self.retries)
            .retry_on(self.retry_on);
        let recycle = self.recycle.and_then(NonZeroU64::new);
        let pool = recycle.into_iter().fold(pool, PoolBuilder::recycle);
        let mut pool = pool.build().unwrap();
        let mut results = pool.map(self.items.clone());
        let outcomes = results.by_ref().map(|result| match result {
            Ok(record) => Ok(record.bytes().map(<[u8]>::to_vec)),
            Err(fault) => Err((fault.kind(), fault.message().to_owned())),
        });
        let outcomes = outcomes.collect();
        (outcomes, results.end().summary.retried)
    }
}

fn case() -> impl Strategy<Value = Case> {
    let first = prop_oneof![
        12 => Just("a"), 2 => Just("#"), 2 => Just("!"), 2 => Just("?"), 1 => Just("t"),
    ];
    let length = prop_oneof![
        60 => 0_usize..40,
        // Lengths above the limit of a result, and lengths around the capacity of a batch.
        2 => 1000_usize..1100,
        1 => 30_000_usize..33_000,
        1 => 65_500_usize..65_540,
    ];
    let item = (first, length).prop_map(|(first, length)| match length {
        0 => String::new(),
        length => first.to_owned() + &"x".repeat(length - 1),
    });
    let endless = prop::option::weighted(0.2, any::<prop::sample::Index>());
    let items = (prop::collection::vec(item, 1..300), endless);
    let items = items.prop_map(|(mut items, endless)| {
        if let Some(endless) = endless {
            *endless.get_mut(&mut items) = "s".to_owned();
        }
        items
    });
    let said = RetryOn::NONE.with(FaultKind::Refused).with(FaultKind::BadResult);
    let retry_on = prop_oneof![3 => Just(RetryOn::default()), 1 => Just(said)];
    let again = (0_u32..2, retry_on, prop::option::of(1_u64..50));
    (items, 1_usize..4, prop::option::of(1_usize..200), again).prop_map(
        |(items, jobs, chunk, (retries, retry_on, recycle))| Case {
            items,
            jobs,
            chunk,
            retries,
            retry_on,
            recycle,
        },
    )
}

#[test]
fn random_batches_match_the_outcomes_of_single_items() {
    run_in_own_process(module_path!(), "random_batches_match_the_outcomes_of_single_items", || {
        let engine = Engine::new().unwrap();
        let load = |export| {
            Plugin::loader(&engine).call(export).load(fixtures().join("batch.wat")).unwrap()
        };
        let (alone, together) = (load("one"), load("call"));
        let config = ProptestConfig::with_cases(32);
        let config = ProptestConfig { failure_persistence: None, ..config };
        let same = |case: Case| {
            let became = case.run(&alone);
            prop_assert_eq!(became.0.len(), case.items.len());
            prop_assert_eq!(became, case.run(&together));
            Ok(())
        };
        TestRunner::new(config).run(&case(), same).unwrap();
    });
}
