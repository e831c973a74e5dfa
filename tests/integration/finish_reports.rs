//! Checks `--finish-output`: the finish report of each instance as a line of JSON.

use std::fs;

use rustix::process::Signal;

use crate::support::{host, host_with_summary};

#[test]
fn each_instance_writes_one_finish_report_line() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str, &str); 6] = [
        (&[],                 "a\nb\n",
         "{\"worker\":0,\"items\":2,\"report\":\"b\"}\n"),
        (&[],                 "a\n!b\n",
         "{\"worker\":0,\"items\":2,\"error\":\"refused: !b\"}\n"),
        (&[],                 "trap\n",
         "{\"worker\":0,\"items\":1,\"error\":\"trap: wasm `unreachable` instruction executed, in `finish`\"}\n"),
        (&[],                 "a\n#none\n", ""),
        (&["--recycle", "2"], "a\nb\nc\nd\ne\n",
         "{\"worker\":0,\"items\":2,\"report\":\"b\"}\n\
          {\"worker\":0,\"items\":2,\"report\":\"d\"}\n\
          {\"worker\":0,\"items\":1,\"report\":\"e\"}\n"),
        // No item is left for another instance, so none starts.
        (&["--recycle", "2"], "a\ntb\nc\nd\n",
         "{\"worker\":0,\"items\":2,\"error\":\"trap: wasm `unreachable` instruction executed, in `finish`\"}\n\
          {\"worker\":0,\"items\":2,\"report\":\"d\"}\n"),
    ];
    for (flags, items, reports) in cases {
        // `finish.wat` decides by its last item, and traps if that begins with `t`.
        host()
            .plugin("finish.wat")
            .args(["--jobs", "1", "--finish-output", "reports"])
            .args(flags.iter().copied())
            .stdin(items)
            .run()
            .code(0)
            .stderr("")
            .file("reports", reports);
    }
}

#[test]
fn a_failed_instance_has_a_lost_finish_report() {
    host()
        .plugin("component.wat")
        .args(["--jobs", "1", "--finish-output", "reports"])
        .stdin("a\nb\ntrap\nc\n")
        .run()
        .code(1)
        .stdout("A\nB\n\nC\n")
        .file(
            "reports",
            "{\"worker\":0,\"items\":2,\"lost\":\"trap: wasm `unreachable` instruction executed, in `call`\"}\n\
             {\"worker\":0,\"items\":1,\"report\":\"done\"}\n",
        );
    host()
        .plugin("linger.wat")
        .args(["--jobs", "1", "--finish-output", "reports", "--timeout", "100ms"])
        .stdin("n\nc\nXc\n")
        .args(["--init-timeout", "100ms"])
        .run()
        .code(1)
        .file(
            "reports",
            "{\"worker\":0,\"items\":1,\"lost\":\"timeout: took longer than 100ms, in `for_ever`\"}\n\
             {\"worker\":0,\"items\":1,\"error\":\"timeout: took longer than 100ms, in `for_ever`\"}\n",
        );
}

#[test]
fn without_a_file_finish_reports_go_to_stderr() {
    host()
        .plugin("finish.wat")
        .args(["--jobs", "1", "--recycle", "2"])
        .stdin("a\nb\n!c\n!d\ne\n")
        .run()
        .code(0)
        .stderr(
            "[worker 0] finish: b\n\
             warning: worker 0 gave no finish report: refused: !d\n\
             [worker 0] finish: e\n",
        );
}

/// At a limit of one byte per second, the first report alone would exceed the run's time.
#[test]
fn shown_finish_reports_are_limited_and_counted() {
    let long = "\u{1b}".repeat(2000);
    let run = |flags: &[&str]| {
        host()
            .plugin("finish.wat")
            .args(["--jobs", "1", "--recycle", "1", "--log-limit", "1"])
            .args(flags.iter().copied())
            .stdin(format!("{long}\n{long}\n!refused\n"))
            .run()
            .code(0)
    };
    run(&[]).stderr(&format!(
        "[worker 0] finish: {}\n\
         warning: 2 finish reports were not shown: more than `--log-limit` per second\n \
         hint: `--finish-output FILE` writes all of them to a file\n",
        r"\u{1b}".repeat(2000)
    ));
    let written = run(&["--finish-output", "reports"]).stderr("");
    let reports = fs::read_to_string(written.folder().join("reports")).unwrap();
    assert_eq!(reports.lines().count(), 3);
}

#[test]
fn every_worker_writes_its_finish_report() {
    let finished = host()
        .plugin("component.wat")
        .args(["--jobs", "3", "--finish-output", "reports"])
        .stdin("a\nb\nc\nd\n")
        .run()
        .code(0);
    let reports = fs::read_to_string(finished.folder().join("reports")).unwrap();
    let reports: Vec<serde_json::Value> =
        reports.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |field: &str| reports.iter().map(|report| report[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("worker"), [0, 1, 2], "{reports:?}");
    assert_eq!(of("report"), ["done", "done", "done"]);
    assert_eq!(of("items").iter().map(|items| items.as_u64().unwrap()).sum::<u64>(), 4);
}

#[test]
fn an_unwritable_finish_report_file_is_an_error() {
    host()
        .plugin("finish.wat")
        .args(["--finish-output", "no/such/folder"])
        .stdin("a\n")
        .run()
        .code(4)
        .stdout("")
        .stderr(
            "error: cannot create `no/such/folder` for finish reports: No such file or directory \
             (os error 2)\n",
        );
    let finished = host_with_summary()
        .plugin("finish.wat")
        .args(["--jobs", "1", "--recycle", "1", "--finish-output", "/dev/full"])
        .stdin("a\nb\n")
        .run()
        .code(4)
        .stdout("\n\n");
    let error = "error: cannot write 2 of 2 finish reports to `/dev/full`: No space left on device \
                 (os error 28)\n";
    assert!(finished.stderr_text().ends_with(error), "{}", finished.stderr_text());
}

#[test]
fn a_hanging_finish_report_shows_how_to_end_the_wait() {
    let run =
        || host().plugin("hostile/finish-loop.wat").args(["--jobs", "1"]).stdin_open().start();
    let waiting = "the run is over: waiting for the workers' finish reports (`finish`)\n \
                   hint: `--init-timeout TIME` limits the wait; ";

    let mut running = run();
    running.send("a\n");
    running.close_stdin();
    let message = format!("{waiting}to end immediately, press Ctrl-C twice\n");
    running.wait_for_stderr(&message);
    running.signal(Signal::INT);
    running.wait_for_stderr("interrupted: ");
    running.signal(Signal::INT);
    let finished = running.finish().code(130).stdout("a\n");
    assert_eq!(finished.stderr_text().matches("waiting for").count(), 1);

    let mut running = run();
    running.send("a\n");
    running.wait_for_stdout("a\n");
    running.signal(Signal::INT);
    let message = format!("{waiting}to end immediately, press Ctrl-C again\n");
    running.wait_for_stderr(&message);
    running.signal(Signal::INT);
    running.finish_with_stdin_open().code(130).stdout("a\n");
}
