//! Checks the limits of plugins. If an item exceeds a limit, its fault names the limit, and the run
//! continues.

use crate::support::{Host, fixtures, host};

const MIB: usize = 1024 * 1024;

/// Describes a run of one worker with a greedy plugin.
fn greedy(args: &[&str]) -> Host {
    host().plugin("greedy.wat").args(["--jobs", "1"]).args(args.iter().copied())
}

#[test]
fn exceeding_a_limit_is_a_fault_that_names_the_flag() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str, &str, &str); 6] = [
        (&["--memory", "1MiB"], "g",
         "out-of-memory: the plugin asked for more memory than the 1MiB of `memory`, in `grow`",
         "`--memory SIZE` allows each worker more"),
        (&["--total-memory", "1MiB"], "g",
         "out-of-memory: the plugin asked for more memory than is left of the 1MiB of \
          `total_memory`, in `grow`",
         "`--total-memory SIZE` allows all workers together more"),
        (&["--memory", "64MiB"], "t",
         "out-of-memory: the plugin asked for more memory than the 64MiB of `memory`, in \
          `grow_table`",
         "`--memory SIZE` allows each worker more"),
        (&["--max-result", "1000"], "a",
         "bad-result: the result of 131072 bytes is larger than the 1000 bytes of `max_result`",
         "`--max-result SIZE` allows more"),
        (&["--fuel", "1M"], "c",
         "out-of-fuel: no fuel is left of the 1M of `fuel`, in `compute`",
         "`--fuel N` allows more"),
        (&["--max-item", "4"], "12345",
         "bad-item: `standard input` record 2: longer than the 4 bytes of `item_limit`",
         "`--max-item SIZE` allows longer items"),
    ];
    for (args, item, fault, hint) in cases {
        let finished = greedy(args).stdin(format!("x\n{item}\ny\nz\n")).run().code(1);
        let stderr = finished.stderr_text();
        let expected = format!("fault: item 1: {fault}\n hint: {hint}\n");
        assert!(stderr.starts_with(&expected), "{stderr}");
        finished.stdout("x\n\ny\nz\n");
    }
}

#[test]
fn a_finish_report_obeys_the_result_limit() {
    let stderr = greedy(&["--max-result", "1KiB"]).stdin("x\n").run().code(0).stdout("x\n");
    stderr.stderr(
        "warning: worker 0 gave no finish report: bad-result: the finish report of 131072 bytes \
         is larger than the 1KiB of `max_result`\n hint: `--max-result SIZE` allows more\n",
    );
}

#[test]
fn the_result_limit_bounds_the_results_of_a_component() {
    #[rustfmt::skip]
    let cases = [
        ("a", "bad-result: the result is larger than the 64MiB of `max_result`"),
        ("l", "trap: the plugin passed more to the host at once than the 64MiB of `max_result`"),
    ];
    for (item, fault) in cases {
        let mut running =
            host().plugin("greedy-component.wat").args(["--jobs", "1"]).stdin_open().start();
        running.send(format!("x\n{item}\ny\n"));
        running.wait_for_stdout("y");
        let peak = running.peak_memory();
        let stderr = running.finish().code(1).stdout("x\n\ny\n").stderr_text();
        assert!(stderr.starts_with(&format!("fault: item 1: {fault}")), "{stderr}");
        // The compiler and the engine need some memory; the host did not copy the refused data.
        assert!(peak < 100 * MIB, "{} MiB", peak / MIB);
    }
}

#[test]
fn fuel_limits_each_item_and_the_start() {
    // Each item takes some dozens of units.
    let items = "x\n".repeat(1000);
    greedy(&["--fuel", "1000"]).stdin(items.clone()).run().code(0).stdout(items);
    greedy(&["--fuel", "1M", "--init", "c"]).stdin("x\n").run().code(3).stdout("").stderr(
        "error: worker 0 could not be started: no fuel is left of the 1M of `fuel`, in `compute`\n \
         hint: `--fuel N` allows more, for the start as for each item\n",
    );
}

#[test]
fn workers_share_the_total_memory() {
    // Each worker alone could start within the limit, but not both.
    let stderr = host()
        .plugin("greedy.wat")
        .args(["--jobs", "2", "--total-memory", "64KiB"])
        .stdin("x\n")
        .run()
        .code(3)
        .stderr_text();
    assert!(stderr.contains("the 64KiB of `total_memory`"), "{stderr}");
    assert!(
        stderr.contains("hint: `--memory SIZE` allows each worker more, `--total-memory"),
        "{stderr}"
    );
}

