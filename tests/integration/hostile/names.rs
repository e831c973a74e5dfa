//! Checks names with control characters: none reaches a terminal unescaped.

use super::good_run::good_run;
use super::{ISOLATIONS, check_no_control_characters, isolated};
use crate::support::{command, host};

/// Characters that would clear a screen, hide a line, and reverse the text.
const ILL: &str = r"\1b[2J\0d\c2\9b31m\7f\e2\80\ae";
/// A harmless part of these characters, which must be shown.
const SHOWN: &str = "[2J";

#[test]
fn function_names_are_shown_without_control_characters() {
    let run = good_run("hostile/names.wat");
    for finished in run.fault("!", "trap", "wasm `unreachable` instruction executed, in `").run() {
        let stderr = finished.stderr_text();
        assert!(stderr.contains(r"`\u{1b}[31mmis\r\ndeed\u{9b}2J\u{7f}\u{202e}`"), "{stderr}");
    }
}

#[test]
fn load_errors_are_shown_without_control_characters() {
    let begin = "(module (memory (export \"memory\") 1)";
    let alloc = "(func (export \"mtl_alloc\") (param i32) (result i32) (i32.const 8))";
    let call = "(func (export \"call\") (param i32 i32) (result i64) (i64.const 0))";
    #[rustfmt::skip]
    let cases = [
        ("an import",        format!("(module (import \"{ILL}\" \"{ILL}\" (func)) (memory (export \"memory\") 1) {alloc} {call})")),
        ("an import of ours", format!("(module (import \"mtl:plugin/context@1.0.0\" \"{ILL}\" (func)) (memory (export \"memory\") 1) {alloc} {call})")),
        ("exports",          format!("{begin} (func (export \"{ILL}\")))")),
        ("twice",            format!("{begin} (func (export \"{ILL}\")) (func (export \"{ILL}\")))")),
        ("its start",        format!("{begin} {alloc} {call} (func $start (@name \"{ILL}\") (unreachable)) (start $start))")),
        ("its init",         format!("{begin} {alloc} {call} (data (i32.const 64) \"{ILL}\")
                                      (func (export \"init\") (param i32 i32) (result i64) (i64.const 0x40_8000000c)))")),
        ("not text",         "(module \u{1b}[2J\r\u{9b}31m\u{7f}\u{202e})".to_owned()),
    ];
    for (case, module) in cases {
        for isolation in ISOLATIONS {
            let host = isolated(host(), isolation).file("it.wat", &module).plugin("it.wat");
            let stderr = host.args(["--jobs", "1"]).stdin("x\n").run().code(3).stderr_text();
            assert!(stderr.contains(SHOWN), "{case}: {stderr}");
            check_no_control_characters(&stderr);
        }
        let seen = command().args(["inspect"]).file("it.wat", &module).plugin("it.wat").run();
        check_no_control_characters(std::str::from_utf8(seen.stdout_bytes()).unwrap());
        check_no_control_characters(&seen.stderr_text());
    }
}

#[test]
fn inspect_shows_names_without_control_characters() {
    for args in [&[][..], &["--json"]] {
        let seen =
            command().args(["inspect"]).plugin("hostile/names.wat").args(args.iter().copied());
        let seen = seen.run().code(0).stderr("");
        let shown = String::from_utf8(seen.stdout_bytes().to_vec()).unwrap();
        assert!(shown.contains("[31mfunction") && shown.contains("[31mglobal"), "{shown}");
        check_no_control_characters(&shown);
    }
}
