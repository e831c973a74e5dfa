//! Lists defective plugins, each with the check that must find the defect.

use super::{check, document, found, names_with};
use crate::support::in_processes;

/// Returns a plugin that echoes its items. The code `before` runs at the beginning of `call`.
/// `import` and `fields` are further fields of the module.
pub(super) fn echo(import: &str, fields: &str, before: &str) -> String {
    format!(
        r#"(module
  {import}
  (memory (export "memory") 1)
  (global $flag (mut i32) (i32.const 0))
  (data (i32.const 0) "lock\ff")

  ;; The buffer is all memory from the second page on.
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

  {fields}

  (func (export "call") (param $ptr i32) (param $len i32) (result i64)
    {before}
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
      (i64.extend_i32_u (local.get $len)))))"#
    )
}

/// Returns code that runs `then` if the item begins with this byte.
fn if_first(byte: u8, then: &str) -> String {
    format!(
        "(if (i32.ne (local.get $len) (i32.const 0))
           (then (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const {byte})) (then {then}))))"
    )
}

/// Returns code that runs `then` if the item's length satisfies the comparison `is`.
pub(super) fn if_length(is: &str, length: u32, then: &str) -> String {
    format!("(if (i32.{is} (local.get $len) (i32.const {length})) (then {then}))")
}

/// A plugin with one defect.
struct Case {
    /// The name of the failing check with its status.
    expected: (&'static str, &'static str),
    plugin: String,
    args: &'static [&'static str],
    /// Texts that the detail and the hint must contain.
    contains: [&'static str; 2],
}

impl Case {
    fn new(
        expected: (&'static str, &'static str),
        plugin: String,
        args: &'static [&'static str],
        contains: [&'static str; 2],
    ) -> Self {
        Self { expected, plugin, args, contains }
    }

    fn check(&self) {
        let (name, status) = self.expected;
        let host =
            check().subfolder("here").file("it.wat", &self.plugin).args(["it.wat", "--json"]);
        // The check `memory` runs thousands of items per case.
        let skips: &[_] = if name == "memory" { &[] } else { &["--skip", "memory"] };
        let host = host.args(skips.iter().copied());
        let finished = host.args(self.args.iter().copied()).run().stderr("");
        let document = document(&finished);
        let others = if status == "fail" { "warn" } else { "fail" };
        assert_eq!(names_with(&document, status), [name], "{document:#}");
        assert_eq!(names_with(&document, others), [""; 0], "{name}: {document:#}");
        let check = found(&document, name);
        let details = check["details"].as_array().unwrap();
        let contains =
            details.iter().any(|detail| detail.as_str().unwrap().contains(self.contains[0]));
        assert!(contains, "{check:#}");
        assert!(check["hint"].as_str().unwrap().contains(self.contains[1]), "{check:#}");
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
        Case::new(("file", FAILS), "(module".into(), &[], ["is not valid text", "the text must contain"]),
        Case::new(("exports", FAILS), "(module)".into(), &[], ["does not export `memory`", "export the worker"]),
        Case::new(("exports", FAILS), echo("", result, ""), &[], ["exports `finish` as `() -> (i32)`", "give the export its type"]),
        Case::new(("exports", FAILS), echo("", "", ""), &["--call", "other"], ["does not export `other`", "`--call`"]),
        Case::new(("imports", FAILS), echo(foreign, "", ""), &[], ["`env.foo`, which nothing provides", "no flag grants this"]),
        Case::new(("start", FAILS), echo("", start, ""), &[], ["unreachable", "let `init` return an error"]),
    ];
    cases
}

