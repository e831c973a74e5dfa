//! Checks the errors for bad input. Each names the problem, and has a hint if the user can solve it.

use std::fs::File;

use crate::inputs::frames;
use crate::support::host;

#[test]
fn an_unreadable_input_prevents_the_run() {
    #[rustfmt::skip]
    let cases = [
        ("missing",
         "error: cannot open input `missing`: No such file or directory (os error 2)\n"),
        ("folder",
         "error: input `folder` is a directory\n \
          hint: name the files in it: `find DIR -type f | mtl-host run PLUGIN --input-format files`\n"),
        ("dangling",
         "error: cannot open input `dangling`: No such file or directory (os error 2)\n"),
        ("file/below",
         "error: cannot open input `file/below`: Not a directory (os error 20)\n"),
    ];
    for (input, stderr) in cases {
        let described = host()
            .plugin("upper.wat")
            .file("file", "one\n")
            .subfolder("folder")
            .args(["file", input]);
        std::os::unix::fs::symlink("nowhere", described.folder().join("dangling")).unwrap();
        described.run().code(4).stdout("").stderr(stderr);
    }
}

#[test]
fn an_input_deleted_before_its_turn_ends_the_run() {
    let mut running = host()
        .plugin("upper.wat")
        .file("later", "never\n")
        .args(["-", "later"])
        .stdin_open()
        .start();
    running.send("one\n");
    running.wait_for_stdout("ONE\n");
    std::fs::remove_file(running.folder().join("later")).unwrap();
    running
        .finish()
        .code(4)
        .stdout("ONE\n")
        .stderr("error: cannot open input `later`: No such file or directory (os error 2)\n");
}

#[test]
fn an_unreadable_item_file_is_a_fault() {
    host()
        .plugin("upper.wat")
        .file("good", "good")
        .subfolder("folder")
        .args(["--input-format", "files", "--jobs", "1"])
        .stdin("missing\ngood\nfolder\n")
        .run()
        .code(1)
        .stdout("\nGOOD\n\n")
        .stderr(
            "fault: item 0 (`missing`): bad-item: cannot read `missing`: No such file or directory \
             (os error 2)\n\
             fault: item 2 (`folder`): bad-item: cannot read `folder`: it is a directory, not a \
             file\n",
        );
}

#[test]
fn an_invalid_json_line_is_a_fault_with_its_line_number() {
    host()
        .plugin("echo.wat")
        .file("items", "1\n\n{\"a\": }\n3\n")
        .args(["--input-format", "jsonl", "items"])
        .run()
        .code(1)
        .stdout("1\n\n3\n")
        .stderr("fault: item 1: bad-item: `items` line 3: not JSON: expected value at column 7\n");
}

#[test]
fn a_truncated_frame_ends_the_run_after_the_whole_ones() {
    let whole = frames(&[b"one", b"two"]);
    #[rustfmt::skip]
    let cases = [
        // bytes cut off   got
        (1,                "2 of 3 bytes"),
        (4,                "3 of 4 bytes"),
    ];
    for (cut, got) in cases {
        host()
            .plugin("upper.wat")
            .args(["--input-format", "frames"])
            .stdin(&whole[..whole.len() - cut])
            .run()
            .code(4)
            .stdout("ONE\n")
            .stderr(&format!(
                "error: input `standard input` ends in the middle of a frame: {got}\n \
                 hint: each frame is its length, 4 bytes, little-endian, and then its bytes; for \
                 text use `--input-format lines`\n"
            ));
    }
}

#[test]
fn text_in_place_of_frames_gives_a_hint() {
    host()
        .plugin("upper.wat")
        .args(["--input-format", "frames"])
        .stdin("This is text, not frames.\n")
        .run()
        .code(4)
        .stdout("")
        .stderr(
            "error: input `standard input` has a frame of 1936287828 bytes, longer than the \
             64MiB of `item_limit`\n \
             hint: each frame is its length, 4 bytes, little-endian, and then its bytes; for text \
             use `--input-format lines`; `--max-item SIZE` allows longer frames\n",
        );
}

#[test]
fn a_damaged_compressed_input_ends_the_run() {
    for name in ["items.gz", "items.zst"] {
        let finished =
            host().plugin("upper.wat").file(name, "this is not compressed").args([name]).run();
        let stderr = finished.code(4).stdout("").stderr_text();
        assert!(stderr.starts_with(&format!("error: cannot read input `{name}`: ")), "{stderr}");
    }
}

#[test]
fn invalid_flags_are_refused_before_the_run() {
    #[rustfmt::skip]
    let cases: [&[&str]; 12] = [
        &["--no-such-flag"],
        &["--jobs", "0"],
        &["--jobs", "many"],
        &["--jobs", "10001"],
        &["--on-error", "never"],
        &["--max-faults", "101%"],
        &["--input-format", "xml"],
        &["--output-format", "files"],
        &["--results", "xml"],
        &["--progress", "sometimes"],
        &["--dir", "no-colons"],
        &["--limit", "-1"],
    ];
    for args in cases {
        let finished = host().plugin("upper.wat").args(args.iter().copied()).run();
        let stderr = finished.code(2).stdout("").stderr_text();
        assert!(stderr.starts_with("error: "), "{args:?}: {stderr}");
    }
    host().run().code(2).stdout("");
}

