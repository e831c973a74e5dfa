//! Checks workers' processes that die or hang: the run reports the loss, and loses no more than it must.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mtl_host::event::{Event, GuestStream, Observer};
use mtl_host::isolation::{Isolation, JailLevel, Processes};
use mtl_host::limits::{ChunkSize, MaxRestarts};
use mtl_host::{
    Engine, Error, FaultKind, Init, InstanceFailure, Plugin, Pool, PoolBuilder, StartError,
};
use rustix::process::Signal;

use crate::support::{fixtures, own_children, processes, run_in_own_process};

/// A time limit far above the time of an item.
const LIMIT: Duration = Duration::from_secs(2);

/// Counts how often each item was run.
#[derive(Clone, Default)]
struct Runs(Arc<Mutex<BTreeMap<String, u32>>>);

impl Runs {
    /// Records the start of an item. If the item names a signal, its first run sends that signal to the worker's
    /// process.
    fn record_start(&self, item: &str) {
        let mut runs = self.0.lock().unwrap();
        let runs = runs.entry(item.to_owned()).or_default();
        *runs += 1;
        let signal = match item {
            "kill" => Signal::KILL,
            "abort" => Signal::ABORT,
            "stop" => Signal::STOP,
            _ => return,
        };
        if *runs == 1 {
            assert!(own_children().iter().all(|child| child.signal(signal)));
        }
    }

    fn all(&self) -> Vec<(String, u32)> {
        self.0.lock().unwrap().iter().map(|(item, runs)| (item.clone(), *runs)).collect()
    }
}

/// Returns a pool of one worker. For each item, the plugin calls a host function in this process, which may send a
/// signal. The signal therefore reaches the worker while the worker runs the item.
fn builder(runs: &Runs) -> PoolBuilder {
    let runs = runs.clone();
    let plugin = Plugin::loader(&Engine::new().unwrap())
        .host_function("acme:store/lookup@1.0.0", "get", move |_, item| {
            runs.record_start(str::from_utf8(item).unwrap());
            Ok(item.to_ascii_uppercase())
        })
        .load(fixtures().join("host-function.wat"))
        .unwrap();
    one_worker(&plugin).chunk_size(ChunkSize::Fixed(8.try_into().unwrap()))
}

fn one_worker(plugin: &Plugin) -> PoolBuilder {
    Pool::builder(plugin).isolation(processes()).jobs("1".parse().unwrap())
}

/// Returns the outcomes of items that are claimed together.
fn outcomes(pool: &mut Pool, items: &[&'static str]) -> Vec<String> {
    let outcomes = pool.map(items.to_vec()).map(|result| match result {
        Ok(record) => String::from_utf8(record.into_bytes().unwrap()).unwrap(),
        Err(fault) => format!("{}: {}", fault.kind(), fault.message()),
    });
    outcomes.collect()
}

#[test]
fn a_crash_costs_exactly_the_current_item() {
    let name = "a_crash_costs_exactly_the_current_item";
    run_in_own_process(module_path!(), name, || {
        let cases = [
            ("kill", "crashed: its process was killed by signal 9 (SIGKILL)"),
            ("abort", "crashed: its process was killed by signal 6 (SIGABRT)"),
            ("stop", "timeout: took longer than 2s, and its process was killed"),
        ];
        for (signal, fault) in cases {
            for at in 0..4 {
                let runs = Runs::default();
                let mut pool = builder(&runs).timeout(LIMIT).build().unwrap();
                let mut items = ["a", "b", "c", "d"];
                items[at] = signal;
                let mut expected = ["A", "B", "C", "D"].map(str::to_owned);
                fault.clone_into(&mut expected[at]);
                // The first claim of a run has one item; later items are claimed together.
                assert_eq!(outcomes(&mut pool, &["warm"]), ["WARM"]);
                assert_eq!(outcomes(&mut pool, &items), expected, "{signal} at {at}");
                // The outcomes of the earlier items were lost with the process, so they ran twice. No other item did.
                for (item, times) in runs.all() {
                    let position = items.iter().position(|other| *other == item);
                    let max = if position.is_some_and(|position| position < at) { 2 } else { 1 };
                    assert!(times <= max, "`{item}` ran {times} times, {signal} at {at}");
                }
                assert_eq!(outcomes(&mut pool, &["again"]), ["AGAIN"]);
                let report = pool.close().remove(0);
                assert_eq!((report.failed_instances, report.items), (1, 6));
                assert!(own_children().is_empty());
            }
        }
    });
}

#[test]
fn with_retries_the_crashed_item_runs_again() {
    run_in_own_process(module_path!(), "with_retries_the_crashed_item_runs_again", || {
        for signal in ["kill", "stop"] {
            let runs = Runs::default();
            let mut pool = builder(&runs).timeout(LIMIT).retries(1).build().unwrap();
            let all = outcomes(&mut pool, &["a", signal, "b"]);
            assert_eq!(all, ["A", &signal.to_uppercase(), "B"]);
            assert_eq!(runs.all().iter().find(|(item, _)| item == signal).unwrap().1, 2);
        }
    });
}

/// The process has run items, and is killed while it is idle.
#[test]
fn a_crash_while_idle_costs_no_item() {
    run_in_own_process(module_path!(), "a_crash_while_idle_costs_no_item", || {
        let runs = Runs::default();
        let mut pool = builder(&runs).build().unwrap();
        for _ in 0..20 {
            assert_eq!(outcomes(&mut pool, &["a", "b"]), ["A", "B"]);
            assert!(own_children().iter().all(|child| child.signal(Signal::KILL)));
        }
        assert_eq!(outcomes(&mut pool, &["a", "b"]), ["A", "B"]);
        let report = pool.close().remove(0);
        assert_eq!((report.failed_instances, report.items), (20, 42));
        assert_eq!(runs.all(), [("a".into(), 21), ("b".into(), 21)]);
    });
}

/// An observer that sends a signal to the worker's process when the plugin writes output, a limited number of times.
struct SignalOnOutput(Signal, Mutex<u32>);

impl SignalOnOutput {
    fn new(signal: Signal, times: u32) -> Arc<Self> {
        Arc::new(Self(signal, Mutex::new(times)))
    }
}

impl Observer for SignalOnOutput {
    fn notify(&self, event: &Event<'_>) {
        let Event::Output { stream: GuestStream::Stdout, .. } = event else { return };
        let mut left = self.1.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            assert!(own_children().iter().all(|child| child.signal(self.0)));
        }
    }
}

