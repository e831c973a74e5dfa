//! Checks workers that start from one snapshot. Such workers must behave like workers that are
//! initialised separately, except that `init` runs only once.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use mtl_host::cache::Cache;
use mtl_host::event::{Event, Observer};
use mtl_host::grants::DirGrant;
use mtl_host::{Engine, Init, Plugin, Pool};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{
    Host, command, fixtures, host, isolation, lines, own_children, processes, run_in_own_process,
    wait_for_threads,
};

/// Describes a run of a plugin that prints when it is initialised, with a writable directory.
fn described(args: &[&str]) -> Host {
    host()
        .plugin("snapshot.wat")
        .subfolder("data")
        .file("data/words", "words")
        .args(["--dir", "data::/data:rw"])
        .args(args.iter().copied())
}

/// Counts the lines in which a worker's plugin printed `text`.
fn count_output_lines(stderr: &str, text: &str) -> usize {
    let is_it = |line: &&str| {
        line.starts_with("[worker ") && line.split_once("] ").is_some_and(|(_, it)| it == text)
    };
    stderr.lines().filter(is_it).count()
}

#[test]
fn init_runs_once_for_identical_workers() {
    let finished = described(&["--snapshot", "--jobs", "8", "--init", "x"])
        .stdin(lines(["m"; 100]))
        .run()
        .code(0)
        .stdout("*\n".repeat(100));
    let stderr = finished.stderr_text();
    assert_eq!(
        (count_output_lines(&stderr, "init"), count_output_lines(&stderr, "restored")),
        (1, 8),
        "{stderr}"
    );

    let finished = described(&["--jobs", "8", "--init", "x"]).stdin("a\n").run().stdout("0\n");
    let stderr = finished.stderr_text();
    assert_eq!(
        (count_output_lines(&stderr, "init"), count_output_lines(&stderr, "restored")),
        (8, 0),
        "{stderr}"
    );
}

#[test]
fn workers_that_differ_have_separate_snapshots() {
    #[rustfmt::skip]
    let cases: [(&[&str], usize); 6] = [
        // The second and the third worker, and the number of times that `init` runs.
        (&["snapshot.wat,init=x",              "snapshot.wat,init=x"],               1),
        (&["snapshot.wat,init=y",              "snapshot.wat,init=y"],               2),
        (&["snapshot.wat,init=y",              "snapshot.wat,init=z"],               3),
        (&["snapshot.wat,env=A=1,init=x",      "snapshot.wat,env=A=2,init=x"],       3),
        (&["snapshot.wat,dir=data::/more,init=x", "snapshot.wat,init=x"],            2),
        (&["snapshot.wat,memory=64MiB,init=x", "snapshot.wat,timeout=1h,init=x"],    2),
    ];
    for (others, expected) in cases {
        let workers = ["snapshot.wat,init=x"].iter().chain(others);
        let host = host()
            .file("snapshot.wat", fs::read(fixtures().join("snapshot.wat")).unwrap())
            .subfolder("data")
            .args(["--snapshot"])
            .args(workers.flat_map(|worker| ["--worker", worker]));
        let finished = host.stdin("a\na\na\n").run().code(0).stdout("1\n1\n1\n");
        let stderr = finished.stderr_text();
        assert_eq!(count_output_lines(&stderr, "init"), expected, "{others:?}: {stderr}");
        assert_eq!(count_output_lines(&stderr, "restored"), 3, "{others:?}: {stderr}");
    }
}

#[test]
fn a_snapshot_changes_neither_results_nor_state() {
    let items = ["x", "m", "k", "x", "t", "x", "m", "k", "x"];
    for (init, expected) in
        [("x", "x1\n*\n1\nx2\n\nx1\n*\n1\nx2\n"), ("c", "c1\n*\n1\nc2\n\nc1\n*\n1\nc2\n")]
    {
        for snapshot in [&["--snapshot"][..], &[]] {
            let described = described(&["--jobs", "1", "--init", init]);
            let finished = described.args(snapshot.iter().copied()).stdin(lines(items)).run();
            finished.code(1).stdout(expected);
        }
    }
    // The result format that `init` sets applies to instances that never ran `init`.
    let json = ["--jobs", "2", "--init", "j", "--output-format", "jsonl", "--chunk-size", "1"];
    for snapshot in [&["--snapshot"][..], &[]] {
        let finished = described(&json).args(snapshot.iter().copied()).stdin("m\n").run().code(1);
        let stderr = finished.stderr_text();
        assert!(stderr.contains("bad-result"), "`*` is not JSON: {stderr}");
    }
}

