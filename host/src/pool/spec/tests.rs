//! Tests: pools with different workers, such as plugins with and without `init`, and native
//! workers.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::event::{Event, Observer};
use crate::executor::native::{Failure, Reply};
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::limits::{Fuel, MemoryLimit};
use crate::pool::{Init, Jobs, Pool, PoolBuilder, Results};
use crate::run::error::Error;
use crate::sandbox::capabilities::DirGrant;
use crate::test_timeout::with_timeout;

fn engine() -> Engine {
    Engine::new().unwrap()
}

fn fixture(engine: &Engine, name: &str) -> Plugin {
    Plugin::load(engine, format!("../tests/fixtures/{name}")).unwrap()
}

fn echo() -> WorkerSpec {
    WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())))
}

/// Returns results as text: records, and faults with kind and message.
fn shown<I: Iterator<Item: AsRef<[u8]>> + Send>(results: Results<'_, I>) -> Vec<String> {
    let shown = results.map(|result| match result {
        Ok(record) => match record.bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "(none)".into(),
        },
        Err(fault) => format!("{}: {}", fault.kind(), fault.message()),
    });
    shown.collect()
}

fn error(builder: PoolBuilder) -> String {
    builder.build().unwrap_err().to_string()
}

/// Returns the error of a run over these items.
fn failed(pool: &mut Pool, items: &[&'static str]) -> Error {
    let mut results = pool.map(items.to_vec());
    results.by_ref().for_each(drop);
    results.end().error.unwrap()
}

/// Runs items until each worker has answered some, and returns the different answers to `x`.
fn answers(builder: PoolBuilder, workers: usize) -> BTreeSet<String> {
    let mut pool = builder.build().unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < workers {
        seen.extend(shown(pool.map(["x"; 64])));
    }
    seen
}

#[test]
fn stateful_stateless_and_native_workers_share_a_pool() {
    with_timeout(|| {
        let engine = engine();
        let (init, upper) = (fixture(&engine, "init.wat"), fixture(&engine, "upper.wat"));
        let pool = Pool::builder_from_workers([
            WorkerSpec::plugin(&init).init("a "),
            WorkerSpec::plugin(&init).init("b "),
            WorkerSpec::plugin(&init),
            WorkerSpec::plugin(&upper),
            WorkerSpec::native(|context| {
                let name = format!("{}/{}", context.worker(), context.workers());
                Ok(move |_: &[u8]| Ok(name.clone()))
            }),
        ]);
        let expected = ["a x", "b x", "x", "X", "4/5"].map(str::to_owned);
        assert_eq!(answers(pool, 5), BTreeSet::from(expected));
    });
}

#[test]
fn worker_variables_extend_the_pool_variables() {
    with_timeout(|| {
        let engine = engine();
        let environment = fixture(&engine, "environment.wat");
        let pool = Pool::builder_from_workers([
            WorkerSpec::plugin(&environment),
            WorkerSpec::plugin(&environment).env("OWN", "1"),
            WorkerSpec::plugin(&environment).env("ALL", "mine"),
        ]);
        let expected = ["ALL=yes;", "ALL=yes;OWN=1;", "ALL=mine;"].map(str::to_owned);
        assert_eq!(answers(pool.env("ALL", "yes"), 3), BTreeSet::from(expected));
    });
}

#[test]
fn each_worker_sees_its_own_directories() {
    with_timeout(|| {
        let (engine, folder) = (engine(), tempfile::tempdir().unwrap());
        let files = fixture(&engine, "files.wat");
        let worker = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("x"), name).unwrap();
            WorkerSpec::plugin(&files).dir(DirGrant::read(path, "/data"))
        };
        let workers = ["one", "two"].map(worker);
        let mut pool = Pool::builder_from_workers(workers).build().unwrap();
        let mut seen = BTreeSet::new();
        while seen.len() < 2 {
            seen.extend(shown(pool.map(["<x"; 64])));
        }
        assert_eq!(seen, BTreeSet::from(["one", "two"].map(str::to_owned)));
    });
}

#[test]
fn memory_limits_apply_to_the_pool_and_to_each_worker() {
    with_timeout(|| {
        let engine = engine();
        // The plugin has five pages from the start.
        let init = fixture(&engine, "init.wat");
        let (little, enough) = ("256KiB".parse().unwrap(), "320KiB".parse().unwrap());
        let spec = || WorkerSpec::plugin(&init);
        let cases = [
            (Pool::builder(&init), true),
            (Pool::builder(&init).memory(little), false),
            (Pool::builder(&init).memory(enough), true),
            (Pool::builder_from_workers([spec()]).memory(little), false),
            (Pool::builder_from_workers([spec().memory(enough)]).memory(little), true),
            (Pool::builder_from_workers([spec(), spec().memory(little)]), false),
        ];
        for (case, (builder, starts)) in cases.into_iter().enumerate() {
            let mut pool = builder.build().unwrap();
            let mut results = pool.map(["x"]);
            results.by_ref().for_each(drop);
            let error = results.end().error;
            assert_eq!(error.is_none(), starts, "case {case}: {error:?}");
        }
    });
}

