//! Checks `mtl-host check`: a correct plugin passes. An incorrect plugin fails only in the check
//! that covers its defect.

mod cases;

use serde_json::{Value, json};

use self::cases::{echo, if_length};
use crate::examples;
use crate::support::{Finished, Host, command, in_processes};

fn check() -> Host {
    let isolation: &[_] = if in_processes() { &["--isolation", "process"] } else { &[] };
    command().args(["check", "--no-cache"]).args(isolation.iter().copied())
}

fn document(finished: &Finished) -> Value {
    serde_json::from_slice(finished.stdout_bytes()).unwrap()
}

/// Returns the names of the checks with this status.
fn names_with<'a>(document: &'a Value, status: &str) -> Vec<&'a str> {
    let checks = document["checks"].as_array().unwrap().iter();
    let names_with = checks.filter(|check| check["status"] == status);
    names_with.map(|check| check["name"].as_str().unwrap()).collect()
}

/// Returns one check of a document.
fn found<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[test]
fn observed_state_is_reported() {
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
fn other_init_arguments_may_change_the_answers() {
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
fn each_check_is_shown_on_its_own_line() {
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
             pass  exports           it exports what a plugin needs, with the right types\n\
             pass  imports           it imports only what the host offers\n\
             pass  start             an instance starts\n\
             skip  argument-passing  each item is a single argument: the plugin does not ask how items are passed\n\
             pass  items             items are answered\n      \
                   11 with a record, 0 without one, 0 refused\n\
             FAIL  empty-item        an empty item is answered\n      \
                   the item ``: trap: wasm `unreachable` instruction executed\n      \
                   hint: let `call` return an error (`bad-item` or `refused`) instead of a trap: \
                   after a trap, the state is lost\n\
             pass  every-byte        items of all bytes are answered, text or not\n\
             pass  growing-items     items of all sizes are answered, up to 256 KiB\n\
             pass  large-item        an item of 10 MB is answered\n      \
                   the record `hellohellohellohellohellohellohellohello…` (10000000 bytes)\n\
             pass  result-format     results have the format that it declares\n      \
                   text\n\
             skip  messages          it refuses none of the items: pass an item that it should \
             refuse, with `--item TEXT`\n\
             pass  deterministic     two instances give the same answers to the same items\n\
             skip  recover           it refuses none of the items: pass an item that it should \
             refuse, with `--item TEXT`\n\
             pass  stable            an item gets the same answer after larger and smaller ones\n\
             skip  state             no answer depends on earlier items; if answers should, use \
             `--stateful`\n\
             skip  other-init        give other arguments, with `--init-other`\n\
             pass  instances         two instances at the same time do not affect each other\n\
             skip  batch             `empty-item` has not passed\n\
             skip  finish            it does not export `finish`\n\
             skip  memory            left out by `--skip`\n\
             skip  snapshot          it has no `init`\n\
             12 passed, 1 failed, 0 warnings, 9 skipped\n",
            traps.len()
        ));
}

#[test]
fn json_output_has_the_same_findings() {
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
                "what": "it exports what a plugin needs, with the right types",
                "status": "fail",
                "details": ["plugin `it.wat` does not export `memory`; it exports nothing"],
                "hint": "export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`",
            }),
            json!({
                "name": "imports",
                "what": "it imports only what the host offers",
                "status": "skip",
                "details": ["`exports` has not passed"],
                "hint": null,
            }),
        ]
    );
    // The skipped checks name the first failed check that they depend on.
    let skipped = document["checks"].as_array().unwrap()[2..].iter();
    skipped.for_each(|check| assert_eq!(check["details"], json!(["`exports` has not passed"])));
}

#[test]
fn check_uses_the_named_items() {
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
fn unusable_arguments_give_an_error_without_a_report() {
    check().args(["missing.wasm"]).run().code(3).stdout("").stderr(
        "error: cannot read plugin `missing.wasm`: No such file or directory (os error 2)\n \
         hint: a plugin is a .wasm or .wat file; `mtl-host build DIR` builds one from a folder of sources\n",
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
    assert!(stderr.starts_with("error: plugin `it.wat` takes each item whole, not by `args`\n"));
    let finished = host().args(["--skip", "nothing"]).run().code(2).stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.contains("invalid value 'nothing' for '--skip <CHECK>'"), "{stderr}");
    assert!(stderr.contains("growing-items"), "the error lists the checks: {stderr}");
}

#[test]
fn control_characters_of_a_plugin_do_not_reach_the_terminal() {
    let refuses = r#"(data (i32.const 8) "\1b[2J\c2\9b31m\e2\80\ae")"#;
    let plugin = echo("", refuses, "(return (i64.const 0x8_8000000c))");
    for args in [&[][..], &["--json"]] {
        let finished = check().file("it.wat", &plugin).args(["it.wat"]).args(args.iter().copied());
        let shown = String::from_utf8(finished.run().code(0).stdout_bytes().to_vec()).unwrap();
        assert!(shown.contains("[2J"), "{shown}");
        let raw = |character: char| {
            character.is_control() && character != '\n' || character == '\u{202e}'
        };
        assert!(!shown.contains(raw), "{shown}");
    }
}

#[test]
fn a_component_is_checked_as_a_component() {
    let finished = check()
        .plugin("component.wat")
        .args(["--json", "--item", "hello", "--skip", "growing-items"])
        .run();
    let document = document(&finished);
    assert_eq!(names_with(&document, "fail"), [""; 0], "{document:#}");
    let why = &found(&document, "snapshot")["details"][0];
    assert_eq!(why, "it is a component, and only core modules can be frozen");
}

#[test]
fn a_typed_function_is_checked_with_values() {
    let host = check().plugin("other-world.wat").args(["--call", "add", "--json"]);
    let finished = host.run().code(0);
    let document = document(&finished);
    assert_eq!(names_with(&document, "fail"), [""; 0], "{document:#}");
    let why = "items are JSON, which the host parses and passes on as values";
    for name in ["empty-item", "every-byte", "growing-items", "argument-passing"] {
        assert_eq!(found(&document, name)["details"], json!([why]), "{name}");
    }
    for name in ["start", "items", "deterministic", "instances"] {
        assert_eq!(found(&document, name)["status"], "pass", "{document:#}");
    }
}

/// Checks an example plugin if it has been built.
fn passes(name: &str, args: &[&str]) {
    let path = examples::folder().join(format!("{name}.wasm"));
    if !path.is_file() {
        return examples::skip(&path);
    }
    let finished = check().args([&path]).args(["--json"]).args(args.iter().copied()).run();
    let document = document(&finished);
    assert_eq!(names_with(&document, "fail"), [""; 0], "{document:#}");
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
    // These checks take very long without optimisation.
    let skips = ["--skip", "large-item", "--skip", "memory", "--skip", "snapshot"];
    passes("tokenize", &[&given[..], &skips].concat());
}
