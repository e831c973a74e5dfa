use super::*;
use crate::block::BlockBuilder;

fn outcomes(rule: RecordRule, format: Format) -> Outcomes {
    let mut block = BlockBuilder::new();
    for item in [b"one", b"two", b"six"] {
        block.push(item);
    }
    let span = Span::whole(block.seal(ItemIndex::default()));
    let mut outcomes = Outcomes::new(span, WorkerIndex::default(), rule);
    outcomes.set_format(format);
    outcomes
}

#[test]
fn a_record_that_the_sink_cannot_take_is_a_bad_result() {
    let line = RecordRule::Without(b'\n');
    #[rustfmt::skip]
    let cases: [(RecordRule, Format, &[u8], Option<&str>); 8] = [
        (RecordRule::Any,        Format::Text, b"a\nb",     None),
        (line,                   Format::Text, b"ab",       None),
        (line,                   Format::Text, b"a\nb",     Some("the result has a line break at byte 1, which would end its record")),
        (RecordRule::Without(0), Format::Text, b"a\0",      Some("the result has a zero byte at byte 1, which would end its record")),
        (RecordRule::ValidJson,  Format::Text, b"{",        None),
        (RecordRule::ValidJson,  Format::Json, b" [1]\n",   None),
        (RecordRule::ValidJson,  Format::Json, b"1 2",      Some("the result is not JSON: trailing characters at line 1 column 3")),
        (RecordRule::ValidJson,  Format::Json, b"\"\xff\"", Some("the result is not JSON: it is not UTF-8")),
    ];
    for (rule, format, record, why) in cases {
        let mut outcomes = outcomes(rule, format);
        outcomes.record(record, ResultLimit::DEFAULT);
        let outcome = outcomes.iter().next().unwrap();
        let actual = outcome.result.err().map(|fault| (fault.kind(), fault.message()));
        assert_eq!(actual, why.map(|why| (FaultKind::BadResult, why)), "{rule:?} {record:?}");
    }
}

#[test]
fn bulk_records_obey_the_rules_of_single_records() {
    let line = RecordRule::Without(b'\n');
    #[rustfmt::skip]
    let cases: [(RecordRule, Format, &[u8], &str, bool); 8] = [
        (RecordRule::Any,       Format::Text, b"a\nb", "1MiB", true),
        (line,                  Format::Text, b"abc",  "1MiB", true),
        (line,                  Format::Text, b"a\nb", "1MiB", false),
        (line,                  Format::Text, b"ab\n", "1MiB", false),
        (RecordRule::ValidJson, Format::Text, b"{{}",  "1MiB", true),
        (RecordRule::ValidJson, Format::Json, b"12 ",  "1MiB", false),
        (RecordRule::Any,       Format::Text, b"abc",  "3",    true),
        (RecordRule::Any,       Format::Text, b"abcd", "3",    false),
    ];
    for (rule, format, bytes, limit, is_taken) in cases {
        let limit: ResultLimit = limit.parse().unwrap();
        let (mut together, mut alone) = (outcomes(rule, format), outcomes(rule, format));
        together.record(b"0", limit);
        alone.record(b"0", limit);
        let ends = [2, bytes.len()].into_iter();
        assert_eq!(together.records(bytes, ends, limit), is_taken, "{bytes:?}");
        if is_taken {
            alone.record(&bytes[..2], limit);
            alone.record(&bytes[2..], limit);
        }
        assert_eq!(shown(&together), shown(&alone), "{bytes:?}");
    }
}

fn shown(outcomes: &Outcomes) -> Vec<Option<&[u8]>> {
    outcomes.iter().map(|outcome| outcome.result.expect("a record")).collect()
}

#[test]
fn a_message_is_cut_between_two_characters() {
    let mut outcomes = outcomes(RecordRule::Any, Format::Text);
    outcomes.fault(FaultKind::Refused, "é".repeat(10_000));
    let fault = outcomes.iter().next().unwrap().result.unwrap_err().clone();
    assert_eq!(fault.message().chars().count(), 2048 + 1);
    assert!(fault.message().ends_with("é…"));
}

#[test]
fn outcomes_sent_early_are_not_sent_again() {
    let limit = ResultLimit::DEFAULT;
    let mut outcomes = outcomes(RecordRule::Any, Format::Text);
    outcomes.record(b"1", limit);
    outcomes.fault(FaultKind::Refused, "no");
    let part = outcomes.split(OutcomeBuffer::default());
    assert_eq!(
        (part.span().len(), part.len_not_handed_over(), outcomes.len_not_handed_over()),
        (2, 2, 0)
    );
    assert_eq!(part.first_fault(), Some(ItemIndex::new(1)));
    // The part could not be handed over.
    outcomes.unsplit(part);
    let part = outcomes.split(OutcomeBuffer::default());
    assert_eq!(part.iter().next().unwrap().item, b"one");
    assert_eq!((outcomes.len(), outcomes.next_index()), (2, ItemIndex::new(2)));
    assert!(!outcomes.is_complete());
    outcomes.fault(FaultKind::Trap, "broke");
    assert!(outcomes.is_complete());
    assert_eq!(outcomes.first_fault(), Some(ItemIndex::new(2)));
    let last = outcomes.iter().next().unwrap();
    assert_eq!((last.index, last.item), (ItemIndex::new(2), &b"six"[..]));
    outcomes.cut();
    assert_eq!((outcomes.span().first(), outcomes.span().len()), (ItemIndex::new(2), 1));
}

#[test]
fn forget_drops_outcomes_that_were_sent_early() {
    let mut outcomes = outcomes(RecordRule::Any, Format::Text);
    outcomes.record(b"1", ResultLimit::DEFAULT);
    outcomes.forget();
    outcomes.record(b"22", ResultLimit::DEFAULT);
    assert_eq!((outcomes.len(), outcomes.len_not_handed_over()), (2, 1));
    let only = outcomes.iter().next().unwrap();
    assert_eq!((only.item, only.result.unwrap()), (&b"two"[..], Some(&b"22"[..])));
}
