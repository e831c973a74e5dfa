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
fn said(ran: &ExecutionEnd) -> Vec<u8> {
    let mut there = outcomes(3, RetryOn::NOTHING);
    there.record(b"one", ResultLimit::DEFAULT);
    there.no_record();
    there.fault(FaultKind::Refused, "no");
    whole(&reply(Vec::new(), ran, Format::Json, &there), &there)
}

fn shown(outcomes: &Outcomes) -> Vec<String> {
    let shown = outcomes.iter().map(|outcome| match outcome.result {
        Ok(Some(record)) => String::from_utf8(record.to_vec()).unwrap(),
        Ok(None) => "-".into(),
        Err(fault) => fault.to_string(),
    });
    shown.collect()
}

#[test]
fn what_is_said_is_heard() {
    let frame = said(&ExecutionEnd::Done);
    let there = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    assert_eq!((&there.ended, there.format), (&ChildExecutionEnd::Done, Format::Json));
    let mut here = outcomes(4, RetryOn::NOTHING);
    here.record(b"zero", ResultLimit::DEFAULT);
    assert_eq!(there.check(3, 3), Ok(()));
    there.add_to(&mut here, ResultLimit::DEFAULT);
    assert_eq!(shown(&here), ["zero", "one", "-", "item 8: refused: no"]);
}

#[test]
fn records_that_come_together_are_checked_one_by_one_where_they_must_be() {
    let mut there = outcomes(3, RetryOn::NOTHING);
    for record in ["one", "", "a\nb"] {
        there.record(record.as_bytes(), ResultLimit::DEFAULT);
    }
    let frame = whole(&reply(Vec::new(), &ExecutionEnd::Done, Format::Text, &there), &there);
    let there = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    let newline =
        "item 7: bad-result: the result has a line break at byte 1, which would end its record";
    let cases = [
        (RecordRule::Any, ["one", "", "a\nb"]),
        (RecordRule::Without(b'\n'), ["one", "", newline]),
    ];
    for (rule, expected) in cases {
        let span = outcomes(3, RetryOn::NOTHING).span().clone();
        let mut here = Outcomes::new(span, WorkerIndex::new(1), rule);
        there.add_to(&mut here, ResultLimit::DEFAULT);
        assert_eq!(shown(&here), expected, "{rule:?}");
    }
}

#[test]
fn there_are_as_many_outcomes_as_the_end_says() {
    let broken = || ExecutionEnd::Failed(InstanceFailure::new(FaultKind::Trap, "why"));
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
        (broken(),     4, 4, true),
        (broken(),     5, 4, true),
        (broken(),     4, 3, false),
        (broken(),     3, 3, false),
    ];
    for (ran, sent, started, fits) in cases {
        let frame = said(&ran);
        let there = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
        assert_eq!(there.check(sent, started).is_ok(), fits, "{ran:?} {sent} {started}");
    }
    let none = outcomes(3, RetryOn::NOTHING);
    let nothing = reply(Vec::new(), &ExecutionEnd::Yielded, Format::Text, &none);
    let nothing = ChildRunReply::decode(Payload(&nothing[HEADER..])).unwrap();
    assert!(nothing.check(3, 1).is_err(), "a child that yields has finished an item");
}

#[test]
fn nothing_is_taken_of_what_is_cut_or_changed() {
    let frame = said(&ExecutionEnd::Failed(InstanceFailure::new(FaultKind::Trap, "why")));
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
fn what_comes_after_an_item_that_is_tried_again_is_left_out() {
    let frame = said(&ExecutionEnd::Done);
    let there = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    let mut here = outcomes(3, RetryOn::NOTHING.with(FaultKind::BadResult));
    there.add_to(&mut here, "1".parse().unwrap());
    assert_eq!(here.len(), 1, "the first record is longer than the limit");
    assert!(here.needs_retry());
}

#[test]
fn records_after_an_item_that_is_tried_again_are_left_out_as_well() {
    let mut here = outcomes(3, RetryOn::NOTHING.with(FaultKind::Refused));
    here.fault(FaultKind::Refused, "no");
    let mut there = outcomes(2, RetryOn::NOTHING);
    there.record(b"one", ResultLimit::DEFAULT);
    there.record(b"two", ResultLimit::DEFAULT);
    let frame = whole(&reply(Vec::new(), &ExecutionEnd::Done, Format::Text, &there), &there);
    let there = ChildRunReply::decode(Payload(&frame[HEADER..])).unwrap();
    there.add_to(&mut here, ResultLimit::DEFAULT);
    assert_eq!(here.take_back_fault().map(|broken| broken.kind), Some(FaultKind::Refused));
    assert_eq!(shown(&here), [""; 0]);
}
