//! Checks plugins that are pinned by a digest, or called by another name.

use std::fs;

use mtl_host::load::{LoadErrorKind, Sha256};
use mtl_host::{Engine, Plugin};

use crate::support::{fixtures, host};

fn digest_of(fixture: &str) -> String {
    Sha256::digest(&fs::read(fixtures().join(fixture)).unwrap()).to_string()
}

#[test]
fn a_pinned_plugin_runs_if_its_digest_matches() {
    for digest in [digest_of("upper.wat"), digest_of("upper.wat").to_uppercase()] {
        let run = host().plugin("upper.wat").args(["--sha256", &digest]).stdin("a\n").run();
        run.code(0).stdout("A\n").stderr("");
    }
}

#[test]
fn a_file_with_another_digest_is_not_parsed() {
    let (pinned, found) = (digest_of("upper.wat"), Sha256::digest(b"(module").to_string());
    let run = host().file("it.wat", "(module").plugin("it.wat").args(["--sha256", &pinned]);
    run.stdin("a\n").run().code(3).stdout("").stderr(&format!(
        "error: plugin `it.wat` does not match the pinned digest: its SHA-256 is {found}, not \
         {pinned}\n \
         hint: the file is damaged, or another version; if it is the right one, use `--sha256 {found}`\n"
    ));
}

#[test]
fn a_text_plugin_is_pinned_by_its_text() {
    let text = fs::read(fixtures().join("upper.wat")).unwrap();
    let binary = wat::parse_bytes(&text).unwrap();
    let loader = Plugin::loader(&Engine::new().unwrap()).sha256(Sha256::digest(&text));
    loader.from_bytes("text", &text).unwrap();
    let error = loader.from_bytes("binary", &binary).unwrap_err();
    assert!(matches!(error.kind(), LoadErrorKind::Digest { .. }), "{error}");
}

#[test]
fn an_invalid_digest_is_a_usage_error() {
    let run = host().plugin("upper.wat").args(["--sha256", "abc"]).run().code(2).stdout("");
    let stderr = run.stderr_text();
    let error = "error: invalid value 'abc' for '--sha256 <HEX>': not the 64 hexadecimal digits that \
                 `sha256sum FILE` prints: there are 3 characters\n";
    assert!(stderr.starts_with(error), "{stderr}");
}

#[test]
fn the_call_flag_selects_the_export() {
    let run = |name: &str| host().plugin("renamed-call.wat").args(["--call", name]).stdin("ab\n");
    run("first").run().code(0).stdout("a\n").stderr("");
    run("rest of it").run().code(0).stdout("b\n").stderr("");
}

#[test]
fn an_unsuitable_export_is_refused_by_name() {
    #[rustfmt::skip]
    let cases = [
        ("renamed-call.wat", "second",
         "error: plugin `renamed-call.wat` does not export `second`; it exports `memory`, `mtl_alloc`, \
          `first`, `rest of it`, `finish`\n \
          hint: `--call` takes the name of a function that the plugin exports\n"),
        ("renamed-call.wat", "call",
         "error: plugin `renamed-call.wat` does not export `call`; it exports `memory`, `mtl_alloc`, \
          `first`, `rest of it`, `finish`\n \
          hint: export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`; if another function \
          takes items, name it: `--call NAME`\n"),
        ("renamed-call.wat", "finish",
         "error: plugin `renamed-call.wat` exports `finish` as `() -> (i64)`, not as `(i32, i32) -> (i64)`\n"),
        ("renamed-call.wat", "memory",
         "error: plugin `renamed-call.wat` exports `memory` as something other than a function, not as \
          `(i32, i32) -> (i64)`\n"),
        ("component.wat",    "first",
         "error: component `component.wat` cannot take items through `first`: its world requires `call`\n \
          hint: leave out `--call`: it is for core modules, and for components of other worlds\n"),
        ("other-world.wat",  "call",
         "error: component `other-world.wat` does not export `mtl:plugin/worker@1.0.0`; it exports `add`\n \
          hint: if one of its functions takes items, name it: `--call NAME`; or build it for the world \
          `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`\n"),
    ];
    for (plugin, name, stderr) in cases {
        let run = host().plugin(plugin).args(["--call", name]).stdin("a\n").run();
        run.code(3).stdout("").stderr(stderr);
    }
    host()
        .plugin("component.wat")
        .args(["--call", "call"])
        .stdin("a\n")
        .run()
        .code(0)
        .stdout("A\n");
}
