//! Checks the cache of compiled plugins. A run with a cache entry and a run without a cache entry
//! differ only in their duration. The host never runs an entry that another program has changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mtl_host::cache::Cache;
use mtl_host::load::LoadErrorKind;
use mtl_host::{Engine, Plugin, Pool};
use tempfile::TempDir;

use crate::support::{
    Host, command, fixtures, host, host_in_processes, host_on_threads, in_processes, isolation,
};

/// Creates a directory for the cache of some runs.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Adds the cache in this directory to a run.
fn with_cache(host: Host, folder: &TempDir) -> Host {
    host.args(["--cache-dir".into(), folder.path().join("cache")])
}

/// Describes a run of this fixture with the cache in this directory.
fn run(host: Host, folder: &TempDir, plugin: &str) -> Host {
    with_cache(host, folder).plugin(plugin).stdin("one\n")
}

/// Returns the entries in a part of the cache.
fn entries(folder: &TempDir, part: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.path().join("cache").join(part)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Returns the part of the cache that runs use.
fn part() -> &'static str {
    if in_processes() { "jailed" } else { "trusted" }
}

/// Returns the only entry in a part of the cache.
#[track_caller]
fn only(folder: &TempDir, part: &str) -> PathBuf {
    let paths = entries(folder, part);
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.into_iter().next().unwrap()
}

