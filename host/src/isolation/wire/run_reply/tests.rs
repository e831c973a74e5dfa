//! Tests that the parent uses either all of a child's reply or nothing.

use super::*;
use crate::block::{BlockBuilder, Span};
use crate::isolation::wire::HEADER;
use crate::item::index::{ItemIndex, WorkerIndex};
use crate::item::retry_on::RetryOn;
use crate::outcome::RecordRule;

fn outcomes(items: usize, retry_on: RetryOn) -> Outcomes {
    let mut block = BlockBuilder::new();
    (0..items).for_each(|_| block.push(b"item"));
    let span = Span::whole(block.seal(ItemIndex::new(5)));
    Outcomes::new(span, WorkerIndex::new(1), RecordRule::Any).retrying(retry_on)
}

/// Returns the whole frame: the records follow the reply.
fn whole(reply: &[u8], outcomes: &Outcomes) -> Vec<u8> {
    [reply, outcomes.record_bytes()].concat()
}

/// Returns a reply with three outcomes.
fn sent_frame(end: &ExecutionEnd) -> Vec<u8> {
    let mut sent = outcomes(3, RetryOn::NONE);
    sent.record(b"one", ResultLimit::DEFAULT);
    sent.no_record();
    sent.fault(FaultKind::Refused, "no");
    whole(&reply(Vec::new(), end, Format::Json, &sent), &sent)
}

fn texts(outcomes: &Outcomes) -> Vec<String> {
    let texts = outcomes.iter().map(|outcome| match outcome.result {
        Ok(Some(record)) => String::from_utf8(record.to_vec()).unwrap(),
        Ok(None) => "-".into(),
        Err(fault) => fault.to_string(),
    });
    texts.collect()
}

#[test]
fn a_run_reply_round_trips() {
    let frame = sent_frame(&ExecutionEnd::Done);
    let sent = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    assert_eq!((&sent.ended, sent.format), (&ChildExecutionEnd::Done, Format::Json));
    let mut received = outcomes(4, RetryOn::NONE);
    received.record(b"zero", ResultLimit::DEFAULT);
    assert_eq!(sent.check(3, 3), Ok(()));
    sent.add_to(&mut received, ResultLimit::DEFAULT);
    assert_eq!(texts(&received), ["zero", "one", "-", "item 8: refused: no"]);
}

#[test]
fn records_of_a_reply_are_checked_against_the_sink_rule() {
    let mut sent = outcomes(3, RetryOn::NONE);
    for record in ["one", "", "a\nb"] {
        sent.record(record.as_bytes(), ResultLimit::DEFAULT);
    }
    let frame = whole(&reply(Vec::new(), &ExecutionEnd::Done, Format::Text, &sent), &sent);
    let sent = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    let newline =
        "item 7: bad-result: the result has a line break at byte 1, which would end its record";
    let cases = [
        (RecordRule::Any, ["one", "", "a\nb"]),
        (RecordRule::Without(b'\n'), ["one", "", newline]),
    ];
    for (rule, expected) in cases {
        let span = outcomes(3, RetryOn::NONE).span().clone();
        let mut received = Outcomes::new(span, WorkerIndex::new(1), rule);
        sent.add_to(&mut received, ResultLimit::DEFAULT);
        assert_eq!(texts(&received), expected, "{rule:?}");
    }
}

#[test]
fn the_outcome_count_must_match_the_execution_end() {
    let failure = || ExecutionEnd::Failed(InstanceFailure::new(FaultKind::Trap, "why"));
    #[rustfmt::skip]
    let cases = [
        // end of the run, items sent, items started, true if three outcomes fit
        (ExecutionEnd::Done,    3, 3, true),
        (ExecutionEnd::Done,    4, 3, false),
        (ExecutionEnd::Done,    4, 4, false),
        (ExecutionEnd::Done,    3, 2, false),
        (ExecutionEnd::Yielded, 4, 3, true),
        (ExecutionEnd::Yielded, 4, 4, false),
        (ExecutionEnd::Yielded, 4, 2, false),
        (ExecutionEnd::Yielded, 2, 2, false),
        (failure(),              4, 4, true),
        (failure(),              5, 4, true),
        (failure(),              4, 3, false),
        (failure(),              3, 3, false),
    ];
    for (end, sent, started, fits) in cases {
        let frame = sent_frame(&end);
        let reply = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
        assert_eq!(reply.check(sent, started).is_ok(), fits, "{end:?} {sent} {started}");
    }
    let none = outcomes(3, RetryOn::NONE);
    let nothing = reply(Vec::new(), &ExecutionEnd::Yielded, Format::Text, &none);
    let nothing = ChildRunReply::decode(Payload(&nothing[HEADER..])).unwrap();
    assert!(nothing.check(3, 1).is_err(), "a child that yields has finished an item");
}

#[test]
fn a_truncated_or_changed_run_reply_is_rejected() {
    let frame = sent_frame(&ExecutionEnd::Failed(InstanceFailure::new(FaultKind::Trap, "why")));
    let payload = &frame[HEADER..];
    for end in 0..payload.len() {
        assert!(ChildRunReply::decode(Payload(&payload[..end])).is_err(), "{end}");
    }
    let mut longer = payload.to_vec();
    longer.push(0);
    assert!(ChildRunReply::decode(Payload(&longer)).is_err());
    for kind in [FaultKind::Crashed, FaultKind::NotRun] {
        let mut other = payload.to_vec();
        other[1] = kind as u8;
        assert!(ChildRunReply::decode(Payload(&other)).is_err(), "{kind}");
    }
}

#[test]
fn outcomes_after_a_retried_item_are_dropped() {
    let frame = sent_frame(&ExecutionEnd::Done);
    let sent = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    let mut received = outcomes(3, RetryOn::NONE.with(FaultKind::BadResult));
    sent.add_to(&mut received, "1".parse().unwrap());
    assert_eq!(received.len(), 1, "the first record is longer than the limit");
    assert!(received.needs_retry());
}

#[test]
fn records_after_a_retried_fault_are_dropped() {
    let mut received = outcomes(3, RetryOn::NONE.with(FaultKind::Refused));
    received.fault(FaultKind::Refused, "no");
    let mut sent = outcomes(2, RetryOn::NONE);
    sent.record(b"one", ResultLimit::DEFAULT);
    sent.record(b"two", ResultLimit::DEFAULT);
    let frame = whole(&reply(Vec::new(), &ExecutionEnd::Done, Format::Text, &sent), &sent);
    let sent = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    sent.add_to(&mut received, ResultLimit::DEFAULT);
    assert_eq!(received.take_back_fault().map(|failure| failure.kind), Some(FaultKind::Refused));
    assert_eq!(texts(&received), [""; 0]);
}
