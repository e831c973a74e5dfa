//! `mtl-host check`: plugins that do what is expected pass; of those that do not, each fails in the
//! one check that is about it.

use serde_json::{Value, json};

use crate::examples;
use crate::support::{Finished, Host, command, in_processes};

fn check() -> Host {
    let isolation: &[_] = if in_processes() { &["--isolation", "process"] } else { &[] };
    command().args(["check", "--no-cache"]).args(isolation.iter().copied())
}

fn document(finished: &Finished) -> Value {
    serde_json::from_slice(finished.stdout_bytes()).unwrap()
}

/// The checks that ended so, by name.
fn ended<'a>(document: &'a Value, status: &str) -> Vec<&'a str> {
    let checks = document["checks"].as_array().unwrap().iter();
    let ended = checks.filter(|check| check["status"] == status);
    ended.map(|check| check["name"].as_str().unwrap()).collect()
}

/// One check of a document.
fn found<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

/// A plugin that gives its items back; `before` comes before that in `call`, and `beside` beside it.
fn echo(import: &str, beside: &str, before: &str) -> String {
    format!(
        r#"(module
  {import}
  (memory (export "memory") 1)
  (global $flag (mut i32) (i32.const 0))
  (data (i32.const 0) "lock\ff")

  ;; The buffer is all that there is from the second page on.
  (func (export "mtl_alloc") (param $len i32) (result i32)
    (local $pages i32)
    (local.set $pages
      (i32.sub
        (i32.add (i32.const 2) (i32.shr_u (local.get $len) (i32.const 16)))
        (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1))
          (then (return (i32.const 0))))))
    (i32.const 0x10000))

  {beside}

  (func (export "call") (param $ptr i32) (param $len i32) (result i64)
    {before}
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
      (i64.extend_i32_u (local.get $len)))))"#
    )
}

/// `then`, if the item begins with this byte.
fn if_first(byte: u8, then: &str) -> String {
    format!(
        "(if (i32.ne (local.get $len) (i32.const 0))
           (then (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const {byte})) (then {then}))))"
    )
}

/// `then`, if the item has so many bytes.
fn if_length(is: &str, length: u32, then: &str) -> String {
    format!("(if (i32.{is} (local.get $len) (i32.const {length})) (then {then}))")
}

/// A plugin that fails in one way.
struct Case {
    /// What fails, and how it ends.
    expected: (&'static str, &'static str),
    plugin: String,
    args: &'static [&'static str],
    /// What the detail and the hint of it have in them.
    says: [&'static str; 2],
}

impl Case {
    fn new(
        expected: (&'static str, &'static str),
        plugin: String,
        args: &'static [&'static str],
        says: [&'static str; 2],
    ) -> Self {
        Self { expected, plugin, args, says }
    }

    fn check(&self) {
        let (name, status) = self.expected;
        let host = check().file("it.wat", &self.plugin).args(["it.wat", "--json"]);
        // Thousands of items, for each case.
        let skips: &[_] = if name == "memory" { &[] } else { &["--skip", "memory"] };
        let host = host.args(skips.iter().copied());
        let finished = host.args(self.args.iter().copied()).run().stderr("");
        let document = document(&finished);
        let others = if status == "fail" { "warn" } else { "fail" };
        assert_eq!(ended(&document, status), [name], "{document:#}");
        assert_eq!(ended(&document, others), [""; 0], "{name}: {document:#}");
        let check = found(&document, name);
        let details = check["details"].as_array().unwrap();
        let says = details.iter().any(|detail| detail.as_str().unwrap().contains(self.says[0]));
        assert!(says, "{check:#}");
        assert!(check["hint"].as_str().unwrap().contains(self.says[1]), "{check:#}");
        finished.code(if status == "fail" { 6 } else { 0 });
    }
}

const FAILS: &str = "fail";
const WARNS: &str = "warn";