fn cases_of_starting() -> Vec<Case> {
    let passing =
        r#"(import "mtl:plugin/context@1.0.0" "argument-passing" (func $passing (result i32)))"#;
    let refuses_args = r#"(func (export "init") (param $ptr i32) (param $len i32) (result i64)
        (if (local.get $len) (then (return (i64.const 0x80000004))))
        (i64.const 0))"#;
    // With single arguments this plugin refuses to start, and gives no reason.
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
        Case::new(("items", FAILS), echo("", "", &if_first(b'h', "unreachable")), &[], ["the item `hello`: trap", "return an error"]),
        Case::new(("items", FAILS), echo("", "", &outside), &[], ["the item `hello`: bad-result", "address << 32"]),
        Case::new(("items", FAILS), echo("", "", &spins), &["--timeout", "200ms"], ["the item `hello`: timeout", "`--timeout TIME`"]),
        Case::new(("items", FAILS), echo("", "", &if_first(b'T', "unreachable")), &["--item", "one", "--item", "Two"], ["the item `Two`: trap", "return an error"]),
        Case::new(("items", WARNS), echo("", "", refuses_all), &[], ["0 with a record, 0 without one, 11 refused", "`--item TEXT`"]),
        Case::new(("empty-item", FAILS), echo("", "", &if_length("eq", 0, "unreachable")), &[], ["the item ``: trap", "return an error"]),
        Case::new(("every-byte", FAILS), echo("", "", &if_first(0xff, "unreachable")), &[], ["trap", "return an error"]),
        Case::new(("growing-items", FAILS), echo("", "", &exhausted), &[], ["(4097 bytes): out-of-memory", "let the memory grow"]),
        Case::new(("large-item", FAILS), echo("", "", &if_length("gt_u", 1_000_000, "unreachable")), &[], ["(10000000 bytes): trap", "return an error"]),
        Case::new(("large-item", WARNS), echo("", "", ""), &["--memory", "1MiB"], ["(10000000 bytes): out-of-memory", "let the memory grow"]),
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
        Case::new(("deterministic", FAILS), echo(random, random_report, ""), &[], ["the finish report", "`--skip deterministic`"]),
        Case::new(("recover", FAILS), echo("", "", &forgets), &[], ["after `hello`: the record ``", "leave nothing behind"]),
        Case::new(("stable", FAILS), echo("", "", remembers), &[], ["after a larger one", "`--stateful`"]),
        Case::new(("state", FAILS), echo("", "", ""), &["--stateful"], ["four times: the record `hello`", "in a global or on the heap"]),
        Case::new(("instances", FAILS), echo(lock, locks, if_locked), &["--dir", "here::/here:rw"], ["alone, and with another instance", "not in files"]),
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
        Case::new(("finish", FAILS), echo("", traps, ""), &[], ["after no item: trap", "let `finish` return"]),
        Case::new(("finish", WARNS), echo("", refuses, ""), &[], ["after no item: refused: lock", "has no finish report"]),
        Case::new(("memory", WARNS), echo("", "", grows), &[], ["bytes after", "free the memory that an item took"]),
        Case::new(("snapshot", FAILS), echo("", &breaks, ""), &[], ["after_restore failed", "let `after_restore` renew only"]),
        Case::new(("snapshot", FAILS), echo("", &changes, if_changed), &[], ["as usual, and from a snapshot", "let `after_restore` renew only"]),
        Case::new(("snapshot", WARNS), echo(random, draws, ""), &[], ["draws random numbers", "`after_restore`"]),
        Case::new(("snapshot", WARNS), echo(index, asks, ""), &[], ["asks which worker it is", "`after_restore`"]),
    ];
    cases
}

#[test]
fn load_and_start_failures_fail_their_checks() {
    cases_of_loading().iter().chain(&cases_of_starting()).for_each(Case::check);
}

#[test]
fn failing_items_fail_their_checks() {
    cases_of_answering().iter().for_each(Case::check);
}

#[test]
fn varying_results_fail_the_comparison_checks() {
    cases_of_comparing().iter().for_each(Case::check);
}

#[test]
fn a_failing_end_fails_its_check() {
    cases_of_ending().iter().for_each(Case::check);
}

/// A batch export that answers every item with an empty record.
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
fn differing_batch_answers_fail_the_batch_check() {
    let traps = r#"(func (export "call_batch") (param i32) (result i32) unreachable)"#;
    if in_processes() {
        let finished = check().file("it.wat", echo("", traps, "")).args(["it.wat", "--json"]).run();
        let document = document(&finished);
        let reason = found(&document, "batch")["details"][0].as_str().unwrap();
        assert!(reason.starts_with("in a process, items cross one by one"), "{document:#}");
        return;
    }
    let hint = "`call_batch` writes the bytes, then `end`, then `done`";
    #[rustfmt::skip]
    let cases = [
        Case::new(("batch", FAILS), echo("", OTHER_BATCH, ""), &[], ["and then the record ``", hint]),
        Case::new(("batch", FAILS), echo("", traps, ""), &[], ["in a batch, the item", hint]),
    ];
    cases.iter().for_each(Case::check);
}
