//! Checks of `call`: items of every size and kind, and items that the plugin refuses.

use mtl_host::{FaultKind, Format};

use super::items;
use super::subject::Subject;
use super::transcript::{CallReply, Transcript, hint, shown};
use super::verdict::{CheckResult, EarlyEnd, Verdict};

pub(super) fn items(subject: &Subject<'_>) -> CheckResult {
    let transcript = subject.trial().run(&subject.samples())?.ensure_no_failure()?;
    let count =
        |is: fn(&CallReply) -> bool| transcript.answers.iter().filter(|answer| is(answer)).count();
    let (records, refused) =
        (count(|answer| answer.record().is_some()), count(CallReply::is_error));
    let without = transcript.answers.len() - records - refused;
    let note = format!("{records} with a record, {without} without one, {refused} refused");
    if records + without > 0 {
        return Ok(Verdict::passed(note));
    }
    let refusal = transcript.answers.first().map(CallReply::shown).unwrap_or_default();
    Ok(Verdict::warn(note).and(refusal).hint(
        "pass items that it accepts, with `--item TEXT` or `--items FILE`: otherwise little is checked",
    ))
}

pub(super) fn empty_item(subject: &Subject<'_>) -> CheckResult {
    answered(subject.trial().run(&[""])?)
}

pub(super) fn every_byte(subject: &Subject<'_>) -> CheckResult {
    answered(subject.trial().run(&items::of_every_byte())?)
}

pub(super) fn growing_items(subject: &Subject<'_>) -> CheckResult {
    let samples = subject.samples();
    let items: Vec<_> =
        items::sizes().into_iter().map(|size| items::of_size(size, &samples[0])).collect();
    answered(subject.trial().run(&items)?)
}

pub(super) fn large_item(subject: &Subject<'_>) -> CheckResult {
    const LARGE: usize = 10_000_000;
    let transcript = subject.trial().run(&[items::of_size(LARGE, &subject.samples()[0])])?;
    match transcript.failure() {
        // A plugin need not accept items of this size.
        Some((kind @ (FaultKind::OutOfMemory | FaultKind::Timeout), detail)) => {
            Ok(Verdict::warn(detail).hint(hint(kind)))
        }
        _ => answered(transcript),
    }
}

fn answered(transcript: Transcript) -> CheckResult {
    let transcript = transcript.ensure_no_failure()?;
    Ok(match transcript.answers.as_slice() {
        [only] => Verdict::passed(only.shown()),
        _ => Verdict::pass(),
    })
}

pub(super) fn result_format(subject: &Subject<'_>) -> CheckResult {
    let transcript = subject.trial().run(&subject.samples())?;
    if transcript.format == Format::Text {
        return Ok(Verdict::passed("text"));
    }
    let records = transcript.answers.iter().filter_map(CallReply::record);
    for record in records {
        let text = std::str::from_utf8(record).map_err(|_| "it is not UTF-8".to_owned());
        let read = text.and_then(|text| {
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| error.to_string())
        });
        if let Err(why) = read {
            return Ok(Verdict::fail(format!("the record {}: {why}", shown(record))).hint(
                "its `init` declares that results are JSON: make each of them JSON, or do not call \
                 `result-format`",
            ));
        }
    }
    Ok(Verdict::passed("JSON"))
}

pub(super) fn messages(subject: &Subject<'_>) -> CheckResult {
    let transcript = subject.trial().run(&may_be_refused(subject))?;
    let errors =
        transcript.items.iter().zip(&transcript.answers).filter(|(_, answer)| answer.is_error());
    let mut seen = Verdict::skip(NONE_REFUSED);
    for (item, answer) in errors {
        let CallReply::Fault(_, message) = answer else { continue };
        // The message may quote the item, which may contain this character.
        let is_text = std::str::from_utf8(item).is_ok_and(|text| !text.contains('\u{fffd}'));
        let detail = format!("the item {}: {}", shown(item), answer.shown());
        if is_text && message.contains('\u{fffd}') {
            return Ok(Verdict::fail(detail).hint(
                "write the message in UTF-8, and give its length in bytes: invalid bytes are replaced",
            ));
        }
        if message.trim().is_empty() {
            return Ok(
                Verdict::warn(detail).hint("explain in the message what is wrong with the item")
            );
        }
        if seen.details == [NONE_REFUSED] {
            seen = Verdict::passed(detail);
        }
    }
    Ok(seen)
}

const NONE_REFUSED: &str =
    "it refuses none of the items: pass an item that it should refuse, with `--item TEXT`";

pub(super) fn recover(subject: &Subject<'_>) -> CheckResult {
    let items = may_be_refused(subject);
    let transcript = subject.trial().run(&items)?.ensure_no_failure()?;
    let find = |is: fn(&CallReply) -> bool| {
        transcript.answers.iter().position(is).map(|at| transcript.items[at].as_slice())
    };
    let Some(bad) = find(CallReply::is_error) else { return Ok(Verdict::skip(NONE_REFUSED)) };
    let Some(good) = find(|answer| !answer.is_error()) else {
        subject.trial().run(&[bad; 4])?.ensure_no_failure()?;
        return Ok(Verdict::passed("it refuses all items, and survives that"));
    };
    let transcript =
        subject.trial().run(&[good, bad, good, bad, bad, good])?.ensure_no_failure()?;
    let alone = subject.trial().run(&[good; 6])?.ensure_no_failure()?;
    if !are_answers_equal(&alone) {
        return Ok(Verdict::skip("the same item has another answer each time: it keeps state"));
    }
    match [2, 5].into_iter().find(|at| transcript.answers[*at] != alone.answers[*at]) {
        None => Ok(Verdict::pass()),
        Some(at) => {
            let (alone, after) = (alone.answers[at].shown(), transcript.answers[at].shown());
            let detail =
                format!("the item {}: {alone}; after {}: {after}", shown(good), shown(bad));
            Ok(Verdict::fail(detail).hint(
                "leave nothing behind after a refused item: free or reset everything that it changed",
            ))
        }
    }
}

/// Returns whether all answers to one repeated item are equal.
pub(super) fn are_answers_equal(transcript: &Transcript) -> bool {
    transcript.answers.windows(2).all(|pair| pair[0] == pair[1])
}

fn may_be_refused(subject: &Subject<'_>) -> Vec<Vec<u8>> {
    subject.samples().into_iter().chain(items::of_every_byte()).collect()
}

/// Returns the first item that has a record, or if there is no such item, the first item.
pub(super) fn best_sample(subject: &Subject<'_>) -> Result<Vec<u8>, EarlyEnd> {
    let transcript = subject.trial().run(&subject.samples())?.ensure_no_failure()?;
    let at = transcript.answers.iter().position(|answer| answer.record().is_some());
    Ok(transcript.items[at.unwrap_or_default()].clone())
}
