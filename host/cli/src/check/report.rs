//! The report of all checks: text for people, and a JSON document for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::args::CheckArgs;
use super::table::CheckReport;
use super::verdict::{Status, Verdict};
use crate::display_text::DisplayText;
use crate::escape;

/// The number of characters that are shown of a line.
const MAX_LEN: usize = 2000;
/// The indent of the details below the name of a check.
const INDENT: &str = "      ";

pub(super) fn text(args: &CheckArgs, report: &CheckReport) -> String {
    let plugin = DisplayText::of(&args.plugin);
    let mut page = format!("plugin {plugin}\n");
    for (check, Verdict { status, details, hint }) in &report.0 {
        let (status, shown, under) = match (status, details.as_slice()) {
            (Status::Fail, details) => ("FAIL", check.statement, details),
            // The reason is more useful than the name of the check.
            (Status::Skip, [reason, details @ ..]) => ("skip", reason.as_str(), details),
            (status, details) => (status.name(), check.statement, details),
        };
        line(&mut page, &format!("{status}  {:<17} {shown}", check.name));
        for detail in under {
            let detail = escape::block(&escape::head(detail, MAX_LEN), INDENT);
            line(&mut page, &format!("{INDENT}{detail}"));
        }
        if let Some(hint) = hint {
            line(&mut page, &format!("{INDENT}hint: {hint}"));
        }
    }
    let count = |status| report.count(status);
    let (passed, failed) = (count(Status::Pass), count(Status::Fail));
    let warnings = match count(Status::Warn) {
        1 => "1 warning".into(),
        more => format!("{more} warnings"),
    };
    line(
        &mut page,
        &format!("{passed} passed, {failed} failed, {warnings}, {} skipped", count(Status::Skip)),
    );
    page
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("writing to a string cannot fail");
}

/// Returns the report as JSON. The schema is in host/docs/checking-plugins.md.
pub(super) fn json(args: &CheckArgs, report: &CheckReport) -> String {
    let counts = Status::ALL.map(|status| (status.name().to_owned(), report.count(status).into()));
    let object = json!({
        "schema": 1,
        "plugin": args.plugin.to_string_lossy(),
        "isolation": args.isolation.to_string(),
        "passed": !report.has_failed(),
        "counts": Value::Object(counts.into_iter().collect()),
        "checks": report.0.iter().map(|(check, verdict)| json!({
            "name": check.name,
            "what": check.statement,
            "status": verdict.status.name(),
            "details": verdict.details,
            "hint": verdict.hint,
        })).collect::<Value>(),
    });
    format!("{}\n", escape::json(&object.to_string()))
}
