//! Tests the plugin that answers commands, which every SDK has.

use std::collections::BTreeSet;

use super::Language;
use super::project::{Built, build};
use super::table;
use crate::support::{Host, command, lines};
use Answer::{Bad, Nothing, Record, Refused};

/// A check of one feature, which the SDK has or lacks.
type FeatureCheck = fn(&Built, bool);

/// The features that an SDK can have, by the rows of the table.
#[rustfmt::skip]
pub(super) const FEATURES: &[(&str, FeatureCheck)] = &[
    ("arguments, from `--init`",                    arguments),
    ("a start that fails with a message",           failing_start),
    ("state from item to item",                     state),
    ("items and records of any bytes",              records),
    ("no record",                                   no_record),
    ("`refused` and `bad-item`, with a message",    failures),
    ("records that are JSON",                       json_records),
    ("items that are JSON strings",                 json_items),
    ("a finish report",                             closing_report),
    ("the worker's number",                         worker_number),
    ("log messages",                                log_messages),
    ("a crash that costs one item",                 crash),
    ("items and records of 10 MB",                  large_items),
    ("continuing after memory has run out",         no_memory),
    ("many items in one crossing (`call_batch`)",   batches),
    ("`--args args` and `kwargs`",                  arguments_spread),
    ("a start from a snapshot",                     snapshot),
];

/// Checks each cell of the language's column.
pub(super) fn has_what_the_table_says(language: &Language) {
    let Some(probe) = build(language.probe) else {
        return;
    };
    let table = table::read();
    for (thing, look) in FEATURES {
        let has = table.has(language.column, thing);
        say(language, thing, has);
        look(&probe, has);
    }
}

#[expect(clippy::print_stderr, reason = "the output shows which feature a failure belongs to")]
fn say(language: &Language, thing: &str, has: bool) {
    eprintln!("{}: {thing}: {}", language.column, if has { "yes" } else { "no" });
}

