//! Builds projects with the real compilers of this machine. The compilers are on `PATH`, or in the directories into
//! which `examples-plugins/languages` and `examples-plugins/toolchain` install them. Under `CI`, all compilers are
//! present.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Finished, command, shared_cargo_cache};

/// The time after which a hanging build fails. Compilers of other languages may be slow. The unoptimised engine may be
/// slow to compile the plugins that these compilers produce.
const DEADLINE: Duration = Duration::from_secs(1200);

/// Returns the environment in which real compilers are found.
fn environment() -> Vec<String> {
    let variables = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "XDG_CACHE_HOME", "SSL_CERT_FILE"];
    let variables = variables.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    let mut all: Vec<_> =
        variables.map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let languages = cache.map(|cache| cache.join("mtl-host/languages/bin"));
    let usual = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(languages.into_iter().chain(env::split_paths(&usual))).unwrap();
    all.push(format!("PATH={}", path.to_str().unwrap()));
    all.push(shared_cargo_cache());
    all
}

/// Runs the command in a directory with the tools of this machine.
pub(crate) fn run_in(folder: &Path, args: &[&str], input: &str) -> Finished {
    let mut before = vec!["-C".to_owned(), folder.to_str().unwrap().to_owned()];
    before.extend(environment());
    let host = command().within(DEADLINE).under("env", before);
    host.args(args.iter().copied()).stdin(input).run()
}

/// Builds a project, or returns `None` if this machine has no compiler for it.
#[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
pub(crate) fn build(folder: &Path, project: &str) -> Option<Finished> {
    let finished = run_in(folder, &["build", project], "");
    let text = finished.stderr_text();
    if finished.exit_code() == Some(5) && text.contains("which is not installed") {
        assert!(env::var_os("CI").is_none(), "{text}");
        eprintln!("skipped: {text}");
        return None;
    }
    Some(finished.code(0))
}

#[test]
fn a_project_in_rust_is_built_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("swap/src")).unwrap();
    write(
        "swap/Cargo.toml",
        "[package]\nname = \"swap\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n",
    );
    write(
        "swap/src/lib.rs",
        r#"
static mut ITEM: [u8; 65536] = [0; 65536];

#[unsafe(no_mangle)]
extern "C" fn mtl_alloc(len: usize) -> *mut u8 {
    if len > 65536 { std::ptr::null_mut() } else { &raw mut ITEM as *mut u8 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn call(at: *mut u8, len: usize) -> u64 {
    for i in 0..len { unsafe { *at.add(i) ^= b'a' ^ b'A' } }
    (at as u64) << 32 | len as u64
}
"#,
    );
    let Some(built) = build(folder.path(), "swap") else { return };
    built.stdout("swap/target/wasm32-wasip1/release/swap.wasm\n");
    run_in(folder.path(), &["run", "-q", "swap"], "aBc\n").code(0).stdout("AbC\n").stderr("");
    write("swap/src/lib.rs", "fn broken(");
    run_in(folder.path(), &["run", "-q", "swap"], "aBc\n").code(5).stdout("");
}
