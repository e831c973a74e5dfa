//! The checks of the plugin's file. The library performs these checks while it loads the plugin. If loading fails, this
//! module derives from the error which check failed.

use mtl_host::LoadError;
use mtl_host::inspect::{ImportProvider, PluginKind};
use mtl_host::load::LoadErrorKind;

use super::subject::Subject;
use super::verdict::{CheckResult, Verdict};
use crate::hints;
use crate::report::chain;

/// The part of a plugin that cannot be loaded, in the order of loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    File,
    Exports,
    Imports,
}

fn part(error: &LoadError) -> Part {
    match error.kind() {
        LoadErrorKind::MissingExport { .. }
        | LoadErrorKind::Signature { .. }
        | LoadErrorKind::World { .. }
        | LoadErrorKind::Ambiguous { .. }
        | LoadErrorKind::Untyped { .. }
        | LoadErrorKind::FixedCall { .. } => Part::Exports,
        LoadErrorKind::Import { .. }
        | LoadErrorKind::ImportType { .. }
        | LoadErrorKind::Link { .. } => Part::Imports,
        _ => Part::File,
    }
}

/// Returns the failed verdict of this part, if loading failed in it.
fn failed_verdict(subject: &Subject<'_>, part_checked: Part) -> Option<Verdict> {
    let error = subject.loaded.as_ref().err().filter(|error| part(error) == part_checked)?;
    let hint = hints::load(error).unwrap_or_else(|| hint_of_part(part_checked).into());
    Some(Verdict::fail(chain(error)).hint(hint))
}

fn hint_of_part(part: Part) -> &'static str {
    match part {
        Part::File => "the text must contain one module or one component",
        Part::Exports => {
            "give the export its type in host/docs/plugin-interface.md; or if it is not for the host, \
             another name"
        }
        Part::Imports => "import only WASI and `mtl:plugin/context@1.0.0`",
    }
}

pub(super) fn file(subject: &Subject<'_>) -> CheckResult {
    if let Some(verdict) = failed_verdict(subject, Part::File) {
        return Ok(verdict);
    }
    let Ok(_) = &subject.loaded else { return Ok(Verdict::pass()) };
    let found = subject.found();
    let kind = match found.kind {
        _ if found.typed.is_some() => "a component with a typed function,",
        PluginKind::CoreModule => "a core module",
        _ => "a component",
    };
    Ok(Verdict::passed(format!("{kind} of {} bytes", found.bytes)))
}

pub(super) fn exports(subject: &Subject<'_>) -> CheckResult {
    if let Some(verdict) = failed_verdict(subject, Part::Exports) {
        return Ok(verdict);
    }
    let Ok(_) = &subject.loaded else { return Ok(Verdict::pass()) };
    let optional = ["init", "finish", "call_batch", "after_restore", "mtl_abi_version"];
    let present: Vec<_> =
        optional.into_iter().filter(|name| subject.found().has_export(name)).collect();
    Ok(match present.as_slice() {
        [] => Verdict::pass(),
        present => Verdict::passed(format!("optional ones: `{}`", present.join("`, `"))),
    })
}

pub(super) fn imports(subject: &Subject<'_>) -> CheckResult {
    if let Some(verdict) = failed_verdict(subject, Part::Imports) {
        return Ok(verdict);
    }
    let found = subject.found();
    let mut verdict = Verdict::pass();
    for import in &found.imports {
        let provider = if import.provider == ImportProvider::Wasi { "WASI" } else { "the host" };
        verdict = match import.names.as_slice() {
            [] => verdict.and(format!("{} ({provider})", import.from)),
            names => verdict.and(format!("{} ({provider}): {}", import.from, names.join(", "))),
        };
    }
    for need in found.capabilities() {
        verdict =
            verdict.and(format!("may need {}, granted by `{}`", need.name(), hints::grant(need)));
    }
    Ok(verdict)
}