/// The expected answer to an item.
enum Answer<'a> {
    Record(&'a str),
    Nothing,
    Refused(&'a str),
    Bad(&'a str),
}

/// Formats an answer as `--output-format jsonl` does; `None` for an answer without a record.
fn shown(index: usize, answer: &Answer<'_>) -> Option<String> {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let failed = |kind: &str, message: &str| {
        let message = quoted(message);
        format!(r#"{{"index":{index},"error":{{"kind":"{kind}","message":{message}}}}}"#)
    };
    match answer {
        Record(text) => Some(format!(r#"{{"index":{index},"ok":{}}}"#, quoted(text))),
        Nothing => None,
        Refused(message) => Some(failed("refused", message)),
        Bad(message) => Some(failed("bad-item", message)),
    }
}

/// Checks the answer of each item.
#[track_caller]
fn answers(host: Host, cases: &[(&str, Answer<'_>)]) {
    let has_failures = cases.iter().any(|(_, answer)| matches!(answer, Refused(_) | Bad(_)));
    let shown = cases.iter().enumerate().filter_map(|(index, (_, answer))| shown(index, answer));
    host.stdin(lines(cases.iter().map(|(item, _)| item)))
        .run()
        .code(has_failures.into())
        .stdout(lines(shown));
}

/// Checks that the SDK has a feature that every SDK must have.
#[track_caller]
fn require_feature(has: bool) {
    assert!(has, "the table says `–` for a feature that every SDK must have");
}

fn arguments(probe: &Built, has: bool) {
    require_feature(has);
    let text = "some words, ünd { \"more\": 1 }";
    answers(probe.run().args(["--init", text]), &[("init", Record(text))]);
    answers(probe.run(), &[("init", Record(""))]);
}

fn failing_start(probe: &Built, has: bool) {
    require_feature(has);
    let finished = probe.run().args(["--init", "fail no möre"]).stdin("state\n").run().code(3);
    let stderr = finished.stdout("").stderr_text();
    let begins = "error: worker 0 could not be started: init failed: no möre\n";
    assert!(stderr.starts_with(begins), "{stderr}");
}

fn state(probe: &Built, has: bool) {
    require_feature(has);
    #[rustfmt::skip]
    answers(probe.run(), &[
        ("state",        Record("1")),
        ("skip",         Nothing),
        ("refuse it",    Refused("it")),
        ("state",        Record("4")),
    ]);
}

fn records(probe: &Built, has: bool) {
    require_feature(has);
    #[rustfmt::skip]
    answers(probe.run(), &[
        // item                    answer
        ("",                       Record("")),
        ("echo ",                  Record("")),
        ("echo naïve 😀 \t\" \\",  Record("naïve 😀 \t\" \\")),
        ("bytes 0",                Record("")),
        ("bytes 7",                Record("xxxxxxx")),
        ("",                       Record("")),
    ]);
    let record = b"not UTF-8 \xff\xc3\x28 \x00\x01\n";
    let item = [b"echo ", &record[..]].concat();
    probe.with_jobs(1).stdin(item).run().code(0).stdout(record);
}

fn no_record(probe: &Built, has: bool) {
    require_feature(has);
    answers(probe.run(), &[("skip", Nothing), ("echo a", Record("a")), ("skip", Nothing)]);
}

fn failures(probe: &Built, has: bool) {
    require_feature(has);
    #[rustfmt::skip]
    answers(probe.run(), &[
        ("refuse not töday",     Refused("not töday")),
        ("bad what is `this`?",  Bad("what is `this`?")),
        ("sing",                 Bad("unknown command `sing`")),
        ("echo a",               Record("a")),
    ]);
}

fn json_records(probe: &Built, has: bool) {
    require_feature(has);
    #[rustfmt::skip]
    answers(probe.run().args(["--init", "json"]), &[
        ("echo a \"b\" \\ \t ü 😀",  Record("a \"b\" \\ \t ü 😀")),
        ("",                         Record("")),
        ("skip",                     Nothing),
        ("refuse it",                Refused("it")),
        ("state",                    Record("5")),
    ]);
    // Without `jsonl`, the output is the JSON record itself, not its text.
    let as_it_is = probe.with_jobs(1).args(["--init", "json"]);
    as_it_is.stdin("echo a\n").run().code(0).stdout("\"a\"\n");
}

fn json_items(probe: &Built, has: bool) {
    require_feature(has);
    #[rustfmt::skip]
    answers(probe.run().args(["--input-format", "jsonl"]), &[
        (r#""format""#,                           Record("json")),
        (r#""echo a\u00e9 \"b\" \n\/ \\""#,       Record("aé \"b\" \n/ \\")),
        (r#" "echo \ud83d\ude00 ü" "#,            Record("😀 ü")),
        (r#""""#,                                 Record("")),
        ("12",                                    Bad("unknown command `12`")),
        (r#"{"a": [1]}"#,                         Bad(r#"unknown command `{"a": [1]}`"#)),
    ]);
    answers(probe.run(), &[("format", Record("text")), ("\"\"", Bad("unknown command `\"\"`"))]);
}

fn closing_report(probe: &Built, has: bool) {
    require_feature(has);
    let finished = probe.run().stdin("state\nskip\n").run().code(0);
    finished.stderr("[worker 0] finish: calls: 2\n");
}

fn worker_number(probe: &Built, has: bool) {
    require_feature(has);
    answers(probe.run(), &[("worker", Record("0/1"))]);
    // Which worker runs which item is open.
    let finished = probe.with_jobs(2).stdin("worker\n".repeat(200)).run().code(0);
    let numbers: BTreeSet<_> = finished.sorted_lines().into_iter().collect();
    let possible = BTreeSet::from(["0/2".to_owned(), "1/2".to_owned()]);
    assert!(!numbers.is_empty() && numbers.is_subset(&possible), "{numbers:?}");
}

fn log_messages(probe: &Built, has: bool) {
    require_feature(has);
    let levels = ["trace", "debug", "info", "warn", "error"];
    let stderr = lines(levels.map(|level| format!("[worker 0] {level}: this is ä {level}")));
    let items = lines(levels.map(|level| format!("log {level} this is ä {level}")));
    let finished = probe.with_jobs(1).stdin(items).run().code(0).stdout("logged\n".repeat(5));
    finished.stderr(&format!("{stderr}[worker 0] finish: calls: 5\n"));
}

fn crash(probe: &Built, has: bool) {
    require_feature(has);
    let finished = probe.run().stdin("state\nstate\ntrap\nstate\necho a\n").run().code(1);
    let shown = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    let shown: Vec<_> = shown.lines().collect();
    assert_eq!(shown.len(), 5, "{shown:?}");
    assert!(shown[2].starts_with(r#"{"index":2,"error":{"kind":"trap","#), "{shown:?}");
    let rest = [shown[0], shown[1], shown[3], shown[4]];
    let expected = [(0, "1"), (1, "2"), (3, "1"), (4, "a")];
    let expected = expected.map(|(index, text)| format!(r#"{{"index":{index},"ok":"{text}"}}"#));
    assert_eq!(rest, expected);
}

fn large_items(probe: &Built, has: bool) {
    require_feature(has);
    const SIZE: usize = 10_000_000;
    let large = "ab".repeat(SIZE / 2);
    let items = format!("echo {large}\n\nbytes {SIZE}\necho {large}\nstate\n");
    let expected = format!("{large}\n\n{}\n{large}\n5\n", "x".repeat(SIZE));
    probe.with_jobs(1).stdin(items).run().code(0).stdout(expected);
}

fn no_memory(probe: &Built, has: bool) {
    require_feature(has);
    let items = "echo a\nbytes 400000000\necho b\nbytes 3\n";
    let finished = probe.run().args(["--memory", "128MiB"]).stdin(items).run().code(1);
    let shown = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    let shown: Vec<_> = shown.lines().collect();
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert!(shown[1].starts_with(r#"{"index":1,"error":"#), "{shown:?}");
    let rest = [shown[0], shown[2], shown[3]];
    let expected = [(0, "a"), (2, "b"), (3, "xxx")];
    let expected = expected.map(|(index, text)| format!(r#"{{"index":{index},"ok":"{text}"}}"#));
    assert_eq!(rest, expected);
}

/// Checks that items give the same results in batches and one by one, with and without the export.
fn batches(probe: &Built, has: bool) {
    let inspected = command().args(["inspect".as_ref(), probe.path().as_os_str()]).run().code(0);
    let exports = String::from_utf8(inspected.stdout_bytes().to_vec()).unwrap();
    assert_eq!(exports.contains("call_batch(i32) -> (i32)"), has, "{exports}");

    const ROUNDS: usize = 500;
    let (mut items, mut records) = (String::new(), String::new());
    for round in 0..ROUNDS {
        items += &format!("echo {round}\nskip\n\nbytes {}\nrefuse {round}\nstate\n", round * 40);
        records += &format!("{round}\n\n{}\n\n{}\n", "x".repeat(round * 40), 6 * (round + 1));
    }
    probe.with_jobs(1).stdin(items).run().code(1).stdout(records);
}

/// Checks an SDK without this feature; `power.rs` checks the rules for SDKs with it.
fn arguments_spread(probe: &Built, has: bool) {
    if has {
        return;
    }
    for passing in ["args", "kwargs"] {
        let finished = probe.with_jobs(1).args(["--args", passing]).stdin("[1]\n").run();
        let stderr = finished.code(3).stdout("").stderr_text();
        let ends = format!("takes each item whole, not by `{passing}`");
        assert!(stderr.lines().next().is_some_and(|line| line.ends_with(&ends)), "{stderr}");
    }
}

/// Checks that a plugin without snapshots is initialised as usual, and that the run reports it.
fn snapshot(probe: &Built, has: bool) {
    let run = probe.run().args(["--snapshot", "--init", "some words"]);
    let records = [(0, "1"), (1, "some words"), (2, "3")];
    let record = |(index, text)| format!(r#"{{"index":{index},"ok":"{text}"}}"#);
    let finished = run.stdin("state\ninit\nstate\n").run().code(0);
    let stderr = finished.stdout(lines(records.map(record))).stderr_text();
    assert_eq!(stderr.contains("each worker is initialised on its own"), !has, "{stderr}");
}
