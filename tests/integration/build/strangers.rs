//! Checks untrusted directories: the content of a directory runs only if the user names the
//! directory as sources to build.

use std::fs;

use super::cases::C;
use super::fake::{COMPILER, Project, project};

/// A script that records its own run.
const TRAP: &str = "#!/bin/sh\necho \"$0\" >>MARKER\n";
/// The paths at which a project could place programs for the host to run.
const TRAPS: [&str; 12] = [
    ".venv/bin/python3",
    ".venv/bin/python",
    ".venv/bin/go",
    ".venv/bin/componentize-py",
    "node_modules/.bin/asc",
    "node_modules/.bin/esbuild",
    "zig",
    "clang",
    "cargo",
    "rustc",
    "go",
    "node",
];
/// The files that make a directory a project of each language.
const LANGUAGES: [&[(&str, &str)]; 7] = [
    &[("a.c", "")],
    &[("a.zig", "")],
    &[("Cargo.toml", "")],
    &[("go.mod", "")],
    &[("package.json", r#"{"devDependencies":{"assemblyscript":"1"}}"#), ("worker.ts", "")],
    &[("package.json", "{}"), ("mtl-plugin/build.mjs", "")],
    &[("a.py", "")],
];
const DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Creates an untrusted directory `name` with these files, and with a trap in place of each program.
fn untrusted_folder(name: &str, files: &[(&str, &str)]) -> Project {
    let project = project();
    let marker = project.path("marker");
    let trap = TRAP.replace("MARKER", marker.to_str().unwrap());
    TRAPS.iter().for_each(|file| project.script(&format!("{name}/{file}"), &trap));
    files.iter().for_each(|(file, text)| project.write(&format!("{name}/{file}"), text));
    project.write("items", "a\n");
    project.write("mtl.toml", &format!("[[worker]]\nplugin = \"{name}\"\n"));
    let pinned = format!("[[worker]]\nplugin = \"{name}\"\nsha256 = \"{DIGEST}\"\n");
    project.write("pinned.toml", &pinned);
    project
}

impl Project {
    /// Checks that nothing in the directory has run.
    fn assert_untouched(&self, context: &str) {
        let marker = fs::read_to_string(self.path("marker")).unwrap_or_default();
        assert_eq!(marker, "", "{context}");
    }
}

#[test]
fn a_folder_named_like_a_plugin_file_runs_nothing() {
    for name in ["x.wasm", "x.WAT", "x.cwasm"] {
        let worker = format!("{name},memory=1MiB");
        let commands: [&[&str]; 9] = [
            &["inspect", name],
            &["inspect", "--json", name],
            &["check", name],
            &["compile", name],
            &["run", name, "items"],
            &["run", "--sha256", DIGEST, name, "items"],
            &["run", "--isolation", "process", "--plugin", name, "items"],
            &["run", "--worker", &worker, "--worker", &worker, "items"],
            &["run", "--config", "mtl.toml", "items"],
        ];
        for language in LANGUAGES {
            let project = untrusted_folder(name, language);
            for command in commands {
                let stderr = project.run(command, "").code(2).stdout("").stderr_text();
                project.assert_untouched(&command.join(" "));
                let hint = format!(
                    " hint: if you trust its sources, run `mtl-host build {name}`, and name the file \
                     that it prints\n"
                );
                assert!(stderr.ends_with(&hint), "{stderr}");
            }
        }
    }
}

#[test]
fn a_folder_with_a_pinned_digest_runs_nothing() {
    let worker = format!("p,sha256={DIGEST}");
    let commands: [&[&str]; 5] = [
        &["run", "--sha256", DIGEST, "p", "items"],
        &["run", "--isolation", "process", "--sha256", DIGEST, "p", "items"],
        // The first worker's plugin is not built either.
        &["run", "--worker", "p", "--worker", &worker, "items"],
        &["run", "--config", "pinned.toml", "items"],
        &["compile", "--sha256", DIGEST, "p"],
    ];
    for language in LANGUAGES {
        let project = untrusted_folder("p", language);
        for command in commands {
            project.run(command, "").code(2).stdout("").stderr(
                "error: cannot check the SHA-256 of `p`: it is a folder\n \
                 hint: a digest is that of a file: run `mtl-host build p`, and name the file that it \
                 prints\n",
            );
            project.assert_untouched(&command.join(" "));
        }
    }
}

#[test]
fn inspecting_a_folder_runs_nothing() {
    for language in LANGUAGES {
        let project = untrusted_folder("p", language);
        project.run(&["inspect", "p"], "").code(2).stdout("").stderr(
            "error: cannot inspect `p`: it is a folder, and inspecting runs no compiler\n \
             hint: if you trust its sources, run `mtl-host build p`, and name the file that it prints\n",
        );
        project.assert_untouched("inspect p");
    }
}

/// Checks that the search for tools runs nothing from the project.
#[test]
fn finding_a_tool_runs_nothing_of_the_project() {
    let traps = |language| {
        let project = untrusted_folder("p", language);
        // If Python ran in the project, it would find this file as the package of Zig.
        project.write("p/ziglang/__main__.py", "");
        let marker = project.path("marker");
        let outside = format!("#!/bin/sh\n[ $PWD = / ] || pwd >>{}\nexit 1\n", marker.display());
        project.tool("python3", &outside);
        project
    };
    // No other tool is installed, so the build must fail without running anything from the project.
    for (language, missing) in [
        (LANGUAGES[0], "c needs Zig, or clang with wasi-libc, which is not installed"),
        (LANGUAGES[1], "zig needs Zig, which is not installed"),
    ] {
        let project = traps(language);
        let stderr = project.build([]).code(5).stdout("").stderr_text();
        let shown = format!("python3 -c 'import ziglang'\nerror: {missing}\n");
        assert!(stderr.starts_with(&shown), "{stderr}");
        project.assert_untouched(missing);
    }
    // The build must not ask the directory's own Python for Zig, because clang is available.
    let project = traps(LANGUAGES[0]);
    project.tool("clang-22", COMPILER);
    let stderr = project.build([]).code(0).stderr_text();
    let probe = "python3 -c 'import ziglang'\n\
                 clang-22 --target=wasm32-wasi -print-file-name=crt1-reactor.o\nclang-22 --target";
    assert!(stderr.starts_with(probe), "{stderr}");
    project.assert_untouched(&stderr);
}

/// Checks that a program name is looked up in `PATH` relative to the user's directory, and not
/// relative to the project.
#[test]
fn relative_folders_in_path_do_not_reach_the_project() {
    for folders in ["./node_modules/.bin", "node_modules/.bin", "", ".", "./node_modules/.bin:."] {
        let project = untrusted_folder("p", LANGUAGES[0]);
        let trap = fs::read_to_string(project.path("p/clang")).unwrap();
        let paths = project.path("path").to_str().unwrap().to_owned();
        let tool = COMPILER.replacen('\n', &format!("\necho \"$PATH\" >>{paths}\n"), 1);
        for name in ["clang", "clang-22"] {
            project.tool(name, &tool);
            project.script(&format!("p/node_modules/.bin/{name}"), &trap);
        }
        let stderr = project.run_with_path(folders, &["build", "p"]).code(0).stderr_text();
        project.assert_untouched(&stderr);
        assert!(stderr.starts_with("clang --target"), "{stderr}");
        let paths = fs::read_to_string(project.path("path")).unwrap();
        let bin = project.path("bin").to_str().unwrap().to_owned();
        assert_eq!(paths, format!("{bin}\n").repeat(2), "{folders}");
    }
}

/// Checks that the host queries tools from outside the project. In the project, a
/// `rust-toolchain.toml`, `go.mod` or `.tool-versions` could make the host run another program.
#[test]
fn tools_are_queried_outside_the_project() {
    // A script in place of a tool that starts a program named by a file in the current directory.
    let probe = |project: &Project| {
        let marker = project.path("marker").to_str().unwrap().to_owned();
        let proxy = format!(
            "case $* in *--print*|version|*GOVERSION*) [ $PWD = / ] || pwd >>{marker} ;; esac"
        );
        COMPILER.replacen('\n', &format!("\n{proxy}\n"), 1)
    };
    #[rustfmt::skip]
    let cases: [(usize, &[&str], &str); 4] = [
        (0, &["clang"],          "clang --target=wasm32-wasi -print-file-name=crt1-reactor.o\nclang "),
        (1, &["zig"],            "zig version\nzig build-exe "),
        (2, &["cargo", "rustc"], "bin/rustc --print target-libdir --target wasm32-wasip1\n"),
        (3, &["go"],             "go env GOVERSION\nGOOS=wasip1 GOARCH=wasm go build "),
    ];
    for (language, tools, shown) in cases {
        let project = project().files(LANGUAGES[language]);
        project.write("p/mtl-plugin/mtl_plugin.zig", "");
        let tool = probe(&project);
        tools.iter().for_each(|name| project.tool(name, &tool));
        let stderr = project.build([]).stderr_text();
        project.assert_untouched(&stderr);
        assert!(stderr.contains(shown), "{stderr}");
    }
}

/// Checks that a project with its own toolchain file is built without an earlier query to the
/// compiler. If the compiler does not fit the project, the compiler itself fails and reports the
/// reason.
#[test]
fn a_project_toolchain_file_skips_the_compiler_query() {
    for name in ["p/rust-toolchain.toml", "p/rust-toolchain", "rust-toolchain"] {
        let project = untrusted_folder("p", LANGUAGES[2]);
        project.write(name, "[toolchain]\npath = \"evil\"\n");
        let marker = project.path("marker").to_str().unwrap().to_owned();
        project.tool("rustup", "");
        project.tool("rustc", &format!("#!/bin/sh\necho asked >>{marker}\nexit 1\n"));
        project.tool("cargo", "#!/bin/sh\nexit 3\n");
        let stderr = project.build([]).code(5).stderr_text();
        assert!(stderr.starts_with("cargo build --release "), "{stderr}");
        assert!(stderr.contains("error: `cargo` failed: exit status: 3"), "{stderr}");
        project.assert_untouched(&stderr);
    }
    let old = COMPILER.replace("go1.27.1", "go1.22.4");
    for (module, code) in [("go 1.22\ntoolchain go1.25.1", 0), ("go 1.25", 0), ("go 1.22", 5)] {
        let project = project().files(&[("go.mod", module)]).tools(&[("go", &old)]);
        project.build([]).code(code);
    }
}

#[test]
fn a_build_command_is_shown_before_it_runs() {
    // The host finds the package `ziglang` in the project's `.venv` by the name of the directory.
    // The host builds with this package, and shows the command line.
    let project = project().files(C.files);
    let venv = "p/.venv/lib/python3.11/site-packages";
    project.write(&format!("{venv}/ziglang/__main__.py"), "");
    project.script("p/.venv/bin/python3", &format!("{COMPILER}echo compiles >&2\n"));
    let shown = project.run(&["run", "--quiet", "p"], "a\n").code(0).stdout("A\n").stderr_text();
    assert!(shown.starts_with(".venv/bin/python3 -m ziglang cc -target wasm32-wasi"), "{shown}");
    assert!(shown.ends_with(" -o build/.new/p.wasm\ncompiles\n"), "{shown}");
}