#[test]
fn fuel_limits_apply_to_the_pool_and_to_each_worker() {
    with_timeout(|| {
        let engine = Engine::with_fuel().unwrap();
        let upper = fixture(&engine, "upper.wat");
        let (little, enough) = ("10".parse().unwrap(), "1M".parse().unwrap());
        let spec = || WorkerSpec::plugin(&upper);
        let cases = [
            (Pool::builder_from_workers([spec()]), true),
            (Pool::builder_from_workers([spec()]).fuel(enough), true),
            (Pool::builder_from_workers([spec()]).fuel(little), false),
            (Pool::builder_from_workers([spec().fuel(enough)]).fuel(little), true),
            (Pool::builder_from_workers([spec().fuel(little)]), false),
        ];
        for (case, (builder, suffices)) in cases.into_iter().enumerate() {
            let shown = shown(builder.build().unwrap().map(["a"]));
            let expected = if suffices { "A" } else { "out-of-fuel: no fuel is left of the 10 of" };
            assert!(shown[0].starts_with(expected), "case {case}: {shown:?}");
        }
    });
}

#[test]
fn result_limits_apply_to_native_workers() {
    let limit = "2".parse().unwrap();
    let mut pool = Pool::builder_from_workers([echo()]).max_result(limit).build().unwrap();
    let too_long = "bad-result: the result of 3 bytes is larger than the 2 bytes of `max_result`";
    assert_eq!(shown(pool.map(["12", "123", "1"])), ["12", too_long, "1"]);
}

#[test]
fn an_inconsistent_worker_list_is_refused() {
    let engine = engine();
    let upper = fixture(&engine, "upper.wat");
    let (plugin, path) = (|| WorkerSpec::plugin(&upper), "../tests/fixtures/upper.wat");
    let other = fixture(&Engine::new().unwrap(), "init.wat");
    let jobs = |jobs| Jobs::Exactly(NonZeroU32::new(jobs).unwrap());
    let fuel: Fuel = "1M".parse().unwrap();
    #[rustfmt::skip]
    let cases = [
        (Pool::builder_from_workers([]),                                    "the pool has no worker".into()),
        (Pool::builder_from_workers([plugin(), echo()]).jobs(jobs(3)),      "2 workers are listed, but `jobs` is 3".into()),
        (Pool::builder_from_workers([plugin()]).init(Init::Same(vec![])),   "init arguments for all workers cannot be combined with a list of workers".into()),
        (Pool::builder_from_workers([echo(), plugin().init("")]),           format!("plugin `{path}` takes no init arguments: it does not export `init`")),
        (Pool::builder_from_workers([plugin(), WorkerSpec::plugin(&other)]), format!("plugin `../tests/fixtures/init.wat` was loaded with another engine than `{path}`")),
        (Pool::builder_from_workers([plugin(), echo().init("")]),           "worker 1 is native: `init` is for plugins".into()),
        (Pool::builder_from_workers([echo().env("A", "")]),                 "worker 0 is native: `env` is for plugins".into()),
        (Pool::builder_from_workers([echo().memory(MemoryLimit::DEFAULT)]), "worker 0 is native: `memory` is for plugins".into()),
        (Pool::builder_from_workers([echo().fuel(fuel)]),                   "worker 0 is native: `fuel` is for plugins".into()),
        (Pool::builder_from_workers([plugin().fuel(fuel)]),                 format!("plugin `{path}` was loaded with an engine that counts no fuel")),
        (Pool::builder_from_workers([echo(), plugin()]).fuel(fuel),         format!("plugin `{path}` was loaded with an engine that counts no fuel")),
        (Pool::builder_from_workers([plugin().dir(DirGrant::read("no", "/"))]), "cannot grant the directory `no`".into()),
        (Pool::builder_from_workers([plugin()]).dir(DirGrant::read("no", "/")), "cannot grant the directory `no`".into()),
    ];
    for (builder, expected) in cases {
        assert_eq!(error(builder), expected);
    }
    assert_eq!(
        Pool::builder_from_workers([echo(), plugin()]).jobs(jobs(2)).build().unwrap().workers(),
        2
    );
}

#[test]
fn a_worker_has_at_most_200_directories() {
    let folder = tempfile::tempdir().unwrap();
    let files = fixture(&engine(), "files.wat");
    let pool = |all: usize, own: usize| {
        let grant = |number| DirGrant::read(folder.path(), format!("/{number}"));
        let worker = (0..own).map(grant).fold(WorkerSpec::plugin(&files), WorkerSpec::dir);
        (0..all).map(grant).fold(Pool::builder_from_workers([worker]), PoolBuilder::dir)
    };
    assert!(pool(10, 200).build().is_ok());
    let expected = "plugin `../tests/fixtures/files.wat` is granted 201 directories, \
                    and a worker has 200 at most";
    assert_eq!(error(pool(0, 201)), expected);
    assert_eq!(error(pool(201, 1)), expected);
}

