//! Tests the examples that exist in every language.

use std::fs;

use super::Language;
use super::project::{build, checkout};
use crate::support::fixtures;

/// Checks that `square` and `word-count` give the bytes in `tests/fixtures/languages`.
pub(super) fn give_the_same_bytes(language: &Language) {
    let Some(examples) = language.examples else {
        return;
    };
    let given = |name: &str| fs::read(fixtures().join("languages").join(name)).unwrap();
    for (name, report) in [("square", None), ("word-count", Some("word-count.report"))] {
        let Some(example) = build(&format!("{examples}/{name}")) else {
            return;
        };
        let finished = example
            .run()
            .stdin(unescaped(&given(&format!("{name}.in"))))
            .run()
            .code(1)
            .stdout(given(&format!("{name}.out")));
        let report = report.map(|report| String::from_utf8(given(report)).unwrap());
        let report = report.map(|report| format!("[worker 0] finish: {report}"));
        let stderr = finished.stderr_text();
        let stderr: String =
            stderr.split_inclusive('\n').filter(|line| line.contains("finish")).collect();
        assert_eq!(stderr, report.unwrap_or_default(), "{name}");
    }
}

/// Decodes `\xHH`, which stands for a byte that is not UTF-8 in these files.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(byte, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// Checks that the SDKs' README shows `greet` of this language, and that it greets.
pub(super) fn greet_as_the_readme_shows(language: &Language) {
    let Some((examples, source)) = language.examples.zip(language.greet) else {
        return;
    };
    let text = fs::read_to_string(checkout().join(examples).join(source)).unwrap();
    // The source in Rust has a test at its end, and a comment at its head.
    let text = text.split("\n#[cfg(test)]").next().unwrap();
    let code: String =
        text.split_inclusive('\n').skip_while(|line| line.starts_with("//!")).collect();
    let readme = fs::read_to_string(checkout().join("plugin-sdk/README.md")).unwrap();
    assert!(readme.contains(code.trim()), "plugin-sdk/README.md has another `greet` than\n{code}");
    let Some(greet) = build(&format!("{examples}/greet")) else {
        return;
    };
    let greet = greet.with_jobs(1).args(["--init", "Hello"]).stdin("Ada\na\0b\n");
    greet.run().code(0).stdout("Hello, Ada!\nHello, a\0b!\n");
}
