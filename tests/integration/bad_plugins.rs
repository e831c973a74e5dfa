//! Checks the errors for plugins that cannot be loaded or started. Each error names the plugin, the
//! reason, and a remedy.

use std::fs;

use crate::support::{Host, fixtures, host, host_with_summary};

/// Checks that the command refuses the plugin with this message and writes no output.
fn refused(host: Host, stderr: &str) {
    host.args(["--jobs", "1"]).stdin("a\n").run().code(3).stdout("").stderr(stderr);
}

#[test]
fn a_file_that_is_not_webassembly_is_identified() {
    let compile = " hint: compile the code to WebAssembly first: `mtl-host build FOLDER` builds a \
                   folder of sources in Rust, C, Zig, Go, AssemblyScript, JavaScript or Python\n";
    let damaged = " hint: the file may be damaged or incomplete: build or copy it again\n";
    #[rustfmt::skip]
    let cases: [(&[u8], String); 5] = [
        (b"",              format!("error: plugin `it` is not WebAssembly: it is empty\n{compile}")),
        (b"#!/bin/sh\n",   format!("error: plugin `it` is not WebAssembly: it is a script\n{compile}")),
        (b"\x7fELF\x02",   format!("error: plugin `it` is not WebAssembly: it is a native program or library\n{compile}")),
        (b"hello\n",       format!("error: plugin `it` is not WebAssembly: it begins with `hello\\n`\n{compile}")),
        (b"\0asm\x01\0",   format!("error: plugin `it` is cut off after 6 bytes\n{damaged}")),
    ];
    for (bytes, stderr) in cases {
        refused(host().file("it", bytes).plugin("it"), &stderr);
    }
}

#[test]
fn a_missing_or_unparsable_plugin_gives_the_reason() {
    refused(
        host().plugin("missing.wasm"),
        "error: cannot read plugin `missing.wasm`: No such file or directory (os error 2)\n \
         hint: a plugin is a .wasm or .wat file; `mtl-host build DIR` builds one from a folder of sources\n",
    );
    // A directory may contain sources to build.
    host().subfolder("folder").plugin("folder").run().code(2).stdout("").stderr(
        "error: `folder` is not a project: it has no sources in a known language\n \
         hint: a project has a Cargo.toml, go.mod, package.json or build.zig, or files in .zig, \
         .c, .cpp or .py; `mtl-host new` creates one\n",
    );
    // The parsers word the causes; the text before and after the cause is ours.
    let damaged = "hint: the file may be damaged or incomplete: build or copy it again\n";
    #[rustfmt::skip]
    let cases: [(&str, &[u8], &str, &str); 2] = [
        ("cut.wasm", b"\0asm\x01\0\0\0\x01\x60", "error: plugin `cut.wasm` is not valid WebAssembly: ", damaged),
        ("bad.wat",  b"(module (func",           "error: plugin `bad.wat` is not valid text: ",         ""),
    ];
    for (name, bytes, begins, ends) in cases {
        let finished = host().file(name, bytes).plugin(name).stdin("a\n").run().code(3).stdout("");
        let stderr = finished.stderr_text();
        assert!(stderr.starts_with(begins) && stderr.ends_with(ends), "{name}: {stderr}");
    }
}

#[test]
fn a_truncated_module_is_refused() {
    let whole = wat::parse_file(fixtures().join("upper.wat")).unwrap();
    for length in (9..whole.len()).step_by(23) {
        let finished =
            host().file("cut.wasm", &whole[..length]).plugin("cut.wasm").stdin("a\n").run();
        let stderr = finished.code(3).stdout("").stderr_text();
        assert!(stderr.starts_with("error: plugin `cut.wasm` "), "{length} bytes: {stderr}");
    }
}

#[test]
fn an_unsuitable_plugin_is_refused_with_the_reason() {
    #[rustfmt::skip]
    let cases = [
        ("no-call.wat",
         "error: plugin `no-call.wat` does not export `call`; it exports `memory`, `mtl_alloc`, `run`\n \
          hint: export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`; if another function \
          takes items, name it: `--call NAME`\n"),
        ("program.wat",
         "error: plugin `program.wat` does not export `mtl_alloc`; it exports `memory`, `_start`\n \
          hint: this is a program, not a plugin: build a library (in Rust, `crate-type = [\"cdylib\"]`) \
          that exports its worker, in Rust with `mtl_plugin::export!`\n"),
        ("wrong-call.wat",
         "error: plugin `wrong-call.wat` exports `call` as `(i32, i32) -> (i32)`, not as \
          `(i32, i32) -> (i64)`\n"),
        ("unknown-import.wat",
         "error: plugin `unknown-import.wat` imports `env.foo`, which nothing provides\n \
          hint: it was built for a browser or another host: no flag grants this import; build it \
          for `wasm32-wasip1`\n"),
        ("other-world.wat",
         "error: component `other-world.wat` does not export `mtl:plugin/worker@1.0.0`; it exports `add`\n \
          hint: if one of its functions takes items, name it: `--call NAME`; or build it for the world \
          `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`\n"),
        ("abi-2.wat",
         "error: worker 0 could not be started: the plugin speaks ABI 2, this host speaks 1\n \
          hint: update mtl-host\n"),
        ("start-trap.wat",
         "error: worker 0 could not be started: the plugin could not be instantiated: wasm \
          `unreachable` instruction executed, in `initialize`\n"),
    ];
    for (plugin, stderr) in cases {
        refused(host().plugin(plugin), stderr);
    }
}

