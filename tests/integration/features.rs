//! Checks features of WebAssembly that plugins may use only if a flag allows them.

use crate::support::{Host, command, fixtures, host};

/// A plugin, and the feature that inspection reports and that a flag allows.
const PLUGINS: [(&str, &str); 2] = [("gc.wat", "gc"), ("exceptions.wat", "exceptions")];

#[test]
fn an_allowed_wasm_feature_runs() {
    for (plugin, feature) in PLUGINS {
        for allowed in [feature, "gc,exceptions", "exceptions+gc"] {
            let run = host().plugin(plugin).args(["--wasm", allowed]);
            run.stdin("one\ntwo\n").run().code(0).stderr("").stdout("one\ntwo\n");
        }
    }
}

#[test]
fn inspect_names_the_flag_for_a_feature() {
    for (plugin, feature) in PLUGINS {
        let inspect = || command().args(["inspect"]).plugin(plugin);
        let text = inspect().run().code(0).stderr("");
        let text = String::from_utf8(text.stdout_bytes().to_vec()).unwrap();
        let ends = format!(
            "uses       WebAssembly's `{feature}`, allowed by `--wasm {feature}`\n\
             might use  nothing that needs a grant\n\
             run it     mtl-host run {plugin} --isolation process --wasm {feature} [INPUT]...\n"
        );
        assert!(text.ends_with(&ends), "{text}");
        let json = inspect().args(["--json"]).run().code(0);
        let found: serde_json::Value = serde_json::from_slice(json.stdout_bytes()).unwrap();
        assert_eq!(found["wasm"], serde_json::json!([feature]));
        assert!(found["refusal"].is_null());
    }
    let json = command().args(["inspect", "--json"]).plugin("upper.wat").run().code(0);
    let found: serde_json::Value = serde_json::from_slice(json.stdout_bytes()).unwrap();
    assert_eq!(found["wasm"], serde_json::json!([]));
}

#[test]
fn each_worker_has_its_own_allowed_features() {
    let two = |gc: &str, exceptions: &str, args: &[&str]| {
        let host = with(host(), &["gc.wat", "exceptions.wat"]).args(args.iter().copied());
        host.args(["--worker", &format!("gc.wat{gc}")])
            .args(["--worker", &format!("exceptions.wat{exceptions}")])
            .stdin("one\ntwo\n")
            .run()
    };
    two(",wasm=gc", ",wasm=exceptions", &[]).code(0).stdout("one\ntwo\n");
    two("", ",wasm=exceptions", &["--wasm", "gc"]).code(0).stdout("one\ntwo\n");
    let refused = |finished: crate::support::Finished, begins: &str| {
        let stderr = finished.code(3).stdout("").stderr_text();
        assert!(stderr.starts_with(begins), "{stderr}");
    };
    let exceptions = "error: plugin `exceptions.wat` uses WebAssembly exceptions\n";
    refused(two(",wasm=gc", "", &[]), exceptions);
    refused(two(",wasm=gc", ",wasm=gc", &["--wasm", "exceptions"]), exceptions);
    let gc = "error: plugin `gc.wat` uses WebAssembly garbage collection\n";
    refused(two(",wasm=none", "", &["--wasm", "gc,exceptions"]), gc);
}

#[test]
fn a_configuration_can_allow_features() {
    let run = |settings: &str| {
        let host = with(host(), &["gc.wat"]).file("mtl.toml", settings);
        host.args(["--config", "mtl.toml"]).stdin("one\n").run()
    };
    for features in [r#""gc""#, r#"["gc"]"#, r#"["gc", "exceptions"]"#] {
        run(&format!("[pool]\nplugin = \"gc.wat\"\nwasm = {features}\n")).code(0).stdout("one\n");
        run(&format!("[[worker]]\nplugin = \"gc.wat\"\nwasm = {features}\n"))
            .code(0)
            .stdout("one\n");
    }
    run("[pool]\nplugin = \"gc.wat\"\nwasm = []\n").code(3);
    let wrong = run("[pool]\nplugin = \"gc.wat\"\nwasm = [\"jit\"]\n").code(2).stderr_text();
    assert!(
        wrong.contains("unknown feature `jit`: there are `gc`, `exceptions` and `none`"),
        "{wrong}"
    );
}

#[test]
fn compiled_code_requires_the_same_allowed_features() {
    let compiled = with(command(), &["gc.wat"]).args(["compile", "gc.wat", "--wasm", "gc"]).run();
    let code = std::fs::read(compiled.code(0).folder().join("gc.cwasm")).unwrap();
    let run = |flags: &[&str]| {
        let host = host().file("gc.cwasm", &code).args(["gc.cwasm", "--trust-precompiled"]);
        host.args(flags.iter().copied()).stdin("one\n").run()
    };
    run(&["--wasm", "gc"]).code(0).stdout("one\n");
    for flags in [&[][..], &["--wasm", "gc,exceptions"]] {
        run(flags).code(3).stdout("").stderr(
            "error: plugin `gc.cwasm` was compiled for runs that allow garbage collection\n \
             hint: run it with `--wasm gc`, or compile it again: `mtl-host compile PLUGIN`\n",
        );
    }
    with(command(), &["gc.wat"]).args(["compile", "gc.wat"]).run().code(3);
}

#[test]
fn the_cache_separates_allowed_features() {
    let folder = tempfile::tempdir().unwrap();
    let run = |flags: &[&str]| {
        let host = host().plugin("gc.wat").args(flags.iter().copied()).stdin("one\n");
        host.args(["--cache-dir", folder.path().to_str().unwrap()]).run()
    };
    run(&["--wasm", "gc"]).code(0).stdout("one\n");
    run(&[]).code(3).stdout("");
    run(&["--wasm", "gc"]).code(0).stdout("one\n");
}

#[test]
fn check_uses_the_allowed_features() {
    let check = || command().args(["check"]).plugin("exceptions.wat").args(["--item", "one"]);
    let refused = check().run().code(6);
    let text = String::from_utf8(refused.stdout_bytes().to_vec()).unwrap();
    assert!(
        text.contains("uses WebAssembly exceptions") && text.contains("`--wasm exceptions`"),
        "{text}"
    );
    check().args(["--wasm", "exceptions"]).run().code(0);
}

#[test]
fn an_instance_with_gc_objects_gets_no_snapshot() {
    let plugin = r#"(module
      (memory (export "memory") 2)
      (type $item (struct (field i32)))
      (global $kept (mut (ref null $item)) (ref.null $item))
      (func (export "mtl_alloc") (param i32) (result i32) (i32.const 1024))
      (func (export "init") (param i32 i32) (result i64)
        (global.set $kept (struct.new $item (i32.const 1)))
        (i64.const 0))
      (func (export "call") (param i32 i32) (result i64)
        (i64.or
          (i64.const 0x40000000000)
          (i64.extend_i32_u (struct.get $item 0 (ref.as_non_null (global.get $kept)))))))"#;
    let run =
        host().file("kept.wat", plugin).plugin("kept.wat").args(["--wasm", "gc", "--snapshot"]);
    let finished = run.stdin("one\n").run().code(0).stdout("o\n");
    assert!(finished.stderr_text().contains("snapshot"), "{}", finished.stderr_text());
}

/// Adds fixtures to the run's directory.
fn with(host: Host, names: &[&str]) -> Host {
    names
        .iter()
        .fold(host, |host, name| host.file(name, std::fs::read(fixtures().join(name)).unwrap()))
}
