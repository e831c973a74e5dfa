use proptest::prelude::*;

use crate::source::script::{Script, SourceOutput, Then};
use crate::source::{FillStatus, Inputs, ItemLimit, Lines};

fn lines(bytes: &[u8]) -> Vec<String> {
    SourceOutput::by(Lines::new(Script::new([bytes], Then::End).inputs())).texts()
}

#[test]
fn a_line_excludes_only_its_line_feed() {
    let cases: [(&str, &[&str]); 8] = [
        ("", &[]),
        ("\n", &[""]),
        ("\n\n", &["", ""]),
        ("one", &["one"]),
        ("one\n", &["one"]),
        ("one\ntwo", &["one", "two"]),
        ("one\r\n two \r\n", &["one\r", " two \r"]),
        ("a\0b\n", &["a\0b"]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(lines(bytes.as_bytes()), expected, "{bytes:?}");
    }
}

#[test]
fn records_may_end_in_a_zero_byte() {
    let inputs = Script::new(["one\ntwo\0\0three"], Then::End).inputs();
    assert_eq!(SourceOutput::by(Lines::nul(inputs)).texts(), ["one\ntwo", "", "three"]);
}

#[test]
fn buffered_lines_are_delivered_without_waiting() {
    let mut lines = Lines::new(Script::new(["on", "e\ntwo\nth"], Then::Silence).inputs());
    let mut given = SourceOutput::default();
    assert_eq!(given.once(&mut lines), FillStatus::More);
    assert_eq!(given.texts(), ["one", "two"]);
}

#[test]
fn an_overlong_line_is_rejected_and_its_tail_skipped() {
    let limited = |pieces: &[&str]| {
        let inputs = Script::new(pieces, Then::End).inputs();
        SourceOutput::by(Lines::new(inputs).item_limit(ItemLimit::new(4).unwrap()))
    };
    let why = "!`script` record 2: longer than the 4 bytes of `item_limit`";
    let cases: [(&[&str], &[&str]); 5] = [
        (&["four\nfive5\nsix\n"], &["four", why, "six"]),
        (&["four\nfiv", "e5", "55", "5\nsix\n"], &["four", why, "six"]),
        (&["four\nfive5"], &["four", why]),
        (&["four\nfive", "5", "5"], &["four", why]),
        (&["four\nfive5", "\n", "six"], &["four", why, "six"]),
    ];
    for (pieces, expected) in cases {
        let given = limited(pieces);
        assert_eq!(given.texts(), expected, "{pieces:?}");
        assert_eq!(given.items[1].0, b"five", "the head is kept");
    }
}

#[test]
fn an_overlong_line_is_not_buffered() {
    let mut pieces = vec![vec![b'x'; 100_000]; 100];
    pieces.push(b"\nnext\n".to_vec());
    let inputs = Script::new(pieces, Then::End).inputs();
    let given = SourceOutput::by(Lines::new(inputs).item_limit(ItemLimit::new(50_000).unwrap()));
    assert_eq!(given.items[0].0.len(), super::HEAD);
    assert_eq!(given.texts()[1], "next");
    assert_eq!(given.input_bytes, 10_000_006);
}

#[test]
fn a_line_longer_than_a_read_is_whole() {
    let long = "x".repeat(3_000_000);
    let bytes = format!("{long}\nshort\n{long}\n");
    assert_eq!(lines(bytes.as_bytes()), [&long, "short", &long]);
}

#[test]
fn a_block_counts_the_input_bytes_of_its_items() {
    let text = "one\n\nthree\n".repeat(50_000);
    let inputs = Inputs::from_reader("memory", std::io::Cursor::new(text.clone()));
    let mut lines = Lines::new(inputs);
    let mut all = 0;
    loop {
        let mut given = SourceOutput::default();
        let filled = given.once(&mut lines);
        let taken: usize = given.items.iter().map(|(item, _)| item.len() + 1).sum();
        assert_eq!(given.input_bytes, taken as u64);
        all += taken;
        if filled == FillStatus::End {
            break;
        }
    }
    assert_eq!(all, text.len());
}

proptest! {
    #[test]
    fn lines_are_independent_of_read_sizes(
        pieces in prop::collection::vec("[ab\n]{1,6}", 0..12),
        limit in 1_usize..8,
    ) {
        let limit = ItemLimit::new(limit).unwrap();
        let split = Lines::new(Script::new(&pieces, Then::End).inputs()).item_limit(limit);
        let whole = pieces.concat();
        let at_once = Lines::new(Script::new([&whole], Then::End).inputs()).item_limit(limit);
        let (split, at_once) = (SourceOutput::by(split), SourceOutput::by(at_once));
        prop_assert_eq!(&split.items, &at_once.items);
        prop_assert_eq!(split.items.len(), whole.lines().count());
    }
}