fn cases_of_loading() -> Vec<Case> {
    let start = r#"(func $start unreachable) (start $start)"#;
    let result = r#"(func (export "finish") (result i32) (i32.const 0))"#;
    let foreign = r#"(import "env" "foo" (func))"#;
    #[rustfmt::skip]
    let cases = vec![
        Case::new(("file", FAILS), "(module".into(), &[], ["is not valid text", "the text must be"]),
        Case::new(("exports", FAILS), "(module)".into(), &[], ["does not export `memory`", "export the worker"]),
        Case::new(("exports", FAILS), echo("", result, ""), &[], ["exports `finish` as `() -> (i32)`", "give the export the type"]),
        Case::new(("exports", FAILS), echo("", "", ""), &["--call", "other"], ["does not export `other`", "`--call`"]),
        Case::new(("imports", FAILS), echo(foreign, "", ""), &[], ["`env.foo`, which nothing provides", "no flag grants this"]),
        Case::new(("start", FAILS), echo("", start, ""), &[], ["unreachable", "let `init` answer with an error"]),
    ];
    cases
}

fn cases_of_starting() -> Vec<Case> {
    let passing =
        r#"(import "mtl:plugin/context@1.0.0" "argument-passing" (func $passing (result i32)))"#;
    let refuses_args = r#"(func (export "init") (param $ptr i32) (param $len i32) (result i64)
        (if (local.get $len) (then (return (i64.const 0x80000004))))
        (i64.const 0))"#;
    // With one parameter it does not start, and does not say why.
    let refuses_single = r#"(func (export "init") (param $ptr i32) (param $len i32) (result i64)
        (if (i32.eqz (call $passing)) (then (return (i64.const 0x80000004))))
        (i64.const 0))"#;
    #[rustfmt::skip]
    let cases = vec![
        Case::new(("argument-passing", FAILS), echo(passing, "", ""), &[], ["`--args args`, the item ``: the record ``", "is `bad-item`"]),
        Case::new(("argument-passing", FAILS), echo(passing, refuses_single, ""), &[], ["init failed: lock", "`--args kwargs`"]),
        Case::new(("start", FAILS), echo("", refuses_args, ""), &["--init", "x"], ["init failed: lock", "`--init TEXT`"]),
        Case::new(("other-init", FAILS), echo("", refuses_args, ""), &["--init-other", "x"], ["init failed: lock", "`--init TEXT`"]),
    ];
    cases
}

fn cases_of_answering() -> Vec<Case> {
    let result_format =
        r#"(import "mtl:plugin/context@1.0.0" "result-format" (func $format (param i32)))"#;
    let json = r#"(func (export "init") (param i32 i32) (result i64)
        (call $format (i32.const 1)) (i64.const 0))"#;
    let spins = if_first(b'h', "(loop $again (br $again))");
    let outside = if_first(b'h', "(return (i64.const 0xfffffff0_00000020))");
    let exhausted = if_length(
        "eq",
        4097,
        "(if (i32.eq (memory.grow (i32.const 0x8000)) (i32.const -1)) (then unreachable))",
    );
    let refuses = if_first(b'h', "(return (i64.const 0x4_80000001))");
    let says_nothing = if_first(b'h', "(return (i64.const 0xc0000000))");
    let refuses_all = "(return (i64.const 0x80000004))";
    #[rustfmt::skip]
    let cases = vec![
        Case::new(("items", FAILS), echo("", "", &if_first(b'h', "unreachable")), &[], ["the item `hello`: trap", "answer with an error"]),
        Case::new(("items", FAILS), echo("", "", &outside), &[], ["the item `hello`: bad-result", "address << 32"]),
        Case::new(("items", FAILS), echo("", "", &spins), &["--timeout", "200ms"], ["the item `hello`: timeout", "`--timeout TIME`"]),
        Case::new(("items", FAILS), echo("", "", &if_first(b'T', "unreachable")), &["--item", "one", "--item", "Two"], ["the item `Two`: trap", "answer with an error"]),
        Case::new(("items", WARNS), echo("", "", refuses_all), &[], ["0 with a record, 0 without one, 11 refused", "`--item TEXT`"]),
        Case::new(("empty-item", FAILS), echo("", "", &if_length("eq", 0, "unreachable")), &[], ["the item ``: trap", "answer with an error"]),
        Case::new(("every-byte", FAILS), echo("", "", &if_first(0xff, "unreachable")), &[], ["trap", "answer with an error"]),
        Case::new(("growing-items", FAILS), echo("", "", &exhausted), &[], ["(4097 bytes): out-of-memory", "let `mtl_alloc` grow"]),
        Case::new(("large-item", FAILS), echo("", "", &if_length("gt_u", 1_000_000, "unreachable")), &[], ["(10000000 bytes): trap", "answer with an error"]),
        Case::new(("large-item", WARNS), echo("", "", ""), &["--memory", "1MiB"], ["(10000000 bytes): out-of-memory", "let `mtl_alloc` grow"]),
        Case::new(("result-format", FAILS), echo(result_format, json, ""), &[], ["the record `hello`: expected value", "`result-format`"]),
        Case::new(("messages", FAILS), echo("", "", &refuses), &[], ["the item `hello`: refused: \u{fffd}", "in UTF-8"]),
        Case::new(("messages", WARNS), echo("", "", &says_nothing), &[], ["the item `hello`: bad-item: ", "what is wrong"]),
    ];
    cases
}

