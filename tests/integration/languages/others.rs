//! Tests plugins that exist in one language only: one with a Python package, and those without our SDK.

use std::fs;
use std::process::Command;

use super::project::{build, cache, is_to_be_skipped, skip};
use crate::build::real::{self, run_in};
use crate::support::{fixtures, host};

/// Checks that `markdown` contains its package from PyPI.
#[test]
fn a_python_plugin_contains_its_package() {
    let Some(markdown) = build("examples-plugins/python/markdown") else {
        return;
    };
    let html = markdown.with_jobs(1).args(["--multiline"]).stdin("# A ~~b~~\n");
    html.run().code(0).stdout("<h1>A <del>b</del></h1>\n\n");
}

/// Checks a component that componentize-py builds for a world that the host does not know.
#[test]
fn a_component_of_another_tool_and_world_runs() {
    let given = fixtures().join("languages/typed-python");
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("analyzer.wasm");
    let built = Command::new("componentize-py")
        .current_dir(&given)
        .args(["-q", "-d", "wit", "-w", "analyzer", "componentize", "analyzer", "-o"])
        .arg(&component)
        .output();
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            assert!(is_to_be_skipped(), "componentize-py: {error}");
            skip(&given, &format!("componentize-py: {error}"));
            return;
        }
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let items = fs::read(given.join("analyzer.in")).unwrap();
    let results = fs::read(given.join("analyzer.out")).unwrap();
    host()
        .args([component])
        .args(["--call", "analyze", "--jobs", "1", "--input-format", "jsonl"])
        .args(["--output-format", "jsonl", "--cache-dir"])
        .args([cache()])
        .stdin(items)
        .run()
        .code(1)
        .stdout(results);
}

const C: &str = r#"
#include <stdint.h>
#include <stdlib.h>
#define EXPORT(name) __attribute__((export_name(#name)))

static void *item;

EXPORT(mtl_alloc) void *mtl_alloc(uint32_t len) {
    free(item);
    return item = malloc(len);
}

EXPORT(call) uint64_t call(uint8_t *at, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) at[i] ^= 'a' ^ 'A';
    return (uint64_t)(uintptr_t)at << 32 | len;
}
"#;

#[test]
fn a_project_in_c_is_built_and_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("swap")).unwrap();
    fs::write(folder.path().join("swap/swap.c"), C).unwrap();
    let Some(built) = real::build(folder.path(), "swap") else { return };
    built.stdout("swap/build/swap.wasm\n");
    run_in(folder.path(), &["run", "-q", "swap"], "aBc\n").code(0).stdout("AbC\n").stderr("");
    fs::write(folder.path().join("swap/swap.c"), "int broken").unwrap();
    let failed = run_in(folder.path(), &["build", "swap"], "").code(5).stdout("");
    let text = failed.stderr_text();
    assert!(text.contains("swap.c:1:") && text.contains("failed: exit status: 1"), "{text}");
}
