//! The table of all checks, in the order in which they run and are shown.

use super::subject::Subject;
use super::verdict::{CheckResult, EarlyEnd, Status, Verdict};
use super::{calls, diff, finish, init, loading};
use crate::error::CliError;

/// A check.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    /// The statement that holds if the check passes.
    pub(super) statement: &'static str,
    /// The checks that must pass before this one makes sense.
    depends_on: &'static [&'static str],
    items: Items,
    run: fn(&Subject<'_>) -> CheckResult,
}

/// The kind of items that a check generates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Items {
    /// No items, or items that the plugin accepts.
    Accepted,
    /// Any bytes.
    Bytes,
}

impl Check {
    /// Marks a check that generates items of any bytes.
    const fn with_bytes(self) -> Self {
        Self { items: Items::Bytes, ..self }
    }
}

const fn check(
    name: &'static str,
    statement: &'static str,
    depends_on: &'static [&'static str],
    run: fn(&Subject<'_>) -> CheckResult,
) -> Check {
    Check { name, statement, depends_on, items: Items::Accepted, run }
}

#[rustfmt::skip]
pub(super) static CHECKS: [Check; 22] = [
    check("file", "it is WebAssembly that this host compiles", &[], loading::file),
    check("exports", "it exports what a plugin needs, with the right types", &["file"], loading::exports),
    check("imports", "it imports only what the host offers", &["exports"], loading::imports),
    check("start", "an instance starts", &["imports"], init::start),
    check("argument-passing", "items fill parameters by the rules", &["start"], init::argument_passing).with_bytes(),
    check("items", "items are answered", &["start"], calls::items),
    check("empty-item", "an empty item is answered", &["items"], calls::empty_item).with_bytes(),
    check("every-byte", "items of all bytes are answered, text or not", &["items"], calls::every_byte).with_bytes(),
    check("growing-items", "items of all sizes are answered, up to 256 KiB", &["items"], calls::growing_items).with_bytes(),
    check("large-item", "an item of 10 MB is answered", &["growing-items"], calls::large_item).with_bytes(),
    check("result-format", "results have the format that it declares", &["items"], calls::result_format),
    check("messages", "errors come with a message in UTF-8", &["every-byte"], calls::messages),
    check("deterministic", "two instances give the same answers to the same items", &["items"], diff::deterministic),
    check("recover", "after a refused item, it works as before", &["every-byte", "deterministic"], calls::recover),
    check("stable", "an item gets the same answer after larger and smaller ones", &["deterministic", "growing-items"], diff::stable),
    check("state", "it keeps state from item to item", &["deterministic"], diff::state),
    check("other-init", "an instance starts with other arguments", &["items"], init::other_init),
    check("instances", "two instances at the same time do not affect each other", &["deterministic"], diff::instances),
    check("batch", "items in a batch get the same answers as alone", &["deterministic", "empty-item", "growing-items"], diff::batch),
    check("finish", "it ends, with a report or without", &["items"], finish::finish),
    check("memory", "its memory does not grow with the number of items", &["items"], finish::memory),
    check("snapshot", "it starts from a snapshot as it starts otherwise", &["deterministic"], finish::snapshot),
];

/// The verdicts of all checks.
#[derive(Debug)]
pub(super) struct CheckReport(pub(super) Vec<(&'static Check, Verdict)>);

impl CheckReport {
    pub(super) fn count(&self, status: Status) -> usize {
        self.0.iter().filter(|(_, verdict)| verdict.status == status).count()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.count(Status::Fail) > 0
    }

    /// Returns the name of the check that blocks a check with the dependencies `depends_on`. Finds the first dependency
    /// that failed or was skipped. If another check blocked this dependency, returns the other check.
    fn blocking_check(&self, depends_on: &[&'static str]) -> Option<&'static str> {
        let found = |name: &str| self.0.iter().find(|(check, _)| check.name == name);
        let is_lacking = |name: &&str| match found(name) {
            Some((_, verdict)) => matches!(verdict.status, Status::Fail | Status::Skip),
            None => true,
        };
        let first = depends_on.iter().copied().find(is_lacking)?;
        let deeper = found(first).and_then(|(check, _)| self.blocking_check(check.depends_on));
        Some(deeper.unwrap_or(first))
    }
}

const JSON_ITEMS: &str = "items are JSON, which the host parses and passes on as values";

/// Returns whether a check generates items of any bytes.
fn generates_bytes(name: &str) -> bool {
    CHECKS.iter().any(|check| check.name == name && check.items == Items::Bytes)
}

/// Runs all checks.
pub(super) fn run_checks(subject: &Subject<'_>) -> Result<CheckReport, CliError> {
    let mut report = CheckReport(Vec::new());
    for check in &CHECKS {
        let is_left_out = subject.args.skip.iter().any(|name| name == check.name);
        let verdict = match report.blocking_check(check.depends_on) {
            _ if is_left_out => Verdict::skip("left out by `--skip`"),
            Some(missing) if generates_bytes(missing) && subject.takes_json() => {
                Verdict::skip(format!("it builds on `{missing}`: {JSON_ITEMS}"))
            }
            Some(missing) => Verdict::skip(format!("`{missing}` has not passed")),
            None if check.items == Items::Bytes && subject.takes_json() => {
                Verdict::skip(JSON_ITEMS)
            }
            None => match (check.run)(subject) {
                Ok(verdict) | Err(EarlyEnd::Verdict(verdict)) => verdict,
                Err(EarlyEnd::Error(error)) => return Err(*error),
            },
        };
        report.0.push((check, verdict));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::names::NAMES;

    #[test]
    fn the_check_table_matches_the_skippable_names() {
        assert_eq!(CHECKS.each_ref().map(|check| check.name), NAMES);
    }

    #[test]
    fn each_check_follows_its_dependencies() {
        for (at, check) in CHECKS.iter().enumerate() {
            let before: Vec<_> = CHECKS[..at].iter().map(|check| check.name).collect();
            for name in check.depends_on {
                assert!(before.contains(name), "`{}` comes before `{name}`", check.name);
            }
            assert!(!before.contains(&check.name), "`{}` is in the table twice", check.name);
        }
    }
}
