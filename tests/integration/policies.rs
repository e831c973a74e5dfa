//! Checks how failed items affect the run: `--on-error` and `--max-faults`.

use crate::support::{host, lines};

#[test]
fn the_policy_decides_the_output_after_a_failed_item() {
    let fault = "fault: item 1: refused: !b\n";
    let one = "error: an item failed: item 1: refused: !b\n \
               hint: to continue after failed items, use `--on-error ignore` or `deferred`\n";
    #[rustfmt::skip]
    let cases = [
        // policy       stdout       stderr
        ("ignore",      "a\n\nc\n",  fault.to_owned()),
        ("immediate",   "a\n\n",     format!("{fault}{one}")),
        ("deferred",    "a\n\nc\n",  format!("{fault}error: 1 item failed\n")),
    ];
    for (policy, stdout, stderr) in cases {
        host()
            .plugin("judge.wat")
            .args(["--jobs", "1", "--on-error", policy])
            .stdin("a\n!b\nc\n")
            .run()
            .code(1)
            .stdout(stdout)
            .stderr(&stderr);
    }
}

#[test]
fn without_failed_items_every_policy_is_the_same() {
    for policy in ["ignore", "immediate", "deferred"] {
        host()
            .plugin("judge.wat")
            .args(["--on-error", policy])
            .stdin("a\n#b\nc\n")
            .run()
            .code(0)
            .stdout("a\nc\n")
            .stderr("");
    }
}

#[test]
fn an_immediate_end_keeps_all_results_before_the_failed_item() {
    let items = |count: usize| (0..count).map(|item| item.to_string());
    for jobs in ["1", "4"] {
        host()
            .plugin("judge.wat")
            .args(["--jobs", jobs, "--on-error", "immediate", "--skip-failed"])
            .stdin(lines(items(5000).chain(["!".to_owned()]).chain(items(5000))))
            .run()
            .code(1)
            .stdout(lines(items(5000)));
    }
}

#[test]
fn ignore_is_the_default() {
    host().plugin("judge.wat").stdin("!a\nb\n").run().code(1).stdout("\nb\n");
}

#[test]
fn an_immediate_end_does_not_wait_for_more_input() {
    let mut running =
        host().plugin("judge.wat").args(["--on-error", "immediate"]).stdin_open().start();
    running.send("a\n!b\n");
    running.finish_with_stdin_open().code(1).stdout("a\n\n");
}

#[test]
fn too_many_faults_end_the_run() {
    let items = |bad: usize, good: usize| {
        let bad = (0..bad).map(|item| format!("!{item}"));
        lines(bad.chain((0..good).map(|item| item.to_string())))
    };
    #[rustfmt::skip]
    let cases = [
        // most   bad  good    ends
        ("0",     0,   3,      false),
        ("0",     1,   3,      true),
        ("2",     2,   3,      false),
        ("2",     3,   3,      true),
        ("50%",   40,  80,     false),
        ("10%",   60,  60,     true),
    ];
    for (max, bad, good, ends) in cases {
        let finished = host()
            .plugin("judge.wat")
            .args(["--jobs", "1", "--max-faults", max])
            .stdin(items(bad, good))
            .run()
            .code(i32::from(bad > 0));
        let stderr = finished.stderr_text();
        // Some items end after the limit is exceeded. The final number of failed items is therefore
        // only in the summary.
        let error = format!("error: more items failed than the limit of {max} allows\n");
        assert_eq!(stderr.contains(&error), ends, "{max}, {bad} of {}:\n{stderr}", bad + good);
    }
}

#[test]
fn too_many_faults_end_the_run_while_the_input_is_open() {
    let mut running =
        host().plugin("judge.wat").args(["--jobs", "1", "--max-faults", "1"]).stdin_open().start();
    running.send("!a\n!b\n");
    running.finish_with_stdin_open().code(1).stderr(
        "fault: item 0: refused: !a\n\
         fault: item 1: refused: !b\n\
         error: more items failed than the limit of 1 allows\n \
         hint: the faults above give the reasons; to allow more, raise `--max-faults`\n",
    );
}