/// A native worker that counts its items since it was opened, and panics at the item `panic`. It is
/// not `Send`.
struct Counter {
    calls: Rc<Cell<u32>>,
    opened: u32,
}

impl NativeWorker for Counter {
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
        assert!(record.is_empty());
        record.extend_from_slice(b"not a record yet");
        self.calls.set(self.calls.get() + 1);
        match item {
            b"panic" => panic!("at call {}", self.calls.get()),
            b"none" => return Ok(Reply::NoRecord),
            b"refuse" => return Err("no".into()),
            b"bad" => return Err(Failure::bad_item("not a word")),
            _ => {}
        }
        record.clear();
        record.extend_from_slice(format!("{}.{}", self.opened, self.calls.get()).as_bytes());
        Ok(Reply::Record)
    }

    fn format(&self) -> Format {
        Format::Json
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self.calls.get() {
            13 => panic!("thirteen"),
            calls => Ok(Some(calls.to_string().into_bytes())),
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        assert_ne!(self.calls.get(), 2, "a second panic in the drop");
    }
}

fn counter() -> WorkerSpec {
    let mut opened = 0;
    WorkerSpec::native(move |_| {
        opened += 1;
        Ok(Counter { calls: Rc::default(), opened })
    })
}

#[test]
fn a_panicking_native_worker_is_replaced() {
    with_timeout(|| {
        let mut pool = Pool::builder_from_workers([counter()]).build().unwrap();
        let items = ["a", "panic", "b", "none", "refuse", "bad", "c"];
        let expected = [
            "1.1",
            "trap: the worker panicked: at call 2",
            "2.1",
            "(none)",
            "refused: no",
            "bad-item: not a word",
            "2.5",
        ];
        assert_eq!(shown(pool.map(items)), expected);
        let reports = pool.close();
        assert_eq!((reports[0].items, reports[0].failed_instances), (7, 1));
        assert_eq!(reports[0].finish_report, Ok(Some(b"5".to_vec())));
    });
}

#[test]
fn a_panic_in_the_finish_report_is_reported() {
    with_timeout(|| {
        let mut pool = Pool::builder_from_workers([counter()]).build().unwrap();
        assert_eq!(pool.map(["x"; 13]).count(), 13);
        let failure = pool.close().remove(0).finish_report.unwrap_err();
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FaultKind::Trap, "the worker panicked: thirteen")
        );
    });
}

#[test]
fn a_native_worker_that_does_not_open_ends_the_run() {
    type Unopened = fn(&[u8]) -> Result<Vec<u8>, Failure>;
    with_timeout(|| {
        let missing = WorkerSpec::native(|_| {
            let number: u8 = "x".parse()?;
            Ok(move |_: &[u8]| Ok([number]))
        });
        let panics = WorkerSpec::native(|_| -> Result<Unopened, _> { panic!("no model") });
        let cases = [
            (
                missing,
                "worker 1 could not be started: its native code could not be opened: invalid digit found in string",
            ),
            (panics, "worker 1 could not be started: its native code panicked: no model"),
        ];
        for (spec, expected) in cases {
            let mut pool = Pool::builder_from_workers([echo(), spec]).build().unwrap();
            let error = failed(&mut pool, &["a"]);
            assert_eq!(error.with_causes(), expected);
        }
    });
}

#[test]
fn a_native_worker_that_fails_to_reopen_is_retired() {
    #[derive(Default)]
    struct Retired(AtomicU32);

    impl Observer for Retired {
        fn notify(&self, event: &Event<'_>) {
            if let Event::WorkerRetired { .. } = event {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    with_timeout(|| {
        let retired = Arc::new(Retired::default());
        let mut opened = 0;
        let once = WorkerSpec::native(move |_| {
            opened += 1;
            if opened > 1 {
                return Err("only once".into());
            }
            Ok(|item: &[u8]| match item {
                b"panic" => panic!("failed"),
                _ => Ok(item.to_vec()),
            })
        });
        let mut pool =
            Pool::builder_from_workers([once]).observer(retired.clone()).build().unwrap();
        let error = failed(&mut pool, &["a", "panic", "b"]);
        let expected = "no worker is left: worker 0, the last one, could not be started again: \
                        its native code could not be opened: only once";
        assert_eq!(error.with_causes(), expected);
        assert_eq!(retired.0.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn workers_beyond_the_mapping_limit_are_refused() {
    assert!(check_mappings(5, None).is_ok());
    assert!(check_mappings(5, Some(5)).is_ok());
    let error = check_mappings(6, Some(5)).unwrap_err();
    assert!(matches!(error, BuildError::TooManyWorkers { workers: 6, max: 5 }));
    assert!(error.hint().unwrap().starts_with("`vm.max_map_count`"));
}
