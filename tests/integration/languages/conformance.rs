//! `mtl-host check` finds nothing wrong with what an SDK has made.

use std::path::Path;

use super::Language;
use super::project::build;
use crate::support::{command, in_processes};

/// Items that the probe answers in every way that there is.
const ITEMS: [&str; 6] = ["echo a", "", "skip", "refuse it", "bad one", "bytes 5000"];

/// All checks pass.
pub(super) fn passes(language: &Language) {
    let Some(probe) = build(language.probe) else {
        return;
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages");
    let items = ITEMS.iter().flat_map(|item| ["--item", item]);
    let isolation = if in_processes() { "process" } else { "thread" };
    command()
        .args(["check".as_ref(), probe.path().as_os_str()])
        .args(items)
        .args(["--isolation", isolation, "--cache-dir"])
        .args([cache])
        .run()
        .code(0);
}
