//! What an item of 100 bytes costs with one worker, by the way in which it gets to the plugin and
//! back: `echo`, which does nothing else.
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

const ITEMS: usize = 200_000;

#[derive(Clone, Copy, Debug)]
enum Way {
    /// A native worker, which copies the item.
    Native,
    /// Many in one crossing.
    Batch,
    /// Each in a crossing of its own.
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

    fn pool(self) -> PoolBuilder {
        let engine = Engine::new().expect("it starts");
        match self {
            Self::Native => Pool::of([WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())))]),
            Self::Batch => Pool::builder(&plugin(&engine, "echo.wasm")).jobs(number("1")),
            // An item that may be refused, and then tried again, crosses alone.
            Self::OneByOne => Pool::builder(&plugin(&engine, "echo.wasm"))
                .jobs(number("1"))
                .retries(1)
                .retry_on(RetryOn::NOTHING.with(FaultKind::Refused)),
            Self::Component => {
                Pool::builder(&plugin(&engine, "component/echo.wasm")).jobs(number("1"))
            }
        }
    }
}

#[divan::bench(args = Way::ALL, sample_count = 15, sample_size = 1)]
fn item(bencher: Bencher<'_, '_>, way: Way) {
    let mut pool = way.pool().build().expect("it is lawful");
    work(&mut pool, &[&[b'x'; 100]], 1000);
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| work(&mut pool, &[&[b'x'; 100]], ITEMS));
}

fn main() {
    divan::main();
}
