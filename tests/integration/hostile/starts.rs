//! Checks misdeeds at the start of a worker, before its first item, and at its end, after its last item. The run ends,
//! or continues without the worker. It never waits longer than its time limits.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{ISOLATIONS, isolated};
use crate::support::{Running, host, lines};

/// Plugins whose start never ends.
const PLUGINS: [&str; 3] =
    ["hostile/start-loop.wat", "hostile/initialize-loop.wat", "hostile/init-loop.wat"];

#[test]
fn a_hanging_start_ends_the_run() {
    for plugin in PLUGINS {
        for isolation in ISOLATIONS {
            let finished = isolated(host(), isolation)
                .plugin(plugin)
                .args(["--jobs", "1", "--init-timeout", "300ms"])
                .stdin("a\n")
                .run()
                .code(3)
                .stdout("");
            let stderr = finished.stderr_text();
            let error = "error: worker 0 could not be started: the start took longer than 300ms";
            assert!(stderr.contains(error), "{plugin}: {stderr}");
        }
    }
}

#[test]
fn a_hanging_replacement_costs_its_worker_but_no_item() {
    for isolation in ISOLATIONS {
        // These runs are slow, so they run at the same time.
        let runs = PLUGINS.map(|plugin| LosesOne::start(plugin, isolation));
        runs.into_iter().for_each(LosesOne::finish);
    }
}

/// A run of two workers. One of them breaks and never starts again.
struct LosesOne {
    running: Running,
    burst: String,
    bursts: Arc<AtomicUsize>,
}

impl LosesOne {
    fn start(plugin: &str, isolation: &str) -> Self {
        let mut running = isolated(host(), isolation)
            .plugin(plugin)
            .subfolder("started")
            .args(["--dir", "started::/started:rw", "--jobs", "2", "--chunk-size", "1"])
            // A good start creates a directory, and must fit into this time.
            .args(["--init-timeout", "2s", "--max-restarts", "1", "--window", "100"])
            .stdin_open()
            .start();
        running.send("!\n");
        // A worker restarts only when an item waits for it, and the other worker may take the item first. The test
        // therefore sends items until the restart has begun. The items are large, so that few of them fit into the
        // pipes.
        let burst = lines((0..10).map(|number| format!("{number:0>2000}")));
        let (has_begun, bursts) = (Arc::new(AtomicBool::new(false)), Arc::<AtomicUsize>::default());
        let (ends, sent_bursts, items) =
            (Arc::clone(&has_begun), Arc::clone(&bursts), burst.clone());
        running.feed(move |stdin| {
            while !ends.load(Ordering::Acquire) {
                stdin.write_all(items.as_bytes())?;
                sent_bursts.fetch_add(1, Ordering::Release);
            }
            Ok(())
        });
        running.wait_for_stderr("] begun\n");
        has_begun.store(true, Ordering::Release);
        Self { running, burst, bursts }
    }

    fn finish(self) {
        let finished = self.running.finish_with_stdin_open().code(1);
        let stderr = finished.stderr_text();
        let warning = " could not be started again and is retired: the start took longer than 2s";
        assert!(stderr.contains(warning), "{stderr}");
        assert_eq!(stderr.matches("fault: ").count(), 1, "{stderr}");
        let results = self.burst.repeat(self.bursts.load(Ordering::Acquire));
        finished.stdout(format!("\n{results}"));
    }
}

#[test]
fn a_hanging_finish_costs_no_result() {
    for isolation in ISOLATIONS {
        let finished = isolated(host(), isolation)
            .plugin("hostile/finish-loop.wat")
            .args(["--jobs", "2", "--init-timeout", "300ms"])
            .stdin(lines(0..200))
            .run()
            .code(0)
            .stdout(lines(0..200));
        let stderr = finished.stderr_text();
        for worker in ["0", "1"] {
            let warning = format!(
                "warning: worker {worker} gave no finish report: timeout: took longer than 300ms"
            );
            assert!(stderr.contains(&warning), "{stderr}");
        }
    }
}