#[test]
fn a_replacement_starts_from_the_snapshot() {
    let finished = described(&["--snapshot", "--jobs", "1"])
        .stdin("x\nt\nx\nt\nm\na\n")
        .run()
        .code(1)
        .stdout("-1\n\n-1\n\n*\n1\n");
    let stderr = finished.stderr_text();
    assert_eq!(
        (count_output_lines(&stderr, "init"), count_output_lines(&stderr, "restored")),
        (1, 3),
        "{stderr}"
    );

    let recycled = described(&["--snapshot", "--jobs", "1", "--recycle", "1"]);
    let finished = recycled.stdin("x\nx\nx\n").run().code(0).stdout("-1\n-1\n-1\n");
    assert_eq!(count_output_lines(&finished.stderr_text(), "init"), 1);
}

#[test]
fn effects_that_a_snapshot_would_lose_prevent_it() {
    let open = "its `init` leaves a file open\n hint: it can open the file in its `after_restore`";
    let which = "its `init` asks which worker it is, or how many there are\n \
                 hint: it can ask in its `after_restore`";
    #[rustfmt::skip]
    let cases = [
        ("o", open),
        ("w", "its `init` writes files"),
        ("d", "its `init` closes or renumbers a descriptor that it was given"),
        ("i", which),
        ("n", which),
        ("g", "it has 546045952 bytes of memory after its `init`, and the limit is 536870912"),
    ];
    for (init, reason) in cases {
        // One of the three workers already has its instance, which is not initialised again.
        let args = ["--snapshot", "--jobs", "3", "--init", init, "--memory", "1GiB"];
        let finished = described(&args).stdin("x\na\n").run().code(0);
        let stderr = finished.stderr_text();
        let warning = format!(
            "warning: there is no snapshot of `snapshot.wat`, so each worker is initialised on its \
             own: {reason}\n"
        );
        assert!(stderr.contains(&warning), "{init}: {stderr}");
        assert_eq!(stderr.matches("warning: ").count(), 1, "{init}: {stderr}");
        assert_eq!(
            (count_output_lines(&stderr, "init"), count_output_lines(&stderr, "restored")),
            (3, 0),
            "{init}: {stderr}"
        );
    }
}

#[test]
fn a_plugin_without_a_possible_snapshot_warns_and_runs() {
    const TABLE: &str = r#"(module
        (memory (export "memory") 2)
        (table $t 1 funcref)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "init") (param i32 i32) (result i64)
            (table.set $t (i32.const 0) (ref.null func)) (i64.const 0))
        (func (export "call") (param i32 i32) (result i64) (i64.const 1)))"#;
    const TAKEN: &str = r#"(module
        (memory (export "memory") (export "__wizer_memory_0") 2)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "init") (param i32 i32) (result i64) (i64.const 0))
        (func (export "call") (param i32 i32) (result i64) (i64.const 1)))"#;
    let plugin = |name: &str| fs::read_to_string(fixtures().join(name)).unwrap();
    #[rustfmt::skip]
    let cases = [
        (TABLE.to_owned(),        "it cannot be frozen: unsupported `table.set` instruction"),
        (TAKEN.to_owned(),        "it cannot be frozen: input Wasm module already exports entities named with the `__wizer_*` prefix"),
        (plugin("upper.wat"),     "it has no `init`"),
        (plugin("component.wat"), "it is a component, and only core modules can be frozen"),
    ];
    for (text, reason) in cases {
        let described = host().file("plugin.wat", text).args(["plugin.wat", "--jobs", "2"]);
        let stderr = described.args(["--snapshot"]).stdin("a\n").run().code(0).stderr_text();
        let warning = "warning: there is no snapshot of `plugin.wat`, so each worker is \
                       initialised on its own: ";
        assert!(stderr.starts_with(&format!("{warning}{reason}\n")), "{stderr}");
        assert_eq!(stderr.matches("warning: ").count(), 1, "{stderr}");
    }
}

