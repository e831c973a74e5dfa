//! Checks the compilation of plugins in a jailed process. The results must equal the results of a compilation in this
//! process. If a compiler exceeds a limit or dies, the compilation of other plugins continues.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use mtl_host::inspect::Inspection;
use mtl_host::isolation::{Isolation, Processes};
use mtl_host::load::{CompilerError, LoadErrorKind};
use mtl_host::{BuildError, Engine, LoadError, Plugin, PluginLoader, Pool};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    DEADLINE, Host, Running, command, fixtures, host_in_processes, host_on_threads,
};

fn processes() -> Isolation {
    Isolation::Process(Processes::new().program(env!("CARGO_BIN_EXE_mtl-host")))
}

/// Returns a loader, and the same loader with compilation in processes.
fn loaders(engine: &Engine) -> (PluginLoader, PluginLoader) {
    let local = Plugin::loader(engine).max_functions("300".parse().unwrap()).host_function(
        "acme:store/lookup@1.0.0",
        "get",
        |_, key| Ok(key.to_vec()),
    );
    (local.clone(), local.isolation(processes()))
}

/// Returns all fixtures, and files that are not plugins.
fn plugins() -> Vec<(PathBuf, Vec<u8>)> {
    let fixtures = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let fixtures =
        fixtures.filter(|path| path.extension().is_some_and(|extension| extension == "wat"));
    let mut plugins: Vec<_> =
        fixtures.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    assert!(plugins.len() > 40);
    let nested = "(component ".repeat(40) + &")".repeat(40);
    let upper = wat::parse_file(self::fixtures().join("upper.wat")).unwrap();
    let many = format!("(module {})", "(func)".repeat(301));
    #[rustfmt::skip]
    let others: [(&str, &[u8]); 13] = [
        ("empty",        b""),
        ("script",       b"#!/bin/sh\n"),
        ("program",      b"\x7fELF\x02"),
        ("cut early",    b"\0asm\x01"),
        ("cut.wasm",     &upper[..upper.len() / 2]),
        ("version",      b"\0asm\x02\0\0\0"),
        ("bad.wat",      b"(module\n  (fnuc))"),
        ("wrong.wat",    b"(module (func (result i32)))"),
        ("control.wat",  br#"(module (import "a\1b[2J" "\c2\9b31m" (func)))"#),
        ("old-wasi.wat", br#"(module (import "wasi_unstable" "fd_read" (func)))"#),
        ("form.wat",     br#"(module (import "wasi_snapshot_preview1" "fd_read" (func)) (memory (export "memory") 1)
                             (func (export "mtl_alloc") (param i32) (result i32) unreachable)
                             (func (export "call") (param i32 i32) (result i64) unreachable))"#),
        ("many.wat",     many.as_bytes()),
        ("nested.wat",   nested.as_bytes()),
    ];
    plugins.extend(others.map(|(name, bytes)| (name.into(), bytes.to_vec())));
    plugins
}

/// Returns everything that a user sees of an error.
fn user_text(error: &LoadError) -> (Vec<String>, Option<String>) {
    let causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    (causes.map(ToString::to_string).collect(), error.hint())
}

fn facts(plugin: &Plugin) -> (&Path, bool, bool, bool) {
    (plugin.name(), plugin.has_init(), plugin.uses_argument_passing(), plugin.can_connect())
}

#[test]
fn loading_has_the_same_outcome_in_a_process() {
    let (local, jailed) = loaders(&Engine::new().unwrap());
    let mut refused = Vec::new();
    for (path, bytes) in plugins() {
        let name = path.to_str().unwrap();
        match (local.from_bytes(name, &bytes), jailed.from_bytes(name, &bytes)) {
            (Ok(local), Ok(remote)) => assert_eq!(facts(&remote), facts(&local), "{name}"),
            (Err(local), Err(remote)) => {
                assert_eq!(user_text(&remote), user_text(&local), "{name}");
                let kind = format!("{:?}", local.kind());
                refused.push(kind.split([' ', '(']).next().unwrap().to_owned());
            }
            (local, remote) => panic!("{name}: {local:?} here, {remote:?} in a process"),
        }
    }
    refused.sort();
    refused.dedup();
    #[rustfmt::skip]
    assert_eq!(
        refused,
        ["Features", "Import", "Invalid", "Link", "MissingExport", "NotWasm", "Signature", "Text",
         "TooComplex", "TooManyFunctions", "Truncated", "Untyped", "Version", "World"]
    );
}

#[test]
fn load_errors_of_settings_are_the_same_in_a_process() {
    let engine = Engine::new().unwrap();
    let fixture = |name: &str| fixtures().join(name);
    let plain = Plugin::loader(&engine);
    let other_type =
        |name| plain.clone().host_function("acme:store/lookup@1.0.0", name, |_, _| Ok(vec![]));
    let cases = [
        ("FixedCall", plain.clone().call("first"), fixture("component.wat")),
        ("MissingExport", plain.clone().call("second"), fixture("renamed-call.wat")),
        ("MissingExport", plain.clone().call("second"), fixture("typed-functions.wat")),
        ("Ambiguous", plain.clone().call("add"), fixture("typed-functions.wat")),
        ("Import", other_type("put"), fixture("host-function.wat")),
        ("Import", other_type("put"), fixture("host-function-component.wat")),
        ("Read", plain.clone(), fixture("missing.wat")),
        ("TooLarge", plain.clone().max_size("7".parse().unwrap()), fixture("upper.wat")),
        (
            "HostFunction",
            plain.clone().host_function("lookup", "get", |_, _| Ok(vec![])),
            fixture("upper.wat"),
        ),
    ];
    for (expected, loader, path) in cases {
        let local = loader.load(&path).unwrap_err();
        let remote = loader.isolation(processes()).load(&path).unwrap_err();
        for error in [&local, &remote] {
            let kind = format!("{:?}", error.kind());
            assert!(kind.starts_with(expected), "{expected}: {kind}");
        }
        assert_eq!(user_text(&remote), user_text(&local));
    }
}

/// Returns everything that an inspection reports.
fn findings(found: &Inspection) -> impl PartialEq + std::fmt::Debug {
    (
        (found.kind, found.bytes, found.sha256, found.uses_argument_passing),
        (
            found.exports.clone(),
            found.imports.clone(),
            found.memory,
            found.missing_jail_layers.clone(),
        ),
        (found.typed.clone(), found.refusal.as_ref().map(user_text)),
    )
}

#[test]
fn inspection_finds_the_same_in_a_process() {
    let (local, jailed) = loaders(&Engine::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in plugins() {
        let path = folder.path().join(name.file_name().unwrap());
        fs::write(&path, bytes).unwrap();
        match (local.inspect(&path), jailed.inspect(&path)) {
            (Ok(local), Ok(remote)) => assert_eq!(findings(&remote), findings(&local), "{name:?}"),
            (Err(local), Err(remote)) => {
                assert_eq!(user_text(&remote), user_text(&local), "{name:?}");
            }
            (local, remote) => panic!("{name:?}: {local:?} here, {remote:?} in a process"),
        }
    }
}

#[test]
fn code_compiled_in_a_process_runs_in_processes() {
    for engine in [Engine::new().unwrap(), Engine::with_fuel().unwrap()] {
        let (_, loader) = loaders(&engine);
        for name in ["upper.wat", "component.wat"] {
            let plugin = loader.load(fixtures().join(name)).unwrap();
            let mut pool = Pool::builder(&plugin).isolation(processes()).build().unwrap();
            let results = pool.map(["one", "more"]).collect::<Result<Vec<_>, _>>().unwrap();
            let results: Vec<_> = results.iter().map(|record| record.bytes().unwrap()).collect();
            assert_eq!(results, [&b"ONE"[..], b"MORE"], "{name}");
        }
        let plugin = loader.load(fixtures().join("host-function.wat")).unwrap();
        let mut pool = Pool::builder(&plugin).isolation(processes()).build().unwrap();
        assert_eq!(pool.map(["key"]).next().unwrap().unwrap().bytes(), Some(&b"key"[..]));
    }
}

#[test]
fn code_compiled_in_a_process_never_runs_on_threads() {
    let (_, loader) = loaders(&Engine::new().unwrap());
    let plugin = loader.from_bytes("it", &fs::read(fixtures().join("upper.wat")).unwrap()).unwrap();
    let error = Pool::builder(&plugin).build().unwrap_err();
    assert!(matches!(error, BuildError::OnlyInProcesses { .. }));
    assert_eq!(
        error.to_string(),
        "plugin `it` was compiled in a process, and runs in processes only"
    );
    assert!(error.hint().unwrap().starts_with("use `Isolation::Process` for the pool"));
}

#[test]
fn compiling_in_a_process_needs_a_child_program() {
    let loader = Plugin::loader(&Engine::new().unwrap());
    let loader = loader.isolation(Isolation::Process(Processes::new()));
    let error = loader.load(fixtures().join("upper.wat")).unwrap_err();
    assert!(matches!(error.kind(), LoadErrorKind::Compiler(CompilerError::NoProgram)));
    assert!(error.hint().unwrap().contains("`mtl_host::isolation::child_main()`"));

    let missing = Isolation::Process(Processes::new().program("/missing"));
    let error = Plugin::loader(&Engine::new().unwrap()).isolation(missing);
    let error = error.load(fixtures().join("upper.wat")).unwrap_err();
    assert!(
        matches!(error.kind(), LoadErrorKind::Compiler(CompilerError::Process { .. })),
        "{error}"
    );
}

/// Returns a module with one function that takes the compiler many seconds and hundreds of megabytes.
fn endless() -> String {
    // Each local stays alive to the end, and depends on the locals before it.
    let step = |local: usize| {
        format!(
            "(local.set {} (i32.mul (local.get {}) (i32.add (local.get {}) (call 0 (local.get {})))))\n",
            local % 2000 + 1,
            local * 7 % 2000,
            local * 13 % 2000,
            local * 31 % 2000,
        )
    };
    let steps: String = (0..60_000).map(step).collect();
    format!(
        "(module (func (param i32) (result i32) local.get 0)\n\
         (func (export \"endless\") (param i32) (result i32) (local {})\n{steps} local.get 1))",
        "i32 ".repeat(2000)
    )
}

fn with_endless(host: Host) -> Host {
    host.file("endless.wat", endless()).args(["endless.wat"])
}

fn run_in_processes() -> Host {
    host_on_threads().args(["--isolation", "process"])
}

#[test]
fn compiling_ends_at_its_timeout() {
    for host in [run_in_processes(), command().args(["inspect"])] {
        let begin = Instant::now();
        with_endless(host).args(["--compile-timeout", "250ms"]).run().code(3).stdout("").stderr(
            "error: compiling plugin `endless.wat` took longer than 250ms\n \
             hint: `--compile-timeout TIME` allows more time\n",
        );
        assert!(begin.elapsed() < DEADLINE / 4, "the run waited for the compiler");
    }
}

#[test]
fn compiling_stays_within_its_memory_limit() {
    for host in [run_in_processes(), command().args(["inspect"])] {
        with_endless(host).args(["--compile-memory", "100MiB"]).run().code(3).stdout("").stderr(
            "error: compiling plugin `endless.wat` takes more memory than 100MiB\n \
             hint: `--compile-memory SIZE` allows more memory\n",
        );
    }
}

/// Returns the number of a process's parent, and whether the process is still running.
fn parent(process: &Path) -> Option<(u32, bool)> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The process's name is in brackets, and may contain spaces and brackets.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let is_alive = !["Z", "X"].contains(&rest.next()?);
    Some((rest.next()?.parse().ok()?, is_alive))
}

/// Waits for the compiler that a run starts.
fn compiler(running: &Running) -> (PathBuf, Pid) {
    let deadline = Instant::now() + DEADLINE / 2;
    loop {
        let mut processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        if let Some(path) = processes.find(|path| parent(path) == Some((running.id(), true))) {
            let number = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            return (path, Pid::from_raw(number).unwrap());
        }
        assert!(Instant::now() < deadline, "no child was started");
        thread::yield_now();
    }
}

#[test]
fn a_killed_compiler_is_reported() {
    let running = with_endless(run_in_processes()).start();
    kill_process(compiler(&running).1, Signal::KILL).unwrap();
    running.finish().code(3).stdout("").stderr(
        "error: plugin `endless.wat` could not be compiled: its process was killed by signal 9 \
         (SIGKILL)\n \
         hint: if it ran out of memory, raise the limit with `--compile-memory SIZE`\n",
    );
}

/// Returns the number of seccomp filters of a process. Returns `None` if the kernel does not report the number, or if
/// the process has ended.
fn filters(process: &Path) -> Option<u32> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let number = status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?;
    number.trim().parse().ok()
}

#[test]
fn a_compiler_is_sealed_before_it_compiles() {
    let around = filters(Path::new("/proc/self")).unwrap();
    let running = with_endless(run_in_processes()).start();
    let (compiler, _) = compiler(&running);
    // The filters are the list of calls, the one for `clone3`, and the seal.
    let sealed = around + 3;
    let deadline = Instant::now() + DEADLINE / 2;
    while filters(&compiler).expect("the compiler is sealed before it ends") < sealed {
        assert!(Instant::now() < deadline, "{:?} filters of {sealed}", filters(&compiler));
        thread::yield_now();
    }
}

#[test]
fn no_compiler_outlives_the_command() {
    let running = with_endless(run_in_processes()).start();
    let (compiler, _) = compiler(&running);
    // Dropping the run kills its process.
    drop(running);
    let deadline = Instant::now() + DEADLINE / 2;
    while parent(&compiler).is_some_and(|(_, is_alive)| is_alive) {
        assert!(Instant::now() < deadline, "the compiler is left behind");
        thread::yield_now();
    }
}

#[test]
fn code_above_the_file_size_limit_is_an_error_with_a_hint() {
    let run = host_in_processes().plugin("upper.wat").args(["--no-cache"]).stdin("one\n");
    // A limit of 1024 bytes per file makes the compiler fail.
    run.under("sh", ["-c", "ulimit -f 2; exec \"$0\" \"$@\""]).run().code(3).stderr(
        "error: cannot keep the plugin's compiled code for workers' processes: File too large (os error \
         27)\n hint: compiled code for processes is a file in memory, which exceeds the limit on file sizes: \
         raise it with `ulimit -f`\n",
    );
}
