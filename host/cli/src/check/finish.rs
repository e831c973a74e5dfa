//! The checks of `finish`, of memory growth and of snapshots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mtl_host::FaultKind;
use mtl_host::event::SnapshotRefusal;

use super::init::NO_ITEM;
use super::subject::Subject;
use super::transcript::{hint, shown};
use super::trial::{SnapshotRecorder, TakenSnapshot, run_items};
use super::verdict::{CheckResult, EarlyEnd, Verdict};

pub(super) fn finish(subject: &Subject<'_>) -> CheckResult {
    if !subject.has_finish() {
        return Ok(Verdict::skip("it does not export `finish`"));
    }
    let of_none = subject.trial().run(NO_ITEM)?;
    let of_some = subject.trial().run(&subject.samples())?.ensure_no_failure()?;
    let mut verdict = Verdict::pass();
    for (transcript, after) in [(of_none, "no item"), (of_some, "some items")] {
        match transcript.finish_report {
            Ok(None) => verdict = verdict.and(format!("after {after}: no report")),
            Ok(Some(report)) => verdict = verdict.and(format!("after {after}: {}", shown(&report))),
            Err(failure) if failure.kind == FaultKind::Refused => {
                return Ok(Verdict::warn(format!("after {after}: {failure}"))
                    .hint("a run warns of this, and has no finish report of this worker"));
            }
            Err(failure) => {
                let hint = match failure.kind {
                    FaultKind::Trap => "let `finish` return an error instead of a trap",
                    kind => hint(kind),
                };
                return Ok(Verdict::fail(format!("after {after}: {failure}")).hint(hint));
            }
        }
    }
    Ok(verdict)
}

/// Compares the memory of an instance after some items, after four times and after ten times as many.
pub(super) fn memory(subject: &Subject<'_>) -> CheckResult {
    let samples = subject.samples();
    let mut pool = subject.trial().start()?;
    let started = Instant::now();
    let mut rounds = 0;
    while rounds * samples.len() < MAX && started.elapsed() < MAX_DURATION {
        run_items(&mut pool, &samples)?.ensure_no_failure()?;
        rounds += 1;
    }
    if rounds == 1 && started.elapsed() > MAX_ROUND_TIME {
        return Ok(Verdict::skip(
            "its items take too long to repeat them: pass fewer or smaller ones",
        ));
    }
    let mut used = [pool.memory_in_use(); 3];
    for (part, times) in [(1, 3), (2, 6)] {
        for _ in 0..rounds * times {
            run_items(&mut pool, &samples)?.ensure_no_failure()?;
        }
        used[part] = pool.memory_in_use();
    }
    pool.close();
    let (first, all) = (rounds * samples.len(), rounds * samples.len() * 10);
    let [before, between, after] = used;
    let detail = format!("{before} bytes after {first} items, {after} after {all}");
    // The memory grows with the number of items, and not only once.
    let grows = between > before && after - between >= between - before;
    Ok(match grows {
        false => Verdict::passed(detail),
        true => Verdict::warn(detail).hint(
            "free the memory that an item took before the next item, even after a refused one; with a \
             garbage collector, or if the plugin collects on purpose, this may be correct",
        ),
    })
}

/// The maximum number of items in the first part.
const MAX: usize = 500;
/// The time after which the first part ends.
const MAX_DURATION: Duration = Duration::from_millis(200);
/// The time of one round beyond which ten rounds would take too long.
const MAX_ROUND_TIME: Duration = Duration::from_secs(3);

pub(super) fn snapshot(subject: &Subject<'_>) -> CheckResult {
    let samples = subject.samples();
    let recorder = Arc::new(SnapshotRecorder::default());
    let restored = subject.trial().snapshot(&recorder).run(&samples);
    let restored = match restored {
        Err(EarlyEnd::Verdict(verdict)) => return Ok(verdict.hint(RESTORE)),
        restored => restored?.ensure_no_failure()?,
    };
    let snapshot = match recorder.get() {
        None => return Ok(Verdict::skip("no snapshot was taken")),
        Some(Err(refusal @ (SnapshotRefusal::NoInit | SnapshotRefusal::Component))) => {
            return Ok(Verdict::skip(refusal.to_string()));
        }
        Some(Err(refusal)) => {
            let verdict = Verdict::warn(refusal.to_string());
            return Ok(match refusal.hint() {
                Some(hint) => verdict.hint(hint),
                None => verdict,
            });
        }
        Some(Ok(snapshot)) => snapshot,
    };
    let usual = subject.trial().run(&samples)?.ensure_no_failure()?;
    if let Some(difference) = usual.difference(&restored) {
        return Ok(
            Verdict::fail(format!("as usual, and from a snapshot: {difference}")).hint(RESTORE)
        );
    }
    Ok(match snapshot {
        TakenSnapshot { has_random: true, .. } => Verdict::warn(
            "its `init` draws random numbers, which all workers would share",
        )
        .hint("if they must differ, draw them in `after_restore`, or later, at the first item"),
        TakenSnapshot { bytes, .. } => Verdict::passed(format!("of {bytes} bytes")),
    })
}

const RESTORE: &str = "let `after_restore` renew only what a snapshot cannot keep; see \
                       host/docs/snapshots.md";