#[test]
fn precompiled_code_has_no_snapshot() {
    let compiled = command()
        .file("it.wat", fs::read(fixtures().join("init.wat")).unwrap())
        .args(["compile", "it.wat", "--output", "it.cwasm"])
        .run();
    let code = fs::read(compiled.folder().join("it.cwasm")).unwrap();
    let described = host().file("it.cwasm", code).args(["it.cwasm", "--trust-precompiled"]);
    let args = ["--snapshot", "--jobs", "1", "--init", "> "];
    described.args(args).stdin("a\n").run().code(0).stdout("> a\n").stderr(
        "warning: there is no snapshot of `it.cwasm`, so each worker is initialised on its own: it was \
         compiled ahead of time, and a snapshot needs the original module\n \
         hint: take the .wasm that it was made from\n",
    );
}

#[test]
fn shared_random_bytes_cause_a_warning() {
    let args = ["--snapshot", "--jobs", "2", "--init", "r"];
    let stderr = described(&args).stdin("a\n").run().code(0).stdout("1\n").stderr_text();
    let warning = "warning: all workers with `snapshot.wat` share the random numbers that its \
                   `init` has drawn, such as the seeds of hash maps\n \
                   hint: draw new ones in its `after_restore`\n";
    assert!(stderr.contains(warning), "{stderr}");
}

#[test]
fn a_failing_init_gives_the_same_error_with_a_snapshot() {
    for init in ["t", "f"] {
        let events = [&["--snapshot"][..], &[]].map(|snapshot| {
            let described = described(&["--jobs", "1", "--init", init]);
            let finished = described.args(snapshot.iter().copied()).stdin("x\n").run().code(3);
            finished.stderr_text()
        });
        assert_eq!(events[0], events[1]);
        assert!(events[0].contains("error: worker 0 could not be started: init "), "{}", events[0]);
    }
}

/// The workers whose plugin has written output.
#[derive(Default)]
struct WorkersWithOutput(Mutex<BTreeSet<u32>>);

impl Observer for WorkersWithOutput {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Output { worker, .. } = event {
            self.0.lock().unwrap().insert(worker.get());
        }
    }
}

#[test]
fn after_a_failed_init_the_next_worker_tries() {
    run_in_own_process(module_path!(), "after_a_failed_init_the_next_worker_tries", || {
        let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("snapshot.wat"));
        let workers = Arc::new(WorkersWithOutput::default());
        let init = mtl_host::Init::Same(b"f".to_vec());
        let pool = Pool::builder(&plugin.unwrap()).jobs("4".parse().unwrap()).init(init);
        let pool = pool.isolation(isolation()).snapshot().observer(workers.clone());
        assert_eq!(pool.build().unwrap().close().len(), 4);
        assert_eq!(*workers.0.lock().unwrap(), BTreeSet::from([0, 1, 2, 3]));
    });
}

#[test]
fn the_init_timeout_applies_while_a_snapshot_is_taken() {
    let args = ["--snapshot", "--jobs", "4", "--init", "s", "--init-timeout", "100ms"];
    let stderr = described(&args).stdin("x\n").run().code(3).stderr_text();
    let events = "could not be started: the start took longer than 100ms\n \
                hint: `--init-timeout TIME` gives a worker more time to start\n";
    assert!(stderr.contains(events), "{stderr}");
}

#[test]
fn a_failing_after_restore_ends_the_run() {
    const PLUGIN: &str = r#"(module
        (memory (export "memory") 2)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "init") (param i32 i32) (result i64) (i64.const 0))
        (func $it (export "after_restore") (unreachable))
        (func (export "call") (param i32 i32) (result i64) (i64.const 1)))"#;
    let described = host().file("plugin.wat", PLUGIN).args(["plugin.wat", "--jobs", "1"]);
    described.args(["--snapshot"]).stdin("a\n").run().code(3).stderr(
        "error: worker 0 could not be started: after_restore failed: wasm `unreachable` instruction \
         executed, in `it`\n",
    );
}