fn set_used(path: &Path, time: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Returns whether `run` uses this entry: a use updates the file's time and keeps the file.
fn is_used(path: &Path, run: impl FnOnce()) -> bool {
    let long_ago = UNIX_EPOCH + Duration::from_secs(1);
    set_used(path, long_ago);
    let inode = fs::metadata(path).unwrap().ino();
    run();
    let after = fs::metadata(path).unwrap();
    after.ino() == inode && after.modified().unwrap() > long_ago
}

#[test]
fn a_plugin_is_compiled_once() {
    for (plugin, other) in [("upper.wat", "echo.wat"), ("component.wat", "upper.wat")] {
        let folder = folder();
        run(host(), &folder, plugin).run().code(0).stdout("ONE\n");
        let it = only(&folder, part());
        let again = || drop(run(host(), &folder, plugin).run().code(0).stdout("ONE\n"));
        assert!(is_used(&it, again), "{plugin}");
        assert!(is_used(&it, again), "{plugin}");
        assert!(!is_used(&it, || drop(run(host(), &folder, other).run().code(0))), "{plugin}");
        // A plugin with fuel metering has different code.
        let with_fuel = run(host().args(["--fuel", "1M"]), &folder, plugin);
        assert!(!is_used(&it, || drop(with_fuel.run().code(0).stdout("ONE\n"))), "{plugin}");
        assert_eq!(entries(&folder, part()).len(), 3);
    }
}

#[test]
fn a_damaged_cache_entry_is_replaced() {
    for plugin in ["upper.wat", "component.wat"] {
        let folder = folder();
        run(host(), &folder, plugin).run().code(0);
        let it = only(&folder, part());
        let whole = fs::read(&it).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 0x40;
        for bytes in [&changed[..], &whole[..whole.len() / 2], &whole[1..], b""] {
            fs::write(&it, bytes).unwrap();
            run(host(), &folder, plugin).run().code(0).stdout("ONE\n");
            assert_ne!(fs::read(&it).unwrap(), bytes);
            let again = || drop(run(host(), &folder, plugin).run().code(0).stdout("ONE\n"));
            assert!(is_used(&it, again));
        }
    }
}

#[test]
fn a_cache_that_others_can_change_is_not_used() {
    let folder = folder();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    let shown = cache.canonicalize().unwrap().display().to_string();
    let refused = |why: &str| {
        run(host(), &folder, "upper.wat").run().code(0).stdout("ONE\n").stderr(&format!(
            "warning: plugins are compiled each time: the cache `{shown}` is not safe: `{shown}` \
             {why}\n \
             hint: the code in a cache is executed: protect your directory with `chmod go-w DIR`; \
             or use another directory: `--cache-dir DIR`; or no cache: `--no-cache`\n"
        ));
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
    };
    for mode in [0o777, 0o770, 0o1777] {
        fs::set_permissions(&cache, PermissionsExt::from_mode(mode)).unwrap();
        refused("can be written by others");
    }
    fs::set_permissions(&cache, PermissionsExt::from_mode(0o700)).unwrap();
    // Only the system's administrator can give a directory away.
    if rustix::process::geteuid().is_root() {
        chown(&cache, Some(4321), None).unwrap();
        refused("belongs to another user");
        chown(&cache, Some(0), None).unwrap();
    }
    run(host(), &folder, "upper.wat").run().code(0).stderr("");
    assert_eq!(entries(&folder, part()).len(), 1);
}

#[test]
fn only_a_requested_cache_directory_warns_on_failure() {
    let explicit =
        host().args(["--cache-dir", "/proc/mtl/cache"]).plugin("upper.wat").stdin("one\n");
    let stderr = explicit.run().code(0).stdout("ONE\n").stderr_text();
    let begin = "warning: plugins are compiled each time: cannot use the cache `/proc/mtl/cache`: ";
    assert!(stderr.starts_with(begin), "{stderr}");
    let default_path = host().plugin("upper.wat").stdin("one\n").under("env", ["HOME=/proc/mtl"]);
    default_path.run().code(0).stdout("ONE\n").stderr("");
}

#[test]
fn a_home_that_is_a_file_causes_a_warning() {
    let folder = folder();
    let home = folder.path().join("home");
    fs::write(&home, "").unwrap();
    let run = host().plugin("upper.wat").stdin("one\n");
    let home = home.display();
    run.under("env", [format!("HOME={home}")]).run().code(0).stdout("ONE\n").stderr(&format!(
        "warning: plugins are compiled each time: cannot use the cache `{home}/.cache/mtl-host`: \
         Not a directory (os error 20)\n \
         hint: use another directory: `--cache-dir DIR`; or no cache: `--no-cache`\n"
    ));
}

#[test]
fn a_full_cache_disk_causes_a_warning() {
    let folder = folder();
    let cache = folder.path().join("cache").display().to_string();
    let full = || {
        // A limit of 1024 bytes per file simulates a full disk. Workers run on threads, because the
        // host passes compiled code to processes in a file, and this file would exceed the limit.
        let run = run(host_on_threads(), &folder, "upper.wat");
        run.under("sh", ["-c", "ulimit -f 2; exec \"$0\" \"$@\""]).run().code(0).stdout("ONE\n")
    };
    full().stderr(&format!(
        "warning: plugins are compiled each time: cannot use the cache `{cache}`: \
         File too large (os error 27)\n \
         hint: use another directory: `--cache-dir DIR`; or no cache: `--no-cache`\n"
    ));
    assert_eq!(entries(&folder, "trusted").len(), 0, "no partial entry is left");
    // An existing entry needs no space.
    run(host_on_threads(), &folder, "upper.wat").run().code(0).stderr("");
    full().stderr("");
}

#[test]
fn a_read_only_cache_serves_existing_entries() {
    let folder = folder();
    run(host(), &folder, "upper.wat").run().code(0);
    let it = only(&folder, part());
    let parent = it.parent().unwrap();
    fs::set_permissions(parent, PermissionsExt::from_mode(0o500)).unwrap();
    let again = || drop(run(host(), &folder, "upper.wat").run().code(0).stderr(""));
    assert!(is_used(&it, again), "the existing entry is used");
    run(host(), &folder, "echo.wat").run().code(0).stdout("one\n").stderr("");
    // A directory in the place of an entry stays, and no partial entry is left.
    fs::set_permissions(parent, PermissionsExt::from_mode(0o700)).unwrap();
    for path in entries(&folder, part()) {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), "").unwrap();
    }
    let before = entries(&folder, part());
    run(host(), &folder, "upper.wat").run().code(0).stdout("ONE\n").stderr("");
    assert_eq!(entries(&folder, part()), before);
}

