use std::error::Error as _;

use proptest::prelude::*;

use crate::source::script::{Script, SourceOutput, Then};
use crate::source::{FillStatus, Frames, ItemLimit};

fn frames(bytes: &[u8]) -> SourceOutput {
    let frames = Frames::new(Script::new([bytes], Then::End).inputs());
    SourceOutput::by(frames.item_limit(ItemLimit::new(1000).unwrap()))
}

#[test]
fn a_frame_starts_with_its_length() {
    let cases: [(&[u8], &[&str]); 4] = [
        (b"", &[]),
        (b"\0\0\0\0", &[""]),
        (b"\x03\0\0\0one\0\0\0\0\x03\0\0\0two", &["one", "", "two"]),
        (b"\x01\0\0\0\n", &["\n"]),
    ];
    for (bytes, expected) in cases {
        let given = frames(bytes);
        assert_eq!(given.texts(), expected, "{bytes:?}");
        assert!(given.error.is_none(), "{bytes:?}");
        assert_eq!(given.input_bytes, bytes.len() as u64);
    }
}

#[test]
fn whole_frames_are_delivered_before_the_error() {
    let cases: [(&[u8], &str); 4] = [
        (b"\x03\0", "input `script` ends in the middle of a frame: 2 of 4 bytes"),
        (b"\x03\0\0\0", "input `script` ends in the middle of a frame: 0 of 3 bytes"),
        (b"\x03\0\0\0tw", "input `script` ends in the middle of a frame: 2 of 3 bytes"),
        (
            b"text",
            "input `script` has a frame of 1954047348 bytes, longer than the 1000 bytes of `item_limit`",
        ),
    ];
    for (tail, expected) in cases {
        let given = frames(&[b"\x03\0\0\0one", tail].concat());
        assert_eq!(given.texts(), ["one"]);
        let error = given.error.unwrap();
        assert_eq!(error.to_string(), expected);
        assert!(error.source().is_none() && error.hint().is_some());
    }
}

#[test]
fn buffered_frames_are_delivered_without_waiting() {
    let pieces = [&b"\x03\0"[..], b"\0\0one\0\0\0\0\x03\0\0\0t"];
    let mut frames = Frames::new(Script::new(pieces, Then::Silence).inputs());
    let mut given = SourceOutput::default();
    assert_eq!(given.once(&mut frames), FillStatus::More);
    assert_eq!(given.texts(), ["one", ""]);
}

proptest! {
    #[test]
    fn frames_are_independent_of_read_sizes(
        items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..10),
        piece in 1_usize..30,
    ) {
        let length = |item: &Vec<u8>| u32::try_from(item.len()).unwrap().to_le_bytes();
        let bytes: Vec<u8> =
            items.iter().flat_map(|item| [&length(item)[..], item].concat()).collect();
        let script = Script::new(bytes.chunks(piece), Then::End);
        let given = SourceOutput::by(Frames::new(script.inputs()));
        prop_assert!(given.error.is_none());
        let given: Vec<_> = given.items.into_iter().map(|(item, _)| item).collect();
        prop_assert_eq!(given, items);
    }
}
