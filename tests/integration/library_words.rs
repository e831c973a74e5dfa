//! Checks that no text of the library names a flag, as flags belong to the command.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// Returns the source files below a directory, in order, except those of the command and of tests.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    const OTHERS: [&str; 9] =
        ["cli", "cli.rs", "main.rs", "tests", "tests.rs", "benches", "docs", "kits", "packaging"];
    let mut entries: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if OTHERS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns whether a line names a flag: two dashes and a letter.
fn names_a_flag(line: &str) -> bool {
    // The argument that marks a worker process is not a flag of the command.
    let line = line.replace("--mtl-host-worker-process", "");
    line.match_indices("--").any(|(at, dashes)| {
        line[at + dashes.len()..].starts_with(|next: char| next.is_ascii_lowercase())
    })
}

#[test]
fn the_library_names_no_flag() {
    let (host, mut found) = (root().join("host"), Vec::new());
    sources(&host, &mut found);
    assert!(found.len() > 150, "{} files", found.len());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        // A file's tests are at its end.
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        for (number, line) in (1..).zip(code.lines()) {
            let path = path.strip_prefix(&host).unwrap().display();
            assert!(!names_a_flag(line), "{path}:{number} names a flag: {}", line.trim());
        }
    }
}

#[test]
fn a_flag_is_two_dashes_and_a_letter() {
    for (line, is_one) in [
        ("use `--memory SIZE`", true),
        ("`--no-cache`", true),
        ("a -- b", false),
        ("--mtl-host-worker-process", false),
        ("x--", false),
    ] {
        assert_eq!(names_a_flag(line), is_one, "{line}");
    }
}
