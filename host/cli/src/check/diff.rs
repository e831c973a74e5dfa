//! Checks that run the same items twice, and compare the answers.

use mtl_host::{Inspection, PluginKind};

use super::calls::{best_sample, is_all_alike};
use super::init::NO_ITEM;
use super::items;
use super::subject::Subject;
use super::transcript::{Transcript, shown};
use super::trial::feed;
use super::verdict::{Judged, Stopped, Verdict};
use crate::isolation_arg::IsolationArg;

pub(super) fn deterministic(subject: &Subject<'_>) -> Judged {
    let samples = subject.samples();
    let one = subject.trial().run(&samples)?.unbroken()?;
    let two = subject.trial().run(&samples)?.unbroken()?;
    let difference = one.difference(&two).or_else(|| {
        (one.closing != two.closing).then(|| {
            let shown = |transcript: &Transcript| match &transcript.closing {
                Ok(report) => shown(report.as_deref().unwrap_or_default()),
                Err(broken) => broken.to_string(),
            };
            format!("the closing report: {}; and then {}", shown(&one), shown(&two))
        })
    });
    Ok(match difference {
        None => Verdict::pass(),
        Some(difference) => Verdict::fail(difference).hint(
            "let answers not depend on time, chance, addresses or what was never written to; if they \
             are meant to: `--skip deterministic`",
        ),
    })
}

pub(super) fn stable(subject: &Subject<'_>) -> Judged {
    if subject.args.stateful {
        return Ok(Verdict::skip("its answers depend on earlier items, as `--stateful` says"));
    }
    let item = best_sample(subject)?;
    let (large, small) = (items::of_size(200_000, &item), items::of_size(1, &item));
    let several = [&item, &item, &item, &large, &item, &small, &item];
    let transcript = subject.trial().run(&several)?.unbroken()?;
    let answers = &transcript.answers;
    if answers[0] != answers[1] || answers[1] != answers[2] {
        return Ok(Verdict::skip("the same item gets another answer each time: it keeps state")
            .hint("`--stateful` says that it is meant to"));
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
                 `mtl_alloc`, and reset what a result is made in; if answers depend on earlier items: \
                 `--stateful`",
            )
        }
    })
}

pub(super) fn state(subject: &Subject<'_>) -> Judged {
    let item = best_sample(subject)?;
    let once = subject.trial().run(&[&item])?.unbroken()?;
    let often = subject.trial().run(&[&item; 4])?.unbroken()?;
    let is_kept = !is_all_alike(&often) || once.closing != often.closing;
    Ok(match (is_kept, subject.args.stateful) {
        (true, _) if !is_all_alike(&often) => Verdict::passed(format!(
            "the item {}: {}; the next time: {}",
            shown(&item),
            often.answers[0].shown(),
            often.answers[1].shown()
        )),
        (true, _) => Verdict::passed("the closing report tells how many items there were"),
        (false, false) => Verdict::skip(
            "nothing of earlier items is to be seen; `--stateful` says that it should be",
        ),
        (false, true) => Verdict::fail(format!(
            "the item {}, four times: {}, and the closing report is that of one",
            shown(&item),
            often.answers[0].shown()
        ))
        .hint(
            "keep state where it outlives a call: in a global or on the heap, made once in `init`",
        ),
    })
}

pub(super) fn instances(subject: &Subject<'_>) -> Judged {
    let samples = subject.samples();
    let other = || match &subject.init_other {
        Some(init) => subject.trial().init(init),
        None => subject.trial(),
    };
    let alone = subject.trial().run(&samples)?;
    let other_alone = match other().run(&samples) {
        // With other arguments, that is another check.
        Err(Stopped::Judged(_)) => return Ok(Verdict::skip("the other instance does not start")),
        other_alone => other_alone?,
    };
    let mut pool = subject.trial().start()?;
    // Ready before the other one starts.
    feed(&mut pool, NO_ITEM)?;
    let mut other_pool = other().start()?;
    let other_beside = feed(&mut other_pool, &samples)?;
    let beside = feed(&mut pool, &samples)?;
    let pairs = [(alone, beside), (other_alone, other_beside)];
    let difference = pairs.iter().find_map(|(alone, beside)| alone.difference(beside));
    pool.close();
    other_pool.close();
    Ok(match difference {
        None => Verdict::pass(),
        Some(difference) => Verdict::fail(format!("alone, and beside another: {difference}"))
            .hint("keep what belongs to one worker in its memory, not in files that all can write"),
    })
}

pub(super) fn batch(subject: &Subject<'_>) -> Judged {
    if let Some(why) = why_alone(subject, subject.found()) {
        return Ok(Verdict::skip(why));
    }
    let mut samples = subject.samples();
    // Each is tried in five sizes, all of it four times.
    samples.truncate(50);
    let sizes = [0, 1, 100, 3000, 20_000];
    let sized = |sample: &Vec<u8>| sizes.map(|size| items::of_size(size, sample));
    let round: Vec<_> = samples.iter().cloned().chain(samples.iter().flat_map(sized)).collect();
    let items: Vec<_> = (0..4).flat_map(|_| round.clone()).collect();
    let alone = subject.trial().run(&items)?.unbroken()?;
    let together = subject.trial().together().run(&items)?;
    let hint = "`call_batch` writes the bytes, then `end`, then `done`, for each item, with flags as \
                in `call`, and publishes `out` anew when the results move";
    if let Some((_, detail)) = together.broken() {
        return Ok(Verdict::fail(format!("in a batch, {detail}")).hint(hint));
    }
    Ok(match alone.difference(&together) {
        None => Verdict::pass(),
        Some(difference) => {
            Verdict::fail(format!("alone, and in a batch: {difference}")).hint(hint)
        }
    })
}

/// Why items of this plugin never cross together.
fn why_alone(subject: &Subject<'_>, found: &Inspection) -> Option<&'static str> {
    if found.kind != PluginKind::CoreModule {
        Some("items cross into a component one by one")
    } else if !found.has_export("call_batch") {
        Some("it does not export `call_batch`, which makes cheap items cheap")
    } else if subject.args.call.is_some() {
        Some("under `--call`, items cross one by one")
    } else if subject.args.isolation == IsolationArg::Process {
        Some("in a process, items cross one by one: check it with `--isolation thread`")
    } else {
        None
    }
}