#[test]
fn a_failing_init_names_the_worker_and_the_reason() {
    let hint = " hint: `--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its \
                files\n";
    #[rustfmt::skip]
    let cases = [
        ("init.wat", "refuse",
         format!("error: worker 0 could not be started: init failed: these arguments are no good\n{hint}")),
        ("init.wat", "trap",
         "error: worker 0 could not be started: init failed: wasm `unreachable` instruction executed, \
          in `init`\n".into()),
        ("component.wat", "refuse",
         format!("error: worker 0 could not be started: init failed: no such arguments\n{hint}")),
    ];
    for (plugin, init, stderr) in cases {
        refused(host().plugin(plugin).args(["--init", init]), &stderr);
    }
}

#[test]
fn the_worker_whose_init_fails_is_named() {
    host()
        .plugin("init.wat")
        .args(["--init", "good", "--init", "refuse"])
        .stdin_open()
        .start()
        .finish_with_stdin_open()
        .code(3)
        .stdout("")
        .stderr(
            "error: worker 1 could not be started: init failed: these arguments are no good\n \
             hint: `--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its \
             files\n",
        );
}

#[test]
fn mismatched_init_arguments_are_a_usage_error() {
    host()
        .plugin("init.wat")
        .args(["--init", "a", "--init", "b", "--init", "c", "--jobs", "4"])
        .stdin("x\n")
        .run()
        .code(2)
        .stdout("")
        .stderr(
            "error: 3 init arguments were given for 4 workers\n \
             hint: give `--init` once for all workers, or once for each; without `--jobs`, there \
             is a worker for each `--init`\n",
        );
    host().plugin("upper.wat").args(["--init", "a"]).stdin("x\n").run().code(2).stdout("").stderr(
        "error: plugin `upper.wat` takes no init arguments: it does not export `init`\n \
             hint: leave out `--init`, or `init=` in its `--worker`\n",
    );
}

#[test]
fn granted_directories_and_init_files_must_exist() {
    host()
        .plugin("upper.wat")
        .args(["--dir", "missing::/data"])
        .stdin("x\n")
        .run()
        .code(2)
        .stdout("")
        .stderr(
            "error: cannot grant the directory `missing`: No such file or directory (os error 2)\n \
             hint: `--dir HOST::GUEST` takes a directory that exists\n",
        );
    let finished = host().plugin("init.wat").args(["--init", "@missing"]).stdin("x\n").run();
    let stderr = finished.code(2).stdout("").stderr_text();
    assert!(stderr.starts_with("error: ") && stderr.contains("`missing`"), "{stderr}");
}

#[test]
fn a_plugin_that_takes_whole_items_refuses_args_flags() {
    for passing in ["args", "kwargs"] {
        let host = host().plugin("upper.wat").args(["--args", passing]).stdin("[1]\n");
        host.run().code(3).stdout("").stderr(&format!(
            "error: plugin `upper.wat` takes each item whole, not by `{passing}`\n \
             hint: leave out `--args`, or write the worker with named parameters, if its SDK \
             supports them: in Rust, with \
             `#[mtl_plugin::worker]`\n"
        ));
    }
}

#[test]
fn a_failing_init_does_not_wait_for_a_hanging_one() {
    let finished =
        host().plugin("spin-init.wat").args(["--init", "refuse", "--init", "spin"]).run().code(3);
    let stderr = finished.stderr_text();
    let error = "error: worker 0 could not be started: init failed: r\n";
    assert!(stderr.contains(error), "{stderr}");
}

#[test]
fn a_late_start_failure_reports_the_finished_items() {
    let mut running = host_with_summary()
        .plugin("hangs-at-first.wat")
        .subfolder("state")
        .args(["--dir", "state::/state:rw", "--init", "0", "--init", "g", "--chunk-size", "1"])
        .args(["--faults", "faults", "--finish-output", "reports"])
        .stdin_open()
        .start();
    running.send("a\nb\n");
    running.wait_for_stdout("a\nb\n");
    fs::write(running.folder().join("state/open"), "").unwrap();
    let finished = running.finish_with_stdin_open().code(8).stdout("a\nb\n");
    let stderr = finished.stderr_text();
    let error = "error: worker 1 could not be started: init failed: the gate is open\n hint: ";
    assert!(stderr.contains(error), "{stderr}");
    assert!(stderr.lines().last().unwrap().starts_with("2 items, 0 faults, "), "{stderr}");
}

#[test]
fn a_start_failure_before_any_item_shows_no_summary() {
    let finished = host_with_summary()
        .plugin("spin-init.wat")
        .args(["--jobs", "1", "--init", "refuse"])
        .stdin("a\nb\n")
        .run()
        .code(3)
        .stdout("");
    let stderr = finished.stderr_text();
    assert!(stderr.starts_with("error: worker 0 could not be started: "), "{stderr}");
    assert!(!stderr.contains(" items, ") && !stderr.contains("not run"), "{stderr}");
}
