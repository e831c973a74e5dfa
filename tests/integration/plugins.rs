//! Checks the arguments of plugins, and everything that plugins write in addition to results:
//! output, logs and finish reports. Core modules and components have the same abilities, and the
//! tests check both.

use crate::support::{host, host_with_summary};

#[test]
fn one_init_argument_reaches_every_worker() {
    host()
        .plugin("init.wat")
        .args(["--jobs", "3", "--init", "> "])
        .stdin("a\nb\n")
        .run()
        .code(0)
        .stdout("> a\n> b\n");
    host()
        .plugin("init.wat")
        .file("args", "from a file: ")
        .args(["--init", "@args"])
        .stdin("a\nb\n")
        .run()
        .code(0)
        .stdout("from a file: a\nfrom a file: b\n");
    host().plugin("init.wat").stdin("a\n").run().code(0).stdout("a\n");
}

#[test]
fn each_of_several_init_arguments_goes_to_one_worker() {
    // The first claims have one item each, so both workers run some of these items. Timing decides
    // which worker runs an item.
    let items: String = (0..2000).map(|item| format!("{item}\n")).collect();
    let finished = host()
        .plugin("init.wat")
        .file("second", "b")
        .args(["--init", "a", "--init", "@second"])
        .stdin(items)
        .run()
        .code(0);
    let shown = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    for (item, line) in shown.lines().enumerate() {
        assert!(line == format!("a{item}") || line == format!("b{item}"), "{line}");
    }
    assert_eq!(shown.lines().count(), 2000);
}

#[test]
fn a_replacement_gets_the_same_init_arguments() {
    host()
        .plugin("init.wat")
        .args(["--jobs", "1", "--init", "> "])
        .stdin("a\ntrap\nb\n")
        .run()
        .code(1)
        .stdout("> a\n\n> b\n");
}

#[test]
fn plugin_output_goes_to_standard_error_with_its_worker() {
    host()
        .plugin("print.wat")
        .args(["--jobs", "1"])
        .stdin("one\n!two\n\n")
        .run()
        .code(0)
        .stdout("one\n!two\n\n")
        .stderr("[worker 0] one\n[worker 0] !two\n[worker 0] \n");
}

#[test]
fn control_characters_of_a_plugin_do_not_reach_the_terminal() {
    host()
        .plugin("print.wat")
        .args(["--jobs", "1"])
        .stdin(&b"\x1b[2Jgone\x07\ttab\n"[..])
        .run()
        .code(0)
        .stdout(b"\x1b[2Jgone\x07\ttab\n")
        .stderr("[worker 0] \\u{1b}[2Jgone\\u{7}\ttab\n");
}

#[test]
fn plugin_log_messages_are_shown_with_their_level() {
    host()
        .plugin("log.wat")
        .args(["--jobs", "1"])
        .stdin("2 hello\n3 careful\n4 broken\n")
        .run()
        .code(0)
        .stdout("2 hello\n3 careful\n4 broken\n")
        .stderr(
            "[worker 0] info: 2 hello\n[worker 0] warn: 3 careful\n[worker 0] error: 4 broken\n",
        );
    host()
        .plugin("log.wat")
        .args(["--jobs", "1"])
        .stdin("7 is no level\n")
        .run()
        .code(1)
        .stdout("\n");
}

#[test]
fn a_finish_report_is_shown_at_the_end() {
    #[rustfmt::skip]
    let cases = [
        // last item     shown
        ("all done",     "[worker 0] finish: all done"),
        ("#none",        ""),
        ("!oops",        "warning: worker 0 gave no finish report: refused: !oops"),
        ("trap",         "warning: worker 0 gave no finish report: trap: wasm `unreachable` instruction executed, in `finish`"),
    ];
    for (item, shown) in cases {
        let stderr = host_with_summary()
            .plugin("finish.wat")
            .args(["--jobs", "1"])
            .stdin(format!("first\n{item}\n"))
            .run()
            .code(0)
            .stdout("\n\n")
            .stderr_text();
        let (before, _summary) = stderr.trim_end().rsplit_once('\n').unwrap_or_default();
        assert_eq!(before, shown, "{item}");
    }
}

#[test]
fn a_component_works_like_a_core_module() {
    let jsonl = concat!(
        r#"{"index":0,"ok":"ONE"}"#,
        "\n",
        r#"{"index":1,"ok":""}"#,
        "\n",
        r#"{"index":3,"error":{"kind":"refused","message":"!three"}}"#,
        "\n",
        r#"{"index":4,"error":{"kind":"bad-item","message":"?four"}}"#,
        "\n",
    );
    for jobs in ["1", "3"] {
        host()
            .plugin("component.wat")
            .args(["--jobs", jobs, "--output-format", "jsonl", "--init", "anything"])
            .stdin("one\n\n#two\n!three\n?four\n")
            .run()
            .code(1)
            .stdout(jsonl);
    }
}

#[test]
fn a_component_keeps_up_with_many_items() {
    let items: String = (0..20_000).map(|item| format!("item {item}\n")).collect();
    host()
        .plugin("component.wat")
        .args(["--jobs", "2"])
        .stdin(items.clone())
        .run()
        .code(0)
        .stdout(items.to_uppercase());
}
