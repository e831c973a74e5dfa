//! Checks `mtl-host doctor`, and that runs behave as it predicts.

use std::process::Command;

use serde_json::Value;

use crate::support::{Host, command, host, host_on_threads};

/// The kernel features that every run needs, on any machine.
const REQUIRED: [&str; 6] = [
    "sealed-memory",
    "no-new-privileges",
    "seccomp",
    "landlock",
    "landlock-truncation",
    "landlock-ports",
];

fn answers() -> Value {
    let finished = command().args(["doctor", "--json"]).run().code(0).stderr("");
    serde_json::from_slice(finished.stdout_bytes()).unwrap()
}

#[test]
fn doctor_shows_the_kernels_answer_for_each_layer() {
    let answers = answers();
    let layers = answers["layers"].as_array().unwrap();
    let named = |name: &str| layers.iter().find(|layer| layer["layer"] == name).unwrap();
    for name in REQUIRED {
        assert_eq!(named(name)["need"], "required", "{name}");
        assert_eq!(named(name)["here"], "yes", "the tests need a machine with a jail: {name}");
    }
    for layer in layers {
        assert_eq!(layer["answer"].is_null(), layer["here"] == "yes", "{layer}");
    }
    assert_eq!(answers["required"], true);

    let text = command().args(["doctor"]).run().code(0).stderr("");
    let text = String::from_utf8_lossy(text.stdout_bytes()).into_owned();
    for layer in layers {
        let name = layer["layer"].as_str().unwrap();
        let row = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        assert!(row.contains(layer["need"].as_str().unwrap()), "{row}");
        assert!(row.ends_with(layer["protects_from"].as_str().unwrap()), "{row}");
    }
}

#[test]
fn a_strict_run_agrees_with_the_doctor() {
    strict_runs_do_what_the_doctor_says(|host| host);
}

#[test]
fn a_strict_run_with_fewer_rights_agrees_with_the_doctor() {
    const FEWER: [&str; 2] = ["--bounding-set", "-sys_admin"];
    let may_change_rights = Command::new("setpriv").args(FEWER).arg("true").output();
    if !may_change_rights.is_ok_and(|output| output.status.success()) {
        // Only root has rights to drop.
        return;
    }
    strict_runs_do_what_the_doctor_says(|host| host.under("setpriv", FEWER));
}

/// Compares the doctor's verdict with runs, with and without a granted directory.
fn strict_runs_do_what_the_doctor_says(under: impl Fn(Host) -> Host) {
    let answers = under(command()).args(["doctor", "--json"]).run().code(0).stderr("");
    let answers: Value = serde_json::from_slice(answers.stdout_bytes()).unwrap();
    let text = under(command()).args(["doctor"]).run().code(0);
    let text = String::from_utf8_lossy(text.stdout_bytes()).into_owned();
    let verdict = match (answers["strict"] == true, answers["strict_with_dirs"] == true) {
        (true, true) => "`--jail required` and `--jail strict` run here",
        (true, false) => "`--jail required` runs here, `--jail strict` only without `--dir`",
        (false, false) => "`--jail required` runs here, `--jail strict` does not",
        (false, true) => panic!("a directory needs no less: {answers}"),
    };
    assert_eq!(text.lines().last(), Some(verdict));
    let dir = ["--dir", "granted::/granted"];
    for (dir, runs) in [(&[][..], &answers["strict"]), (&dir, &answers["strict_with_dirs"])] {
        let run = under(host_on_threads())
            .subfolder("granted")
            .args(["--isolation", "process", "--jail", "strict"])
            .args(dir.iter().copied())
            .plugin("upper.wat")
            .stdin("one\n")
            .run();
        if runs == true {
            run.code(0).stdout("ONE\n").stderr("");
        } else {
            let stderr = run.code(3).stdout("").stderr_text();
            assert!(stderr.contains("the strict jail needs "), "{stderr}");
            assert!(stderr.contains("`mtl-host doctor`"), "{stderr}");
        }
    }
}

#[test]
fn an_unknown_jail_is_refused_with_the_valid_ones() {
    let stderr = host().args(["--jail", "none"]).plugin("upper.wat").run().code(2).stderr_text();
    assert!(stderr.contains("none of `required`, `best-effort` and `strict`"), "{stderr}");
}