fn linger() -> Plugin {
    Plugin::load(&Engine::new().unwrap(), fixtures().join("linger.wat")).unwrap()
}

/// Returns a pool of one worker. In each of its first `starts` starts, the worker writes output and then hangs. Each
/// start creates an entry in `folder`.
fn hangs_at_first(starts: &[u8], folder: &Path) -> PoolBuilder {
    let plugin = fixtures().join("hangs-at-first.wat");
    let plugin = Plugin::load(&Engine::new().unwrap(), plugin).unwrap();
    let grant = format!("{}::/state:rw", folder.display()).parse().unwrap();
    one_worker(&plugin).init(Init::Same(starts.to_vec())).dir(grant)
}

fn starts(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_process_killed_at_its_first_start_is_restarted() {
    run_in_own_process(module_path!(), "a_process_killed_at_its_first_start_is_restarted", || {
        let dies = |starts: &[u8], max: MaxRestarts| {
            let folder = tempfile::tempdir().unwrap();
            let builder = hangs_at_first(starts, folder.path()).max_restarts(max);
            let mut pool = builder.observer(SignalOnOutput::new(Signal::KILL, 9)).build().unwrap();
            let (records, _, outcome) = pool.map(["a", "b"]).collect_all();
            drop(pool);
            assert!(own_children().is_empty());
            let error = outcome.error.map(|error| match error {
                Error::Init { source, .. } => source.to_string(),
                error => panic!("{error:?}"),
            });
            (records.len(), self::starts(folder.path()), error)
        };
        let killed = || Some("its process was killed by signal 9 (SIGKILL)".to_owned());
        #[rustfmt::skip]
        let cases = [
            ("0", MaxRestarts::Unlimited, (2, 1, None)),
            ("1", MaxRestarts::Unlimited, (2, 2, None)),
            ("2", MaxRestarts::Unlimited, (2, 3, None)),
            ("3", MaxRestarts::Unlimited, (0, 3, killed())),
            ("1", MaxRestarts::AtMost(0), (0, 1, killed())),
            ("1", MaxRestarts::AtMost(1), (2, 2, None)),
            ("2", MaxRestarts::AtMost(4), (2, 3, None)),
            // A higher limit still allows only three attempts.
            ("4", MaxRestarts::AtMost(4), (0, 3, killed())),
        ];
        for (starts, max, expected) in cases {
            assert_eq!(dies(starts.as_bytes(), max), expected, "{starts}, at most {max}");
        }
    });
}

#[test]
fn a_crash_or_hang_at_start_ends_the_run_with_the_reason() {
    run_in_own_process(
        module_path!(),
        "a_crash_or_hang_at_start_ends_the_run_with_the_reason",
        || {
            for signal in [Signal::KILL, Signal::STOP] {
                let builder =
                    one_worker(&linger()).init(Init::Same(b"c".to_vec())).init_timeout(LIMIT);
                let mut pool = builder.observer(SignalOnOutput::new(signal, 3)).build().unwrap();
                let outcome = pool.map(["n"]).end();
                let Some(Error::Init { source, .. }) = outcome.error else {
                    panic!("{signal:?}: {:?}", outcome.error)
                };
                match (&*source, signal) {
                    (StartError::Crashed { message }, Signal::KILL) => {
                        assert_eq!(message, "its process was killed by signal 9 (SIGKILL)");
                    }
                    (StartError::Timeout { message }, Signal::STOP) => {
                        assert_eq!(message, "took longer than 2s, and its process was killed");
                    }
                    (error, _) => panic!("{signal:?}: {error:?}"),
                }
                drop(pool);
                assert!(own_children().is_empty());
            }
        },
    );
}

#[test]
fn a_crash_or_hang_at_finish_leaves_no_report() {
    run_in_own_process(module_path!(), "a_crash_or_hang_at_finish_leaves_no_report", || {
        #[rustfmt::skip]
        let cases = [
            (Signal::KILL, InstanceFailure::new(FaultKind::Crashed, "its process was killed by signal 9 (SIGKILL)")),
            (Signal::STOP, InstanceFailure::new(FaultKind::Timeout, "took longer than 2s, and its process was killed")),
        ];
        for (signal, failure) in cases {
            let builder = one_worker(&linger()).init_timeout(LIMIT);
            let mut pool = builder.observer(SignalOnOutput::new(signal, 1)).build().unwrap();
            assert_eq!(outcomes(&mut pool, &["Xc"]), ["0 001"]);
            assert_eq!(pool.close().remove(0).finish_report, Err(failure));
            assert!(own_children().is_empty());
        }
    });
}

/// Checks a replacement that dies twice as it starts; the third attempt succeeds.
#[test]
fn a_replacement_that_dies_at_start_is_restarted() {
    run_in_own_process(module_path!(), "a_replacement_that_dies_at_start_is_restarted", || {
        // The first instance writes no output as it starts; all replacements do.
        let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("linger.wat")).unwrap();
        let mut pool =
            one_worker(&plugin).observer(SignalOnOutput::new(Signal::KILL, 3)).build().unwrap();
        let expected = "crashed: its process was killed by signal 9 (SIGKILL)";
        assert_eq!(
            outcomes(&mut pool, &["c", "c", "n", "c", "n"]),
            [expected, expected, "0 001", expected, "0 001"]
        );
        assert_eq!(pool.close().remove(0).failed_instances, 3);
    });
}

