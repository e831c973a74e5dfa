//! Measures the time that one item of 100 bytes takes, for each kind of worker and of call. Each measurement runs with
//! one worker and with two workers. The plugins are variants of `echo`, which returns its item unchanged.
//!
//! ```text
//! cargo bench -p mtl-host --bench call
//! ```

mod support;

use std::fmt;

use divan::Bencher;
use divan::counter::ItemsCount;
use mtl_host::{Engine, FaultKind, Pool, PoolBuilder, RetryOn, WorkerSpec};

use self::support::{number, plugin, work};

const ITEMS: usize = 1_000_000;

#[derive(Clone, Copy, Debug)]
enum Way {
    /// A native worker that copies the item.
    Native,
    /// A plugin that receives many items in one call.
    Batch,
    /// A plugin that receives each item in its own call.
    OneByOne,
    Component,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Way {
    const ALL: [Self; 4] = [Self::Native, Self::Batch, Self::OneByOne, Self::Component];

    fn pool(self, jobs: usize) -> PoolBuilder {
        let engine = Engine::new().expect("the engine starts");
        let workers = number(&jobs.to_string());
        match self {
            Self::Native => Pool::builder_from_workers((0..jobs).map(|_| copies())),
            Self::Batch => Pool::builder(&plugin(&engine, "echo.wasm")).jobs(workers),
            // If refused items are retried, the host passes each item in its own call.
            Self::OneByOne => Pool::builder(&plugin(&engine, "echo.wasm"))
                .jobs(workers)
                .retries(1)
                .retry_on(RetryOn::NONE.with(FaultKind::Refused)),
            Self::Component => Pool::builder(&plugin(&engine, "component/echo.wasm")).jobs(workers),
        }
    }
}

fn copies() -> WorkerSpec {
    WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())))
}

#[divan::bench(args = Way::ALL, consts = [1, 2], sample_count = 15, sample_size = 1)]
fn item<const JOBS: usize>(bencher: Bencher<'_, '_>, way: Way) {
    let mut pool = way.pool(JOBS).build().expect("the settings are valid");
    work(&mut pool, &[&[b'x'; 100]], 1000);
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| work(&mut pool, &[&[b'x'; 100]], ITEMS));
}

fn main() {
    divan::main();
}
