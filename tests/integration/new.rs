//! Checks `mtl-host new`: the files that it writes. Where this machine has a compiler for the
//! language, the new project is built and run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::build::real;
use crate::support::command;

fn sdks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk")
}

/// Returns the languages that have an SDK.
pub(crate) fn languages() -> Vec<String> {
    let entries = fs::read_dir(sdks()).unwrap().map(|entry| entry.unwrap().path());
    let mut languages: Vec<_> = entries
        .filter(|path| path.join("template").is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    languages.sort();
    assert!(languages.contains(&"rust".into()));
    languages
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Returns all files below a directory, except files and directories with the names in `left_out`.
fn files(folder: &Path, left_out: &[&str]) -> Files {
    let mut all = Files::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = Path::new(entry.file_name().unwrap()).to_owned();
        if left_out.iter().any(|left_out| name == Path::new(left_out)) {
            continue;
        }
        if entry.is_dir() {
            let below = files(&entry, left_out);
            all.extend(below.into_iter().map(|(path, content)| (name.join(path), content)));
        } else {
            all.insert(name, fs::read(entry).unwrap());
        }
    }
    all
}

/// Returns the files that a new project must contain.
fn expected(language: &str) -> Files {
    let sdk = sdks().join(language);
    let renamed = |text: &str| text.replace("my-worker", "a-b").replace("my_worker", "a_b");
    let template = files(&sdk.join("template"), &[]).into_iter().map(|(path, content)| {
        let content = renamed(std::str::from_utf8(&content).unwrap()).into_bytes();
        match path.to_str().unwrap() {
            "gitignore" => (".gitignore".into(), content),
            path => (renamed(path).into(), content),
        }
    });
    let own = sdk.join("mtl-plugin");
    let others = ["template", "tests", "target", "build", "node_modules", "__pycache__"];
    let sources = files(if own.is_dir() { &own } else { &sdk }, &others).into_iter();
    // The SDK's Go tests need files that a project does not contain.
    let sources = sources.filter(|(path, _)| !path.to_str().unwrap().ends_with("_test.go"));
    let sources = sources.map(|(path, content)| (Path::new("mtl-plugin").join(path), content));
    template.chain(sources).collect()
}

#[test]
fn a_project_has_the_template_and_the_sdk() {
    for language in languages() {
        let finished = command().args(["new", "--lang", &language, "in/a-b"]).run().code(0);
        let finished = finished
            .stderr("")
            .stdout("mtl-host build in/a-b\nprintf 'Ada\\nGrace\\n' | mtl-host run in/a-b\n");
        let (found, expected) =
            (files(&finished.folder().join("in/a-b"), &[]), expected(&language));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(found == expected, "{language}: the content differs");
        let named = found.values().any(|content| content.windows(3).any(|three| three == b"a-b"));
        assert!(named, "{language}: the worker has no name");
    }
}

#[test]
fn new_never_overwrites_existing_files() {
    let not_empty =
        |name| format!("error: `{name}` is not empty\n hint: name a folder that does not exist\n");
    let full = command().subfolder("full").file("full/notes.txt", "mine");
    let full = full.args(["new", "--lang", "rust", "full"]).run();
    let full = full.code(2).stdout("").stderr(&not_empty("full")).file("full/notes.txt", "mine");
    assert_eq!(files(full.folder(), &[]).len(), 1);
    let file = command().file("file", "mine").args(["new", "--lang", "rust", "file"]).run();
    file.code(4)
        .stderr("error: cannot write `file`: Not a directory (os error 20)\n")
        .file("file", "mine");
    command().subfolder("empty").args(["new", "--lang", "rust", "empty"]).run().code(0);
}

#[test]
fn a_name_that_is_invalid_in_the_language_is_refused() {
    for name in ["fn", "2d", "mtl-plugin"] {
        let finished = command().args(["new", "--lang", "rust", name]).run();
        let finished = finished.code(2).stdout("").stderr(&format!(
            "error: a worker in rust cannot be named `{name}`\n \
             hint: name the folder with letters, digits and `-`, such as `my-worker`, but not with \
             a reserved word of rust\n"
        ));
        assert!(files(finished.folder(), &[]).is_empty());
    }
}

#[test]
fn a_failed_new_leaves_no_partial_project() {
    // The longest files exceed the limit on the size of a file.
    let limited = "ulimit -f 2; exec \"$0\" \"$@\"";
    for exists in [false, true] {
        let host = command();
        let host = if exists { host.subfolder("a-b") } else { host };
        let host = host.args(["new", "--lang", "rust", "a-b"]).under("sh", ["-c", limited]);
        let finished = host.run().code(4).stdout("");
        let text = finished.stderr_text();
        assert!(text.starts_with("error: cannot write `a-b/"), "{text}");
        let folder = finished.folder().join("a-b");
        assert_eq!(folder.exists(), exists);
        assert!(!exists || files(&folder, &[]).is_empty());
    }
}

/// Creates a project, builds it and runs it. The new worker has the same behaviour in every
/// language. The module `languages` calls this function in a test for each language.
pub(crate) fn from_nothing_to_results(language: &str) {
    let folder = tempfile::tempdir().unwrap();
    real::run_in(folder.path(), &["new", "--lang", language, "Good Day"], "").code(0).stderr("");
    let Some(built) = real::build(folder.path(), "Good Day") else { return };
    drop(built);
    let run = |args: &[&str], input: &str| {
        // The cache avoids compiling a large plugin several times.
        let always = ["run", "-q", "-j1", "--cache-dir", "cache", "Good Day"];
        real::run_in(folder.path(), &[&always, args].concat(), input)
    };
    run(&[], "Ada\nGrace\n")
        .code(0)
        .stdout("Hello, Ada!\nHello, Grace!\n")
        .stderr("[worker 0] finish: greeted: 2\n");
    let check = ["check", "--cache-dir", "cache", "--item", "Ada", "--item", "", "Good Day"];
    real::run_in(folder.path(), &check, "").code(0);
    run(&["--init", "Hi"], "Ada\n\n").code(1).stdout("Hi, Ada!\n\n").stderr(
        "fault: item 1: bad-item: there is nobody to greet\n[worker 0] finish: greeted: 1\n",
    );
}

/// Returns the crates in a lock file, each as its name and its version.
fn locked(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap();
    let value = |line: &str| line.split('"').nth(1).unwrap().to_owned();
    let packages = text.split("[[package]]\n").skip(1).map(|package| {
        let mut lines = package.lines();
        (value(lines.next().unwrap()), value(lines.next().unwrap()))
    });
    packages.collect()
}

/// Checks that a new Rust project needs only crates of the SDK, in the versions that the SDK is
/// tested with.
#[test]
fn a_new_rust_project_uses_the_tested_crate_versions() {
    let sdk = locked(&sdks().join("rust/Cargo.lock"));
    let template = locked(&sdks().join("rust/template/Cargo.lock"));
    let others: Vec<_> = template.iter().filter(|package| !sdk.contains(package)).collect();
    assert_eq!(others, [&("my-worker".to_owned(), "0.1.0".to_owned())]);
}

/// Checks that the fuzz targets use the host's versions of crates, so that the engine is not built
/// twice.
#[test]
fn fuzzing_uses_the_crate_versions_of_the_host() {
    let root = sdks().join("..");
    let (host, fuzz) =
        (locked(&root.join("Cargo.lock")), locked(&root.join("tests/fuzz/Cargo.lock")));
    let has = |name: &String| host.iter().any(|(other, _)| other == name);
    let mut shared = fuzz.iter().filter(|(name, _)| has(name));
    assert!(shared.clone().any(|(name, _)| name == "wasmtime"));
    assert_eq!(shared.find(|package| !host.contains(package)), None);
}
