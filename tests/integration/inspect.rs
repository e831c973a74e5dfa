//! Checks `mtl-host inspect`: the content of a plugin, and the grants that it needs.

use mtl_host::load::Sha256;

use crate::support::{Host, command, fixtures};

fn inspect(plugin: &str) -> Host {
    command().args(["inspect"]).plugin(plugin)
}

/// Returns the lines with the size and the digest of a fixture.
fn of_the_file(fixture: &str) -> String {
    let bytes = std::fs::read(fixtures().join(fixture)).unwrap();
    format!("size       {} bytes\nsha256     {}\n", bytes.len(), Sha256::digest(&bytes))
}

#[test]
fn inspect_shows_the_contents_of_a_core_module() {
    inspect("files.wat").run().code(0).stderr("").stdout(format!(
        "plugin     files.wat\n\
         kind       core module, ABI 1\n\
         {}\
         memory     192KiB at the start\n\
         items      passed as a single argument\n\
         exports    memory: memory\n           \
                    mtl_alloc(i32) -> (i32)\n           \
                    call(i32, i32) -> (i64)\n\
         imports    wasi_snapshot_preview1 (WASI): path_open, fd_read, fd_write\n\
         might use  files, granted by `--dir HOST::GUEST`\n\
         run it     mtl-host run files.wat --isolation process --dir HOST::GUEST [INPUT]...\n",
        of_the_file("files.wat")
    ));
}

#[test]
fn inspect_shows_the_contents_of_a_component() {
    inspect("component.wat").run().code(0).stderr("").stdout(format!(
        "plugin     component.wat\n\
         kind       component of the world `mtl:plugin/plugin`\n\
         {}\
         memory     128KiB at the start\n\
         items      passed as a single argument\n\
         exports    mtl:plugin/worker@1.0.0#init(args: list<u8>) -> result<_, string>\n           \
                    mtl:plugin/worker@1.0.0#call(item: list<u8>) -> \
                    result<option<list<u8>>, variant {{ bad-item(string), refused(string) }}>\n           \
                    mtl:plugin/worker@1.0.0#finish() -> result<option<list<u8>>, string>\n\
         might use  nothing that needs a grant\n\
         run it     mtl-host run component.wat --isolation process [INPUT]...\n",
        of_the_file("component.wat")
    ));
}

#[test]
fn inspect_names_the_flag_that_grants_connections() {
    for plugin in ["connect.wat", "request.wat"] {
        let finished = inspect(plugin).run().code(0).stderr("");
        let text = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
        let ends = format!(
            "might use  network, granted by `--net HOST:PORT`\n\
             run it     mtl-host run {plugin} --isolation process --net HOST:PORT [INPUT]...\n"
        );
        assert!(text.ends_with(&ends), "{text}");
    }
}

#[test]
fn inspect_shows_why_a_run_would_refuse_the_plugin() {
    inspect("unknown-import.wat")
        .run()
        .code(3)
        .stdout(format!(
            "plugin     unknown-import.wat\n\
             kind       core module, ABI 1\n\
             {}\
             memory     64KiB at the start\n\
             items      passed as a single argument\n\
             exports    memory: memory\n           \
                        mtl_alloc(i32) -> (i32)\n           \
                        call(i32, i32) -> (i64)\n\
             imports    env (unknown): foo\n",
            of_the_file("unknown-import.wat")
        ))
        .stderr(
            "error: plugin `unknown-import.wat` imports `env.foo`, which nothing provides\n \
             hint: it was built for a browser or another host: no flag grants this import; \
             build it for `wasm32-wasip1`\n",
        );
}

#[test]
fn control_characters_of_a_plugin_do_not_reach_the_terminal() {
    let module = r#"(module (import "a\1b[2J" "\c2\9b31m\e2\80\ae" (func)))"#;
    for args in [&[][..], &["--json"]] {
        let finished = inspect("it.wat").file("it.wat", module).args(args.iter().copied()).run();
        let shown = [finished.stdout_bytes(), finished.stderr_text().as_bytes()].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("[2J") && shown.contains("31m"), "{shown}");
        let raw = |character: char| {
            character.is_control() && character != '\n' || character == '\u{202e}'
        };
        assert!(!shown.contains(raw), "{shown}");
    }
}

#[test]
fn unusable_arguments_give_an_error_without_a_report() {
    inspect("missing.wasm").run().code(3).stdout("").stderr(
        "error: cannot read plugin `missing.wasm`: No such file or directory (os error 2)\n \
         hint: a plugin is a .wasm or .wat file; `mtl-host build DIR` builds one from a folder of sources\n",
    );
    let finished = inspect("it").file("it", "hello\n").run().code(3).stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.starts_with("error: plugin `it` is not WebAssembly: "), "{stderr}");
}

#[test]
fn inspect_shows_the_readable_part_of_a_truncated_file() {
    let finished = inspect("cut.wasm").file("cut.wasm", b"\0asm\x01\0\0\0\x01\x60").run().code(3);
    let text = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    assert!(text.starts_with("plugin     cut.wasm\nkind       core module\nsize       10 bytes\n"));
    let stderr = finished.stderr_text();
    assert!(stderr.starts_with("error: plugin `cut.wasm` is not valid WebAssembly: "), "{stderr}");
}

#[test]
fn json_output_has_the_same_findings() {
    let finished = inspect("files.wat").args(["--json"]).run().code(0).stderr("");
    let found: serde_json::Value = serde_json::from_slice(finished.stdout_bytes()).unwrap();
    assert_eq!(found["kind"], "core-module");
    assert_eq!(found["memory"]["initial"].as_u64().unwrap() % 65_536, 0);
    assert_eq!(found["imports"][0]["provider"], "wasi");
    assert_eq!(found["needs"][0]["flag"], "--dir HOST::GUEST");
    assert_eq!(
        found["run"],
        "mtl-host run files.wat --isolation process --dir HOST::GUEST [INPUT]..."
    );
    assert!(found["refusal"].is_null());
    let finished = inspect("unknown-import.wat").args(["--json"]).run().code(3);
    let found: serde_json::Value = serde_json::from_slice(finished.stdout_bytes()).unwrap();
    assert!(found["run"].is_null() && found["refusal"]["message"].is_string());
}

#[test]
fn long_export_and_import_lists_are_cut_and_counted() {
    let exports: String = (0..5000).map(|at| format!("(func (export \"e{at}\"))")).collect();
    let imports: String = (0..3000).map(|at| format!("(import \"m{at}\" \"n\" (func))")).collect();
    // The exports that the host requires come last, and inspection must still find them.
    let last = r#"(memory (export "memory") 1)
        (func (export "mtl_alloc") (param i32) (result i32) unreachable)
        (func (export "call") (param i32 i32) (result i64) unreachable)"#;
    let module = format!("(module {imports} {exports} {last})");
    let inspect = |args: &[&str]| {
        let host = inspect("many.wat").file("many.wat", &module).args(args.iter().copied());
        String::from_utf8(host.run().code(3).stdout_bytes().to_vec()).unwrap()
    };
    let text = inspect(&[]);
    assert!(text.contains("core module, ABI 1"), "{text}");
    assert!(text.contains("\n           … and 4803 more exports\n"), "{text}");
    assert!(text.ends_with("\n           … and 2800 more imports\n"), "{text}");
    assert!(text.lines().count() < 420, "{text}");
    let found: serde_json::Value = serde_json::from_str(&inspect(&["--json"])).unwrap();
    assert_eq!(found["exports"].as_array().unwrap().len(), 1003);
    assert_eq!(found["exports_left_out"], 4000);
    assert_eq!(found["imports_left_out"], 2000);
}
