//! Checks Ctrl-C. At the first Ctrl-C, the workers finish their current items, and the host writes
//! the results. The second Ctrl-C ends the run immediately.

use rustix::process::Signal;

use crate::support::{Host, Running, Terminal, host, host_with_summary};

/// Describes a run of two workers that wait until the file `gate/open` exists.
fn gated(host: Host) -> Host {
    host.plugin("wait.wat").subfolder("gate").args(["--jobs", "2", "--dir", "gate::/gate"])
}

fn open_gate(running: &Running) {
    std::fs::write(running.folder().join("gate/open"), "").unwrap();
}

/// The message at the first Ctrl-C.
const STOPPING: &str =
    "interrupted: finishing the items in the workers; press Ctrl-C again to end immediately\n";

#[test]
fn an_interrupt_finishes_and_writes_started_items() {
    let mut running = gated(host_with_summary()).stdin_open().start();
    // The reader has read the third item, which waits because both workers are busy.
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
fn an_interrupt_ends_the_wait_for_a_pipe() {
    let mut running = host().plugin("upper.wat").stdin_open().start();
    running.send("one\ntwo\nthr");
    running.wait_for_stdout("TWO\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("ONE\nTWO\n").stderr(STOPPING);
}

#[test]
fn an_interrupt_ends_the_wait_for_further_input() {
    // The plugin prints each item, which shows that the run has begun.
    let mut running = host().plugin("print.wat").args(["--jobs", "1"]).stdin_open().start();
    running.send("x\n");
    running.wait_for_stderr("[worker 0] x\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("x\n");
}

#[test]
fn an_interrupt_ends_the_wait_for_a_terminal() {
    let mut terminal = Terminal::open();
    let running = host().plugin("upper.wat").stdin_from(terminal.stdio()).start();
    terminal.type_in("one\n");
    running.wait_for_stdout("ONE\n");
    running.signal(Signal::INT);
    running.finish().code(130).stdout("ONE\n");
}

#[test]
fn ctrl_c_at_the_terminal_interrupts_the_run() {
    let mut terminal = Terminal::open();
    let running = host()
        .plugin("upper.wat")
        // `setsid --ctty` makes standard input the controlling terminal, so a Ctrl-C in this
        // terminal reaches the command.
        .under("setsid", ["--ctty"])
        .stdin_from(terminal.stdio())
        .start();
    terminal.type_in("one\n");
    running.wait_for_stdout("ONE\n");
    terminal.type_in("\x03");
    running.finish().code(130).stdout("ONE\n");
}

#[test]
fn a_second_interrupt_ends_the_run_immediately() {
    let mut running = gated(host()).stdin_open().start();
    running.send("w1\nw2\n");
    running.wait_for_stderr_times("begun", 2);
    running.signal(Signal::INT);
    running.wait_for_stderr(STOPPING);
    // The gate stays closed, so the plugin would never end.
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("");
}

#[test]
fn results_written_before_a_second_interrupt_stay() {
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
fn sigterm_sigquit_and_sighup_interrupt_the_run() {
    #[rustfmt::skip]
    let cases = [
        (Signal::TERM, "send SIGTERM again"),
        (Signal::QUIT, "press Ctrl-\\ again"),
        (Signal::HUP,  "send SIGTERM"),
    ];
    for (signal, again) in cases {
        let mut running = host_with_summary().plugin("upper.wat").stdin_open().start();
        running.send("one\n");
        running.wait_for_stdout("ONE\n");
        running.signal(signal);
        let finished = running.finish_with_stdin_open().code(130).stdout("ONE\n");
        let stderr = finished.stderr_text();
        let stopping = format!(
            "interrupted: finishing the items in the workers; {again} to end immediately\n"
        );
        assert!(stderr.starts_with(&stopping), "{signal:?}: {stderr}");
        assert!(stderr.lines().last().unwrap().starts_with("1 item, 0 faults, "), "{stderr}");
    }
}

/// Both the shell and the kernel send a signal when a terminal is closed.
#[test]
fn a_repeated_hangup_still_finishes_started_items() {
    let mut running = gated(host()).stdin_open().start();
    running.send("w1\nw2\n");
    running.wait_for_stderr_times("begun", 2);
    for _ in 0..2 {
        running.signal(Signal::HUP);
        running.wait_for_stderr("interrupted: ");
    }
    open_gate(&running);
    running.finish_with_stdin_open().code(130).stdout("w1\nw2\n");
}

#[test]
fn a_second_signal_of_another_kind_ends_the_run_immediately() {
    for (first, second) in [(Signal::HUP, Signal::TERM), (Signal::INT, Signal::QUIT)] {
        let mut running = gated(host()).stdin_open().start();
        running.send("w1\nw2\n");
        running.wait_for_stderr_times("begun", 2);
        running.signal(first);
        running.wait_for_stderr("interrupted: ");
        running.signal(second);
        running.finish_with_stdin_open().code(130).stdout("");
    }
}

#[test]
fn signals_ignored_at_the_start_stay_ignored() {
    let ignoring = "trap '' HUP QUIT; exec \"$@\"";
    for signal in [Signal::HUP, Signal::QUIT] {
        let shell = ["-c", ignoring, "sh"];
        let mut running = host().plugin("upper.wat").under("sh", shell).stdin_open().start();
        running.send("one\n");
        running.wait_for_stdout("ONE\n");
        running.signal(signal);
        running.send("two\n");
        running.finish().code(0).stdout("ONE\nTWO\n").stderr("");
    }
}

#[test]
fn an_interrupt_does_not_wait_for_a_starting_worker() {
    let host = host().plugin("spin-init.wat").args(["--init", "spin"]);
    let running = host.stdin_open().start();
    running.wait_for_stderr("[worker 0] begun\n");
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("");
}
