//! Checks that the summary and the list of faults account for each item, however the run ends.

use std::collections::BTreeMap;

use rustix::process::Signal;

use crate::support::{Finished, Host, host_with_summary, lines};

/// The number of quick items that precede a slow item in its claim.
const QUICK: u32 = 50;

/// A plugin, its slow item, and the result of its quick item with a given number.
type Slow = (&'static str, &'static str, fn(u32) -> String);

#[rustfmt::skip]
const SLOW: [Slow; 5] = [
    ("linger.wat",           "c", |item| format!("0 {item:03}")),
    ("linger.wat",           "s", |item| format!("0 {item:03}")),
    ("linger-component.wat", "c", digit),
    ("linger-component.wat", "s", digit),
    ("batch.wat",            "s", |_| "n".into()),
];

fn digit(item: u32) -> String {
    char::from_u32(u32::from(b'0') + item).unwrap().to_string()
}

/// Returns the number that the summary gives for `noun`.
fn summary_count(stderr: &str, noun: &str) -> u64 {
    let summary = stderr.lines().rfind(|line| line.contains(" items/s")).unwrap();
    let mut parts = summary.split(", ").filter_map(|part| part.split_once(' '));
    // The summary counts "1 item" but "2 items".
    let part = parts.find(|(_, word)| *word == noun || format!("{word}s") == noun);
    part.map_or(0, |(number, _)| number.parse().unwrap_or_else(|_| panic!("{summary}")))
}

/// Returns the kind of each fault that the file of faults lists, by item.
fn fault_kinds(finished: &Finished) -> BTreeMap<u64, String> {
    let text = std::fs::read_to_string(finished.folder().join("faults")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut all = BTreeMap::new();
    for line in lines {
        let (index, kind) = (line["index"].as_u64().unwrap(), line["kind"].as_str().unwrap());
        assert_eq!(all.insert(index, kind.to_owned()), None, "item {index} is listed twice");
    }
    all
}

#[test]
fn finished_results_appear_while_a_later_item_runs() {
    for (plugin, slow, result) in SLOW {
        let mut running = host_with_summary()
            .plugin(plugin)
            .args(["--jobs", "1", "--chunk-size", "1000", "--join-timeout", "100ms"])
            .args(["--faults", "faults"])
            .stdin_open()
            .start();
        let items = (0..QUICK).map(|_| "n").chain([slow, "never", "started"]);
        running.send(lines(items));
        let results = lines((1..=QUICK).map(result));
        running.wait_for_stdout(&results);
        running.signal(Signal::INT);
        let finished = running.finish_with_stdin_open().code(130);
        // The item at hand has its fault; the items after it never started.
        let finished = finished.stdout(format!("{results}\n"));
        let stderr = finished.stderr_text();
        let last = u64::from(QUICK);
        let expected = [(last, "timeout"), (last + 1, "not-run"), (last + 2, "not-run")];
        let expected = expected.map(|(index, kind)| (index, kind.to_owned()));
        assert_eq!(fault_kinds(&finished), expected.into(), "{plugin}, {slow}: {stderr}");
        assert_eq!(summary_count(&stderr, "items"), last + 1, "{plugin}, {slow}: {stderr}");
        assert_eq!(summary_count(&stderr, "not run"), 2, "{plugin}, {slow}: {stderr}");
    }
}

/// Stops a run of eight items and waits for its end. Each of two workers has claimed four items. When the run is
/// stopped, each worker is running the first item of its claim.
fn stopped_in_the_middle(host: Host) -> Finished {
    let mut running = host
        .plugin("wait.wat")
        .subfolder("gate")
        .args(["--jobs", "2", "--chunk-size", "4", "--dir", "gate::/gate", "--faults", "faults"])
        .stdin_open()
        .start();
    running.send(lines((0..8).map(|item| format!("w{item}"))));
    running.wait_for_stderr_times("begun", 2);
    running.signal(Signal::INT);
    running.wait_for_stderr("interrupted: ");
    std::fs::write(running.folder().join("gate/open"), "").unwrap();
    running.finish_with_stdin_open().code(130)
}

#[test]
fn output_ends_before_the_first_item_that_was_not_run() {
    #[rustfmt::skip]
    let cases: [(&[&str], &[u8]); 6] = [
        (&[],                                         b"w0\n"),
        (&["--skip-failed"],                          b"w0\n"),
        (&["--output-format", "nul"],                 b"w0\0"),
        (&["--output-format", "frames"],              b"\x02\0\0\0w0"),
        (&["--output-format", "jsonl"],               b"{\"index\":0,\"ok\":\"w0\"}\n"),
        (&["--tag"],                                  b"w0\tw0\n"),
    ];
    for (args, expected) in cases {
        let finished = stopped_in_the_middle(host_with_summary().args(args)).stdout(expected);
        let stderr = finished.stderr_text();
        let listed = fault_kinds(&finished);
        assert!(listed.keys().copied().eq(1..8), "{args:?}: {listed:?}");
        let not_written: Vec<_> =
            listed.iter().filter(|(_, kind)| *kind == "not-written").collect();
        assert_eq!(not_written.len(), 1, "{args:?}: {listed:?}");
        let numbers =
            ["items", "written", "not written", "not run"].map(|noun| summary_count(&stderr, noun));
        assert_eq!(numbers, [2, 1, 1, 6], "{args:?}: {stderr}");
    }
}

#[test]
fn unordered_output_contains_every_finished_item() {
    let finished = stopped_in_the_middle(host_with_summary().args(["--unordered"]));
    let (stderr, written) = (finished.stderr_text(), finished.sorted_lines());
    let listed = fault_kinds(&finished);
    assert_eq!((written.len(), listed.len()), (2, 6), "{stderr}");
    let is_listed = |item: &String| listed.contains_key(&item[1..].parse().unwrap());
    assert!(!written.iter().any(is_listed), "{written:?}, {listed:?}");
    assert!(listed.values().all(|kind| kind == "not-run"), "{listed:?}");
    let numbers =
        ["items", "written", "not written", "not run"].map(|noun| summary_count(&stderr, noun));
    assert_eq!(
        numbers,
        [2, 0, 0, 6],
        "everything is written, so the summary does not mention it: {stderr}"
    );
}

#[test]
fn every_finished_item_has_its_output_file() {
    let to_files = ["--input-format", "paths", "--output-dir", "results"];
    let finished = stopped_in_the_middle(host_with_summary().args(to_files));
    let files = std::fs::read_dir(finished.folder().join("results")).unwrap().count();
    assert_eq!((files, fault_kinds(&finished).len()), (2, 6), "{}", finished.stderr_text());
}

#[test]
fn a_full_output_leaves_no_item_unaccounted_for() {
    let items = lines(0..100_000);
    let finished = host_with_summary()
        .plugin("upper.wat")
        .args(["--jobs", "2", "-o", "/dev/full", "--faults", "faults"])
        .stdin(items)
        .run()
        .code(4);
    let stderr = finished.stderr_text();
    assert!(stderr.contains("after 0 whole records"), "{stderr}");
    let [done, written, not_written, not_run] =
        ["items", "written", "not written", "not run"].map(|noun| summary_count(&stderr, noun));
    assert_eq!((written, not_written), (0, done), "{stderr}");
    assert!(done > 0, "{stderr}");
    let listed = fault_kinds(&finished);
    assert!(listed.keys().copied().eq(0..done + not_run), "each item that was read is listed once");
    let of = |kind| listed.values().filter(|listed| *listed == kind).count() as u64;
    assert_eq!((of("not-written"), of("not-run")), (not_written, not_run), "{stderr}");
}
