//! Ctrl-C: what is in the workers is finished and written, and the second one ends at once.

use rustix::process::Signal;

use crate::support::{Host, Running, Terminal, host, host_aloud};

/// Two workers, of which each may be kept waiting until there is a file `gate/open`.
fn gated(host: Host) -> Host {
    host.plugin("wait.wat").subfolder("gate").args(["--jobs", "2", "--dir", "gate::/gate"])
}

fn open_gate(running: &Running) {
    std::fs::write(running.folder().join("gate/open"), "").unwrap();
}

/// What is said at the first Ctrl-C.
const STOPPING: &str =
    "interrupted: finishing what is in the workers; press Ctrl-C again to end at once\n";

#[test]
fn what_is_in_the_workers_is_finished_and_written() {
    let mut running = gated(host_aloud()).stdin_open().start();
    // The third is read and waits: both workers are taken.
    running.send("w1\nw2\nw3\n");
    running.wait_for_stderr_times("begun", 2);
    running.signal(Signal::INT);
    running.wait_for_stderr(STOPPING);
    open_gate(&running);
    let finished = running.finish_with_stdin_open().code(130).stdout("w1\nw2\n");
    let stderr = finished.stderr_text();
    let summary = stderr.lines().last().unwrap();
    assert!(summary.starts_with("2 items, 0 faults, 1 not run, "), "{stderr}");
}

#[test]
fn a_reader_that_waits_for_a_pipe_is_let_go() {
    let mut running = host().plugin("upper.wat").stdin_open().start();
    running.send("one\ntwo\nthr");
    running.wait_for_stdout("TWO\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("ONE\nTWO\n").stderr(STOPPING);
}

#[test]
fn a_reader_that_waits_before_the_first_item_is_let_go() {
    // What the plugin prints when it is called says that the run is under way.
    let mut running = host().plugin("print.wat").args(["--jobs", "1"]).stdin_open().start();
    running.send("x\n");
    running.wait_for_stderr("[worker 0] x\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("x\n");
}

#[test]
fn a_reader_that_waits_for_a_terminal_is_let_go() {
    let mut terminal = Terminal::open();
    let running = host().plugin("upper.wat").stdin_from(terminal.stdio()).start();
    terminal.type_in("one\n");
    running.wait_for_stdout("ONE\n");
    running.signal(Signal::INT);
    running.finish().code(130).stdout("ONE\n");
}

#[test]
fn ctrl_c_at_the_terminal_is_such_a_signal() {
    let mut terminal = Terminal::open();
    let running = host()
        .plugin("upper.wat")
        // Makes its standard input the terminal whose Ctrl-C it gets.
        .under("setsid", ["--ctty"])
        .stdin_from(terminal.stdio())
        .start();
    terminal.type_in("one\n");
    running.wait_for_stdout("ONE\n");
    terminal.type_in("\x03");
    running.finish().code(130).stdout("ONE\n");
}

#[test]
fn the_second_one_ends_at_once() {
    let mut running = gated(host()).stdin_open().start();
    running.send("w1\nw2\n");
    running.wait_for_stderr_times("begun", 2);
    running.signal(Signal::INT);
    running.wait_for_stderr(STOPPING);
    // The gate stays closed: the plugin would never end.
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("");
}

#[test]
fn results_that_were_written_before_the_second_one_stay() {
    let mut running = gated(host()).stdin_open().start();
    running.send("a\nw1\nw2\n");
    running.wait_for_stdout("a\n");
    running.wait_for_stderr_times("begun", 2);
    running.signal(Signal::INT);
    running.wait_for_stderr(STOPPING);
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("a\n");
}

#[test]
fn a_request_to_terminate_is_heard_as_well() {
    let mut running = host().plugin("upper.wat").stdin_open().start();
    running.send("one\n");
    running.wait_for_stdout("ONE\n");
    running.signal(Signal::TERM);
    running.finish_with_stdin_open().code(130).stdout("ONE\n").stderr(
        "interrupted: finishing what is in the workers; send SIGTERM again to end at once\n",
    );
}

#[test]
fn a_worker_that_is_still_starting_is_not_waited_for() {
    let host = host().plugin("spin-init.wat").args(["--init", "spin"]);
    let running = host.stdin_open().start();
    running.wait_for_stderr("[worker 0] begun\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("");
}
