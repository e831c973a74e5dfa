//! Checks failed items: their faults are reported, and the run continues.

use crate::support::{host, host_on_threads, host_with_summary, lines};

/// The misbehaviours of `misbehave.wat`, each with the kind and message of its fault.
#[rustfmt::skip]
const MISBEHAVIOURS: [(&str, &str, &str); 10] = [
    // item   kind             message
    ("trap",  "trap",          "wasm `unreachable` instruction executed, in `call`"),
    ("div",   "trap",          "integer divide by zero, in `divide`"),
    ("x",     "trap",          "the plugin exited with code 3, in `call`"),
    ("rec",   "trap",          "call stack exhausted, in `recurse`"),
    ("mem",   "out-of-memory", "the plugin asked for more memory than the 512MiB of `memory`, in `call`"),
    ("ptr",   "bad-result",    "the plugin answered with 0 bytes at 131073, but its memory ends at 131072"),
    ("len",   "bad-result",    "the plugin answered with 2 bytes at 131071, but its memory ends at 131072"),
    ("wrap",  "bad-result",    "the plugin answered with 32 bytes at 4294967280, but its memory ends at 131072"),
    ("huge",  "bad-result",    "the plugin answered with 1073741823 bytes at 0, but its memory ends at 131072"),
    ("error", "bad-result",    "the plugin answered with 4 bytes at 131073, but its memory ends at 131072"),
];

#[test]
fn a_failing_item_is_a_fault_and_its_instance_is_replaced() {
    for (item, kind, message) in MISBEHAVIOURS {
        let hint = match kind {
            "out-of-memory" => " hint: `--memory SIZE` allows each worker more\n",
            _ => "",
        };
        // `n` returns the number of calls of its instance, so a fresh instance returns 1.
        host()
            .plugin("misbehave.wat")
            .args(["--jobs", "1"])
            .stdin(format!("n\n{item}\nn\nn\n"))
            .run()
            .code(1)
            .stdout("1\n\n1\n2\n")
            .stderr(&format!("fault: item 1: {kind}: {message}\n{hint}"));
    }
}

#[test]
fn a_trapping_component_is_replaced() {
    host()
        .plugin("component.wat")
        .args(["--jobs", "1"])
        .stdin("a\ntrap\nb\n")
        .run()
        .code(1)
        .stdout("A\n\nB\n")
        .stderr(
            "fault: item 1: trap: wasm `unreachable` instruction executed, in `call`\n\
             [worker 0] finish: done\n\
             warning: worker 0 has lost the finish reports of 1 instance that failed\n",
        );
}

#[test]
fn a_lost_finish_report_is_shown_without_any_other() {
    host().plugin("component.wat").args(["--jobs", "1"]).stdin("a\ntrap\n").run().code(1).stderr(
        "fault: item 1: trap: wasm `unreachable` instruction executed, in `call`\n\
         warning: worker 0 has lost the finish reports of 1 instance that failed\n",
    );
}

#[test]
fn a_plugin_without_item_memory_fails_each_item() {
    #[rustfmt::skip]
    let cases = [
        ("no-room.wat",
         "out-of-memory: the plugin has no memory for a buffer of 4096 bytes"),
        ("no-such-room.wat",
         "bad-result: `mtl_alloc` gave 4096 bytes at 65528, which are not in the memory"),
    ];
    for (plugin, message) in cases {
        host()
            .plugin(plugin)
            .stdin("a\nb\n")
            .run()
            .code(1)
            .stdout("\n\n")
            .stderr(&format!("fault: item 0: {message}\nfault: item 1: {message}\n"));
    }
}

#[test]
fn refusals_and_bad_items_show_the_plugins_message() {
    host()
        .plugin("judge.wat")
        .args(["--jobs", "1"])
        .stdin("a\n!b\n?c\n")
        .run()
        .code(1)
        .stdout("a\n\n\n")
        .stderr("fault: item 1: refused: !b\nfault: item 2: bad-item: ?c\n");
}

#[test]
fn the_first_ten_faults_are_shown_and_the_rest_counted() {
    let shown = |count: usize| {
        lines((0..count).map(|item| format!("fault: item {item}: refused: !{item}")))
    };
    let items = |count: usize| lines((0..count).map(|item| format!("!{item}")));
    #[rustfmt::skip]
    let cases = [
        (10, ""),
        (11, "… and 1 more fault (refused 1)\n"),
        (25, "… and 15 more faults (refused 15)\n"),
    ];
    for (count, rest) in cases {
        host()
            .plugin("judge.wat")
            .stdin(items(count))
            .run()
            .code(1)
            .stderr(&format!("{}{rest}", shown(count.min(10))));
    }
}

#[test]
fn control_characters_in_a_message_do_not_reach_the_terminal() {
    host()
        .plugin("judge.wat")
        .stdin(&b"!\x1b[31mred\x07\n"[..])
        .run()
        .code(1)
        .stderr("fault: item 0: refused: !\\u{1b}[31mred\\u{7}\n");
}