/// Starts a script in place of a worker, and returns the error.
fn start_error(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("worker");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    let processes = Processes::new().program(program).jail(JailLevel::BestEffort);
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("upper.wat")).unwrap();
    let pool = Pool::builder(&plugin).jobs("1".parse().unwrap());
    let mut pool = pool.isolation(Isolation::Process(processes)).build().unwrap();
    let outcome = pool.map(["a"]).end();
    drop(pool);
    assert!(own_children().is_empty(), "{script}");
    let Some(Error::Init { source, .. }) = outcome.error else { panic!("{:?}", outcome.error) };
    match &*source {
        StartError::Crashed { message } => message.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_is_no_worker_is_killed_and_reported() {
    run_in_own_process(
        module_path!(),
        "a_program_that_is_no_worker_is_killed_and_reported",
        || {
            let long = "x".repeat(200);
            let says_much = format!("for i in 1 2 3 4; do echo {long} >&2; done; exit 3");
            let much = format!("its process exited with code 3: {long}");
            #[rustfmt::skip]
        let cases = [
            ("exit 0",                                     "its process exited with code 0"),
            ("echo first >&2; echo last >&2; exit 7",      "its process exited with code 7: last"),
            (&says_much,                                   &much),
            ("echo \"the thread's \\`end\\`\" >&2; exit 1",  "its process exited with code 1: the thread's `end`"),
            ("printf 'a\\033[31mb\\r\\n\\n' >&2; exit 1",     r"its process exited with code 1: a\u{1b}[31mb"),
            ("kill -SEGV $$",                              "its process was killed by signal 11 (SIGSEGV)"),
            ("kill -USR1 $$",                              "its process was killed by signal 10"),
            // The script closes its socket and keeps running.
            ("exec <&-; exec sleep 1000",                  "its process closed its socket, and was killed"),
            // The script sends bytes that are no frame, then a frame that is too long, then endless bytes.
            ("printf '\\0\\0\\0\\0\\0' >&0; exec sleep 1000", "its process was killed because it sent a message of an unknown kind"),
            ("printf '\\377\\377\\377\\377\\1' >&0; exec sleep 1000", "its process was killed because it sent a frame that is too long"),
            ("printf '\\0\\0\\0\\0\\5' >&0; exec sleep 1000", "its process was killed because it sent an unexpected reply (expected: ready)"),
            ("exec cat /dev/zero >&0",                     "its process was killed because it sent a message of an unknown kind"),
        ];
            for (script, expected) in cases {
                assert_eq!(start_error(script), expected, "{script}");
            }
        },
    );
}
