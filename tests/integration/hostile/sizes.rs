//! Checks oversized plugins, which the tests generate. The host refuses an oversized plugin before it compiles any
//! function. An unusual plugin within the limits runs.

use super::{ISOLATIONS, isolated};
use crate::support::{Finished, command, fixtures, host, lines};

/// Returns a good plugin in the text format that contains `more`.
fn echo_with(more: &str) -> String {
    let echo = std::fs::read_to_string(fixtures().join("echo.wat")).unwrap();
    let echo = echo.trim_end().strip_suffix(')').expect("the module ends with a bracket");
    format!("{echo}\n{more})")
}

/// Encodes a section of a binary.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], number(content.len()).as_slice(), content].concat()
}

/// Encodes a number in LEB128 with four bytes.
fn number(number: usize) -> [u8; 4] {
    [0, 7, 14, 21].map(|at| {
        let more = if at < 21 { 0x80 } else { 0 };
        u8::try_from(number >> at & 0x7f).unwrap() | more
    })
}

/// Returns a module with a million functions, each with this body.
fn million_functions(body: [u8; 3]) -> Vec<u8> {
    const MANY: usize = 1_000_000;
    let count = number(MANY);
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[count.as_slice(), &[0; MANY]].concat()),
        section(10, &[count.as_slice(), &body.repeat(MANY)].concat()),
    ]
    .concat()
}

#[test]
fn a_plugin_with_ten_thousand_exports_runs() {
    let exports: String =
        (0..10_000).map(|number| format!("(export \"export {number}\")\n")).collect();
    let exports = format!("(func {exports})");
    let plugin = echo_with(&exports);
    for isolation in ISOLATIONS {
        isolated(host(), isolation)
            .file("many.wat", &plugin)
            .plugin("many.wat")
            .stdin(lines(0..200))
            .run()
            .code(0)
            .stdout(lines(0..200))
            .stderr("");
    }
    let stderr = host()
        .file("many.wat", format!("(module (memory (export \"memory\") 1) {exports})"))
        .plugin("many.wat")
        .run()
        .code(3)
        .stderr_text();
    assert!(stderr.contains(" and 9989 more\n") && stderr.len() < 2000, "{stderr}");
    command()
        .args(["inspect"])
        .file("many.wat", &plugin)
        .plugin("many.wat")
        .run()
        .code(0)
        .stderr("");
}

#[test]
fn a_file_of_50_mb_is_refused() {
    // The bulk is in a custom section, which engines skip.
    let bulk = section(0, &[&[4][..], b"bulk", &vec![0; 50_000_000]].concat());
    let plugin = [wat::parse_str(echo_with("")).unwrap(), bulk].concat();
    for isolation in ISOLATIONS {
        let host = |args: &[&str]| {
            isolated(host(), isolation)
                .file("large.wasm", &plugin)
                .plugin("large.wasm")
                .args(args.iter().copied())
                .stdin("x\n")
                .run()
        };
        host(&[]).code(3).stdout("").stderr(
            "error: plugin `large.wasm` is larger than 32MiB\n \
             hint: `--max-plugin SIZE` allows more; `wasm-tools strip` removes debug information\n",
        );
        host(&["--max-plugin", "64MiB"]).code(0).stdout("x\n").stderr("");
    }
}

#[test]
fn a_million_functions_are_refused_before_any_is_compiled() {
    // The second body is invalid, but the host refuses the plugin before it sees that.
    for body in [[2, 0, 0x0b], [2, 0xff, 0xff]] {
        let plugin = million_functions(body);
        for isolation in ISOLATIONS {
            isolated(host(), isolation)
                .file("many.wasm", &plugin)
                .plugin("many.wasm")
                .stdin("x\n")
                .run()
                .code(3)
                .stdout("")
                .stderr(
                    "error: plugin `many.wasm` has 1000000 functions, and may have 50000\n \
                     hint: `--max-functions N` allows more: each takes the compiler some \
                     kilobytes\n",
                );
        }
    }
}

/// The header of a component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Returns components that are nested in each other.
fn nested(depth: usize) -> Vec<u8> {
    let around = |inner: Vec<u8>, _| [COMPONENT.to_vec(), section(4, &inner)].concat();
    (1..depth).fold(COMPONENT.to_vec(), around)
}

#[test]
fn an_overly_complex_plugin_is_refused_before_compiling() {
    let fixture = |name: &str| wat::parse_file(fixtures().join(name)).unwrap();
    #[rustfmt::skip]
    let cases = [
        (fixture("hostile/nested-component.wat"),   "nests components 40 deep; the limit is 32"),
        (nested(20_000),                            "nests components 20000 deep; the limit is 32"),
        (fixture("hostile/doubled-component.wat"),  "definitions in its instances; the limit is 100000"),
        ([COMPONENT, &section(4, COMPONENT).repeat(2000)].concat(), "has 2001 components and modules; the limit is 1000"),
    ];
    for (plugin, reason) in &cases {
        let check_refusal = |finished: Finished| {
            let text = format!(
                "{}{}",
                finished.stderr_text(),
                String::from_utf8_lossy(finished.stdout_bytes())
            );
            assert!(text.contains(reason), "{reason}: {text}");
        };
        for isolation in ISOLATIONS {
            // The second run could use the cache.
            for _ in 0..2 {
                let run = isolated(host(), isolation).file("it.wasm", plugin).plugin("it.wasm");
                let run = run.stdin("x\n").run().code(3);
                assert!(run.stderr_text().contains("no compiler generates such a plugin"));
                check_refusal(run);
            }
            let check = isolated(command().args(["check"]), isolation);
            check_refusal(check.file("it.wasm", plugin).plugin("it.wasm").run());
        }
        for does in ["inspect", "compile"] {
            check_refusal(command().args([does]).file("it.wasm", plugin).plugin("it.wasm").run());
        }
    }
}