#[test]
fn no_input_makes_the_host_panic() {
    // A pseudo-random generator with a fixed seed.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    for round in 0..4 {
        let bytes: Vec<u8> = (0..2000).map(|_| noise()).collect();
        for format in ["lines", "nul", "jsonl", "frames", "paths", "files"] {
            for output in ["lines", "jsonl"] {
                let finished = host()
                    .plugin("upper.wat")
                    .file("noise.gz", &bytes)
                    .file("noise.zst", &bytes)
                    .args(["--input-format", format, "--output-format", output])
                    .args([["-", "noise.gz", "noise.zst"][round % 3]])
                    .stdin(bytes.clone())
                    .run();
                let (code, stderr) = (finished.exit_code(), finished.stderr_text());
                assert!(matches!(code, Some(0 | 1 | 4)), "{format}, {output}: {code:?} {stderr}");
            }
        }
    }
}

#[test]
fn no_output_overwrites_a_file_that_the_run_uses() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 3] = [
        (&["-o", "items"],
         "error: cannot write output `items`: it is also an input\n hint: write to another file\n"),
        (&["-o", "./upper.wat"],
         "error: cannot write output `./upper.wat`: it is also the plugin\n hint: write to another file\n"),
        (&["-o", "new", "--faults", "new"],
         "error: cannot write faults `new`: it is also the output\n hint: write to another file\n"),
    ];
    for (args, stderr) in cases {
        host()
            .plugin("upper.wat")
            .file("items", "one\n")
            .args(["items"])
            .args(args.iter().copied())
            .run()
            .code(2)
            .stdout("")
            .stderr(stderr)
            .file("items", "one\n");
    }
}

#[test]
fn a_redirected_standard_output_is_checked_like_an_output() {
    let appends = |args: &[&str], to: &str, stderr: &str| {
        let described = host().plugin("upper.wat").file("items", "one\n").file("other", "");
        let output = File::options().append(true).open(described.folder().join(to)).unwrap();
        described.args(args.iter().copied()).stdout_to(output).run().code(2).stderr(stderr)
    };
    // The run would read its own output, perhaps for ever.
    appends(
        &["items"],
        "items",
        "error: cannot write output `/dev/stdout`: it is also an input\n hint: write to another file\n",
    )
    .file("items", "one\n");
    // Both streams would write from the beginning of the file.
    appends(
        &["items", "--faults", "/dev/stdout"],
        "other",
        "error: cannot write faults `/dev/stdout`: it is also the output\n hint: write to another file\n",
    )
    .file("other", "");
    // A pipe has no position to overwrite, and these streams go to different places.
    host().plugin("upper.wat").args(["--faults", "/dev/stdout"]).stdin("one\n").run().code(0);
    let described = host().plugin("upper.wat").file("items", "one\n");
    let output = File::options().append(true).open(described.folder().join("items")).unwrap();
    described
        .args(["items", "-o", "results"])
        .stdout_to(output)
        .run()
        .code(0)
        .stderr("")
        .file("items", "one\n")
        .file("results", "ONE\n");
}

#[test]
fn a_side_file_requires_a_file_name() {
    for flag in ["--faults", "--finish-output"] {
        let error = format!(
            "error: invalid value '-' for '{flag} <FILE>': not the name of a file; for standard output, \
             write `/dev/stdout`\n"
        );
        let finished = host().plugin("upper.wat").args([flag, "-"]).run().code(2);
        assert!(finished.stderr_text().starts_with(&error), "{}", finished.stderr_text());
        assert!(!finished.folder().join("-").exists());
    }
}

#[test]
fn an_invalid_number_describes_the_valid_form() {
    #[rustfmt::skip]
    let cases = [
        ("--limit",       "-3",    "not a number of items such as `1000`"),
        ("--limit",       "many",  "not a number of items such as `1000`"),
        ("--total",       "1e6",   "not a number of items such as `1000`"),
        ("--jobs",        "-1",    "not a number from 1 to 10000"),
        ("--max-faults",  "-1",    "not a number such as `10`, nor a share from `0%` to `100%`"),
        ("--memory",      "-1MiB", "not a size, such as `64MiB`, `2GiB` or `1000000`"),
    ];
    for (flag, value, why) in cases {
        let stderr = host().plugin("upper.wat").args([flag, value]).run().code(2).stderr_text();
        let expected = format!("error: invalid value '{value}' for '{flag} <");
        assert!(stderr.starts_with(&expected) && stderr.contains(why), "{stderr}");
    }
}
