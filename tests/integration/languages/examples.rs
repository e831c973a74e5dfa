//! The examples that there are in every language.

use std::fs;

use super::Language;
use super::project::build;
use crate::support::fixtures;

/// `square` and `word-count` give what is in `tests/fixtures/languages`, byte for byte.
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
            .stdin(given(&format!("{name}.in")))
            .run()
            .code(1)
            .stdout(given(&format!("{name}.out")));
        let report = report.map(|report| String::from_utf8(given(report)).unwrap());
        let report = report.map(|report| format!("[worker 0] finish: {report}"));
        let said = finished.stderr_text();
        let said: String =
            said.split_inclusive('\n').filter(|line| line.contains("finish")).collect();
        assert_eq!(said, report.unwrap_or_default(), "{name}");
    }
}
