//! Checks the sources of items: files and standard input, in every format, compressed or not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::host;

/// Encodes items as frames.
pub(crate) fn frames(items: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        bytes.extend_from_slice(&u32::try_from(item.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(item);
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 0).unwrap()
}

#[test]
fn each_input_format_yields_its_items() {
    let frames = frames(&[b"a\nb", b"", b"\0"]);
    #[rustfmt::skip]
    let cases: [(&str, &[u8], &[&str]); 6] = [
        // format   bytes                        results, as JSON
        ("lines",   b"a\n\nb\tc\nd",             &[r#""a""#, r#""""#, r#""b\tc""#, r#""d""#]),
        ("nul",     b"a\nb\0\0c",                &[r#""a\nb""#, r#""""#, r#""c""#]),
        ("jsonl",   b"{\"a\": 1}\n\n \"b\" \n2", &[r#""{\"a\": 1}""#, r#""\"b\"""#, r#""2""#]),
        ("frames",  &frames,                     &[r#""a\nb""#, r#""""#, r#""\u0000""#]),
        ("paths",   b"one\nno such\n",           &[r#""one""#, r#""no such""#]),
        ("lines",   b"\xff\n",                   &[r#"{"base64":"/w=="}"#]),
    ];
    for (format, bytes, results) in cases {
        let expected: String = (0..)
            .zip(results)
            .map(|(index, ok): (usize, _)| format!("{{\"index\":{index},\"ok\":{ok}}}\n"))
            .collect();
        host()
            .plugin("echo.wat")
            .args(["--input-format", format, "--output-format", "jsonl"])
            .stdin(bytes)
            .run()
            .code(0)
            .stderr("")
            .stdout(expected);
    }
}

#[test]
fn file_contents_become_items() {
    host()
        .plugin("upper.wat")
        .file("one", "first\nfile")
        .file("two", "")
        .file("list", "one\ntwo\n")
        .args(["--input-format", "files", "--output-format", "jsonl", "list"])
        .run()
        .code(0)
        .stderr("")
        .stdout(concat!(
            r#"{"index":0,"path":"one","ok":"FIRST\nFILE"}"#,
            "\n",
            r#"{"index":1,"path":"two","ok":""}"#,
            "\n",
        ));
}

#[test]
fn every_input_format_goes_with_every_output_format() {
    #[rustfmt::skip]
    let inputs: [(&str, Vec<u8>); 6] = [
        ("lines",   b"1\n2\n".to_vec()),
        ("nul",     b"1\x002\0".to_vec()),
        ("jsonl",   b"1\n2\n".to_vec()),
        ("frames",  frames(&[b"1", b"2"])),
        ("paths",   b"1\n2\n".to_vec()),
        ("files",   b"f1\nf2\n".to_vec()),
    ];
    for (input, bytes) in inputs {
        let (first, second) = match input {
            "files" => (",\"path\":\"f1\"", ",\"path\":\"f2\""),
            _ => ("", ""),
        };
        let jsonl =
            format!("{{\"index\":0{first},\"ok\":\"1\"}}\n{{\"index\":1{second},\"ok\":\"2\"}}\n");
        #[rustfmt::skip]
        let outputs: [(&str, &[u8]); 4] = [
            ("lines",   b"1\n2\n"),
            ("nul",     b"1\x002\0"),
            ("frames",  b"\x01\0\0\x001\x01\0\0\x002"),
            ("jsonl",   jsonl.as_bytes()),
        ];
        for (output, expected) in outputs {
            host()
                .plugin("echo.wat")
                .file("f1", "1")
                .file("f2", "2")
                .args(["--input-format", input, "--output-format", output])
                .stdin(bytes.clone())
                .run()
                .code(0)
                .stderr("")
                .stdout(expected);
        }
    }
}

#[test]
fn inputs_are_read_one_after_the_other() {
    host()
        .plugin("upper.wat")
        .file("first", "a\nb")
        .file("last", "e\n")
        .args(["first", "-", "last"])
        .stdin("c\nd\n")
        .run()
        .code(0)
        .stdout("A\nB\nC\nD\nE\n");
}

#[test]
fn compressed_inputs_are_decompressed_as_they_are_read() {
    let twice = [gzip(b"a\nb"), gzip(b"c\nd\n")].concat();
    let frames_in_one = frames(&[b"a", b"b"]);
    #[rustfmt::skip]
    let cases: [(&str, &str, Vec<u8>, &str); 5] = [
        ("items.gz",      "lines",  gzip(b"a\nb\n"),         "A\nB\n"),
        ("items.zst",     "lines",  zstd(b"a\nb\n"),         "A\nB\n"),
        ("items.txt.gz",  "lines",  twice,                   "A\nBC\nD\n"),
        ("items.gz",      "frames", gzip(&frames_in_one),    "A\nB\n"),
        ("items.gz",      "lines",  gzip(b""),               ""),
    ];
    for (name, format, bytes, expected) in cases {
        host()
            .plugin("upper.wat")
            .file(name, bytes)
            .args(["--input-format", format, name])
            .run()
            .code(0)
            .stderr("")
            .stdout(expected);
    }
}

#[test]
fn a_plugin_knows_whether_its_items_are_json() {
    for (format, expected) in [("lines", "text\n"), ("jsonl", "json\n")] {
        host()
            .plugin("item-format.wat")
            .args(["--input-format", format])
            .stdin("1\n")
            .run()
            .code(0)
            .stdout(expected);
    }
}

#[test]
fn a_named_pipe_is_an_input_like_any_other() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let described = host().plugin("upper.wat").args(["pipe"]);
    let pipe = described.folder().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let running = described.start();
    // The open waits until the command has opened the other end.
    let mut input = std::fs::File::options().write(true).open(pipe).unwrap();
    input.write_all(b"one\n").unwrap();
    running.wait_for_stdout("ONE\n");
    drop(input);
    running.finish().code(0).stdout("ONE\n");
}