fn cases_of_comparing() -> Vec<Case> {
    let random = r#"(import "wasi_snapshot_preview1" "random_get"
        (func $random (param i32 i32) (result i32)))"#;
    let random_record = "(drop (call $random (i32.const 0) (i32.const 16)))
        (return (i64.const 16))";
    let random_report = r#"(func (export "finish") (result i64)
        (drop (call $random (i32.const 0) (i32.const 16))) (i64.const 16))"#;
    let forgets = format!(
        "{}(if (global.get $flag) (then (return (i64.const 0))))",
        if_first(b'h', "(global.set $flag (i32.const 1)) (return (i64.const 0x80000004))")
    );
    let remembers = "(if (i32.lt_u (local.get $len) (global.get $flag))
          (then (return (i64.const 0x10000_00000003)))
          (else (global.set $flag (local.get $len))))";
    let lock = r#"(import "wasi_snapshot_preview1" "path_create_directory"
            (func $mkdir (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_remove_directory"
            (func $rmdir (param i32 i32 i32) (result i32)))"#;
    let locks = r#"(func (export "_initialize")
            (global.set $flag (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4))))
        (func (export "finish") (result i64)
            (drop (call $rmdir (i32.const 3) (i32.const 0) (i32.const 4)))
            (i64.const 0x40000000))"#;
    let if_locked = "(if (global.get $flag) (then (return (i64.const 0))))";
    #[rustfmt::skip]
    let cases = vec![
        Case::new(("deterministic", FAILS), echo(random, "", random_record), &[], ["the item `hello`: the record", "`--skip deterministic`"]),
        Case::new(("deterministic", FAILS), echo(random, random_report, ""), &[], ["the closing report", "`--skip deterministic`"]),
        Case::new(("recover", FAILS), echo("", "", &forgets), &[], ["after `hello`: the record ``", "leave nothing behind"]),
        Case::new(("stable", FAILS), echo("", "", remembers), &[], ["after a larger one", "`--stateful`"]),
        Case::new(("state", FAILS), echo("", "", ""), &["--stateful"], ["four times: the record `hello`", "in a global or on the heap"]),
        Case::new(("instances", FAILS), echo(lock, locks, if_locked), &["--dir", ".::/here:rw"], ["alone, and beside another", "not in files"]),
    ];
    cases
}

fn cases_of_ending() -> Vec<Case> {
    let traps = r#"(func (export "finish") (result i64) unreachable)"#;
    let refuses = r#"(func (export "finish") (result i64) (i64.const 0x80000004))"#;
    let grows = "(global.set $flag (i32.add (global.get $flag) (i32.const 1)))
        (if (i32.eqz (i32.and (global.get $flag) (i32.const 15)))
          (then (drop (memory.grow (i32.const 1)))))";
    let init = r#"(func (export "init") (param i32 i32) (result i64) (i64.const 0))"#;
    let breaks = format!(r#"{init}(func (export "after_restore") unreachable)"#);
    let changes =
        format!(r#"{init}(func (export "after_restore") (global.set $flag (i32.const 1)))"#);
    let if_changed = "(if (global.get $flag) (then (return (i64.const 0))))";
    let random = r#"(import "wasi_snapshot_preview1" "random_get"
        (func $random (param i32 i32) (result i32)))"#;
    let draws = r#"(func (export "init") (param i32 i32) (result i64)
        (drop (call $random (i32.const 16) (i32.const 8))) (i64.const 0))"#;
    let index = r#"(import "mtl:plugin/context@1.0.0" "worker-index" (func $index (result i32)))"#;
    let asks = r#"(func (export "init") (param i32 i32) (result i64)
        (drop (call $index)) (i64.const 0))"#;
    #[rustfmt::skip]
    let cases = vec![
        Case::new(("finish", FAILS), echo("", traps, ""), &[], ["after no item: trap", "let `finish` answer"]),
        Case::new(("finish", WARNS), echo("", refuses, ""), &[], ["after no item: refused: lock", "has no closing report"]),
        Case::new(("memory", WARNS), echo("", "", grows), &[], ["bytes after", "free what an item has taken"]),
        Case::new(("snapshot", FAILS), echo("", &breaks, ""), &[], ["after_restore broke", "let `after_restore` make good"]),
        Case::new(("snapshot", FAILS), echo("", &changes, if_changed), &[], ["as usual, and from a snapshot", "let `after_restore` make good"]),
        Case::new(("snapshot", WARNS), echo(random, draws, ""), &[], ["draws random numbers", "`after_restore`"]),
        Case::new(("snapshot", WARNS), echo(index, asks, ""), &[], ["asks which worker it is", "`after_restore`"]),
    ];
    cases
}