#[test]
fn dropping_a_pool_does_not_wait_for_a_hanging_snapshot() {
    let name = "dropping_a_pool_does_not_wait_for_a_hanging_snapshot";
    run_in_own_process(module_path!(), name, || {
        let engine = Engine::new().unwrap();
        let plugin = Plugin::load(&engine, fixtures().join("spin-init.wat")).unwrap();
        let workers = Arc::new(WorkersWithOutput::default());
        let init = mtl_host::Init::Same(b"spin".to_vec());
        let pool = Pool::builder(&plugin).jobs("4".parse().unwrap()).init(init).snapshot();
        let pool = pool.isolation(isolation()).observer(workers.clone()).build().unwrap();
        while workers.0.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        drop(pool);
        // Every thread must end, including threads that initialise an instance or wait for a
        // snapshot. Only the engine's watchdog remains.
        wait_for_threads(1);
        assert!(own_children().is_empty());
    });
}

/// An observer that limits the memory of the first child that is initialised, and lets each `init`
/// continue.
struct MemoryLimiter {
    pipe: PathBuf,
    children: Mutex<usize>,
    events: Mutex<Vec<String>>,
}

impl Observer for MemoryLimiter {
    fn notify(&self, event: &Event<'_>) {
        match event {
            Event::Output { .. } => {
                let mut children = self.children.lock().unwrap();
                if *children == 0 {
                    let child = Pid::from_raw(own_children()[0].number());
                    // The limit allows small allocations, but not the image of the snapshot.
                    let limit = Some(memory_of(child.unwrap()) + 16 * 1024 * 1024);
                    let limit = Rlimit { current: limit, maximum: limit };
                    prlimit(child, Resource::Data, limit).unwrap();
                }
                *children += 1;
                // The plugin's `init` waits until the pipe is opened for writing.
                drop(fs::File::options().write(true).open(&self.pipe).unwrap());
            }
            Event::SnapshotRefused { reason, .. } => {
                self.events.lock().unwrap().push(reason.to_string());
            }
            _ => {}
        }
    }
}

