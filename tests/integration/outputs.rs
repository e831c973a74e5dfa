//! Checks the destinations and formats of results.

use std::fs::File;
use std::io::{BufRead, BufReader};

use crate::support::{command, host, host_on_threads, host_with_summary, lines};

/// Items with these outcomes, in this order: a record, an empty record, no record, a refusal, a bad
/// item, and a record.
const ITEMS: &str = "one\n\n#two\n!three\n?four\nfive\n";

#[test]
fn each_output_format_has_a_record_per_unfiltered_item() {
    let jsonl = concat!(
        r#"{"index":0,"ok":"one"}"#,
        "\n",
        r#"{"index":1,"ok":""}"#,
        "\n",
        r#"{"index":3,"error":{"kind":"refused","message":"!three"}}"#,
        "\n",
        r#"{"index":4,"error":{"kind":"bad-item","message":"?four"}}"#,
        "\n",
        r#"{"index":5,"ok":"five"}"#,
        "\n",
    );
    #[rustfmt::skip]
    let cases = [
        // format    results
        ("lines",    "one\n\n\n\nfive\n"),
        ("nul",      "one\0\0\0\0five\0"),
        ("frames",   "\x03\0\0\0one\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0five"),
        ("jsonl",    jsonl),
    ];
    for (format, expected) in cases {
        host()
            .plugin("judge.wat")
            .args(["--output-format", format])
            .stdin(ITEMS)
            .run()
            .code(1)
            .stdout(expected);
    }
}

#[test]
fn failed_items_can_be_left_out() {
    let jsonl = concat!(
        r#"{"index":0,"ok":"one"}"#,
        "\n",
        r#"{"index":1,"ok":""}"#,
        "\n",
        r#"{"index":5,"ok":"five"}"#,
        "\n",
    );
    #[rustfmt::skip]
    let cases = [
        ("lines",    "one\n\nfive\n"),
        ("nul",      "one\0\0five\0"),
        ("frames",   "\x03\0\0\0one\0\0\0\0\x04\0\0\0five"),
        ("jsonl",    jsonl),
    ];
    for (format, expected) in cases {
        host()
            .plugin("judge.wat")
            .args(["--output-format", format, "--skip-failed"])
            .stdin(ITEMS)
            .run()
            .code(1)
            .stdout(expected);
    }
}

#[test]
fn a_tag_names_the_item_of_a_result() {
    let jsonl = concat!(
        r#"{"index":0,"item":"a\tb","ok":"A\tB"}"#,
        "\n",
        r#"{"index":1,"item":"c","ok":"C"}"#,
        "\n",
    );
    #[rustfmt::skip]
    let cases = [
        ("lines",    "a b\tA\tB\nc\tC\n"),
        ("nul",      "a b\tA\tB\0c\tC\0"),
        ("frames",   "\x07\0\0\0a b\tA\tB\x03\0\0\0c\tC"),
        ("jsonl",    jsonl),
    ];
    for (format, expected) in cases {
        host()
            .plugin("upper.wat")
            .args(["--output-format", format, "--tag"])
            .stdin("a\tb\nc\n")
            .run()
            .code(0)
            .stdout(expected);
    }
    host()
        .plugin("upper.wat")
        .file("one", "content")
        .args(["--input-format", "files", "--tag"])
        .stdin("one\nmissing\n")
        .run()
        .code(1)
        .stdout("one\tCONTENT\nmissing\t\n");
}

#[test]
fn a_run_can_override_the_result_format_of_a_plugin() {
    let items = "{\"a\":1}\n[1, 2]\n";
    let json = "{\"index\":0,\"ok\":{\"a\":1}}\n{\"index\":1,\"ok\":[1, 2]}\n";
    let text = "{\"index\":0,\"ok\":\"{\\\"a\\\":1}\"}\n{\"index\":1,\"ok\":\"[1, 2]\"}\n";
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str); 4] = [
        ("json.wat",  &[],                    json),
        ("json.wat",  &["--results", "text"], text),
        ("echo.wat",  &[],                    text),
        ("echo.wat",  &["--results", "json"], json),
    ];
    for (plugin, args, expected) in cases {
        host()
            .plugin(plugin)
            .args(["--output-format", "jsonl"])
            .args(args.iter().copied())
            .stdin(items)
            .run()
            .code(0)
            .stdout(expected);
    }
}