#[test]
fn all_faults_can_be_written_to_a_file() {
    let items: &[u8] = b"a\n!b\n?\xff\ntrap\n";
    host()
        .plugin("judge.wat")
        .args(["--jobs", "1", "--faults", "faults.jsonl"])
        .stdin(items)
        .run()
        .code(1)
        .file(
            "faults.jsonl",
            concat!(
                r#"{"index":1,"kind":"refused","message":"!b","worker":0,"item":"!b"}"#,
                "\n",
                r#"{"index":2,"kind":"bad-item","message":"?"#,
                "\u{fffd}",
                r#"","worker":0,"item":{"base64":"P/8="}}"#,
                "\n",
            ),
        );
    let many = lines((0..1000).map(|item| format!("!{item}")));
    let finished = host()
        .plugin("judge.wat")
        .args(["--faults", "faults.jsonl", "--jobs", "4"])
        .stdin(many)
        .run()
        .code(1);
    let written = std::fs::read_to_string(finished.folder().join("faults.jsonl")).unwrap();
    let indices: Vec<u64> = written
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|fault| fault["index"].as_u64().unwrap())
        .collect();
    assert!(indices == (0..1000).collect::<Vec<_>>(), "the faults are in the order of the items");
}

#[test]
fn a_fault_file_is_empty_without_faults_and_names_paths() {
    host()
        .plugin("judge.wat")
        .args(["--faults", "faults.jsonl"])
        .stdin("a\n")
        .run()
        .code(0)
        .file("faults.jsonl", "");
    let finished = host()
        .plugin("judge.wat")
        .file("content", "!no")
        .args(["--input-format", "files", "--faults", "faults.jsonl"])
        .stdin("content\nmissing\n")
        .run()
        .code(1);
    let written = std::fs::read_to_string(finished.folder().join("faults.jsonl")).unwrap();
    let faults: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(faults[0]["path"], "content", "{written}");
    assert_eq!(faults[0]["message"], "!no");
    assert_eq!(faults[1]["path"], "missing");
    assert_eq!(faults[1]["worker"], serde_json::Value::Null, "the item never reached a worker");
}

#[test]
fn an_unwritable_fault_file_is_an_error() {
    host()
        .plugin("judge.wat")
        .args(["--faults", "no/such/folder"])
        .stdin("!a\n")
        .run()
        .code(4)
        .stdout("");
    host().plugin("judge.wat").args(["--faults", "/dev/full"]).stdin("!a\n").run().code(4);
}

#[test]
fn a_full_disk_leaves_no_partial_fault() {
    let finished = host_on_threads()
        .plugin("judge.wat")
        .args(["--faults", "faults"])
        .stdin(lines((0..200).map(|item| format!("!{item}"))))
        // A limit of 8192 bytes per file replaces a full disk.
        .under("sh", ["-c", "ulimit -f 16; exec \"$0\" \"$@\""])
        .run()
        .code(4);
    let stderr = finished.stderr_text();
    let error = "error: cannot pass on results: cannot write faults to `faults`: File too large (os error \
                 27)\n hint: raise the limit on file sizes (`ulimit -f`), or use a file system for \
                 larger files\n";
    assert!(stderr.ends_with(error), "{stderr}");
    let faults = std::fs::read_to_string(finished.folder().join("faults")).unwrap();
    assert!(faults.len() > 8000 && faults.ends_with("}\n"), "{faults}");
    for (index, line) in faults.lines().enumerate() {
        let fault: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(fault["index"], index);
    }
}

#[test]
fn an_unrestartable_worker_retires_and_the_last_ends_the_run() {
    let finished = host()
        .plugin("flaky-start.wat")
        .subfolder("state")
        .args(["--jobs", "1", "--dir", "state::/state:rw"])
        .stdin("a\nb\nc\n")
        .run()
        .code(8);
    let warning = "warning: worker 0 could not be started again and is retired: init failed: it has \
                   been started before\n";
    let fault = "fault: item 0: trap: wasm `unreachable` instruction executed, in `call`\n";
    let stderr = finished.stderr_text();
    assert!(stderr.contains(warning) && stderr.contains(fault), "{stderr}");
    let last = "error: no worker is left: worker 0, the last one, could not be started again: init \
                failed: it has been started before\n";
    assert!(stderr.contains(last), "{stderr}");
}

#[test]
fn faults_are_counted_in_the_summary() {
    let stderr =
        host_with_summary().plugin("judge.wat").stdin("!a\n?b\nc\n").run().code(1).stderr_text();
    let begins = "3 items, 2 faults (refused 1, bad-item 1), ";
    assert!(stderr.lines().last().unwrap().starts_with(begins), "{stderr}");
}