/// Returns the private memory of a process, in bytes.
fn memory_of(process: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Checks that a process which lacks the memory to write its snapshot costs only the snapshot.
#[test]
fn a_process_killed_during_a_snapshot_costs_only_the_snapshot() {
    const PLUGIN: &str = r#"(module
        (import "wasi_snapshot_preview1" "fd_write"
            (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
        (memory (export "memory") 1024)
        (data (i32.const 64) "pipe\n")
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "init") (param i32 i32) (result i64)
            (memory.fill (i32.const 0x20000) (i32.const 42) (i32.const 0x3000000))
            (i32.store (i32.const 0) (i32.const 64))
            (i32.store (i32.const 4) (i32.const 5))
            (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (drop (call $path_open
                (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2)
                (i64.const 0) (i32.const 0) (i32.const 16)))
            (drop (call $fd_close (i32.load (i32.const 16))))
            (i64.const 0))
        (func (export "call") (param $ptr i32) (param $len i32) (result i64)
            (i64.or
                (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                (i64.extend_i32_u (local.get $len)))))"#;
    let name = "a_process_killed_during_a_snapshot_costs_only_the_snapshot";
    run_in_own_process(module_path!(), name, || {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let loader = Plugin::loader(&Engine::new().unwrap());
        let plugin = loader.from_bytes("plugin.wat", PLUGIN.as_bytes()).unwrap();
        let limiter = MemoryLimiter { pipe, children: Mutex::default(), events: Mutex::default() };
        let limiter = Arc::new(limiter);
        let pool = Pool::builder(&plugin).jobs("1".parse().unwrap()).isolation(processes());
        let pool = pool.dir(DirGrant::read(folder.path(), "/data")).snapshot();
        let mut pool = pool.observer(limiter.clone()).build().unwrap();
        let record = pool.map(["item"]).next().unwrap().unwrap();
        assert_eq!(record.bytes(), Some(&b"item"[..]));
        let events = limiter.events.lock().unwrap();
        assert!(events[0].starts_with("it cannot be frozen: its process was killed"), "{events:?}");
        assert_eq!((events.len(), *limiter.children.lock().unwrap()), (1, 2));
    });
}

/// An observer that records events about snapshots.
#[derive(Default)]
struct Snapshots(Mutex<Vec<String>>);

impl Observer for Snapshots {
    fn notify(&self, event: &Event<'_>) {
        let events = match event {
            Event::SnapshotTaken { plugin, bytes, .. } => {
                assert!(
                    *bytes > 0x1f_0000,
                    "the snapshot lacks memory that `init` has grown: {bytes}"
                );
                format!("{}: taken", plugin.file_name().unwrap().display())
            }
            Event::SnapshotRefused { plugin, reason, .. } => {
                format!("{}: {reason}", plugin.display())
            }
            _ => return,
        };
        self.0.lock().unwrap().push(events);
    }
}

#[test]
fn observers_see_each_snapshot_once() {
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("snapshot.wat")).unwrap();
    let events = Arc::new(Snapshots::default());
    let pool = Pool::builder(&plugin).jobs("4".parse().unwrap()).snapshot();
    let pool = pool.isolation(isolation());
    drop(pool.observer(events.clone()).build().unwrap().close());
    assert_eq!(*events.0.lock().unwrap(), ["snapshot.wat: taken"]);
}

#[test]
fn an_init_that_calls_a_host_function_gets_no_snapshot() {
    const PLUGIN: &str = r#"(module
        (import "acme:store/lookup@1.0.0" "get" (func $get (param i32 i32 i32)))
        (memory (export "memory") 2)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256))
        (func (export "init") (param i32 i32) (result i64)
            (call $get (i32.const 0) (i32.const 0) (i32.const 16)) (i64.const 0))
        (func (export "call") (param i32 i32) (result i64) (i64.const 1)))"#;
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let plugin = Plugin::loader(&Engine::new().unwrap())
        .host_function("acme:store/lookup@1.0.0", "get", move |_, _| {
            *counted.lock().unwrap() += 1;
            Ok(Vec::new())
        })
        .from_bytes("plugin", PLUGIN.as_bytes())
        .unwrap();
    let events = Arc::new(Snapshots::default());
    let pool = Pool::builder(&plugin).jobs("3".parse().unwrap()).snapshot();
    let pool = pool.isolation(isolation());
    drop(pool.observer(events.clone()).build().unwrap().close());
    assert_eq!(*events.0.lock().unwrap(), ["plugin: its `init` calls a host function"]);
    assert_eq!(*calls.lock().unwrap(), 3, "once for each worker");
}

/// Several runs with the same cache and the same directory.
struct CachedRuns {
    folder: tempfile::TempDir,
}

impl CachedRuns {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/words"), "words").unwrap();
        Self { folder }
    }

    /// Returns the number of times that `init` runs, and checks everything else about the run.
    fn inits(&self, args: &[&str]) -> usize {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let finished = host()
            .plugin("snapshot.wat")
            .args(["--jobs", "2", "--snapshot-cache", "--cache-dir", &at("cache")])
            .args(["--dir", &format!("{}::/data:rw", at("data"))])
            .args(args.iter().map(|arg| arg.replace("DATA", &at("data"))))
            .stdin("a\nk\nm\n")
            .run()
            .code(0)
            .stdout("1\n1\n*\n");
        let stderr = finished.stderr_text();
        assert_eq!(count_output_lines(&stderr, "restored"), 2, "{stderr}");
        count_output_lines(&stderr, "init")
    }

    /// Repeats the run until it starts from a stored snapshot, without `init`. The host does not
    /// store a snapshot if an input of `init` was changed recently: the input may have changed
    /// while `init` read it.
    fn run_until_stored(&self, args: &[&str]) {
        assert!((0..50).any(|_| self.inits(args) == 0), "the snapshot is never stored: {args:?}");
    }
}

#[test]
fn a_cached_snapshot_is_used_the_next_time() {
    let cached = CachedRuns::new();
    assert_eq!(cached.inits(&["--init", "x"]), 1);
    assert_eq!(cached.inits(&["--init", "x"]), 0);
    // A plugin cannot observe these settings of the run.
    assert_eq!(cached.inits(&["--init", "x", "--timeout", "1h", "--chunk-size", "1"]), 0);
    #[rustfmt::skip]
    let cases: [&[&str]; 8] = [
        &["--init", "y"],
        &["--init", "x", "--env", "A=1"],
        &["--init", "x", "--env", "A=2"],
        &["--init", "x", "--memory", "64MiB"],
        &["--init", "x", "--fuel", "1M"],
        &["--init", "x", "--dir", "DATA::/more"],
        &["--init", "x", "--dir", "DATA::/more:rw"],
        &["--init", "x", "--dir", "DATA::/other"],
    ];
    for args in cases {
        assert_eq!(cached.inits(args), 1, "{args:?}");
        assert_eq!(cached.inits(args), 0, "{args:?}");
    }
    assert_eq!(cached.inits(&["--init", "x"]), 0);
}