#[test]
fn an_invalid_json_result_is_a_bad_result() {
    let message = "the result is not JSON: expected value at line 1 column 1";
    host()
        .plugin("json.wat")
        .args(["--output-format", "jsonl"])
        .stdin("1\noops\n")
        .run()
        .code(1)
        .stdout(format!(
            "{{\"index\":0,\"ok\":1}}\n\
             {{\"index\":1,\"error\":{{\"kind\":\"bad-result\",\"message\":\"{message}\"}}}}\n"
        ));
    host().plugin("json.wat").stdin("1\noops\n").run().code(0).stdout("1\noops\n");
}

#[test]
fn a_result_that_would_end_its_record_is_a_fault() {
    let two_lines: &[u8] = b"a\nb\0c\0";
    let finished = host().plugin("echo.wat").args(["--input-format", "nul"]).stdin(two_lines).run();
    finished.code(1).stdout("\nc\n").stderr(
        "fault: item 0: bad-result: the result has a line break at byte 1, which would end its \
         record\n",
    );
    host()
        .plugin("echo.wat")
        .args(["--input-format", "nul", "--multiline"])
        .stdin(two_lines)
        .run()
        .code(0)
        .stdout("a\nb\nc\n")
        .stderr("");
    host()
        .plugin("echo.wat")
        .args(["--output-format", "nul"])
        .stdin(&b"a\0b\nc\n"[..])
        .run()
        .code(1)
        .stdout("\0c\0");
}

#[test]
fn results_go_into_a_created_or_emptied_file() {
    host()
        .plugin("upper.wat")
        .file("results", "what was there before, and was longer")
        .args(["-o", "results"])
        .stdin("one\n")
        .run()
        .code(0)
        .stdout("")
        .stderr("")
        .file("results", "ONE\n");
    host()
        .plugin("upper.wat")
        .args(["--output", "new"])
        .stdin("one\n")
        .run()
        .code(0)
        .file("new", "ONE\n");
}

#[test]
fn a_closed_output_pipe_ends_the_run_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut running =
        host_with_summary().plugin("upper.wat").stdin_open().stdout_to(writer).start();
    // The endless input exceeds what pipes and the window hold.
    running.feed(|input| {
        let many = lines(["line"; 10_000]);
        loop {
            std::io::Write::write_all(input, many.as_bytes())?;
        }
    });
    let mut first = String::new();
    let mut reader = BufReader::new(reader);
    reader.read_line(&mut first).unwrap();
    assert_eq!(first, "LINE\n");
    drop(reader);
    let stderr = running.finish_with_stdin_open().code(0).stderr_text();
    assert!(!stderr.contains("error"), "{stderr}");
}

#[test]
fn finish_reports_are_written_despite_a_closed_output_pipe() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let finished = host()
        .plugin("finish.wat")
        .args(["--jobs", "1", "--finish-output", "reports"])
        .stdin("last\n")
        .stdout_to(writer)
        .run()
        .code(0)
        .stderr("");
    finished.file("reports", "{\"worker\":0,\"items\":1,\"report\":\"last\"}\n");
}