#[test]
fn what_cannot_be_loaded_or_started_fails_in_that() {
    cases_of_loading().iter().chain(&cases_of_starting()).for_each(Case::check);
}

#[test]
fn what_breaks_on_items_fails_in_what_those_are() {
    cases_of_answering().iter().for_each(Case::check);
}

#[test]
fn what_is_not_the_same_again_fails_in_what_it_depends_on() {
    cases_of_comparing().iter().for_each(Case::check);
}

#[test]
fn what_ends_badly_fails_in_its_end() {
    cases_of_ending().iter().for_each(Case::check);
}

/// Answers items that come together with nothing.
const OTHER_BATCH: &str = r#"(func (export "call_batch") (param $batch i32) (result i32)
    (local $at i32)
    (loop $next
      (i32.store
        (i32.add
          (i32.add (local.get $batch) (i32.const 16))
          (i32.shl (local.get $at) (i32.const 2)))
        (i32.const 0))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (i32.store offset=4 (local.get $batch) (local.get $at))
      (br_if $next (i32.lt_u (local.get $at) (i32.load (local.get $batch)))))
    (i32.const 0))"#;

#[test]
fn what_answers_otherwise_in_a_batch_fails_in_that() {
    let traps = r#"(func (export "call_batch") (param i32) (result i32) unreachable)"#;
    if in_processes() {
        let finished = check().file("it.wat", echo("", traps, "")).args(["it.wat", "--json"]).run();
        let document = document(&finished);
        let reason = found(&document, "batch")["details"][0].as_str().unwrap();
        assert!(reason.starts_with("in a process, items cross one by one"), "{document:#}");
        return;
    }
    let hint = "writes the bytes, then `end`, then `done`";
    #[rustfmt::skip]
    let cases = [
        Case::new(("batch", FAILS), echo("", OTHER_BATCH, ""), &[], ["and then the record ``", hint]),
        Case::new(("batch", FAILS), echo("", traps, ""), &[], ["in a batch, the item", hint]),
    ];
    cases.iter().for_each(Case::check);
}

#[test]
fn state_that_is_seen_is_told() {
    let counts = "(global.set $flag (i32.add (global.get $flag) (i32.const 1)))
        (i32.store8 (i32.const 0) (i32.add (i32.const 0x30) (global.get $flag)))
        (return (i64.const 1))";
    let host =
        check().file("it.wat", echo("", "", counts)).args(["it.wat", "--json", "--stateful"]);
    let finished = host.run().code(0);
    let document = document(&finished);
    assert_eq!(
        found(&document, "state")["details"][0],
        "the item `hello`: the record `1`; the next time: the record `2`"
    );
    assert_eq!(found(&document, "stable")["status"], "skip");
}

#[test]
fn another_instance_may_answer_otherwise() {
    let keeps = r#"(func (export "init") (param $ptr i32) (param $len i32) (result i64)
        (global.set $flag (local.get $len)) (i64.const 0))"#;
    let answers = "(if (global.get $flag) (then (return (i64.const 4))))";
    let host = check().file("it.wat", echo("", keeps, answers)).args(["it.wat", "--json"]);
    let finished = host.args(["--init-other", "other"]).run().code(0);
    let document = document(&finished);
    assert_eq!(
        found(&document, "other-init")["details"][0],
        "the item `hello`: the record `hello`; and then the record `lock`"
    );
    assert_eq!(found(&document, "instances")["status"], "pass");
}

