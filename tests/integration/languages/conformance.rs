//! Checks that `mtl-host check` finds no defect in plugins of an SDK.

use super::Language;
use super::project::{build, cache};
use crate::support::{command, in_processes};

/// Items that make the probe answer in every possible way.
const ITEMS: [&str; 6] = ["echo a", "", "skip", "refuse it", "bad one", "bytes 5000"];

/// Checks that the probe and the examples pass all checks.
pub(super) fn passes(language: &Language) {
    is_passed_by(language.probe, &ITEMS);
    let Some(examples) = language.examples else {
        return;
    };
    is_passed_by(&format!("{examples}/square"), &["12", "1.5", "twelve"]);
    is_passed_by(&format!("{examples}/word-count"), &["to be or not", ""]);
}

fn is_passed_by(project: &str, items: &[&str]) {
    let Some(built) = build(project) else {
        return;
    };
    let items = items.iter().flat_map(|item| ["--item", item]);
    let isolation = if in_processes() { "process" } else { "thread" };
    command()
        .args(["check".as_ref(), built.path().as_os_str()])
        .args(items)
        .args(["--isolation", isolation, "--cache-dir"])
        .args([cache()])
        .run()
        .code(0);
}