#[test]
fn a_full_disk_is_an_error() {
    let expected = |name: &str| {
        format!(
            "error: cannot write results to `{name}` after 0 whole records: No space left on \
             device (os error 28)\n"
        )
    };
    host()
        .plugin("upper.wat")
        .args(["-o", "/dev/full"])
        .stdin("one\n")
        .run()
        .code(4)
        .stderr(&expected("/dev/full"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    host()
        .plugin("upper.wat")
        .stdout_to(full)
        .stdin("one\n")
        .run()
        .code(4)
        .stderr(&expected("standard output"));
}

#[test]
fn a_full_disk_leaves_no_partial_record() {
    let item = "x".repeat(999);
    host_on_threads()
        .plugin("echo.wat")
        .args(["-o", "results"])
        .stdin(lines([&item; 20]))
        // A limit of 8192 bytes per file simulates a full disk. Workers run on threads, because the
        // host passes compiled code to processes in a file, and this file would exceed the limit.
        .under("sh", ["-c", "ulimit -f 16; exec \"$0\" \"$@\""])
        .run()
        .code(4)
        .stderr(
            "error: cannot write results to `results` after 8 whole records: File too large (os \
             error 27)\n \
             hint: raise the limit on file sizes (`ulimit -f`), or use a file system for larger files\n",
        )
        .file("results", lines([&item; 8]));
}

#[test]
fn an_output_that_cannot_be_created_is_an_error() {
    host()
        .plugin("upper.wat")
        .args(["-o", "no/such/folder"])
        .stdin("one\n")
        .run()
        .code(4)
        .stdout("")
        .stderr(
            "error: cannot create output `no/such/folder`: No such file or directory (os error 2)\n",
        );
}

#[test]
fn a_folder_as_output_gives_a_hint_for_output_dir() {
    host()
        .plugin("upper.wat")
        .subfolder("out")
        .args(["-o", "out"])
        .stdin("one\n")
        .run()
        .code(4)
        .stderr(
            "error: cannot create output `out`: Is a directory (os error 21)\n hint: name a file; \
         `--output-dir DIR` writes a file for each item into a directory\n",
        );
}

#[test]
fn a_standard_stream_that_is_closed_is_an_error() {
    let closed = |redirection: &str| {
        let run = host().plugin("upper.wat").file("items", "one\n");
        run.under("sh", ["-c", &format!("exec \"$0\" \"$@\" {redirection}")])
    };
    let output = "error: cannot use standard output: it is closed\n \
                  hint: name another file, or redirect it: `> FILE`; `> /dev/null` discards the results\n";
    closed("< items >&-").run().code(4).stderr(output);
    closed("< items >&-").args(["-o", "/dev/stdout"]).run().code(4).stderr(output);
    closed("< items >&-").args(["--faults", "/dev/fd/1"]).run().code(4).stderr(output);
    let input = "error: cannot use standard input: it is closed\n \
                 hint: name the INPUT, or redirect it: `< FILE`\n";
    closed("<&-").run().code(4).stdout("").stderr(input);
    closed("<&-").args(["items", "-"]).run().code(4).stdout("").stderr(input);
}

#[test]
fn a_standard_stream_that_is_not_needed_may_be_closed() {
    let closed = |redirection: &str| {
        let run = host().plugin("upper.wat").file("items", "one\n").args(["items"]);
        run.under("sh", ["-c", &format!("exec \"$0\" \"$@\" {redirection}")])
    };
    closed("<&-").run().code(0).stdout("ONE\n");
    closed("<&- >&- 2>&-").args(["-o", "results"]).run().code(0).file("results", "ONE\n");
    // Many programs start others with such a device, open for reading and writing.
    for null in ["<> /dev/null", "1<> /dev/null", "> /dev/null"] {
        closed(null).run().code(0).stderr("");
    }
}

#[test]
fn other_commands_require_standard_output() {
    for args in [&["run", "--print-config", "x.wasm"][..], &["--version"], &["doctor", "--json"]] {
        let run = command().args(args.iter().copied());
        let stderr = run.under("sh", ["-c", "exec \"$0\" \"$@\" >&-"]).run().code(4).stderr_text();
        assert!(
            stderr.starts_with("error: cannot use standard output: it is closed\n"),
            "{stderr}"
        );
    }
}

#[test]
fn the_sync_flag_covers_every_kind_of_output() {
    let run = |plugin: &str| host().plugin(plugin).args(["--sync", "--jobs", "1"]).stdin("one\n");
    run("upper.wat").run().code(0).stdout("ONE\n").stderr("");
    run("upper.wat").args(["-o", "/dev/null"]).run().code(0).stderr("");
    run("finish.wat")
        .args(["-o", "results", "--faults", "faults", "--finish-output", "reports"])
        .run()
        .code(0)
        .stderr("")
        .file("results", "\n")
        .file("faults", "")
        .file("reports", "{\"worker\":0,\"items\":1,\"report\":\"one\"}\n");
    run("upper.wat")
        .file("one", "content")
        .args(["--input-format", "paths", "--output-dir", "out"])
        .run()
        .code(0)
        .stderr("")
        .file("out/one", "ONE");
}

#[test]
fn a_failed_sync_is_an_error() {
    // This file of the kernel accepts writes but is not on a disk.
    let run = |plugin: &str, flag: &str| {
        let run = host().plugin(plugin).args(["--sync", "--jobs", "1", flag, "/proc/self/comm"]);
        run.stdin("one\n").run().code(4).stderr_text()
    };
    let error = "error: cannot make sure that `/proc/self/comm` is on the disk: Invalid argument (os error \
                 22)\n";
    assert_eq!(run("upper.wat", "-o"), error);
    assert_eq!(run("upper.wat", "--faults"), error);
    assert_eq!(run("finish.wat", "--finish-output"), error);
}