#[test]
fn a_changed_dependency_invalidates_a_cached_snapshot() {
    let (cached, args) = (CachedRuns::new(), ["--init", "c"]);
    let words = cached.folder.path().join("data/words");
    cached.run_until_stored(&args);
    fs::write(&words, "other").unwrap();
    assert_eq!(cached.inits(&args), 1, "the file has changed");
    cached.run_until_stored(&args);
    fs::remove_file(&words).unwrap();
    fs::write(&words, "other").unwrap();
    assert_eq!(cached.inits(&args), 1, "the file was replaced by one with the same content");
    cached.run_until_stored(&args);
    // A new file that `init` did not read changes nothing.
    fs::write(cached.folder.path().join("data/more"), "more").unwrap();
    assert_eq!(cached.inits(&args), 0);
}

#[test]
fn an_outdated_snapshot_counts_as_a_cache_miss() {
    let cached = CachedRuns::new();
    let cache = Cache::open(cached.folder.path().join("cache")).unwrap();
    let words = cached.folder.path().join("data/words");
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("snapshot.wat")).unwrap();
    let uses = || {
        let pool = Pool::builder(&plugin).jobs("1".parse().unwrap()).snapshot_cache(&cache);
        let pool = pool.init(Init::Same(b"c".to_vec())).isolation(isolation());
        let data = DirGrant::read(cached.folder.path().join("data"), "/data");
        let before = cache.stats();
        drop(pool.dir(data).build().unwrap().close());
        let after = cache.stats();
        (after.hits - before.hits, after.misses - before.misses, after.damaged - before.damaged)
    };
    assert_eq!(uses(), (0, 1, 0), "the cache is empty");
    // The host does not store a snapshot if an input of `init` was changed recently: the input may
    // have changed while `init` read it.
    assert!((0..50).any(|_| uses() == (1, 0, 0)), "the snapshot is never stored");
    fs::write(words, "other").unwrap();
    assert_eq!(uses(), (0, 1, 0), "the stored snapshot was made from another content");
}

#[test]
fn cached_snapshots_hold_secrets_and_can_be_cleared_alone() {
    let cache = tempfile::tempdir().unwrap();
    let path = cache.path().display().to_string();
    let with_cache = |host: crate::support::Host| host.args(["--cache-dir", &path]);
    // This `init` reads its environment variables, as a C library does at its start.
    let plugin = r#"(module
        (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
        (memory (export "memory") 2)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 0x10000))
        (func (export "init") (param i32 i32) (result i64)
            (drop (call $get (i32.const 8) (i32.const 0x8000))) (i64.const 1))
        (func (export "call") (param i32 i32) (result i64) (i64.const 1)))"#;
    let runs = |secret: &str| {
        let init = format!("arguments-of-{secret}");
        let args = ["--snapshot-cache", "--jobs", "1", "--init", &init, "--env", secret];
        with_cache(host().file("it.wat", plugin).plugin("it.wat").args(args)).stdin("a\n").run()
    };
    let files = || {
        let parts = ["trusted", "jailed"].map(|part| cache.path().join(part));
        let entries = parts.iter().filter_map(|part| fs::read_dir(part).ok()).flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let is_snapshot = |path: &&std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("snapshot-")
    };
    let clear = || with_cache(command().args(["cache", "clear", "--snapshots"])).run().code(0);
    clear().stdout("removed 0 snapshots, 0 bytes\n");
    runs("TOKEN=hunter2-hunter2").code(0);
    runs("TOKEN=hunter3-hunter3").code(0);
    let before = files();
    let cached: Vec<_> = before.iter().filter(is_snapshot).collect();
    assert_eq!(cached.len(), 2, "{before:?}");
    for path in &cached {
        let bytes = fs::read(path).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        // `--help` and `docs/snapshots.md` warn of this.
        assert!(holds("arguments-of-TOKEN") && holds("\0TOKEN=hunter"), "{}", path.display());
    }
    let stdout = clear().stdout_bytes().to_vec();
    assert!(stdout.starts_with(b"removed 2 snapshots, "), "{}", String::from_utf8_lossy(&stdout));
    let after: Vec<_> = before.iter().filter(|path| !is_snapshot(path)).cloned().collect();
    assert!(!after.is_empty());
    assert_eq!(files(), after);
}

