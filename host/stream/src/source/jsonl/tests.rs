use crate::source::script::{Script, SourceOutput, Then};
use crate::source::{FillStatus, ItemLimit, Jsonl};

fn jsonl(bytes: &[u8]) -> Vec<String> {
    SourceOutput::by(Jsonl::new(Script::new([bytes], Then::End).inputs())).texts()
}

#[test]
fn each_line_is_one_json_value() {
    let cases: [(&[u8], &[&str]); 12] = [
        (b"", &[]),
        (b"{\"a\": [1, null]}\n\"text\"\n-1e5", &["{\"a\": [1, null]}", "\"text\"", "-1e5"]),
        (b" 1 \r\n\t2\t\r\n", &["1", "2"]),
        (b"1\n\n \r\n2\n", &["1", "2"]),
        (b"\xef\xbb\xbf1\n", &["1"]),
        (b"\xef\xbb\xbf\n1\n", &["1"]),
        (b"1\n\n\nno\n", &["1", "!`script` line 4: not JSON: expected ident at column 2"]),
        (
            b"[1\n2]\n",
            &[
                "!`script` line 1: not JSON: EOF while parsing a list at column 2",
                "!`script` line 2: not JSON: trailing characters at column 2",
            ],
        ),
        (b"1 2\n3", &["!`script` line 1: not JSON: trailing characters at column 3", "3"]),
        (b"  }\n", &["!`script` line 1: not JSON: expected value at column 3"]),
        (b"1\n\xef\xbb\xbf2\n", &["1", "!`script` line 2: not JSON: expected value at column 1"]),
        (b"\"a\xffb\"\n", &["!`script` line 1: not JSON: not valid UTF-8 at column 3"]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(jsonl(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn an_invalid_line_is_kept_for_the_report() {
    let given = SourceOutput::by(Jsonl::new(Script::new(["nonsense\n"], Then::End).inputs()));
    assert_eq!(given.items[0].0, b"nonsense");
}

#[test]
fn deep_nesting_is_rejected_without_a_stack_overflow() {
    let deep = "[".repeat(1_000_000);
    let why = jsonl(deep.as_bytes());
    assert_eq!(why, ["!`script` line 1: not JSON: EOF while parsing a list at column 1000000"]);
}

#[test]
fn blank_lines_are_skipped_until_a_value_arrives() {
    let mut values = Jsonl::new(Script::new(["\n", " \n", "1\n"], Then::Silence).inputs());
    let mut given = SourceOutput::default();
    assert_eq!(given.once(&mut values), FillStatus::More);
    assert_eq!(given.texts(), ["1"]);
}

#[test]
fn an_overlong_value_is_rejected_by_record_number() {
    let inputs = Script::new(["1\n\"long\"\n2"], Then::End).inputs();
    let given = SourceOutput::by(Jsonl::new(inputs).item_limit(ItemLimit::new(5).unwrap()));
    let why = "!`script` record 2: longer than the 5 bytes of `item_limit`";
    assert_eq!(given.texts(), ["1", why, "2"]);
}
