//! Tests compilers that send false data, flood or stall: the plugin is refused, and the parent's memory stays bounded.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::fs;
use std::time::Duration;

use mtl_host::load::{CompilerError, LoadErrorKind};
use mtl_host::{Engine, LoadError, Plugin, PluginLoader};

use crate::fake_children;
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("a_compiler_that_sends_too_much_is_killed", a_compiler_that_sends_too_much_is_killed),
    ("a_compiler_that_stalls_is_killed", a_compiler_that_stalls_is_killed),
    ("a_long_refusal_is_truncated", a_long_refusal_is_truncated),
];

fn loader() -> PluginLoader {
    Plugin::loader(&Engine::new().unwrap()).isolation(fake_children())
}

/// Returns the load error of a plugin with this name.
#[track_caller]
fn load(loader: &PluginLoader, name: &str) -> LoadError {
    loader.from_bytes(name, b"\0asm\x01\0\0\0").unwrap_err()
}

/// Inspects a plugin with this name. Returns the error, or the refusal that the inspection reports.
#[track_caller]
fn inspect(name: &str) -> LoadError {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    fs::write(name, b"\0asm\x01\0\0\0").unwrap();
    match loader().inspect(name) {
        Ok(inspection) => inspection.refusal.unwrap(),
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
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn a_compiler_that_sends_too_much_is_killed() {
    let before = peak_memory();
    let long = "its process was killed because it sent a frame that is too long";
    #[rustfmt::skip]
    let cases = [
        ("huge ready message", long),
        ("huge code",            long),
        ("huge refusal",       long),
        ("refusal with many causes",              "its process was killed because it sent an invalid error"),
        ("floods logs",                  "its process was killed because it sent an unexpected reply (expected: compiled)"),
    ];
    for (name, expected) in cases {
        assert_eq!(killed(&load(&loader(), name)), expected, "{name}");
    }
    assert!(matches!(load(&loader(), "code of maximal length").kind(), LoadErrorKind::Code { .. }));
    #[rustfmt::skip]
    let cases = [
        ("huge findings",         long),
        ("findings with many exports", "its process was killed because it sent invalid findings"),
    ];
    for (name, expected) in cases {
        assert_eq!(killed(&inspect(name)), expected, "{name}");
    }
    // A single frame of these would exceed the bound.
    let growth = peak_memory() - before;
    assert!(growth < 128 << 20, "{growth} bytes");
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

fn a_long_refusal_is_truncated() {
    for error in
        [inspect("findings with a long refusal"), load(&loader(), "refusal with long causes")]
    {
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
