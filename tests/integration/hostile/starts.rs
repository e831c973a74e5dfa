//! What is done before the first item, or after the last: the run ends, or goes on without the worker,
//! and nothing is waited for any longer than it may take.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{ISOLATIONS, isolated};
use crate::support::{host, lines};

/// Plugins that begin with what never ends.
const PLUGINS: [&str; 3] =
    ["hostile/start-loop.wat", "hostile/initialize-loop.wat", "hostile/init-loop.wat"];

#[test]
fn a_start_that_never_ends_ends_the_run() {
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
            assert!(stderr.starts_with(error), "{plugin}: {stderr}");
        }
    }
}

#[test]
fn a_replacement_that_never_starts_costs_its_worker_and_no_item() {
    for plugin in PLUGINS {
        ISOLATIONS.iter().for_each(|isolation| lose_one_worker(plugin, isolation));
    }
}

/// Of two workers one breaks, and never starts again.
fn lose_one_worker(plugin: &str, isolation: &str) {
    // Large, so that pipes hold few of them.
    let burst = lines((0..10).map(|number| format!("{number:0>2000}")));
    let mut running = isolated(host(), isolation)
        .plugin(plugin)
        .subfolder("started")
        .args(["--dir", "started::/started:rw", "--jobs", "2", "--chunk-size", "1"])
        .args(["--init-timeout", "300ms", "--max-restarts", "1", "--window", "100"])
        .stdin_open()
        .start();
    // A worker starts again when there is work for it, which the other one may be quicker to take:
    // so there is work until it is seen to have tried.
    let (seen, bursts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_seen, sent, goods) = (Arc::clone(&seen), Arc::clone(&bursts), burst.clone());
    running.send("!\n");
    running.feed(move |stdin| {
        while !is_seen.load(Ordering::Acquire) {
            stdin.write_all(goods.as_bytes())?;
            sent.fetch_add(1, Ordering::Release);
        }
        Ok(())
    });
    running
        .wait_for_stderr(" could not be started again and is retired: the start took longer than");
    seen.store(true, Ordering::Release);
    let finished = running.finish_with_stdin_open().code(1);
    let results = burst.repeat(bursts.load(Ordering::Acquire));
    let stderr = finished.stderr_text();
    assert_eq!(stderr.matches("fault: ").count(), 1, "{plugin}: {stderr}");
    finished.stdout(format!("\n{results}"));
}

#[test]
fn an_end_that_never_comes_takes_no_result_away() {
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
                "warning: worker {worker} gave no closing report: timeout: took longer than 300ms"
            );
            assert!(stderr.contains(&warning), "{stderr}");
        }
    }
}
