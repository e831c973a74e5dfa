//! Checks the main task: items in, results out, in input order or not, by one worker or several.

use std::num::NonZeroUsize;
use std::thread;

use crate::support::{command, host, host_with_summary, lines};

#[test]
fn every_item_has_a_result_for_any_number_of_workers() {
    for jobs in ["1", "2", "4"] {
        host()
            .plugin("upper.wat")
            .args(["--jobs", jobs])
            .stdin("one\n\ntwo\nlast without an end")
            .run()
            .code(0)
            .stderr("")
            .stdout("ONE\n\nTWO\nLAST WITHOUT AN END\n");
    }
}

#[test]
fn a_result_is_written_before_the_next_item_arrives() {
    let mut running = host().plugin("upper.wat").stdin_open().start();
    running.send("one\n");
    running.wait_for_stdout("ONE\n");
    running.send("two\n");
    running.wait_for_stdout("TWO\n");
    running.finish().code(0).stdout("ONE\nTWO\n").stderr("");
}

#[test]
fn a_worker_keeps_its_state_from_item_to_item() {
    host()
        .plugin("counter.wat")
        .args(["--jobs", "1"])
        .stdin("a\nb\nc\n")
        .run()
        .code(0)
        .stdout("01\n02\n03\n");
}

#[test]
fn a_plugin_learns_its_worker_index_and_count() {
    host().plugin("worker.wat").args(["-j", "1"]).stdin("a\n").run().code(0).stdout("0/1\n");

    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    // The fixture adds the number to the character `0`, so it shows one character even above nine.
    let count = char::from_u32('0' as u32 + u32::try_from(cores).unwrap()).unwrap();
    let finished = host().plugin("worker.wat").stdin("a\n").run().code(0);
    let shown = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
    assert!(shown.ends_with(&format!("/{count}\n")), "one worker per core: {shown}");
}

#[test]
fn a_slow_item_holds_back_later_results_only_in_input_order() {
    let cases: [(&[&str], &str); 2] = [(&[], "wait\nb\n"), (&["--unordered"], "b\nwait\n")];
    for (order, expected) in cases {
        let mut running = host()
            .plugin("wait.wat")
            .subfolder("gate")
            .args(["--jobs", "2", "--dir", "gate::/gate"])
            .args(order.iter().copied())
            .stdin_open()
            .start();
        running.send("wait\n");
        running.wait_for_stderr("begun");
        running.send("b\n");
        if order.contains(&"--unordered") {
            running.wait_for_stdout("b\n");
        }
        std::fs::write(running.folder().join("gate/open"), "").unwrap();
        running.finish().code(0).stdout(expected);
    }
}

#[test]
fn unordered_results_are_complete() {
    let items: Vec<_> = (0..5000).map(|item| format!("item {item:04}")).collect();
    let finished = host()
        .plugin("echo.wat")
        .args(["--jobs", "4", "--unordered"])
        .stdin(lines(&items))
        .run()
        .code(0);
    assert!(finished.sorted_lines() == items);
}

#[test]
fn one_and_four_workers_give_the_same_million_lines() {
    let items = lines((0..1_000_000).map(|item| format!("line {item}")));
    let run = |jobs: &str| {
        host().plugin("upper.wat").args(["--jobs", jobs]).stdin(items.clone()).run().code(0)
    };
    let expected = items.to_uppercase();
    run("4").stdout(&expected);
    run("1").stdout(&expected);
}

#[test]
fn a_limit_ends_the_input() {
    #[rustfmt::skip]
    let cases = [
        ("0",    ""),
        ("1",    "A\n"),
        ("2",    "A\nB\n"),
        ("9",    "A\nB\nC\n"),
    ];
    for (limit, expected) in cases {
        host()
            .plugin("upper.wat")
            .args(["--limit", limit])
            .stdin("a\nb\nc\n")
            .run()
            .code(0)
            .stderr("")
            .stdout(expected);
    }
}

#[test]
fn a_limit_does_not_wait_for_more_input() {
    let mut running = host().plugin("upper.wat").args(["--limit", "2"]).stdin_open().start();
    running.send("a\nb\nc");
    running.finish_with_stdin_open().code(0).stdout("A\nB\n");
}

#[test]
fn an_empty_input_gives_no_results() {
    host().plugin("upper.wat").run().code(0).stdout("").stderr("");
    host().plugin("upper.wat").file("empty", "").args(["empty"]).run().code(0).stdout("");
}

#[test]
fn the_help_lists_the_exit_codes() {
    let finished = command().args(["run", "--help"]).run().code(0).stderr("");
    let help = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    for code in ["0", "1", "2", "3", "4", "130"] {
        let listed = help.lines().any(|line| line.trim_start().starts_with(&format!("{code} ")));
        assert!(listed, "{code} is not in:\n{help}");
    }
    let finished = command().args(["--version"]).run().code(0);
    assert_eq!(
        String::from_utf8_lossy(finished.stdout_bytes()),
        format!("mtl-host {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_summary_counts_items_and_faults() {
    let finished = host_with_summary().plugin("judge.wat").stdin("a\n!b\n#c\nd\n").run().code(1);
    let stderr = finished.stderr_text();
    let summary = stderr.lines().last().unwrap_or_default();
    assert!(summary.starts_with("4 items, 1 fault (refused 1), 1 filtered, "), "{stderr}");
    assert!(summary.contains("items/s"), "{stderr}");
}
