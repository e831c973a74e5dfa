//! Measures how settings of `Engine` change the time of a call, of a start and of a compilation. Each benchmark changes
//! one setting.
//!
//! ```text
//! cargo bench -p mtl-host --bench engine
//! ```

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use wasmtime::{
    Config, Engine, Instance, InstanceAllocationStrategy, Linker, Module, OptLevel, Store,
    TypedFunc, UpdateDeadline,
};

/// The value of `micros` with which no thread increments the epoch.
const NEVER: u64 = 0;

/// The setting that differs from the settings of `Engine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Nothing,
    NoEpoch,
    Fuel,
    Pooling,
    NoCopyOnWrite,
    OptimisedForSize,
    NotOptimised,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Change {
    const ALL: [Self; 7] = [
        Self::Nothing,
        Self::NoEpoch,
        Self::Fuel,
        Self::Pooling,
        Self::NoCopyOnWrite,
        Self::OptimisedForSize,
        Self::NotOptimised,
    ];

    fn engine(self) -> Engine {
        let mut config = Config::new();
        config
            .epoch_interruption(self != Self::NoEpoch)
            .consume_fuel(self == Self::Fuel)
            .concurrency_support(false)
            .memory_init_cow(self != Self::NoCopyOnWrite)
            .wasm_memory64(false)
            .native_unwind_info(false)
            .max_wasm_stack(512 * 1024);
        match self {
            Self::Pooling => _ = config.allocation_strategy(InstanceAllocationStrategy::pooling()),
            Self::OptimisedForSize => _ = config.cranelift_opt_level(OptLevel::SpeedAndSize),
            Self::NotOptimised => _ = config.cranelift_opt_level(OptLevel::None),
            _ => {}
        }
        Engine::new(&config).expect("the settings fit together")
    }
}

static UPPER: LazyLock<Vec<u8>> = LazyLock::new(|| read("tests/fixtures/upper.wat"));
static WORD_COUNT: LazyLock<Vec<u8>> =
    LazyLock::new(|| read("examples-plugins/target/wasm32-wasip1/release/word_count.wasm"));

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `examples-plugins/build` makes plugins in Rust", path.display())
    })
}

/// Returns a running instance, and its function that converts text to upper case.
fn upper(engine: &Engine) -> (Store<()>, TypedFunc<(i32, i32), i64>) {
    let module = Module::new(engine, &*UPPER).expect("the module is valid");
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1_000_000);
    let _ = store.set_fuel(u64::MAX);
    let instance = Instance::new(&mut store, &module, &[]).expect("the module imports nothing");
    let call = instance.get_typed_func(&mut store, "call").expect("the module exports `call`");
    (store, call)
}

/// Measures a call with an item of 100 bytes.
#[divan::bench(args = Change::ALL, sample_count = 25, sample_size = 10_000)]
fn call(bencher: Bencher<'_, '_>, change: Change) {
    let (mut store, call) = upper(&change.engine());
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(move || call.call(&mut store, (2048, 100)).expect("the call does not trap"));
}

/// Measures a series of calls while another thread increments the epoch every `micros` microseconds. The series takes
/// about 100 ms.
#[divan::bench(args = [NEVER, 100_000, 5_000, 1_000, 100], sample_count = 25, sample_size = 1)]
fn tick(bencher: Bencher<'_, '_>, micros: u64) {
    let engine = Change::Nothing.engine();
    let (mut store, call) = upper(&engine);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
    let (end, ends) = mpsc::channel::<()>();
    let ticking = move || {
        while ends.recv_timeout(Duration::from_micros(micros)) == Err(RecvTimeoutError::Timeout) {
            engine.increment_epoch();
        }
    };
    let ticking = (micros != NEVER).then(|| thread::Builder::new().spawn(ticking));
    bencher.bench_local(|| {
        for _ in 0..1_000 {
            call.call(&mut store, (2048, 100_000)).expect("the call does not trap");
        }
    });
    drop(end);
    if let Some(ticking) = ticking {
        ticking.expect("the thread starts").join().expect("the thread does not panic");
    }
}

/// Measures the start of an instance of a Rust plugin of about 100 KB.
#[divan::bench(args = Change::ALL, sample_count = 25, sample_size = 20)]
fn instantiate(bencher: Bencher<'_, '_>, change: Change) {
    let engine = change.engine();
    let module = Module::new(&engine, &*WORD_COUNT).expect("the module is valid");
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).expect("all imports are functions");
    let pre = linker.instantiate_pre(&module).expect("all imports are defined");
    bencher.bench_local(move || {
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1_000_000);
        let _ = store.set_fuel(u64::MAX);
        pre.instantiate(&mut store).expect("no code runs at the start")
    });
}

/// Measures the compilation of the plugin that `instantiate` starts.
#[divan::bench(
    args = [Change::Nothing, Change::NoEpoch, Change::Fuel, Change::OptimisedForSize, Change::NotOptimised],
    sample_count = 9,
    sample_size = 1
)]
fn compile(bencher: Bencher<'_, '_>, change: Change) {
    let engine = change.engine();
    bencher.bench_local(|| Module::new(&engine, &*WORD_COUNT).expect("the module is valid"));
}

fn main() {
    divan::main();
}
