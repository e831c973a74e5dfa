//! Checks how items flow: how workers claim and steal items, and how far the reader runs ahead.

use std::fs::{self, File};
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;

use mtl_host::limits::ChunkSize;
use mtl_host::{Engine, Plugin, Pool};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{DEADLINE, Host, fixtures, host, isolation, lines};

/// Describes a run whose plugin waits at an item `wait` until the file `gate/open` exists.
fn gated(jobs: &str) -> Host {
    host().plugin("wait.wat").subfolder("gate").args(["--jobs", jobs, "--dir", "gate::/gate"])
}

#[test]
fn results_do_not_depend_on_chunks_or_the_window() {
    let items = lines(0..500);
    for chunk_size in ["auto", "1", "7", "100000"] {
        for window in
            [&["--window", "1"][..], &["--window", "10"], &["--window", "1KiB"], &["--unbounded"]]
        {
            host()
                .plugin("upper.wat")
                .args(["--jobs", "3", "--chunk-size", chunk_size])
                .args(window.iter().copied())
                .stdin(items.clone())
                .run()
                .code(0)
                .stdout(&items)
                .stderr("");
        }
    }
}

#[test]
fn idle_workers_steal_unstarted_items() {
    for chunk_size in [ChunkSize::Auto, "2".parse().unwrap(), "8".parse().unwrap()] {
        let (arrivals, arrived) = (Mutex::new(0), Condvar::new());
        let plugin = Plugin::loader(&Engine::new().unwrap())
            .host_function("acme:store/lookup@1.0.0", "get", move |call, _| {
                // All four workers meet at their first item, and again at their second.
                let mut arrivals = arrivals.lock().unwrap();
                *arrivals += 1;
                let all = if *arrivals <= 4 { 4 } else { 8 };
                arrived.notify_all();
                let waited =
                    arrived.wait_timeout_while(arrivals, DEADLINE, |arrivals| *arrivals < all);
                assert!(!waited.unwrap().1.timed_out(), "a worker is idle");
                Ok(call.worker().to_string().into_bytes())
            })
            .load(fixtures().join("host-function.wat"))
            .unwrap();
        let pool = Pool::builder(&plugin)
            .isolation(isolation())
            .jobs("4".parse().unwrap())
            .chunk_size(chunk_size);
        let mut pool = pool.build().unwrap();
        let results = pool.map(["a"; 8]).map(|result| result.unwrap().bytes().unwrap().to_vec());
        let mut workers: Vec<_> = results.collect();
        workers.sort();
        assert_eq!(workers, [b"0", b"0", b"1", b"1", b"2", b"2", b"3", b"3"], "{chunk_size}");
    }
}

#[test]
fn the_claim_of_a_stuck_worker_is_stolen() {
    for chunk_size in ["auto", "100"] {
        // The first item waits. Its worker has claimed the first item together with further items.
        // All items have the same length, so that no line is a suffix of another line.
        let rest: Vec<_> = (1..100).map(|item| format!("{item:02}")).collect();
        let items = format!("wait\n{}", lines(&rest));
        let running =
            gated("2").args(["--unordered", "--chunk-size", chunk_size]).stdin(items).start();
        for item in &rest {
            running.wait_for_stdout(&format!("{item}\n"));
        }
        fs::write(running.folder().join("gate/open"), "").unwrap();
        let finished = running.finish().code(0);
        assert_eq!(finished.sorted_lines().len(), 100);
        assert!(finished.stdout_bytes().ends_with(b"wait\n"));
    }
}

/// Describes a run over two files. The first file is an item that waits, followed by `rest`.
fn two_inputs(rest: &str) -> Host {
    gated("1").file("first", format!("wait\n{rest}")).args(["first", "second"])
}

#[test]
fn an_unbounded_reader_continues_during_a_slow_item() {
    // These items exceed the default window.
    let rest = lines([&*"x".repeat(64 * 1024); 640]);
    let described = two_inputs(&rest).args(["--unbounded"]);
    let pipe = described.folder().join("second");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let running = described.start();
    running.wait_for_stderr("begun");
    // This open succeeds when the reader opens the pipe, so the reader is then past the first file.
    let (opened, is_opened) = mpsc::channel();
    let open = move || opened.send(File::options().write(true).open(pipe).unwrap());
    thread::Builder::new().spawn(open).unwrap();
    drop(is_opened.recv_timeout(DEADLINE).expect("the reader continues"));
    fs::write(running.folder().join("gate/open"), "").unwrap();
    running.finish().code(0).stdout(format!("wait\n{rest}"));
}

#[test]
fn a_small_window_stalls_the_reader() {
    let rest = lines(1..10);
    let running = two_inputs(&rest).args(["--window", "4"]).file("second", "old\n").start();
    running.wait_for_stderr("begun");
    // Without the window, the reader would have read the old content by now.
    fs::write(running.folder().join("second"), "new\n").unwrap();
    fs::write(running.folder().join("gate/open"), "").unwrap();
    running.finish().code(0).stdout(format!("wait\n{rest}new\n"));
}