#[test]
fn a_worker_has_limits_of_its_own() {
    let plugin = std::fs::read(fixtures().join("greedy.wat")).unwrap();
    #[rustfmt::skip]
    let cases = [
        ("fuel=1M",          "c", "out-of-fuel"),
        ("timeout=50ms",     "c", "timeout"),
        ("max-result=1KiB",  "a", "bad-result"),
        ("memory=1MiB",      "g", "out-of-memory"),
    ];
    for (limit, item, fault) in cases {
        let stderr = host()
            .file("greedy.wat", &plugin)
            .args(["--worker", &format!("greedy.wat,{limit}")])
            .stdin(format!("{item}\nx\n"))
            .run()
            .code(1)
            .stdout("\nx\n")
            .stderr_text();
        assert!(stderr.starts_with(&format!("fault: item 0: {fault}: ")), "{limit}: {stderr}");
    }
    let worker = ["--worker", "greedy.wat,init-timeout=50ms,init=c"];
    let stderr =
        host().file("greedy.wat", &plugin).args(worker).stdin("x\n").run().code(3).stderr_text();
    assert!(stderr.contains("took longer than 50ms"), "{stderr}");
}

#[test]
fn a_leaking_plugin_does_not_grow_the_host() {
    const ITEMS: usize = 10_000;
    let mut running = greedy(&["--memory", "64MiB"]).stdin_open().start();
    running.send(format!("{}last\n", "g\n".repeat(ITEMS)));
    running.wait_for_stdout("last");
    let peak = running.peak_memory();
    let finished = running.finish().code(1);
    let stderr = finished.stderr_text();
    let given = String::from_utf8_lossy(finished.stdout_bytes()).matches('g').count();
    // The limit of 64 MiB is 1,024 pages. An instance starts with two pages. Each instance
    // therefore runs 63 items, and fails on the next item.
    assert_eq!((given, ITEMS - given), (ITEMS - ITEMS / 64, ITEMS / 64), "{stderr}");
    assert!(peak < 150 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn an_oversized_plugin_is_refused_before_compiling() {
    let functions = format!("(module {})", "(func)".repeat(50_001));
    host().file("many.wat", functions).plugin("many.wat").stdin("x\n").run().code(3).stderr(
        "error: plugin `many.wat` has 50001 functions, and may have 50000\n \
         hint: `--max-functions N` allows more: each takes the compiler some kilobytes\n",
    );
    let large = [&b"\0asm\x01\0\0\0"[..], &vec![0; 50_000_000]].concat();
    host().file("large.wasm", large).plugin("large.wasm").stdin("x\n").run().code(3).stderr(
        "error: plugin `large.wasm` is larger than 32MiB\n \
         hint: `--max-plugin SIZE` allows more; `wasm-tools strip` removes debug information\n",
    );
    let args = ["--max-functions", "1"];
    host().plugin("upper.wat").args(args).stdin("x\n").run().code(3).stdout("");
    host().plugin("upper.wat").args(["--max-plugin", "1KiB"]).stdin("x\n").run().code(3).stdout("");
}

#[test]
fn guest_output_is_limited_and_dropped_lines_are_counted() {
    let finished = greedy(&["--log-limit", "16KiB"]).stdin("w\nx\n").run().code(0);
    let stderr = finished.stderr_text();
    let shown = stderr.lines().filter(|line| line.starts_with("[worker 0] yyy")).count();
    // The plugin writes 8 MiB at once. The limit allows two lines per second, and the duration of
    // the run varies.
    assert!((2..500).contains(&shown), "{shown}");
    let dropped: Vec<_> = stderr.lines().filter(|line| line.contains(" dropped: ")).collect();
    assert!(!dropped.is_empty());
    assert!(dropped.iter().all(|line| line.starts_with("[worker 0] … ")), "{dropped:?}");
    let lines: usize = dropped
        .iter()
        .map(|line| {
            let count = line.trim_start_matches("[worker 0] … ").split(' ').next().unwrap();
            count.parse::<usize>().unwrap()
        })
        .sum();
    assert_eq!(shown + lines, 1000, "{dropped:?}");
    finished.stdout("w\nx\n");
}
