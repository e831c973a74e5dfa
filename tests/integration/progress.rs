//! Checks the progress display: a bar for a terminal, JSON objects for programs, and no display in
//! other cases. Unit tests of the display check its frames under a fixed clock.

use std::fs::{self, File};

use crate::support::{Host, Terminal, host_with_summary, lines};

fn nowhere() -> File {
    File::options().write(true).open("/dev/null").unwrap()
}

fn described(args: &[&str]) -> Host {
    host_with_summary()
        .plugin("judge.wat")
        .args(args.iter().copied())
        .stdin(lines(["one", "!two", "three"]))
}

#[test]
fn no_progress_bar_appears_without_a_terminal() {
    let faults = "fault: item 1: refused: !two\n";
    for mode in ["auto", "never"] {
        described(&["--progress", mode, "--quiet"]).run().code(1).stderr(faults);
    }
    let stderr = described(&["--progress", "auto"]).run().code(1).stderr_text();
    assert_eq!(stderr.lines().count(), 2, "a fault and the summary: {stderr}");
}

#[test]
fn a_progress_bar_can_be_forced() {
    let args = ["--progress", "always", "--quiet", "--desc", "Reading", "--unit", "line"];
    let stderr = described(&args).run().code(1).stderr_text();
    // The last frame stays on the line. Only its times vary.
    let last = stderr.lines().last().unwrap().rsplit('\r').next().unwrap();
    let (before, after) = last.split_once('[').unwrap();
    assert_eq!(before, "Reading: 100%|██████████| 3/3 ", "{stderr}");
    assert!(after.contains("line/") && after.ends_with(", 1 fault]"), "{stderr}");
}

#[test]
fn the_total_flag_replaces_an_unknown_total() {
    let mut running = host_with_summary()
        .plugin("upper.wat")
        .args(["--progress", "always", "--quiet", "--total", "4"])
        .stdin_open()
        .start();
    running.send("a\n");
    running.wait_for_stderr(" 25%|██▌       | 1/4 [");
    running.finish().code(0);
}

#[test]
fn progress_uses_bytes_until_the_items_are_counted() {
    // The second item waits, and the input after it exceeds what the reader reads ahead.
    let rest = format!("{}\n", "x".repeat(99_999)).repeat(400);
    let running = host_with_summary()
        .plugin("wait.wat")
        .subfolder("gate")
        .file("items", format!("a\nwait\n{rest}"))
        .args(["items", "-o", "results", "--jobs", "1", "--dir", "gate::/gate"])
        .args(["--progress", "always", "--quiet"])
        .start();
    running.wait_for_stderr("  0%|          | 1item [");
    fs::write(running.folder().join("gate/open"), "").unwrap();
    let stderr = running.finish().code(0).stderr_text();
    assert!(stderr.contains("100%|██████████| 402/402 ["), "{stderr}");
}

#[test]
fn a_terminal_shows_a_bar_unless_results_go_there() {
    let terminal = Terminal::open();
    described(&[]).stdout_to(nowhere()).stderr_to(terminal.stdio()).run().code(1);
    let shown = terminal.output_text();
    assert!(shown.contains("100%|") && shown.contains("| 3/3 ["), "{shown}");

    let terminal = Terminal::open();
    described(&[]).stdout_to(terminal.stdio()).stderr_to(terminal.stdio()).run().code(1);
    let shown = terminal.output_text();
    assert!(shown.contains("one\r\n") && !shown.contains("%|"), "{shown}");
}

#[test]
fn json_progress_ends_with_a_final_object() {
    let stderr = described(&["--progress", "json", "--quiet"]).run().code(1).stderr_text();
    let objects: Vec<serde_json::Value> = stderr
        .lines()
        .filter(|line| !line.starts_with("fault: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(objects.len() >= 2, "{stderr}");
    let last = objects.last().unwrap();
    assert_eq!((&last["done"], &last["total"]), (&3.into(), &3.into()), "{stderr}");
    assert_eq!(last["failed"], 1, "{stderr}");
}