#[test]
fn concurrent_runs_share_a_cache() {
    let folder = folder();
    let start = |_| run(host(), &folder, "upper.wat").start();
    for running in [0; 6].map(start) {
        running.finish().code(0).stdout("ONE\n").stderr("");
    }
    let it = only(&folder, part());
    // Some runs replace the entry while others read it.
    let damage = |at| {
        if at % 2 == 0 {
            // The file is replaced, not overwritten, because other runs have mapped it.
            let damaged = folder.path().join("damaged");
            fs::write(&damaged, "damaged").unwrap();
            fs::rename(damaged, &it).unwrap();
        }
        run(host(), &folder, "upper.wat").start()
    };
    for running in [0, 1, 2, 3, 4, 5].map(damage) {
        running.finish().code(0).stdout("ONE\n").stderr("");
    }
    assert_eq!(only(&folder, part()), it);
}

#[test]
fn the_least_recently_used_entry_is_evicted() {
    let folder = folder();
    run(host(), &folder, "upper.wat").run().code(0);
    let upper = only(&folder, part());
    let size = fs::metadata(&upper).unwrap().len();
    run(host(), &folder, "echo.wat").run().code(0);
    let echo = entries(&folder, part()).into_iter().find(|path| *path != upper).unwrap();
    set_used(&upper, UNIX_EPOCH + Duration::from_secs(2));
    set_used(&echo, UNIX_EPOCH + Duration::from_secs(1));
    let limit = (size * 5 / 2).to_string();
    run(host(), &folder, "misbehave.wat").args(["--cache-size", &limit]).run().code(0);
    let paths = entries(&folder, part());
    assert!(paths.contains(&upper) && !paths.contains(&echo), "{paths:?}");
}

