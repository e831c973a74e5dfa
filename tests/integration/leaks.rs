//! Checks that a closed pool leaves no thread, descriptor or memory behind.

use std::fs;
use std::time::Duration;

use mtl_host::{Engine, Plugin, Pool, WorkerSpec};

use crate::support::{
    by_tier, fixtures, in_processes, isolation, run_in_own_process_within, threads,
    wait_for_threads,
};

/// Returns the number of pools; in processes, each pool takes much longer.
fn pools() -> usize {
    if in_processes() { by_tier(400, 10_000) } else { by_tier(4_000, 20_000) }
}

/// The upper bound on the growth of this process's memory. The allocator has up to one arena per
/// thread, and returns free memory late. In measurements, it retained a few hundred KiB. The
/// nightly tier finds a leak of 250 bytes per pool on threads. The other tiers find a leak of 1,200
/// bytes.
const MAX_GROWTH: u64 = 4 * 1024 * 1024;

/// A time limit far above the duration of an unoptimised run, which is about twenty seconds on
/// threads, and some minutes in processes.
const DEADLINE: Duration = Duration::from_secs(1_000);

/// The system resources of this process at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Resources {
    threads: Vec<String>,
    descriptors: usize,
}

impl Resources {
    /// Waits until the engine's watchdog is the only thread, and returns the resources.
    fn now() -> Self {
        wait_for_threads(1);
        Self { threads: threads(), descriptors: fs::read_dir("/proc/self/fd").unwrap().count() }
    }
}

/// Returns the private memory of this process, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Plugins of one engine, from which the pools are built.
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

    /// Returns the workers of a small pool: each kind alone, or all kinds together.
    fn workers(&self, number: usize) -> Vec<WorkerSpec> {
        let core = || WorkerSpec::plugin(&self.core);
        let component = || WorkerSpec::plugin(&self.component);
        let native = || WorkerSpec::native(|_| Ok(|item: &[u8]| Ok(item.to_vec())));
        match number % 4 {
            // Native code cannot run in a process of its own.
            0 | 3 if in_processes() => vec![core(), component()],
            0 => vec![core(), component(), native()],
            1 => vec![core()],
            2 => vec![component()],
            _ => vec![native()],
        }
    }

    /// Creates, uses and closes one pool, in one of several ways.
    fn open_and_close_pool(&self, number: usize) {
        let pool = Pool::builder_from_workers(self.workers(number))
            .isolation(isolation())
            .window("8".parse().unwrap());
        let mut pool = pool.build().unwrap();
        match number / 4 % 4 {
            // The pool runs nothing.
            0 => {}
            // Two maps run to their end.
            1 => {
                assert_eq!(pool.map(["a", "b", "c"]).filter(Result::is_ok).count(), 3);
                assert_eq!(pool.map(["again"]).filter(Result::is_ok).count(), 1);
            }
            // Instances break and are replaced; a native worker accepts the item.
            2 => assert_eq!(pool.map(["a", "trap", "b"]).count(), 3),
            // The caller drops the results of an endless input.
            _ => {
                let mut results = pool.map((0..).map(|number: u64| number.to_string()));
                assert!(results.next().unwrap().is_ok());
            }
        }
        if number % 32 < 16 {
            assert!(pool.close().iter().all(|report| report.finish_report.is_ok()));
        } else {
            drop(pool);
        }
    }
}

#[test]
fn thousands_of_pools_leak_nothing() {
    run_in_own_process_within(DEADLINE, module_path!(), "thousands_of_pools_leak_nothing", || {
        let plugins = Plugins::load();
        let come_and_go = |numbers: std::ops::Range<usize>| {
            numbers.for_each(|number| plugins.open_and_close_pool(number));
        };
        // After this many pools, caches are filled and the allocator has reached its usual size.
        let warm_up = pools() / 10;
        come_and_go(0..warm_up);
        let (before, memory_before) = (Resources::now(), memory());
        come_and_go(warm_up..pools());
        let (after, memory_after) = (Resources::now(), memory());
        assert_eq!(after, before);
        let growth = memory_after.saturating_sub(memory_before);
        assert!(growth < MAX_GROWTH, "{growth} bytes more than {memory_before}");
    });
}
