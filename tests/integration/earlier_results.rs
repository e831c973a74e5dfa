//! Checks how a run treats files with the results of an earlier run, or of a run that is still running.

use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::Path;

use crate::support::{fixtures, host, host_on_threads, lines};

/// The files that a run truncates.
const FILES: [&str; 3] = ["results", "faults", "reports"];
const FLAGS: [&str; 6] = ["-o", "results", "--faults", "faults", "--finish-output", "reports"];

fn is_locked(path: &Path) -> bool {
    let file = File::options().write(true).open(path).unwrap();
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

#[test]
fn a_run_that_never_begins_keeps_earlier_results() {
    let mut run = host().plugin("init.wat").args(["--init", "refuse"]).args(FLAGS);
    for name in FILES {
        run = run.file(name, "of an earlier run\n");
    }
    let mut finished = run.stdin("a\n").run().code(3);
    for name in FILES {
        finished = finished.file(name, "of an earlier run\n");
    }
}

#[test]
fn a_run_without_finished_items_keeps_earlier_results() {
    // One worker is ready immediately, and the other never is.
    let start = ["--worker", "PLUGIN,init=x", "--worker", "PLUGIN,init=refuse"];
    let plugin = fixtures().join("init.wat");
    let start = start.map(|arg| arg.replace("PLUGIN", plugin.to_str().unwrap()));
    let mut running = host().args(start).args(FLAGS);
    for name in FILES {
        running = running.file(name, "of an earlier run\n");
    }
    // The run fails before it reads an item.
    let mut finished = running.stdin_open().start().finish_with_stdin_open().code(3);
    for name in FILES {
        finished = finished.file(name, "of an earlier run\n");
    }
}

#[test]
fn a_run_without_results_empties_earlier_files() {
    for items in ["", "#filtered\n"] {
        let mut run = host().plugin("judge.wat").args(FLAGS);
        for name in FILES {
            run = run.file(name, "of an earlier run\n");
        }
        let mut finished = run.stdin(items).run().code(0);
        for name in FILES {
            finished = finished.file(name, "");
        }
    }
}

#[test]
fn the_first_finished_item_empties_earlier_results() {
    let run = host().plugin("judge.wat").args(["-o", "results"]).args(["--jobs", "1"]);
    let mut running = run.file("results", "of an earlier run\n").stdin_open().start();
    running.send("!fails\n");
    running.wait_for_stderr("fault: item 0");
    // A failed item leaves an empty record.
    let content = fs::read_to_string(running.folder().join("results")).unwrap();
    assert!(["", "\n"].contains(&content.as_str()), "{content}");
    running.finish().code(1);
}

#[test]
fn shorter_results_leave_nothing_of_longer_ones() {
    let mut run = host().plugin("judge.wat").args(FLAGS);
    for name in FILES {
        run = run.file(name, lines(["of an earlier run"; 100]));
    }
    let finished = run.stdin("one\n!two\n").run().code(1).file("results", "one\n\n");
    let faults = fs::read_to_string(finished.folder().join("faults")).unwrap();
    assert_eq!(faults.lines().count(), 1, "{faults}");
}

#[test]
fn two_runs_do_not_write_to_one_file() {
    for (flag, why) in [
        ("-o", "error: cannot create output `taken`"),
        ("--faults", "error: cannot write faults to `taken`"),
        ("--finish-output", "error: cannot create `taken` for finish reports"),
    ] {
        let run = host().plugin("upper.wat").file("taken", "theirs").args([flag, "taken"]);
        // This test plays the other run: it has the file open and locked.
        let theirs = File::options().write(true).open(run.folder().join("taken")).unwrap();
        theirs.lock().unwrap();
        run.stdin("one\n")
            .run()
            .code(4)
            .stderr(&format!(
                "{why}: another run is writing to it\n hint: wait for the end of that run, or name another file\n"
            ))
            .file("taken", "theirs");
    }
}

#[test]
fn a_file_is_locked_to_the_end_of_the_run() {
    let run = host().plugin("judge.wat").args(["--jobs", "1"]).args(FLAGS);
    let mut running = run.stdin_open().start();
    running.send("!fails\n");
    running.wait_for_stderr("fault: item 0");
    for name in FILES {
        assert!(is_locked(&running.folder().join(name)), "{name}");
    }
    let finished = running.finish().code(1);
    for name in FILES {
        assert!(!is_locked(&finished.folder().join(name)), "{name}");
    }
}

#[test]
fn devices_and_pipes_are_not_locked() {
    host_on_threads()
        .plugin("upper.wat")
        .args(["-o", "/dev/null", "--faults", "/dev/null", "--finish-output", "/dev/null"])
        .stdin("one\n")
        .run()
        .code(0)
        .stderr("");
    // Two runs write to one pipe. Both name it by a path through a descriptor.
    let run = host_on_threads().plugin("upper.wat").args(["-o", "/dev/stdout"]);
    let twice = "\"$0\" \"$@\" < items; exec \"$0\" \"$@\" < items";
    let run = run.file("items", "one\n").under("sh", ["-c", twice]);
    run.run().code(0).stdout("ONE\nONE\n");
    // A named pipe can be the output.
    let run = host_on_threads().plugin("upper.wat").args(["-o", "pipe"]);
    let pipe = run.folder().join("pipe");
    let status = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(status.success());
    let mut running = run.stdin_open().start();
    running.send("one\n");
    running.close_stdin();
    let mut content = String::new();
    File::open(pipe).unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, "ONE\n");
    running.finish_with_stdin_open().code(0);
}

#[test]
fn a_file_named_by_descriptor_is_not_locked() {
    let run = host_on_threads().plugin("upper.wat").args(["-o", "/dev/fd/3"]);
    let run = run.file("items", "one\n").file("shared", "longer than the results\n");
    let theirs = File::options().write(true).open(run.folder().join("shared")).unwrap();
    theirs.lock().unwrap();
    let shared = "exec \"$0\" \"$@\" < items 3>> shared";
    run.under("sh", ["-c", shared]).run().code(0).file("shared", "ONE\n");
}
