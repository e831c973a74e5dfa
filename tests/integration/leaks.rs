//! Pools come and go, and leave nothing behind: no thread, no descriptor, no memory.

use std::fs;
use std::time::Duration;

use mtl_host::{Engine, Plugin, Pool, WorkerSpec};

use crate::support::{
    alone_within, by_tier, fixtures, in_processes, isolation, threads, wait_for_threads,
};

/// Returns the number of pools. In processes each takes much longer.
fn pools() -> usize {
    if in_processes() { by_tier(400, 10_000) } else { by_tier(4_000, 20_000) }
}

/// The most that the memory of the process may grow. The allocator has an arena per thread at most,
/// whose free parts it does not give back at once; measured, it keeps some hundred KiB. The nightly
/// tier finds a leak of 250 bytes a pool on threads, the others one of 1,200.
const MOST_GROWTH: u64 = 4 * 1024 * 1024;

/// Far more than it takes, unoptimised: some twenty seconds on threads, some minutes in processes.
const DEADLINE: Duration = Duration::from_secs(1_000);

/// What this process has of the system at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    threads: Vec<String>,
    descriptors: usize,
}

impl Held {
    /// With the watchdog of the one engine as the only thread.
    fn now() -> Self {
        wait_for_threads(1);
        Self { threads: threads(), descriptors: fs::read_dir("/proc/self/fd").unwrap().count() }
    }
}

/// The memory that this process has for itself, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Plugins of one engine, and the workers that they make.
struct Plugins {
    core: Plugin,
    component: Plugin,
}

impl Plugins {
    fn load() -> Self {
        let engine = Engine::new().unwrap();
        let load = |plugin| Plugin::load(&engine, fixtures().join(plugin)).unwrap();
        Self { core: load("misbehave.wat"), component: load("component.wat") }
    }

    /// What a small pool is made of: each kind alone, and all beside each other.
    fn workers(&self, number: usize) -> Vec<WorkerSpec> {
        let core = || WorkerSpec::plugin(&self.core);
        let component = || WorkerSpec::plugin(&self.component);
        let native = || WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())));
        match number % 4 {
            // Native code has no process of its own.
            0 | 3 if in_processes() => vec![core(), component()],
            0 => vec![core(), component(), native()],
            1 => vec![core()],
            2 => vec![component()],
            _ => vec![native()],
        }
    }

    /// One pool, from its beginning to its end, in one of several ways.
    fn come_and_go(&self, number: usize) {
        let pool =
            Pool::of(self.workers(number)).isolation(isolation()).window("8".parse().unwrap());
        let mut pool = pool.build().unwrap();
        match number / 4 % 4 {
            // It has nothing to do.
            0 => {}
            // Everything is taken, of a map that comes after another.
            1 => {
                assert_eq!(pool.map(["a", "b", "c"]).filter(Result::is_ok).count(), 3);
                assert_eq!(pool.map(["again"]).filter(Result::is_ok).count(), 1);
            }
            // Instances break, and are replaced; a native worker takes it as it is.
            2 => assert_eq!(pool.map(["a", "trap", "b"]).count(), 3),
            // Nobody wants the rest of an input that has no end.
            _ => {
                let mut results = pool.map((0..).map(|number: u64| number.to_string()));
                assert!(results.next().unwrap().is_ok());
            }
        }
        if number % 32 < 16 {
            assert!(pool.close().iter().all(|report| report.closing.is_ok()));
        } else {
            drop(pool);
        }
    }
}

#[test]
fn thousands_of_pools_leave_nothing_behind() {
    alone_within(DEADLINE, module_path!(), "thousands_of_pools_leave_nothing_behind", || {
        let plugins = Plugins::load();
        let come_and_go = |numbers: std::ops::Range<usize>| {
            numbers.for_each(|number| plugins.come_and_go(number));
        };
        // After so many, caches are filled and the allocator has what it keeps.
        let warm_up = pools() / 10;
        come_and_go(0..warm_up);
        let (before, memory_before) = (Held::now(), memory());
        come_and_go(warm_up..pools());
        let (after, memory_after) = (Held::now(), memory());
        assert_eq!(after, before);
        let growth = memory_after.saturating_sub(memory_before);
        assert!(growth < MOST_GROWTH, "{growth} bytes more than {memory_before}");
    });
}
