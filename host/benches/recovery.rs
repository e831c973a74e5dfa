//! Measures the recovery from a trap. The time includes the replacement of the instance, and the
//! call of the fresh instance with the next item.
//!
//! ```text
//! cargo bench -p mtl-host --bench recovery
//! ```

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use mtl_host::isolation::{Isolation, Processes};
use mtl_host::{Engine, Pool};

use self::support::{number, plugin, work};

/// The number of items that trap. After each of these items, an item succeeds.
const TRAPS: usize = 200;

#[divan::bench(args = [false, true], sample_count = 15, sample_size = 1)]
fn trap_and_next_item(bencher: Bencher<'_, '_>, in_process: bool) {
    let engine = Engine::new().expect("the engine starts");
    let isolation = match in_process {
        true => Isolation::Process(Processes::new()),
        false => Isolation::Thread,
    };
    let plugin = plugin(&engine, "batch.wat");
    let pool = Pool::builder(&plugin).isolation(isolation).jobs(number("1"));
    let mut pool = pool.build().expect("the settings are valid");
    work(&mut pool, &[b"item"], 1);
    bencher
        .counter(ItemsCount::new(TRAPS))
        .bench_local(|| work(&mut pool, &[b"item", b"trap"], 2 * TRAPS));
}

fn main() {
    mtl_host::isolation::child_main();
    divan::main();
}