#[test]
fn what_there_is_to_see_is_shown_line_by_line() {
    let traps = echo("", "", &if_length("eq", 0, "unreachable"));
    check()
        .file("it.wat", &traps)
        .args(["it.wat", "--skip", "memory"])
        .run()
        .code(6)
        .stderr("")
        .stdout(format!(
            "plugin it.wat\n\
             pass  file              it is WebAssembly that this host compiles\n      \
                   a core module of {} bytes\n\
             pass  exports           it exports what a plugin has, of the right types\n\
             pass  imports           it imports only what there is\n\
             pass  start             an instance starts\n\
             skip  argument-passing  it takes items as they are: it does not ask how they are passed\n\
             pass  items             items are answered\n      \
                   11 with a record, 0 without one, 0 refused\n\
             FAIL  empty-item        an empty item is answered\n      \
                   the item ``: trap: wasm `unreachable` instruction executed\n      \
                   hint: let `call` answer with an error (`bad-item` or `refused`), and not stop: what \
                   stops loses its state\n\
             pass  every-byte        items of all bytes are answered, text or not\n\
             pass  growing-items     items of all sizes are answered, up to 256 KiB\n\
             pass  large-item        an item of 10 MB is answered\n      \
                   the record `hellohellohellohellohellohellohellohello…` (10000000 bytes)\n\
             pass  result-format     results are what it says they are\n      \
                   text\n\
             skip  messages          it refuses none of the items: name one that it should refuse, by \
             `--item TEXT`\n\
             pass  deterministic     two instances give the same answers to the same items\n\
             skip  recover           it refuses none of the items: name one that it should refuse, by \
             `--item TEXT`\n\
             pass  stable            an item gets the same answer after larger and smaller ones\n\
             skip  state             nothing of earlier items is to be seen; `--stateful` says that it \
             should be\n\
             skip  other-init        say with what, by `--init-other`\n\
             pass  instances         two instances at a time know nothing of each other\n\
             skip  batch             `empty-item` has not passed\n\
             skip  finish            it does not export `finish`\n\
             skip  memory            as `--skip` says\n\
             skip  snapshot          it has no `init`\n\
             12 passed, 1 failed, 0 warnings, 9 skipped\n",
            traps.len()
        ));
}

#[test]
fn programs_get_the_same_as_json() {
    let finished = check().file("it.wat", "(module)").args(["it.wat", "--json"]).run().code(6);
    let document = document(&finished);
    let isolation = if in_processes() { "process" } else { "thread" };
    let counts = json!({ "pass": 1, "fail": 1, "warn": 0, "skip": 20 });
    assert_eq!(document["checks"].as_array().unwrap().len(), 22);
    let expected = json!({
        "schema": 1,
        "plugin": "it.wat",
        "isolation": isolation,
        "passed": false,
        "counts": counts,
        "checks": document["checks"],
    });
    assert_eq!(document, expected);
    assert_eq!(
        document["checks"].as_array().unwrap()[..3],
        [
            json!({
                "name": "file",
                "what": "it is WebAssembly that this host compiles",
                "status": "pass",
                "details": [],
                "hint": null,
            }),
            json!({
                "name": "exports",
                "what": "it exports what a plugin has, of the right types",
                "status": "fail",
                "details": ["plugin `it.wat` does not export `memory`; it exports nothing"],
                "hint": "export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`",
            }),
            json!({
                "name": "imports",
                "what": "it imports only what there is",
                "status": "skip",
                "details": ["`exports` has not passed"],
                "hint": null,
            }),
        ]
    );
    // What all others lack is the first thing that is missing.
    let skipped = document["checks"].as_array().unwrap()[2..].iter();
    skipped.for_each(|check| assert_eq!(check["details"], json!(["`exports` has not passed"])));
}