#[test]
fn a_cached_snapshot_with_random_bytes_warns_each_time() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().display().to_string();
    for inits in [1, 0] {
        let args = ["--snapshot-cache", "--cache-dir", &cache, "--jobs", "1", "--init", "r"];
        let stderr = host().plugin("snapshot.wat").args(args).stdin("a\n").run().stderr_text();
        assert_eq!(count_output_lines(&stderr, "init"), inits, "{stderr}");
        assert!(
            stderr.contains("warning: all workers with `snapshot.wat` share the random numbers")
        );
    }
}

#[test]
fn a_cached_snapshot_keeps_the_result_format() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().display().to_string();
    for inits in [1, 0] {
        let args = ["--snapshot-cache", "--cache-dir", &cache, "--jobs", "1", "--init", "j"];
        let finished = host().plugin("snapshot.wat").args(args).stdin("x\n");
        let finished = finished.args(["--output-format", "jsonl"]).run().code(0);
        let stderr = finished.stdout("{\"index\":0,\"ok\":1}\n").stderr_text();
        assert_eq!(count_output_lines(&stderr, "init"), inits, "{stderr}");
    }
}

/// Returns the total PSS of this process and its children. PSS divides a shared page among its
/// processes, so the total includes each page once.
fn memory() -> u64 {
    let of = |process: &dyn std::fmt::Display| {
        let path = format!("/proc/{process}/smaps_rollup");
        let Ok(text) = fs::read_to_string(path) else { return 0 };
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    let children = own_children();
    of(&"self") + children.iter().map(|child| of(&child.number())).sum::<u64>()
}

#[test]
fn workers_share_the_memory_of_a_snapshot() {
    const MEMORY_BYTES: u64 = 48 * 1024 * 1024;
    const PLUGIN: &str = r#"(module
        (memory (export "memory") 770)
        (func (export "mtl_alloc") (param i32) (result i32) (i32.const 65536))
        (func (export "init") (param i32 i32) (result i64)
            (memory.fill (i32.const 0x20000) (i32.const 42) (i32.const 0x3000000)) (i64.const 0))
        (func (export "call") (param i32 i32) (result i64)
            (local $at i32) (local $sum i32)
            (local.set $at (i32.const 0x20000))
            (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 4096)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 0x3020000))))
            (i32.store (i32.const 0) (local.get $sum))
            (i64.const 4)))"#;
    run_in_own_process(module_path!(), "workers_share_the_memory_of_a_snapshot", || {
        let plugin = Plugin::from_bytes(&Engine::new().unwrap(), "large", PLUGIN.as_bytes());
        let plugin = plugin.unwrap();
        let before = memory();
        let pool = Pool::builder(&plugin).jobs("6".parse().unwrap()).snapshot();
        let pool = pool.isolation(isolation()).retries(0).chunk_size("1".parse().unwrap());
        let mut pool = pool.build().unwrap();
        // Each worker runs several of the items, unless it is held up for the whole time.
        let records = pool.map(vec!["x"; 600]).try_collect::<Vec<_>>().unwrap();
        let sum = u32::try_from(MEMORY_BYTES / 4096 * 42).unwrap();
        assert!(records.iter().all(|record| record.bytes() == Some(&sum.to_le_bytes()[..])));
        let used = memory().saturating_sub(before);
        drop(pool);
        assert!(used > MEMORY_BYTES, "the workers have read all of the memory: {used}");
        assert!(
            used < 2 * MEMORY_BYTES + MEMORY_BYTES / 2,
            "the six workers must share the memory: {used}"
        );
    });
}