#[test]
fn the_no_cache_flag_disables_reads_and_writes() {
    let folder = folder();
    let home = |host: Host| host.under("env", [&format!("HOME={}", folder.path().display())]);
    let plain = || host().plugin("upper.wat").stdin("one\n");
    home(plain().args(["--no-cache"])).run().code(0).stdout("ONE\n").stderr("");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    home(plain()).run().code(0).stdout("ONE\n").stderr("");
    let default_path = folder.path().join(".cache/mtl-host").join(part());
    let entry = fs::read_dir(&default_path).unwrap().next().unwrap().unwrap().path();
    let without = || drop(home(plain().args(["--no-cache"])).run().code(0));
    assert!(!is_used(&entry, without));
    assert!(is_used(&entry, || drop(home(plain()).run().code(0))));
    let mode = fs::metadata(default_path.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn jailed_code_never_runs_outside_a_jail() {
    let folder = folder();
    let upper = || run(host_on_threads(), &folder, "upper.wat");
    upper().run().code(0);
    let trusted = only(&folder, "trusted");
    // `echo.wat` gives `one`, not `ONE`, so its result shows whose code ran.
    run(host_in_processes(), &folder, "echo.wat").run().code(0).stdout("one\n");
    let jailed = only(&folder, "jailed");
    run(host_in_processes(), &folder, "upper.wat").run().code(0).stdout("ONE\n");
    let other = entries(&folder, "jailed").into_iter().find(|path| *path != jailed).unwrap();

    // The host rejects code from the jailed part under any name, even the plugin's own.
    for planted in [&jailed, &other] {
        for name in [&trusted, planted] {
            let path = trusted.with_file_name(name.file_name().unwrap());
            fs::copy(planted, &path).unwrap();
            let bytes = fs::read(planted).unwrap();
            upper().run().code(0).stdout("ONE\n").stderr("");
            assert_ne!(fs::read(&trusted).unwrap(), bytes);
        }
    }
    // Code of one plugin is not used for another plugin.
    fs::copy(&jailed, &other).unwrap();
    run(host_in_processes(), &folder, "upper.wat").run().code(0).stdout("ONE\n").stderr("");
    assert!(entries(&folder, "trusted").contains(&trusted));
}

#[test]
fn threads_and_processes_never_share_cached_code() {
    let folder = folder();
    run(host_in_processes(), &folder, "upper.wat").run().code(0).stdout("ONE\n");
    let jailed = only(&folder, "jailed");
    let on_threads = || drop(run(host_on_threads(), &folder, "upper.wat").run().code(0));
    assert!(!is_used(&jailed, on_threads));
    assert!(is_used(&only(&folder, "trusted"), on_threads));
    let in_processes = || drop(run(host_in_processes(), &folder, "upper.wat").run().code(0));
    assert!(!is_used(&only(&folder, "trusted"), in_processes));
}

#[test]
fn a_cached_plugin_is_refused_like_any_other() {
    let folder = folder();
    for plugin in ["upper.wat", "renamed-call.wat", "component.wat"] {
        let call: &[_] = if plugin == "renamed-call.wat" { &["--call", "first"] } else { &[] };
        run(host(), &folder, plugin).args(call.iter().copied()).run().code(0);
    }
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 6] = [
        ("upper.wat",        &["--max-functions", "1"]),
        ("upper.wat",        &["--max-plugin", "10"]),
        ("upper.wat",        &["--sha256", digest]),
        ("upper.wat",        &["--call", "other"]),
        ("renamed-call.wat", &[]),
        ("component.wat",    &["--call", "first"]),
    ];
    for (plugin, flags) in cases {
        let refused = |host: Host| host.args(flags.iter().copied()).run().code(3).stderr_text();
        let without = refused(host().args(["--no-cache"]).plugin(plugin));
        assert!(without.starts_with("error: "), "{without}");
        assert_eq!(refused(run(host(), &folder, plugin)), without);
    }
}

#[test]
fn the_library_finds_cache_entries_of_the_command() {
    let folder = folder();
    run(host(), &folder, "upper.wat").run().code(0);
    let cache = Cache::open(folder.path().join("cache")).unwrap();
    let loader = Plugin::loader(&Engine::new().unwrap()).isolation(isolation()).cache(&cache);
    let path = fixtures().join("upper.wat");
    let plugins = [loader.load(&path).unwrap(), loader.load(&path).unwrap()];
    assert_eq!((cache.stats().hits, cache.stats().misses), (2, 0));
    for plugin in plugins {
        let mut pool = Pool::builder(&plugin).isolation(isolation()).build().unwrap();
        assert_eq!(pool.map(["one"]).next().unwrap().unwrap().bytes(), Some(&b"ONE"[..]));
    }
    // The cache may be deleted at any time.
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    loader.load(&path).unwrap();
    assert_eq!(cache.stats().misses, 1);
}

#[test]
fn a_refused_plugin_is_not_cached() {
    let folder = folder();
    run(host(), &folder, "no-call.wat").run().code(3);
    assert_eq!(entries(&folder, part()), [""; 0].map(PathBuf::from));
}

#[test]
fn the_cache_command_shows_and_clears_entries() {
    let folder = folder();
    let cache = |args: &[&str]| {
        with_cache(command().args(["cache"]).args(args.iter().copied()), &folder).run().code(0)
    };
    let path = folder.path().join("cache").display().to_string();
    let none = format!(
        "cache    {path}\nlimit    1GiB\ntrusted  0 plugins, 0 bytes\njailed   0 plugins, 0 bytes\n"
    );
    cache(&["info"]).stdout(&none).stderr("");
    assert!(!folder.path().join("cache").exists(), "`cache info` creates no folder");
    cache(&["clear"]).stdout("removed 0 plugins, 0 bytes\n");

    run(host_on_threads(), &folder, "upper.wat").run().code(0);
    run(host_in_processes(), &folder, "upper.wat").run().code(0);
    run(host_in_processes(), &folder, "echo.wat").run().code(0);
    let bytes = |part| -> u64 {
        entries(&folder, part).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
    };
    let json = format!(
        "{{\"jailed\":{{\"bytes\":{},\"entries\":2}},\"limit\":1048576,\"path\":\"{path}\",\
         \"trusted\":{{\"bytes\":{},\"entries\":1}}}}\n",
        bytes("jailed"),
        bytes("trusted")
    );
    cache(&["info", "--json", "--cache-size", "1MiB"]).stdout(json);
    let size = (bytes("jailed") + bytes("trusted")).div_ceil(1024);
    cache(&["clear"]).stdout(format!("removed 3 plugins, {size} KiB\n"));
    cache(&["info"]).stdout(&none);
    command().args(["cache", "info"]).run().code(2).stderr(
        "error: there is no directory for the cache: neither `HOME` nor `XDG_CACHE_HOME` names one\n \
         hint: name it: `--cache-dir DIR`\n",
    );
}

/// Compiles a plugin ahead of time and returns its code.
fn compiled(plugin: &str, flags: &[&str]) -> Vec<u8> {
    let compile = command().args(["compile"]).args(flags.iter().copied()).plugin(plugin);
    let name = plugin.replace(".wat", ".cwasm");
    let finished = compile.run().code(0).stdout(format!("{name}\n")).stderr("");
    fs::read(finished.folder().join(name)).unwrap()
}

#[test]
fn precompiled_code_runs_only_if_trusted() {
    for plugin in ["upper.wat", "component.wat"] {
        let ways: [&[_]; 2] = [&["--isolation", "thread"], &["--isolation", "process"]];
        let codes = ways.map(|flags| compiled(plugin, flags));
        // The host recognises the code by its bytes, not by its name.
        for name in ["upper.cwasm", "upper.wasm"] {
            for code in &codes {
                let run = || host().file(name, code).args([name]).stdin("one\n");
                run().args(["--trust-precompiled"]).run().code(0).stdout("ONE\n");
                run().run().code(3).stdout("").stderr(&format!(
                    "error: plugin `{name}` is compiled already, so its code would run \
                     unchecked\n \
                     hint: if you have compiled it yourself, or trust who has, use `run \
                     --trust-precompiled`; otherwise use the .wasm that it was compiled from\n"
                ));
            }
        }
    }
}

#[test]
fn trust_precompiled_accepts_uncompiled_plugins() {
    host()
        .args(["--trust-precompiled"])
        .plugin("upper.wat")
        .stdin("one\n")
        .run()
        .code(0)
        .stdout("ONE\n");
    let nothing = host().file("it.cwasm", "").args(["--trust-precompiled", "it.cwasm"]);
    let stderr = nothing.run().code(3).stderr_text();
    assert!(stderr.starts_with("error: plugin `it.cwasm` is not WebAssembly: it is empty\n"));
}

#[test]
fn precompiled_code_of_another_build_is_refused() {
    let code = compiled("upper.wat", &[]);
    let refused = |code: &[u8], flags: &[&str], why: &str, hint: &str| {
        let run = host().file("it.cwasm", code).args(["it.cwasm", "--trust-precompiled"]);
        run.args(flags.iter().copied())
            .run()
            .code(3)
            .stdout("")
            .stderr(&format!("error: plugin `it.cwasm` {why}\n hint: {hint}\n"));
    };
    let again = "compile it again: `mtl-host compile PLUGIN`";
    let damaged = "is damaged, or was not made by `mtl-host compile`";
    refused(&code[..code.len() / 2], &[], damaged, again);
    let mut changed = code.clone();
    changed[code.len() / 2] ^= 1;
    refused(&changed, &[], damaged, again);
    let why = "was compiled for runs that do not count fuel";
    let hint = "compile it again: `mtl-host compile --fuel PLUGIN`";
    refused(&code, &["--fuel", "1M"], why, hint);
    let for_fuel = compiled("upper.wat", &["--fuel"]);
    let hint = format!("run it with `--fuel N`, or {again}");
    refused(&for_fuel, &[], "was compiled for runs that count fuel", &hint);
    let run = host().file("it.cwasm", &for_fuel).args(["it.cwasm", "--trust-precompiled"]);
    run.args(["--fuel", "1M"]).stdin("one\n").run().code(0).stdout("ONE\n");

    let version = env!("CARGO_PKG_VERSION");
    let why = format!("was compiled by mtl-host 9.9.9, and this is {version}");
    let ours = format!("\"version\":\"{version}\"");
    refused(&forged(&code, &ours, "\"version\":\"9.9.9\""), &[], &why, again);
    // The settings come after the lengths and before the digest.
    let mut settings = code[..code.len() - 32].to_vec();
    *settings.last_mut().unwrap() ^= 1;
    let why = "was compiled for another processor, or by another build";
    refused(&sealed(settings), &[], why, again);
}

/// Replaces `text` in the metadata of the code, and recomputes the digest.
fn forged(code: &[u8], text: &str, other: &str) -> Vec<u8> {
    assert_eq!(text.len(), other.len());
    let body = &code[..code.len() - 32];
    let at = body.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    sealed([&body[..at], other.as_bytes(), &body[at + text.len()..]].concat())
}

/// Appends the digest of these bytes.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = mtl_host::load::Sha256::digest(&bytes).to_string();
    let digits = (0..64).step_by(2).map(|at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap());
    bytes.extend(digits.collect::<Vec<_>>());
    bytes
}