#[test]
fn items_are_those_that_are_named() {
    let plugin = echo("", "", "");
    let host = || check().file("it.wat", &plugin).args(["it.wat", "--json", "--skip", "memory"]);
    let seen = |host: Host| {
        let finished = host.run().code(0).stderr("");
        found(&document(&finished), "items")["details"][0].clone()
    };
    let one = seen(host().args(["--item", "a", "--item=-b"]));
    assert_eq!(one, "2 with a record, 0 without one, 0 refused");
    let some = seen(host().file("lines", "a\n\nb\n").args(["--items", "lines", "--item", "c"]));
    assert_eq!(some, "4 with a record, 0 without one, 0 refused");
}

#[test]
fn what_is_no_plugin_at_all_is_an_error_alone() {
    check().args(["missing.wasm"]).run().code(3).stdout("").stderr(
        "error: cannot read plugin `missing.wasm`: No such file or directory (os error 2)\n",
    );
    let plugin = echo("", "", "");
    let host = || check().file("it.wat", &plugin).args(["it.wat"]);
    host()
        .args(["--items", "missing"])
        .run()
        .code(4)
        .stdout("")
        .stderr("error: cannot read the items `missing`: No such file or directory (os error 2)\n");
    host().args(["--init", "x"]).run().code(2).stdout("").stderr(
        "error: plugin `it.wat` takes no init arguments: it does not export `init`\n \
         hint: leave out `--init`, or `init=` in its `--worker`\n",
    );
    let finished = host().args(["--args", "args"]).run().code(3).stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.starts_with("error: plugin `it.wat` takes items as they are, not by `args`\n"));
    let finished = host().args(["--skip", "nothing"]).run().code(2).stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.contains("invalid value 'nothing' for '--skip <CHECK>'"), "{stderr}");
    assert!(stderr.contains("growing-items"), "it says what there is: {stderr}");
}

#[test]
fn control_characters_of_a_plugin_do_not_reach_the_terminal() {
    let refuses = r#"(data (i32.const 8) "\1b[2J\c2\9b31m\e2\80\ae")"#;
    let plugin = echo("", refuses, "(return (i64.const 0x8_8000000c))");
    for args in [&[][..], &["--json"]] {
        let finished = check().file("it.wat", &plugin).args(["it.wat"]).args(args.iter().copied());
        let shown = String::from_utf8(finished.run().code(0).stdout_bytes().to_vec()).unwrap();
        assert!(shown.contains("[2J"), "{shown}");
        let raw = |sign: char| sign.is_control() && sign != '\n' || sign == '\u{202e}';
        assert!(!shown.contains(raw), "{shown}");
    }
}

#[test]
fn a_component_is_checked_as_one() {
    let finished = check()
        .plugin("component.wat")
        .args(["--json", "--item", "hello", "--skip", "growing-items"])
        .run();
    let document = document(&finished);
    assert_eq!(ended(&document, "fail"), [""; 0], "{document:#}");
    let why = &found(&document, "snapshot")["details"][0];
    assert_eq!(why, "it is a component, and only core modules can be frozen");
}

/// Checks an example plugin, if it has been built.
fn passes(name: &str, args: &[&str]) {
    let path = examples::folder().join(format!("{name}.wasm"));
    if !path.is_file() {
        return examples::skip(&path);
    }
    let finished = check().args([&path]).args(["--json"]).args(args.iter().copied()).run();
    let document = document(&finished);
    assert_eq!(ended(&document, "fail"), [""; 0], "{document:#}");
    finished.code(0);
}

#[test]
fn each_example_plugin_passes() {
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 5] = [
        ("echo",       &["--item", "some bytes"]),
        ("greet",      &["--init", "Hello", "--init-other", "Bonjour"]),
        ("power",      &[]),
        ("square",     &["--item", "12", "--item", "twelve"]),
        ("word_count", &["--stateful"]),
    ];
    cases.into_iter().for_each(|(name, args)| passes(name, args));
}

#[test]
fn example_plugins_pass_as_components() {
    for name in ["echo", "square", "word_count"] {
        passes(&format!("component/{name}"), &["--skip", "memory"]);
    }
}

#[test]
fn an_example_plugin_that_needs_a_file_passes() {
    let model = examples::checkout().join("examples-plugins/rust/tokenize");
    let dir = format!("{}::/model", model.display());
    let given = ["--init", "/model/tokenizer.json", "--dir", &dir, "--item", "a text"];
    // What takes very long without optimisation.
    let skips = ["--skip", "large-item", "--skip", "memory", "--skip", "snapshot"];
    passes("tokenize", &[&given[..], &skips].concat());
}
