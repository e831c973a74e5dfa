//! Checks the end of runs: wherever a run fails, it ends, delivers the finished outcomes, and leaves nothing behind.
//!
//! Each test runs in its own process, which counts its threads at the end and is killed if it hangs.

mod consumer;
mod guest;
mod output;
mod source;

use std::num::NonZeroUsize;

use mtl_host::limits::ChunkSize;
use mtl_host::{Engine, Order, Plugin, Pool, PoolBuilder, Record, Summary, WorkerSpec};

use crate::support::fixtures;

const ORDERS: [Order; 2] = [Order::Input, Order::Completion];

fn load(plugin: &str) -> Plugin {
    Plugin::load(&Engine::new().unwrap(), fixtures().join(plugin)).unwrap()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// Returns a pool of workers that echo each item.
fn echoing(workers: usize) -> PoolBuilder {
    Pool::builder_from_workers(
        (0..workers).map(|_| WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())))),
    )
}

/// Limits claims to one item, so that no item waits for another item of its claim.
fn one_by_one(pool: PoolBuilder) -> PoolBuilder {
    pool.chunk_size(ChunkSize::Fixed(NonZeroUsize::MIN))
}

fn text(record: &Record) -> &str {
    std::str::from_utf8(record.bytes().unwrap()).unwrap()
}

/// Checks that every item that was read has an outcome.
#[track_caller]
fn check_sum(summary: &Summary) {
    assert_eq!(summary.read, summary.counts.total(), "{summary:?}");
}
