//! `mtl-host check`: checks that a plugin, in any language, does what the host expects.
//!
//! ```text
//! args ─▶ subject (the loaded plugin and its settings) ─▶ each check of the table ─▶ verdicts ─▶ report
//!                                                          └ trials: items through fresh pools
//! ```
//!
//! The library loads and starts the plugin. If one of these steps fails, this module decides which check has failed,
//! and which checks cannot run. The report is written to standard output.

mod args;
mod calls;
mod diff;
mod finish;
mod init;
mod items;
mod loading;
mod names;
mod report;
mod subject;
mod table;
mod transcript;
mod trial;
mod verdict;

use std::sync::Arc;

pub(crate) use self::args::CheckArgs;

use self::subject::Subject;
use super::console::Console;
use super::exit::Exit;
use super::refuse::refuse;
use super::report::Report;

/// Checks a plugin, and passes the report to `show`.
pub(super) fn check(args: &CheckArgs, show: impl Fn(&str) -> Exit) -> Exit {
    let messages = Report::new(&Arc::new(Console::standard_error()));
    let report = Subject::new(args, &messages).and_then(|subject| table::run_checks(&subject));
    let report = match report {
        Err(error) => return refuse(&error),
        Ok(report) => report,
    };
    let render = if args.json { report::json } else { report::text };
    match show(&render(args, &report)) {
        Exit::Success if report.has_failed() => Exit::CheckFailed,
        exit => exit,
    }
}
