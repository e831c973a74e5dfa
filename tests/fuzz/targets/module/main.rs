//! Fuzzes arbitrary plugins through load, inspection, start, calls and finish.
//!
//! For any plugin, the host must not panic, the run must end, and each item that was read must have
//! one outcome, in order. Some plugins come from `wasm-smith` and are valid. Some are fixtures of the
//! integration tests with changes, and some are arbitrary bytes.

#![no_main]

mod edit;
mod generated;

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};
use mtl_host::sink::{Sink, SinkError};
use mtl_host::source::Items;
use mtl_host::{Engine, ErrorPolicy, Init, Jobs, Order, Outcome, Plugin, Pool, PoolBuilder};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().expect("the engine starts"));
static ENGINE_WITH_FUEL: LazyLock<Engine> =
    LazyLock::new(|| Engine::with_fuel().expect("the engine starts"));

/// The settings of a run.
#[derive(Arbitrary, Debug)]
struct Settings {
    fuel: Option<u16>,
    two_jobs: bool,
    retries: u8,
    recycle: bool,
    small_results: bool,
    inspects: bool,
    unordered: bool,
}

/// A plugin with its settings, arguments and items.
struct Case {
    settings: Settings,
    args: Vec<u8>,
    items: Vec<Vec<u8>>,
    plugin: Vec<u8>,
}

impl Case {
    const MAX_ITEMS: usize = 8;

    fn decode(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let settings = bytes.arbitrary()?;
        let args = bytes.arbitrary()?;
        let mut items: Vec<Vec<u8>> = bytes.arbitrary()?;
        items.truncate(Self::MAX_ITEMS);
        let plugin = match bytes.int_in_range(0..=7)? {
            0 => bytes.bytes(bytes.len())?.to_vec(),
            1 | 2 => edit::fixture(bytes)?,
            _ => generated::module(bytes)?,
        };
        Ok(Self { settings, args, items, plugin })
    }
}

impl Settings {
    /// The time limit of an item, which is long for such small plugins.
    const TIMEOUT: Duration = Duration::from_millis(20);

    fn engine(&self) -> &'static Engine {
        if self.fuel.is_some() { &ENGINE_WITH_FUEL } else { &ENGINE }
    }

    fn pool(&self, plugin: &Plugin, args: &[u8]) -> PoolBuilder {
        let jobs: Jobs = if self.two_jobs { "2" } else { "1" }.parse().expect("a number");
        let mut builder = Pool::builder(plugin)
            .jobs(jobs)
            .memory("16MiB".parse().expect("a size"))
            .timeout(Self::TIMEOUT)
            .init_timeout(Self::TIMEOUT)
            .join_timeout(Duration::from_secs(2))
            .retries((self.retries % 3).into())
            .order(if self.unordered { Order::Completion } else { Order::Input })
            .on_error(ErrorPolicy::Ignore);
        if plugin.has_init() {
            builder = builder.init(Init::Same(args.to_vec()));
        }
        if let Some(fuel) = self.fuel {
            builder = builder.fuel((u64::from(fuel) * 16 + 1).to_string().parse().expect("fuel"));
        }
        if self.recycle {
            builder = builder.recycle(2.try_into().expect("not 0"));
        }
        if self.small_results {
            builder = builder.max_result("16".parse().expect("a size"));
        }
        builder
    }
}

/// A sink that counts outcomes by kind.
#[derive(Default)]
struct OutcomeCounter {
    indexes: Vec<u64>,
    records: u64,
    none: u64,
    faults: u64,
}

impl Sink for OutcomeCounter {
    fn write(&mut self, outcome: &Outcome<'_>) -> std::result::Result<(), SinkError> {
        self.indexes.push(outcome.index.get());
        *match outcome.result {
            Ok(Some(_)) => &mut self.records,
            Ok(None) => &mut self.none,
            Err(_) => &mut self.faults,
        } += 1;
        Ok(())
    }
}

/// Runs the items, and checks that each has its outcome.
fn run(plugin: &Plugin, case: &Case) {
    let Ok(mut pool) = case.settings.pool(plugin, &case.args).build() else { return };
    for _ in 0..2 {
        let mut counter = OutcomeCounter::default();
        let outcome = pool.run(Items::new(case.items.clone()), &mut counter);
        let (summary, counts) = (&outcome.summary, &outcome.summary.counts);
        assert_eq!(counts.total(), summary.read, "each item that was read must have an outcome");
        assert_eq!(counter.indexes.len() as u64, summary.delivered);
        if outcome.error.is_none() {
            assert_eq!(
                summary.delivered,
                case.items.len() as u64,
                "all outcomes must be delivered"
            );
            assert_eq!((counter.records, counter.none), (counts.records(), counts.no_record()));
            assert_eq!(counter.faults, counts.failed() + counts.not_run());
        }
        if case.settings.unordered {
            counter.indexes.sort_unstable();
        }
        let expected: Vec<_> = (0..counter.indexes.len() as u64).collect();
        assert_eq!(counter.indexes, expected, "each item must come once, and in order");
    }
    let workers = pool.workers();
    assert_eq!(pool.close().len(), workers, "each worker must have a report");
}

/// Stores the plugin in a file without a name, and returns a path to the file.
fn store(bytes: &[u8]) -> PathBuf {
    static FILE: LazyLock<File> =
        LazyLock::new(|| tempfile::tempfile().expect("a temporary file can be created"));
    let mut file = &*FILE;
    file.set_len(0).and_then(|()| file.rewind()).expect("the file can be written");
    file.write_all(bytes).expect("the file can be written");
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(case) = Case::decode(&mut Unstructured::new(bytes)) else { return Corpus::Reject };
    let engine = case.settings.engine();
    let loaded = Plugin::from_bytes(engine, "plugin", &case.plugin);
    if case.settings.inspects {
        let inspection = Plugin::inspect(engine, store(&case.plugin));
        let refuses = inspection.as_ref().map_or(true, |inspection| inspection.refusal.is_some());
        assert_eq!(refuses, loaded.is_err(), "inspection and load must agree");
        let _ = format!("{inspection:?}");
    }
    match loaded {
        Ok(plugin) => run(&plugin, &case),
        Err(error) => drop(format!("{error}: {:?}", error.hint())),
    }
    Corpus::Keep
});
