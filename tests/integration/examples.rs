//! Tests the example plugins in Rust: each plugin as a core module, and as the component that was
//! converted from this module.
//!
//! The variable `MTL_EXAMPLE_PLUGINS` names the directory of the plugins (default: the output
//! directory of `examples-plugins/build`). If a plugin has not been built, its tests are skipped
//! with a message. Under `CI`, these tests fail.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use crate::support::{Host, host, lines};

pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Returns the directory of the example plugins, which may not exist yet.
pub(crate) fn folder() -> PathBuf {
    match env::var_os("MTL_EXAMPLE_PLUGINS") {
        Some(folder) => folder.into(),
        None => checkout().join("examples-plugins/target/wasm32-wasip1/release"),
    }
}

/// Runs `test` with each form of a plugin.
fn each_form(name: &str, test: impl Fn(Host)) {
    as_core_module(name, &test);
    form(&Path::new("component").join(name), &test);
}

/// Runs `test` with the core module of a plugin.
fn as_core_module(name: &str, test: impl Fn(Host)) {
    form(Path::new(name), test);
}

fn form(name: &Path, test: impl Fn(Host)) {
    let path = folder().join(name);
    if path.is_file() {
        test(host().args([path]));
    } else {
        skip(&path);
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
pub(crate) fn skip(path: &Path) {
    assert!(env::var_os("CI").is_none(), "`{}` has not been built", path.display());
    eprintln!("skipped: `{}` has not been built", path.display());
}

#[test]
fn square_squares_numbers_and_rejects_other_items() {
    each_form("square.wasm", |host| {
        host.args(["--jobs", "2"])
            .stdin("12\n-1.5\ntwelve\n18446744073709551616\n3\n")
            .run()
            .code(1)
            .stdout("144\n2.25\n\n\n9\n")
            .stderr(
                "fault: item 2: bad-item: not a number: `twelve`\n\
                 fault: item 3: refused: the square has more than 128 bits\n",
            );
    });
}

#[test]
fn an_sdk_plugin_starts_from_a_snapshot() {
    as_core_module("square.wasm", |host| {
        host.args(["--jobs", "3", "--snapshot"])
            .stdin("12\n-1.5\ntwelve\n3\n")
            .run()
            .code(1)
            .stdout("144\n2.25\n\n9\n")
            .stderr("fault: item 2: bad-item: not a number: `twelve`\n");
    });
}

#[test]
fn square_answers_each_line_immediately() {
    each_form("square.wasm", |host| {
        let mut running = host.stdin_open().start();
        running.send("1\n");
        running.wait_for_stdout("1\n");
        running.send("2\n");
        running.wait_for_stdout("1\n4\n");
        running.finish().code(0).stdout("1\n4\n");
    });
}

#[test]
fn echo_gives_every_item_back() {
    let items = lines((0..10_000).map(|item| format!("item {item}")));
    each_form("echo.wasm", |host| {
        host.args(["--jobs", "2"]).stdin(items.clone()).run().code(0).stderr("").stdout(&items);
    });
}

#[test]
fn word_count_totals_match_the_input() {
    const ITEMS: u64 = 3000;
    each_form("word_count.wasm", |host| {
        let finished = host
            .args(["--jobs", "3", "--output-format", "jsonl"])
            .stdin("three small words\n".repeat(usize::try_from(ITEMS).unwrap()))
            .run()
            .code(0)
            .stdout(lines((0..ITEMS).map(|item| format!("{{\"index\":{item},\"ok\":3}}"))));
        let stderr = finished.stderr_text();
        let mut totals = [0; 3];
        for (worker, line) in stderr.lines().enumerate() {
            let report = line.strip_prefix(&format!("[worker {worker}] finish: ")).unwrap();
            let report: Value = serde_json::from_str(report).unwrap();
            assert_eq!(report["worker"], worker, "{stderr}");
            for (total, name) in totals.iter_mut().zip(["items", "words", "bytes"]) {
                *total += report[name].as_u64().unwrap();
            }
        }
        assert_eq!(stderr.lines().count(), 3, "{stderr}");
        assert_eq!(totals, [ITEMS, ITEMS * 3, ITEMS * 17], "{stderr}");
    });
}

#[test]
fn tokenize_returns_tokens_and_ids_of_its_vocabulary() {
    let model = checkout().join("examples-plugins/rust/tokenize");
    let file = std::fs::read(model.join("tokenizer.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let vocabulary = &file["model"]["vocab"];
    let texts = ["a worker keeps its state", "", "fn main() { println!(\"hello\"); }"];
    each_form("tokenize.wasm", |host| {
        let finished = host
            .args(["--jobs", "2", "--init", "/model/tokenizer.json", "--dir"])
            .args([format!("{}::/model", model.display())])
            .args(["--output-format", "jsonl"])
            .stdin(lines(texts))
            .run()
            .code(0)
            .stderr("");
        let results = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
        for (text, result) in texts.iter().zip(results.lines()) {
            let result: Value = serde_json::from_str(result).unwrap();
            let tokens = result["ok"]["tokens"].as_array().unwrap();
            let ids: Vec<_> =
                tokens.iter().map(|token| vocabulary[token.as_str().unwrap()].clone()).collect();
            assert_eq!(result["ok"]["ids"], Value::Array(ids), "{text}");
            // A byte-level vocabulary represents a space by `Ġ`.
            let words: String = tokens.iter().map(|token| token.as_str().unwrap()).collect();
            assert_eq!(words.replace('Ġ', " "), *text);
        }
        assert_eq!(results.lines().count(), texts.len());
    });
}

#[test]
fn tokenize_without_its_directory_does_not_start() {
    as_core_module("tokenize.wasm", |host| {
        let stderr = host
            .args(["--jobs", "1", "--init", "/model/tokenizer.json"])
            .stdin("a\n")
            .run()
            .code(3)
            .stdout("")
            .stderr_text();
        let begins = "error: worker 0 could not be started: init failed: cannot read \
                      `/model/tokenizer.json`: ";
        assert!(stderr.starts_with(begins), "{stderr}");
    });
}

/// Checks the result of `power` for each item, and the messages of its faults.
fn power(passing: &str, cases: &[(&str, &str, &str)]) {
    let rows = |column: fn(&(&str, &str, &str)) -> String| lines(cases.iter().map(column));
    let faults = cases.iter().enumerate().filter(|(_, (_, _, fault))| !fault.is_empty());
    let faults = lines(faults.map(|(item, (_, _, fault))| format!("fault: item {item}: {fault}")));
    each_form("power.wasm", |host| {
        host.args(["--jobs", "2", "--args", passing])
            .stdin(rows(|(item, _, _)| (*item).to_owned()))
            .run()
            .code(1)
            .stdout(rows(|(_, result, _)| (*result).to_owned()))
            .stderr(&faults);
    });
}

#[test]
fn power_takes_its_parameters_from_an_array() {
    #[rustfmt::skip]
    power("args", &[
        // item            result   fault
        ("[2, 10]",        "1024",  ""),
        ("[-3, 3, 10]",    "3",     ""),
        ("[2]",            "",      "bad-item: parameter `exponent` is missing"),
        ("[10, 19]",       "",      "refused: the power has more than 64 bits"),
        ("[-3, 3, null]",  "-27",   ""),
    ]);
}

#[test]
fn power_takes_its_parameters_from_an_object() {
    #[rustfmt::skip]
    power("kwargs", &[
        // item                            result   fault
        (r#"{"exponent": 10, "base": 2}"#, "1024",  ""),
        (r#"{"base": 2, "power": 1}"#,     "",      "bad-item: unknown parameter `power`; the parameters are `base`, `exponent` and `modulus`"),
        (r#"{"base": 2}"#,                 "",      "bad-item: parameter `exponent` is missing"),
        (r#"{"modulus": 100, "base": 2, "exponent": 10}"#, "24", ""),
    ]);
}

#[test]
fn power_refuses_single_items_and_names_the_args_flag() {
    for args in [&[][..], &["--args", "single"]] {
        each_form("power.wasm", |host| {
            let host = host.args(["--jobs", "1"]).args(args.iter().copied()).stdin("2\n");
            let stderr = host.run().code(3).stdout("").stderr_text();
            let begins = "error: worker 0 could not be started: init failed: ";
            assert!(stderr.starts_with(begins) && stderr.contains("`--args args`"), "{stderr}");
        });
    }
}

#[test]
fn the_readme_shows_a_plugin_that_runs() {
    let readme = fs::read_to_string(checkout().join("plugin-sdk/README.md")).unwrap();
    let source = checkout().join("examples-plugins/rust/greet/src/lib.rs");
    let source = fs::read_to_string(source).unwrap();
    let code = source.split("\n#[cfg(test)]").next().unwrap();
    let code = &code[code.find("use mtl_plugin").unwrap()..];
    assert!(readme.contains(code), "plugin-sdk/README.md has another plugin:\n{code}");
    assert!(readme.contains("\nHello, Ada!\nHello, Grace!\n"));
    each_form("greet.wasm", |host| {
        host.args(["--init", "Hello"])
            .stdin("Ada\nGrace\n")
            .run()
            .code(0)
            .stdout("Hello, Ada!\nHello, Grace!\n");
    });
}
