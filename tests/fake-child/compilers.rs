//! Tests compilers that lie, flood and stall: the plugin is refused, and the parent takes no more memory than for an
//! honest compiler.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::fs;
use std::time::Duration;

use mtl_host::load::{CompilerError, LoadErrorKind};
use mtl_host::{Engine, LoadError, Plugin, PluginLoader};

use crate::fake_children;
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("a_compiler_that_says_too_much_is_killed", a_compiler_that_says_too_much_is_killed),
    ("a_compiler_that_stalls_is_killed", a_compiler_that_stalls_is_killed),
    ("a_refusal_is_cut_however_long_it_is", a_refusal_is_cut_however_long_it_is),
];

fn loader() -> PluginLoader {
    Plugin::loader(&Engine::new().unwrap()).isolation(fake_children())
}

/// Returns the load error of a plugin with this name.
#[track_caller]
fn load(loader: &PluginLoader, name: &str) -> LoadError {
    loader.from_bytes(name, b"\0asm\x01\0\0\0").unwrap_err()
}

/// Returns the error of inspecting a plugin with this name, or the refusal that inspection reports.
#[track_caller]
fn inspect(name: &str) -> LoadError {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    fs::write(name, b"\0asm\x01\0\0\0").unwrap();
    match loader().inspect(name) {
        Ok(found) => found.refusal.unwrap(),
        Err(error) => error,
    }
}

/// Returns the message for a compiler that was killed.
#[track_caller]
fn killed(error: &LoadError) -> &str {
    match error.kind() {
        LoadErrorKind::Compiler(CompilerError::Died { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

/// Returns this process's peak memory.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn a_compiler_that_says_too_much_is_killed() {
    let before = peak();
    let long = "its process was killed because it sent a frame that is too long";
    #[rustfmt::skip]
    let cases = [
        ("says much before it is ready", long),
        ("says much of code",            long),
        ("says much of a refusal",       long),
        ("has many causes",              "its process was killed because it sent an invalid error"),
        ("floods logs",                  "its process was killed because it sent an unexpected reply (expected: compiled)"),
    ];
    for (name, expected) in cases {
        assert_eq!(killed(&load(&loader(), name)), expected, "{name}");
    }
    assert!(matches!(load(&loader(), "has all code").kind(), LoadErrorKind::Code { .. }));
    #[rustfmt::skip]
    let cases = [
        ("finds much",         long),
        ("finds many exports", "its process was killed because it sent invalid findings"),
    ];
    for (name, expected) in cases {
        assert_eq!(killed(&inspect(name)), expected, "{name}");
    }
    // A single one of these frames would exceed the bound.
    let taken = peak() - before;
    assert!(taken < 128 << 20, "{taken} bytes");
}

fn a_compiler_that_stalls_is_killed() {
    let loader = loader().compile_timeout(Duration::from_millis(200));
    let error = load(&loader, "half a frame");
    assert!(
        matches!(error.kind(), LoadErrorKind::Compiler(CompilerError::Timeout { .. })),
        "{error:?}"
    );
    let error = load(&loader, "closes");
    assert_eq!(killed(&error), "its process closed its socket, and was killed");
}

fn a_refusal_is_cut_however_long_it_is() {
    for error in [inspect("finds a long refusal"), load(&loader(), "has long causes")] {
        let texts =
            std::iter::successors(Some(&error as &dyn std::error::Error), |&error| error.source());
        let length: usize = texts.map(|error| error.to_string().len()).sum();
        assert!(length < 16 * 1024, "{length} bytes");
        assert!(
            matches!(error.kind(), LoadErrorKind::NotWasm { .. } | LoadErrorKind::Invalid { .. }),
            "{error:?}"
        );
    }
}
