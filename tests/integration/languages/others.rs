//! What there is in one language alone: a package of Python's, and a component without our SDK.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::project::{build, is_to_be_skipped};
use crate::support::{fixtures, host};

/// `markdown` uses a package from PyPI.
pub(super) fn makes_html() {
    let Some(markdown) = build("examples-plugins/python/markdown") else {
        return;
    };
    let html = markdown.with_jobs(1).args(["--multiline"]).stdin("# A ~~b~~\n");
    html.run().code(0).stdout("<h1>A <del>b</del></h1>\n\n");
}

/// componentize-py makes a component of a world that this host does not know.
pub(super) fn analyzes() {
    let given = fixtures().join("languages/typed-python");
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("analyzer.wasm");
    let built = Command::new("componentize-py")
        .current_dir(&given)
        .args(["-q", "-d", "wit", "-w", "analyzer", "componentize", "analyzer", "-o"])
        .arg(&made)
        .output();
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            assert!(is_to_be_skipped(), "componentize-py: {error}");
            return;
        }
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages");
    let items = fs::read(given.join("analyzer.in")).unwrap();
    let results = fs::read(given.join("analyzer.out")).unwrap();
    host()
        .args([made])
        .args(["--call", "analyze", "--jobs", "1", "--input-format", "jsonl"])
        .args(["--output-format", "jsonl", "--cache-dir"])
        .args([cache])
        .stdin(items)
        .run()
        .code(1)
        .stdout(results);
}