#[test]
fn precompiled_code_is_checked_like_its_plugin() {
    let code = compiled("upper.wat", &[]);
    let run = |flags: &[&str]| {
        let run = host_on_threads().file("it.cwasm", &code).args(["it.cwasm"]);
        run.args(flags.iter().copied()).args(["--trust-precompiled"]).run().code(3).stderr_text()
    };
    let pinned = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(run(&["--sha256", pinned]).contains("does not match the pinned digest"));
    assert!(run(&["--max-plugin", "10"]).contains("is larger than 10 bytes"));
    assert!(run(&["--call", "other"]).contains("does not export `other`"));
    let inspect = command().args(["inspect", "it.cwasm"]).file("it.cwasm", &code);
    let stderr = inspect.run().code(3).stdout("").stderr_text();
    assert!(stderr.starts_with("error: plugin `it.cwasm` is compiled already"), "{stderr}");
}

#[test]
fn compile_overwrites_no_plugin_and_leaves_no_partial_file() {
    let compile = || command().args(["compile"]).plugin("upper.wat");
    compile().args(["-o", "upper.wat"]).run().code(2).stderr(
        "error: cannot write compiled code `upper.wat`: it is also the plugin\n \
         hint: write to another file\n",
    );
    let stderr = compile().args(["-o", "no/such/folder"]).run().code(4).stdout("").stderr_text();
    assert!(stderr.starts_with("error: cannot write `no/such/folder`: "), "{stderr}");
    let refused = command().args(["compile"]).plugin("no-call.wat").run().code(3).stdout("");
    assert!(!refused.folder().join("no-call.cwasm").exists());
    compile().args(["-o", "a b"]).run().code(0).stdout("a b\n");
}

#[test]
fn the_library_refuses_precompiled_code_with_a_reason() {
    let engine = Engine::new().unwrap();
    let code = Plugin::load(&engine, fixtures().join("upper.wat")).unwrap().precompiled().unwrap();
    let loader = Plugin::loader(&engine).isolation(isolation());
    let error = loader.from_bytes("it", &code).unwrap_err();
    assert!(matches!(error.kind(), LoadErrorKind::Precompiled), "{error}");
}
