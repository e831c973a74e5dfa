//! Whatever fails, and wherever: each run ends, what was due has come out, and nothing is left behind.
//!
//! Each test has a process of its own, which counts threads at its end and is ended if it hangs.

mod consumer;
mod guest;
mod output;
mod source;

use std::num::NonZeroUsize;

use mtl_host::{ChunkSize, Engine, Order, Plugin, Pool, PoolBuilder, Record, Summary, WorkerSpec};

use crate::support::fixtures;

const ORDERS: [Order; 2] = [Order::Input, Order::Completion];

fn load(plugin: &str) -> Plugin {
    Plugin::load(&Engine::new().unwrap(), fixtures().join(plugin)).unwrap()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// Workers that give each item back.
fn echoing(workers: usize) -> PoolBuilder {
    Pool::of((0..workers).map(|_| WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())))))
}

/// One item at a time, so that nothing is held up by what was claimed with it.
fn one_by_one(pool: PoolBuilder) -> PoolBuilder {
    pool.chunk_size(ChunkSize::Fixed(NonZeroUsize::MIN))
}

fn text(record: &Record) -> &str {
    std::str::from_utf8(record.bytes().unwrap()).unwrap()
}

/// Every item that was read has its outcome.
#[track_caller]
fn check_sum(summary: &Summary) {
    assert_eq!(summary.read, summary.counts.total(), "{summary:?}");
}
