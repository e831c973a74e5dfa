//! Measures the time that one item of 100 bytes takes from source to sink. The benchmarks vary the
//! chunk size and the number of workers, on threads and in processes.
//!
//! ```text
//! cargo bench -p mtl-host --bench pipeline
//! ```

mod support;

use std::fmt;

use divan::Bencher;
use divan::counter::ItemsCount;
use mtl_host::isolation::{Isolation, Processes};
use mtl_host::{Engine, Pool, PoolBuilder};

use self::support::{number, plugin, work};

const ITEMS: usize = 100_000;

#[derive(Clone, Copy, Debug)]
struct Case {
    is_jailed: bool,
    workers: &'static str,
    chunk: &'static str,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let isolation = if self.is_jailed { "processes" } else { "threads" };
        write!(f, "{isolation}, {} workers, chunks {}", self.workers, self.chunk)
    }
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        [false, true].into_iter().flat_map(|is_jailed| {
            ["1", "2"].into_iter().flat_map(move |workers| {
                let chunks = ["auto", "1", "16", "64", "1024"];
                chunks.into_iter().map(move |chunk| Self { is_jailed, workers, chunk })
            })
        })
    }

    fn pool(self) -> PoolBuilder {
        let engine = Engine::new().expect("the engine starts");
        let isolation = match self.is_jailed {
            true => Isolation::Process(Processes::new()),
            false => Isolation::Thread,
        };
        Pool::builder(&plugin(&engine, "echo.wasm"))
            .isolation(isolation)
            .jobs(number(self.workers))
            .chunk_size(number(self.chunk))
    }
}

#[divan::bench(args = Case::all(), sample_count = 9, sample_size = 1)]
fn item(bencher: Bencher<'_, '_>, case: Case) {
    let mut pool = case.pool().build().expect("the settings are valid");
    work(&mut pool, &[&[b'x'; 100]], 1000);
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| work(&mut pool, &[&[b'x'; 100]], ITEMS));
}

fn main() {
    mtl_host::isolation::child_main();
    divan::main();
}
