//! Checks deadlines: they hold whatever a guest does, and do not disturb other workers.

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::support::{Host, host, in_processes, lines};

const CORE: &str = "linger.wat";
const COMPONENT: &str = "linger-component.wat";

/// Describes a run with a granted directory that contains a pipe. No other process opens the pipe.
fn granted(plugin: &str) -> Host {
    let described = host().plugin(plugin).subfolder("data").args(["--dir", "data::/data"]);
    let pipe = described.folder().join("data/pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    described
}

#[test]
fn an_overlong_item_times_out_and_its_instance_is_replaced() {
    let long = "x".repeat(5000);
    #[rustfmt::skip]
    let cases = [
        // plugin    item    where the guest was
        (CORE,       "c",    ", in `for_ever`"), // computes
        (CORE,       "s",    ", in `linger`"),   // sleeps
        (CORE,       "f",    ", in `linger`"),   // opens a pipe
        (CORE,       &*long, ", in `for_ever`"), // searches its memory for space for the item
        (COMPONENT,  "c",    ", in `linger`"),
        (COMPONENT,  "s",    ""),
        (COMPONENT,  "f",    ""),
    ];
    for (plugin, item, location) in cases {
        let (before, after) = match plugin {
            CORE => ("0 001\n0 002\n", "0 001\n"),
            _ => ("1\n2\n", "1\n"),
        };
        let finished = granted(plugin)
            .args(["--jobs", "1", "--timeout", "100ms"])
            .stdin(lines(["n", "n", item, "n"]))
            .run()
            .code(1)
            .stdout(format!("{before}\n{after}"));
        let fault = format!("fault: item 2: timeout: took longer than 100ms{location}\n");
        let stderr = finished.stderr_text();
        assert!(stderr.contains(&fault), "{plugin}, {item}: {stderr}");
        assert_eq!(stderr.matches("fault: ").count(), 1, "{plugin}, {item}: {stderr}");
    }
}

#[test]
fn a_guest_sees_the_end_of_its_standard_input() {
    // At the item `b`, the plugin waits until its own standard input is readable. At the item `i`,
    // the plugin reads this input. The command's standard input stays open the whole time.
    let mut running =
        host().plugin(CORE).args(["--jobs", "1", "--timeout", "5s"]).stdin_open().start();
    running.send("n\nb\ni\nn\n");
    running.wait_for_stdout("0 001\n0 002\n0 003\n0 004\n");
    running.finish().code(0);
}

#[test]
fn a_deadline_disturbs_no_other_worker() {
    for item in ["c\n", "s\n"] {
        let mut running = host()
            .plugin(CORE)
            .args(["--jobs", "2", "--timeout", "500ms", "--unordered", "--chunk-size", "1"])
            .stdin_open()
            .start();
        running.send(item);
        running.wait_for_stderr("] begun\n");
        // The first worker is busy, so the other worker takes these items.
        running.send("n\nn\nn\n");
        running.wait_for_stderr("took longer than 500ms");
        running.send(lines((0..200).map(|_| "n")));
        let finished = running.finish().code(1);
        let results = finished.sorted_lines();
        let of = |worker| {
            let counts = results.iter().filter_map(move |line| line.strip_prefix(worker));
            counts.map(|count| count.parse().unwrap()).collect::<Vec<usize>>()
        };
        // Each worker's count continues from its first call, so no time-out replaced its state.
        let (one, other) = (of("0 "), of("1 "));
        assert_eq!(one, (1..=one.len()).collect::<Vec<_>>());
        assert_eq!(other, (1..=other.len()).collect::<Vec<_>>());
        assert_eq!(one.len() + other.len(), 203);
    }
}

#[test]
fn an_overlong_start_ends_the_run_and_names_its_flag() {
    let init = |how| move |host: Host| host.args(["--init", how]);
    type Described = Box<dyn Fn(Host) -> Host>;
    #[rustfmt::skip]
    let cases: [(&str, Described, &str); 7] = [
        ("linger-start.wat", Box::new(|host| host),                        ", in `start`"),
        (CORE,               Box::new(|host| host.args(["--env", "A=1"])), ", in `for_ever`"), // in `_initialize`
        (CORE,               Box::new(init("c")),                          ", in `for_ever`"),
        (CORE,               Box::new(init("s")),                          ", in `linger`"),
        (CORE,               Box::new(init("f")),                          ", in `linger`"),
        (COMPONENT,          Box::new(init("s")),                          ""),
        (COMPONENT,          Box::new(init("f")),                          ""),
    ];
    for (plugin, described, location) in cases {
        let described = described(granted(plugin)).args(["--jobs", "1", "--init-timeout", "100ms"]);
        let stderr = described.stdin("n\n").run().code(3).stdout("").stderr_text();
        let error = format!(
            "error: worker 0 could not be started: the start took longer than 100ms{location}\n \
             hint: `--init-timeout TIME` gives a worker more time to start\n"
        );
        assert!(stderr.ends_with(&error), "{plugin}: {stderr}");
    }
}

#[test]
fn an_overlong_first_start_is_retried() {
    #[rustfmt::skip]
    let cases: [(&str, &[&str], i32); 4] = [
        // number of starts that never end, flags, and the expected exit code
        ("1", &[],                      0),
        ("2", &[],                      0),
        ("1", &["--max-restarts", "1"], 0),
        ("1", &["--max-restarts", "0"], 3),
    ];
    for (starts, flags, code) in cases {
        let finished = host()
            .plugin("hangs-at-first.wat")
            .subfolder("state")
            .args(["--dir", "state::/state:rw", "--jobs", "1", "--init", starts])
            // A good start ends within this time.
            .args(["--init-timeout", "1s"])
            .args(flags.iter().copied())
            .stdin("a\n")
            .run()
            .code(code)
            .stdout(if code == 0 { "a\n" } else { "" });
        let hung = finished.stderr_text().matches("[worker 0] begun\n").count();
        assert_eq!(hung.to_string(), starts, "{flags:?}");
    }
}

#[test]
fn an_overlong_finish_is_stopped_without_a_report() {
    #[rustfmt::skip]
    let cases = [
        ("--init-timeout", "took longer than 100ms"),
        ("--join-timeout", "was still at work when the run had to end"),
    ];
    for (flag, why) in cases {
        for (plugin, item, result, location) in [
            (CORE, "Xc\n", "0 001\n", ", in `for_ever`"),
            (CORE, "Xs\n", "0 001\n", ", in `linger`"),
            (COMPONENT, "Xc\n", "1\n", ", in `linger`"),
            (COMPONENT, "Xs\n", "1\n", ""),
        ] {
            let finished = host()
                .plugin(plugin)
                .args(["--jobs", "1", flag, "100ms"])
                .stdin(item)
                .run()
                .code(0)
                .stdout(result);
            // A process that is killed cannot report where its guest was.
            let is_killed = in_processes() && flag == "--join-timeout";
            let location = if is_killed { "" } else { location };
            let warning =
                format!("warning: worker 0 gave no finish report: timeout: {why}{location}\n");
            let stderr = finished.stderr_text();
            assert!(stderr.ends_with(&warning), "{plugin}, {flag}: {stderr}");
        }
    }
}

#[test]
fn guests_still_busy_after_an_interrupt_are_stopped() {
    for (plugin, item) in [(CORE, "c\n"), (CORE, "s\n"), (COMPONENT, "s\n"), (COMPONENT, "c\n")] {
        let mut running = host()
            .plugin(plugin)
            .args(["--jobs", "1", "--join-timeout", "100ms", "--chunk-size", "1"])
            .stdin_open()
            .start();
        running.send("n\n");
        running.wait_for_stdout("1\n");
        running.send(item);
        if plugin == CORE {
            running.wait_for_stderr("] begun\n");
        }
        running.signal(Signal::INT);
        let finished = running.finish_with_stdin_open().code(130);
        let stderr = finished.stderr_text();
        let fault = "fault: item 1: timeout: was still at work when the run had to end";
        // A component reports no start, so the signal may arrive before its item begins.
        assert!(plugin == COMPONENT || stderr.contains(fault), "{plugin}: {stderr}");
        assert!(finished.stdout_bytes().starts_with(if plugin == CORE {
            b"0 001\n"
        } else {
            b"1\n"
        }));
    }
}

#[test]
fn guests_still_busy_after_a_failed_run_are_stopped() {
    let mut running = host()
        .plugin(CORE)
        .args(["--jobs", "2", "--join-timeout", "100ms", "--unordered", "-o", "/dev/full"])
        .stdin_open()
        .start();
    running.send("s\n");
    running.wait_for_stderr("] begun\n");
    running.send("n\n");
    let stderr = running.finish_with_stdin_open().code(4).stderr_text();
    assert!(stderr.contains("error: cannot write results to `/dev/full`"), "{stderr}");
}

#[test]
fn time_limits_may_exceed_the_clock_range() {
    for flag in ["--timeout", "--init-timeout", "--join-timeout"] {
        host()
            .plugin("slow.wat")
            .args(["--jobs", "1", flag, "5000000000000000h"])
            // The item computes for several ticks of the watchdog.
            .stdin("slow\n")
            .run()
            .code(0)
            .stdout("slow\n")
            .stderr("");
    }
}
