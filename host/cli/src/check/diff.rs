//! The checks that run the same items twice and compare the answers.

use mtl_host::inspect::{Inspection, PluginKind};

use super::calls::{are_answers_equal, best_sample};
use super::init::NO_ITEM;
use super::items;
use super::subject::Subject;
use super::transcript::{Transcript, shown};
use super::trial::run_items;
use super::verdict::{CheckResult, EarlyEnd, Verdict};
use crate::isolation_arg::IsolationArg;

pub(super) fn deterministic(subject: &Subject<'_>) -> CheckResult {
    let samples = subject.samples();
    let one = subject.trial().run(&samples)?.ensure_no_failure()?;
    let two = subject.trial().run(&samples)?.ensure_no_failure()?;
    let difference = one.difference(&two).or_else(|| {
        (one.finish_report != two.finish_report).then(|| {
            let shown = |transcript: &Transcript| match &transcript.finish_report {
                Ok(report) => shown(report.as_deref().unwrap_or_default()),
                Err(failure) => failure.to_string(),
            };
            format!("the finish report: {}; and then {}", shown(&one), shown(&two))
        })
    });
    Ok(match difference {
        None => Verdict::pass(),
        Some(difference) => Verdict::fail(difference).hint(
            "answers must not depend on time, random numbers, addresses or uninitialised memory; if \
             yours do so on purpose, use `--skip deterministic`",
        ),
    })
}

pub(super) fn stable(subject: &Subject<'_>) -> CheckResult {
    if subject.args.stateful {
        return Ok(Verdict::skip("with `--stateful`, its answers depend on earlier items"));
    }
    let item = best_sample(subject)?;
    let (large, small) = (items::of_size(200_000, &item), items::of_size(1, &item));
    let several = [&item, &item, &item, &large, &item, &small, &item];
    let transcript = subject.trial().run(&several)?.ensure_no_failure()?;
    let answers = &transcript.answers;
    if answers[0] != answers[1] || answers[1] != answers[2] {
        return Ok(Verdict::skip("the same item gets another answer each time: it keeps state")
            .hint("if it does so on purpose, use `--stateful`"));
    }
    let found =
        [(4, "larger"), (6, "smaller")].into_iter().find(|(at, _)| answers[*at] != answers[0]);
    Ok(match found {
        None => Verdict::pass(),
        Some((at, other)) => {
            let (before, after) = (answers[0].shown(), answers[at].shown());
            let detail =
                format!("the item {}: {before}; after a {other} one: {after}", shown(&item));
            Verdict::fail(detail).hint(
                "read no more of the buffer than `length` bytes, keep no address in it after \
                 `mtl_alloc`, and reset the buffer of the result; if answers depend on earlier items \
                 on purpose, use `--stateful`",
            )
        }
    })
}

pub(super) fn state(subject: &Subject<'_>) -> CheckResult {
    let item = best_sample(subject)?;
    let once = subject.trial().run(&[&item])?.ensure_no_failure()?;
    let often = subject.trial().run(&[&item; 4])?.ensure_no_failure()?;
    let is_kept = !are_answers_equal(&often) || once.finish_report != often.finish_report;
    Ok(match (is_kept, subject.args.stateful) {
        (true, _) if !are_answers_equal(&often) => Verdict::passed(format!(
            "the item {}: {}; the next time: {}",
            shown(&item),
            often.answers[0].shown(),
            often.answers[1].shown()
        )),
        (true, _) => Verdict::passed("the finish report depends on the number of items"),
        (false, false) => Verdict::skip(
            "no answer depends on earlier items; if answers should, use `--stateful`",
        ),
        (false, true) => Verdict::fail(format!(
            "the item {}, four times: {}, and the finish report is that of one item",
            shown(&item),
            often.answers[0].shown()
        ))
        .hint(
            "keep state where it outlives a call: in a global or on the heap, created once in `init`",
        ),
    })
}

pub(super) fn instances(subject: &Subject<'_>) -> CheckResult {
    let samples = subject.samples();
    let other = || match &subject.init_other {
        Some(init) => subject.trial().init(init),
        None => subject.trial(),
    };
    let alone = subject.trial().run(&samples)?;
    let other_alone = match other().run(&samples) {
        // The check `other-init` covers a failed start with other arguments.
        Err(EarlyEnd::Verdict(_)) => return Ok(Verdict::skip("the other instance does not start")),
        other_alone => other_alone?,
    };
    let mut pool = subject.trial().start()?;
    // The first instance is ready before the other one starts.
    run_items(&mut pool, NO_ITEM)?;
    let mut other_pool = other().start()?;
    let other_together = run_items(&mut other_pool, &samples)?;
    let together = run_items(&mut pool, &samples)?;
    let pairs = [(alone, together), (other_alone, other_together)];
    let difference = pairs.iter().find_map(|(alone, together)| alone.difference(together));
    pool.close();
    other_pool.close();
    Ok(match difference {
        None => Verdict::pass(),
        Some(difference) => Verdict::fail(format!(
            "alone, and with another instance: {difference}"
        ))
        .hint("keep the state of a worker in its memory, not in files that all workers can write"),
    })
}

pub(super) fn batch(subject: &Subject<'_>) -> CheckResult {
    if let Some(why) = no_batch_reason(subject, subject.found()) {
        return Ok(Verdict::skip(why));
    }
    let mut samples = subject.samples();
    // Each sample runs in five more sizes, and the whole round four times.
    samples.truncate(50);
    let sizes = [0, 1, 100, 3000, 20_000];
    let sized = |sample: &Vec<u8>| sizes.map(|size| items::of_size(size, sample));
    let round: Vec<_> = samples.iter().cloned().chain(samples.iter().flat_map(sized)).collect();
    let items: Vec<_> = (0..4).flat_map(|_| round.clone()).collect();
    let alone = subject.trial().run(&items)?.ensure_no_failure()?;
    let together = subject.trial().together().run(&items)?;
    let hint = "for each item, `call_batch` writes the bytes, then `end`, then `done`, with flags as in \
                `call`; it publishes `out` again when the results move";
    if let Some((_, detail)) = together.failure() {
        return Ok(Verdict::fail(format!("in a batch, {detail}")).hint(hint));
    }
    Ok(match alone.difference(&together) {
        None => Verdict::pass(),
        Some(difference) => {
            Verdict::fail(format!("alone, and in a batch: {difference}")).hint(hint)
        }
    })
}

/// Returns the reason why items of this plugin never cross in a batch, if there is a reason.
fn no_batch_reason(subject: &Subject<'_>, found: &Inspection) -> Option<&'static str> {
    if found.kind != PluginKind::CoreModule {
        Some("items cross into a component one by one")
    } else if !found.has_export("call_batch") {
        Some("it does not export `call_batch`, which speeds up cheap items")
    } else if subject.args.call.is_some() {
        Some("with `--call`, items cross one by one")
    } else if subject.args.isolation == IsolationArg::Process {
        Some("in a process, items cross one by one: check it with `--isolation thread`")
    } else {
        None
    }
}
