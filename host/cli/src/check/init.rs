//! The checks of `init`: the start of instances, with different arguments.

use mtl_host::{ArgumentPassing, FaultKind};

use super::subject::Subject;
use super::transcript::{CallReply, shown};
use super::verdict::{CheckResult, EarlyEnd, Verdict};

pub(super) const NO_ITEM: &[&[u8]] = &[];

pub(super) fn start(subject: &Subject<'_>) -> CheckResult {
    use ArgumentPassing::{Args, Kwargs, Single};
    let passings: &[_] = match subject.args.args {
        Some(_) => &[subject.passing()],
        None if subject.found().typed.is_some() => &[subject.typed_passing()],
        None if subject.found().uses_argument_passing => &[Single, Args, Kwargs],
        None => &[Single],
    };
    let mut first = None;
    for passing in passings {
        match subject.trial().passing(*passing).run(NO_ITEM) {
            Ok(_) => {
                subject.set_passing(*passing);
                let is_usual = *passing == ArgumentPassing::default();
                let note = format!("with `--args {passing}`; the checks below call it so");
                return Ok(if is_usual { Verdict::pass() } else { Verdict::passed(note) });
            }
            Err(EarlyEnd::Verdict(verdict)) => first = first.or(Some(verdict)),
            Err(error) => return Err(error),
        }
    }
    Ok(first.expect("there is at least one way"))
}

pub(super) fn other_init(subject: &Subject<'_>) -> CheckResult {
    let Some(init) = &subject.init_other else {
        return Ok(Verdict::skip("give other arguments, with `--init-other`"));
    };
    let transcript = subject.trial().init(init).run(&subject.samples())?.ensure_no_failure()?;
    let usual = subject.trial().run(&subject.samples())?;
    Ok(match usual.difference(&transcript) {
        None => Verdict::passed("its answers are the same as with the usual arguments"),
        Some(difference) => Verdict::passed(difference),
    })
}

/// Items that are invalid for any parameters.
const WRONG_ARGS: [&str; 6] = ["", "1", "{}", "[", "[] []", "\"text\""];
const WRONG_KWARGS: [&str; 7] =
    ["", "1", "[]", "{", "{} {}", "{\"no parameter has this name\": null}", "\"text\""];

pub(super) fn argument_passing(subject: &Subject<'_>) -> CheckResult {
    if !subject.found().uses_argument_passing {
        return Ok(Verdict::skip(
            "each item is a single argument: the plugin does not ask how items are passed",
        ));
    }
    single(subject)?;
    let many = format!("[{}]", vec!["null"; 100].join(", "));
    let wrong = WRONG_ARGS.into_iter().chain([many.as_str()]);
    spread(subject, ArgumentPassing::Args, &wrong.collect::<Vec<_>>())?;
    spread(subject, ArgumentPassing::Kwargs, &WRONG_KWARGS)?;
    Ok(Verdict::pass())
}

/// Checks that with `--args single`, the plugin either starts or names the flags for several parameters.
fn single(subject: &Subject<'_>) -> Result<(), EarlyEnd> {
    let started = subject.trial().passing(ArgumentPassing::Single).run(NO_ITEM);
    let Err(EarlyEnd::Verdict(verdict)) = started else { return started.map(drop) };
    if verdict.details.iter().any(|detail| detail.contains("--args")) {
        return Ok(());
    }
    let verdict = verdict.hint(
        "with `--args single` and several parameters, let `init` fail with a message that names them, \
         `--args args` and `--args kwargs`",
    );
    Err(verdict.into())
}

/// Checks that every item that cannot fill the parameters is a bad item.
fn spread(subject: &Subject<'_>, passing: ArgumentPassing, wrong: &[&str]) -> Result<(), EarlyEnd> {
    let transcript = subject.trial().passing(passing).run(wrong)?.ensure_no_failure()?;
    let mut found = transcript.items.iter().zip(&transcript.answers);
    let is_bad = |answer: &CallReply| matches!(answer, CallReply::Fault(FaultKind::BadItem, _));
    match found.find(|(_, answer)| !is_bad(answer)) {
        None => Ok(()),
        Some((item, answer)) => {
            let detail =
                format!("`--args {passing}`, the item {}: {}", shown(item), answer.shown());
            let hint = "an item that does not fill the parameters is `bad-item`: see the rules of \
                        \"Argument passing\" in host/docs/plugin-interface.md";
            Err(Verdict::fail(detail).hint(hint).into())
        }
    }
}
