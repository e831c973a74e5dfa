//! Checks components with worlds of their own. Items and results are JSON, and the host converts
//! them from and to the types of the component's function.

use std::fs;

use mtl_host::{ArgumentPassing, Engine, Plugin, Pool};

use crate::support::{Finished, Host, command, fixtures, host, host_with_summary, isolation};

/// Describes a run of `--call NAME` of the component with many functions.
fn calling(name: &str) -> Host {
    host().plugin("typed-functions.wat").args(["--call", name, "--jobs", "1"])
}

/// Runs these items with results as JSON lines.
fn run_as_jsonl(host: Host, items: &str) -> Finished {
    host.args(["--output-format", "jsonl"]).stdin(items).run()
}

#[test]
fn a_value_of_every_type_passes_through_unchanged() {
    let item = concat!(
        r#"{"a-bool":true,"ints":[-128,255,-32768,65535,-2147483648,4294967295],"#,
        r#""large":[-9223372036854775808,18446744073709551615],"floats":[0.1,0.30000000000000004],"#,
        r#""letter":"ä","text":"a \"b\"\n","data":"AAH/","#,
        r#""points":[{"x":1,"y-pos":null},{"x":-2,"y-pos":0.5}],"color":"dark-green","#,
        r#""rights":["can-write"],"shape":{"polygon":[{"x":3,"y-pos":null}]},"#,
        r#""nested":{"some":null},"outcome":{"err":"why"}}"#
    );
    // The same values in another notation.
    let other = concat!(
        r#"{"outcome" : {"err":"why"}, "shape":{"polygon":[{"x":3}]}, "rights":["can_write"],"#,
        r#""color":"dark_green", "points":[{"x":1},{"y_pos":5e-1,"x":-2}], "data":[0,1,255],"#,
        r#""text":"a \u0022b\u0022\n", "letter":"\u00e4", "floats":[1e-1,0.30000000000000004],"#,
        r#""large":[-9223372036854775808,18446744073709551615], "nested":{"some":null},"#,
        r#""ints":[-128,255,-32768,65535,-2147483648,4294967295], "a_bool":true}"#
    );
    for format in ["lines", "jsonl"] {
        host()
            .plugin("typed-echo.wat")
            .args(["--jobs", "1", "--input-format", format])
            .stdin(format!("{item}\n{other}\n"))
            .run()
            .code(0)
            .stdout(format!("{item}\n{item}\n"));
    }
}

#[test]
fn a_mistyped_item_is_a_fault_that_names_its_path() {
    let good = inspected("typed-echo.wat", &[])["typed"]["items"][0]["item"].clone();
    let good = good.as_str().unwrap().to_owned();
    let cases = [
        (r#""x":1"#, r#""x":1.5"#, "$.points[0].x: expected a whole number (s32), found 1.5"),
        (r#""x":1"#, r#""x":2147483648"#, "$.points[0].x: 2147483648 does not fit s32"),
        (
            r#""red""#,
            r#""blue""#,
            "$.color: there is no case \"blue\"; there are `red`, `dark-green`",
        ),
        (
            r#""shape":"nothing""#,
            r#""shape":"circle""#,
            "$.shape: the case `circle` has a value: `{\"circle\": …}`",
        ),
        (
            r#""can-read","#,
            r#""can-fly","#,
            "$.rights[0]: there is no flag \"can-fly\"; there are `can-read`, `can-write`",
        ),
        (
            r#""letter":"a""#,
            r#""letter":"ab""#,
            "$.letter: expected a string of one character (char), found \"ab\"",
        ),
        (r#""text":"text""#, r#""text":null"#, "$.text: expected a string, found `null`"),
        (r#","text":"text""#, "", "$.text: is missing"),
        (
            r#""text":"#,
            r#""test":"#,
            "$.test: there is no such field; there are `a-bool`, `ints`, `large`, `floats`, `letter`, `text`, `data`, `points`, `color`, `rights`, `shape`, `nested` and 1 more",
        ),
        (r#""large":[1,1]"#, r#""large":[1]"#, "$.large: 1 elements, but the tuple has 2"),
        (
            r#""Ynl0ZXM=""#,
            r#""bytes""#,
            "$.data: a string that is not base64: Invalid input length: 5",
        ),
        (
            r#"{"some":"text"}"#,
            r#""text""#,
            "$.nested: expected `null`, or `{\"some\": …}`, found a string",
        ),
    ];
    let items: String = cases
        .iter()
        .map(|(from, to, _)| {
            assert!(good.contains(from), "{from} is not in {good}");
            format!("{}\n", good.replacen(from, to, 1))
        })
        .collect();
    let finished =
        run_as_jsonl(host().plugin("typed-echo.wat").args(["--jobs", "1"]), &items).code(1);
    let lines = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    assert_eq!(lines.lines().count(), cases.len());
    for (line, (_, to, message)) in lines.lines().zip(cases) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["error"]["kind"], "bad-item", "{to}");
        assert_eq!(line["error"]["message"], message, "{to}");
    }
}

#[test]
fn a_typed_instance_keeps_state_and_refuses_by_its_error() {
    let expected = concat!(
        r#"{"index":0,"ok":103}"#,
        "\n",
        r#"{"index":1,"ok":130}"#,
        "\n",
        r#"{"index":3,"error":{"kind":"refused","message":"sum below zero"}}"#,
        "\n",
        r#"{"index":4,"error":{"kind":"bad-item","message":"$[0][1]: expected a whole number (s64), found a string (in `numbers`)"}}"#,
        "\n",
        r#"{"index":5,"ok":101}"#,
        "\n",
    );
    let finished = host_with_summary()
        .plugin("typed-sum.wat")
        .args(["--jobs", "1", "--args", "args", "--init", "100", "--output-format", "jsonl"])
        .stdin("[[1,2],null]\n[[1,2],10]\n[[]]\n[[1,-2],1000]\n[[1,\"2\"]]\n[[1]]\n")
        .run()
        .code(1)
        .stdout(expected);
    let report = "[worker 0] finish: 5\n";
    assert!(finished.stderr_text().contains(report), "{}", finished.stderr_text());
}

#[test]
fn typed_parameters_can_be_filled_by_name() {
    host()
        .plugin("typed-sum.wat")
        .args(["--jobs", "1", "--args", "kwargs", "--init", "0"])
        .stdin("{\"numbers\":[1,2]}\n{\"scale\":2,\"numbers\":[1]}\n{\"scale\":2}\n")
        .run()
        .code(1)
        .stdout("3\n2\n\n")
        .stderr("fault: item 2: bad-item: $.numbers: is missing\n[worker 0] finish: 2\n");
}

#[test]
fn a_typed_start_failure_gives_the_reason() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 4] = [
        (&["--init", "1"],
         "init failed: `call` has 2 parameters (`numbers`, `scale`), but an item is a single value\n \
          hint: use `--args args` if each item is a JSON array of the parameters (`[]` for none), \
          or `--args kwargs` if it is a JSON object by their names\n"),
        (&["--args", "args"],
         "init failed: the arguments do not fit `init`: $: not JSON: expected a whole number \
          (s64), found the end\n \
          hint: `--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its files\n"),
        (&["--args", "args", "--init", "[1]"],
         "init failed: the arguments do not fit `init`: $: expected a whole number (s64), \
          found an array\n \
          hint: `--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its files\n"),
        (&["--args", "args", "--init", "-1"],
         "init failed: start below zero\n \
          hint: `--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its files\n"),
    ];
    for (args, message) in cases {
        let run = host().plugin("typed-sum.wat").args(["--jobs", "1"]).args(args.iter().copied());
        let error = format!("error: worker 0 could not be started: {message}");
        run.stdin("[[1]]\n").run().code(3).stdout("").stderr(&error);
    }
    calling("hundred").stdin("\n").run().code(3).stdout("").stderr(
        "error: worker 0 could not be started: init failed: `hundred` has no parameter for an item\n \
         hint: use `--args args` if each item is a JSON array of the parameters (`[]` for none), \
         or `--args kwargs` if it is a JSON object by their names\n",
    );
    let without = calling("sqrt").args(["--init", "1"]).run().code(2).stdout("");
    assert!(without.stderr_text().contains("takes no init arguments"));
}

#[test]
fn the_call_flag_selects_the_typed_function() {
    #[rustfmt::skip]
    let cases = [
        ("div",                      "[7,2]\n[-7,2]\n", "3\n-3\n"),
        ("hundred",                  "[]\n",            "100\n"),
        ("#add",                     "[7,2]\n",         "9\n"),
        ("operations#add",           "[7,2]\n",         "9\n"),
        ("acme:other/operations#add","[7,2]\n",         "9\n"),
        ("ops#add",                  "[7,2]\n",         "3\n"),
        ("acme:math/ops#add",        "[7,2]\n",         "3\n"),
        ("acme:math/ops@1.0.0#add",  "[7,2]\n",         "3\n"),
    ];
    for (name, items, expected) in cases {
        calling(name).args(["--args", "args"]).stdin(items).run().code(0).stdout(expected);
    }
}

#[test]
fn a_missing_or_ambiguous_function_lists_the_exports() {
    let exports = "`add`, `acme:math/ops@1.0.0#add`, `acme:other/operations#add`, `sqrt`, `div`, \
                 `hundred`, `spin`, `drop`, `same`, `same-bytes`, `zeros`, `zeros-in-a-tuple`";
    let missing = |name: &str| {
        format!(
            "error: plugin `typed-functions.wat` does not export `{name}`; it exports {exports}\n \
             hint: `--call` takes the name of a function that the plugin exports\n"
        )
    };
    for name in ["sub", "ops#sub", "acme:math/ops@2.0.0#add", "#", "init"] {
        calling(name).run().code(3).stdout("").stderr(&missing(name));
    }
    calling("add").run().code(3).stdout("").stderr(
        "error: component `typed-functions.wat` exports `add` more than once: `#add`, \
         `acme:math/ops@1.0.0#add`, `acme:other/operations#add`\n \
         hint: name the function that takes items: `--call INTERFACE#NAME`\n",
    );
    let none = format!(
        "error: component `typed-functions.wat` does not export `mtl:plugin/worker@1.0.0`; it exports \
         {exports}\n \
         hint: if one of its functions takes items, name it: `--call NAME`; or build it for the world \
         `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`\n"
    );
    calling("call").run().code(3).stdout("").stderr(&none);
}

#[test]
fn init_and_finish_come_from_the_interface_of_the_call() {
    const COMPONENT: &str = r#"(component
      (core module $code
        (func (export "same") (param i32) (result i32) (local.get 0))
        (func (export "drop") (param i32))
        (func (export "seven") (result i32) (i32.const 7)))
      (core instance $code (instantiate $code))
      (func $get (param "n" u32) (result u32) (canon lift (core func $code "same")))
      (func $init (param "n" u32) (canon lift (core func $code "drop")))
      (func $finish (result u32) (canon lift (core func $code "seven")))
      (instance $alone (export "get" (func $get)))
      (export "acme:it/alone" (instance $alone))
      (instance $both (export "get" (func $get)) (export "init" (func $init))
        (export "finish" (func $finish)))
      (export "acme:it/both" (instance $both))
      (instance $other (export "get" (func $get)) (export "finish" (func $init)))
      (export "acme:it/other" (instance $other)))"#;
    let run = |name: &str, init: &[&str]| {
        let run = host().file("it.wat", COMPONENT).plugin("it.wat").stdin("5\n");
        run.args(["--call", name, "--jobs", "1"]).args(init.iter().copied()).run()
    };
    run("alone#get", &[]).code(0).stdout("5\n").stderr("");
    run("both#get", &["--init", "1"]).code(0).stdout("5\n").stderr("[worker 0] finish: 7\n");
    let refused = "error: worker 0 could not be started: init failed: the arguments do not fit \
                   `acme:it/both#init`: $: not JSON: expected a whole number (u32), found the end\n";
    let stderr = run("both#get", &[]).code(3).stderr_text();
    assert!(stderr.starts_with(refused), "{stderr}");
    // The `finish` of this interface has a parameter, so the host does not call it at the end.
    run("other#get", &[]).code(0).stdout("5\n").stderr("");
    let stderr = run("alone#get", &["--init", "1"]).code(2).stderr_text();
    assert!(stderr.contains("takes no init arguments"), "{stderr}");
}

#[test]
fn the_plugin_world_is_called_only_by_its_own_rules() {
    for name in ["init", "finish", "worker#call"] {
        let run = host().plugin("component.wat").args(["--call", name]).stdin("a\n").run();
        run.code(3).stdout("").stderr(&format!(
            "error: component `component.wat` cannot take items through `{name}`: its world requires \
             `call`\n \
             hint: leave out `--call`: it is for core modules, and for components of other worlds\n"
        ));
    }
    // A component with half of the SDK's interface is not called by its types.
    let whole = std::fs::read_to_string(fixtures().join("component.wat")).unwrap();
    let half = whole.replace(r#"(export "finish" (func $finish))"#, "");
    assert_ne!(half, whole);
    let run = host().file("it.wat", half).plugin("it.wat").stdin("a\n").run();
    let error = "error: component `it.wat` does not export `mtl:plugin/worker@1.0.0`; it exports \
                 `mtl:plugin/worker@1.0.0#init`, `mtl:plugin/worker@1.0.0#call`\n";
    let stderr = run.code(3).stdout("").stderr_text();
    assert!(stderr.starts_with(error), "{stderr}");
}

#[test]
fn types_without_a_json_form_are_refused_by_name() {
    #[rustfmt::skip]
    let cases = [
        ("call", "its parameter `file` has a resource"),
        ("look", "its parameter `file` has a borrowed resource"),
        ("open", "its result has a resource"),
    ];
    for (name, reason) in cases {
        let run = host().plugin("typed-resource.wat").args(["--call", name]).run();
        run.code(3).stdout("").stderr(&format!(
            "error: component `typed-resource.wat` cannot be called with JSON through `{name}`: {reason}\n \
             hint: the function that takes items, `init` and `finish` may use only plain values: no \
             resources, streams or futures; none may be async\n"
        ));
    }
    // These types and functions are refused by the engine itself.
    #[rustfmt::skip]
    let cases = [
        ("(type $s (stream u8)) (import \"f\" (func (param \"s\" $s)))", "async"),
        ("(type $s (future u8)) (import \"f\" (func (param \"s\" $s)))", "async"),
        ("(import \"f\" (func async (param \"n\" u8)))",                 "async"),
        ("(type $m (map string u8)) (import \"f\" (func (param \"m\" $m)))", "map"),
        ("(type $l (list u8 4)) (import \"f\" (func (param \"l\" $l)))", "fixed"),
    ];
    for (reason, word) in cases {
        let wat = format!("(component {reason})");
        let run = host().file("it.wat", wat).plugin("it.wat").run().code(3).stdout("");
        let stderr = run.stderr_text();
        assert!(stderr.contains(word), "{reason}: {stderr}");
    }
}

#[test]
fn types_that_are_too_deep_or_too_large_are_refused() {
    let component = |types: &str, last: &str| {
        format!(
            r#"(component
              (core module $code
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
                (func (export "call") (param i32)))
              (core instance $code (instantiate $code))
              (alias core export $code "memory" (core memory $memory))
              (alias core export $code "realloc" (core func $realloc))
              {types}
              (func (export "call") (param "it" (list {last})) (result u8)
                (canon lift (core func $code "call") (memory $memory) (realloc $realloc))))"#
        )
        .replace("(param i32)))", "(param i32 i32) (result i32) (i32.const 0)))")
    };
    let deep = |levels: usize| {
        let list = |of: String, level| format!("{of} (type $t{} (list $t{level}))", level + 1);
        let types = (0..levels).fold("(type $t0 (list u16))".to_owned(), list);
        component(&types, &format!("$t{levels}"))
    };
    let wide = |levels: usize| {
        let pair = |of: String, at| format!("{of} (type $t{} (tuple $t{at} $t{at}))", at + 1);
        let types = (0..levels).fold("(type $t0 (tuple u8 u8))".to_owned(), pair);
        component(&types, &format!("$t{levels}"))
    };
    let run = |wat: String| host().file("it.wat", wat).plugin("it.wat").args(["--jobs", "1"]);
    let item = |levels: usize| format!("{}{}\n", "[".repeat(levels + 2), "]".repeat(levels + 2));
    run(deep(97)).stdin(item(97)).run().code(0).stdout("0\n");
    run(wide(8)).stdin("[]\n").run().code(0).stdout("0\n");
    #[rustfmt::skip]
    let cases = [
        // The engine itself refuses deeper types.
        (deep(98),   "type nesting is too deep"),
        (deep(2000), "type nesting is too deep"),
        (wide(13),   "cannot be called with JSON through `call`: its parameter `it` has a type of more \
                      than 10000 parts\n"),
    ];
    for (wat, reason) in cases {
        let stderr = run(wat).run().code(3).stdout("").stderr_text();
        assert!(stderr.contains(reason), "{stderr}");
    }
}

#[test]
fn a_long_signature_is_shortened() {
    let tuples = (0..4).map(|at| {
        let within = if at == 0 { "u8".to_owned() } else { format!("$t{}", at - 1) };
        format!("(type $t{at} (tuple{}))", format!(" {within}").repeat(25))
    });
    let wat = format!(
        r#"(component
          (core module $code
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "call") (param i32) (result i32) (local.get 0))
            (func (export "other") (param i32)))
          (core instance $code (instantiate $code))
          (alias core export $code "memory" (core memory $memory))
          (alias core export $code "realloc" (core func $realloc))
          {}
          (func (export "call") (param "it" u32) (result u32) (canon lift (core func $code "call")))
          (func (export "other") (param "it" $t3)
            (canon lift (core func $code "other") (memory $memory) (realloc $realloc))))"#,
        tuples.collect::<String>()
    );
    let finished = command().args(["inspect", "it.wat"]).file("it.wat", wat).run().code(0);
    let length = finished.stdout_bytes().len();
    assert!(length < 100_000, "{length} bytes");
    assert!(finished.stdout_bytes().windows(3).any(|text| text == "…".as_bytes()));
}

#[test]
fn a_sole_text_or_bytes_parameter_gets_the_raw_item() {
    for name in ["same", "same-bytes"] {
        calling(name).stdin("a \"b\"\n5\n\n").run().code(0).stdout("a \"b\"\n5\n\n");
        let lines = calling(name).args(["--input-format", "jsonl"]);
        run_as_jsonl(lines, "\"a\\n\"\n[5]\n")
            .code(0)
            .stdout("{\"index\":0,\"ok\":\"a\\n\"}\n{\"index\":1,\"ok\":\"[5]\"}\n");
        let json = calling(name).args(["--results", "json"]);
        run_as_jsonl(json, "[1]\n").code(0).stdout("{\"index\":0,\"ok\":[1]}\n");
    }
    run_as_jsonl(calling("same"), "a\n\u{fffd}\n").code(0);
    let bytes = [b"a\n\xff\n".as_slice(), b"b\n"].concat();
    let finished = calling("same").stdin(bytes.clone()).run().code(1).stdout("a\n\nb\n");
    finished.stderr("fault: item 1: bad-item: $: it is not UTF-8 after byte 0\n");
    calling("same-bytes").stdin(bytes.clone()).run().code(0).stdout(bytes);
}

#[test]
fn a_failing_typed_function_costs_only_its_item() {
    let expected = concat!(
        r#"{"index":0,"ok":2.0}"#,
        "\n",
        r#"{"index":1,"error":{"kind":"bad-result","message":"$: NaN, which JSON does not have"}}"#,
        "\n",
        r#"{"index":2,"error":{"kind":"bad-item","message":"$: not JSON: expected a number (f64), found `x` at byte 0"}}"#,
        "\n",
        r#"{"index":3,"ok":1.5}"#,
        "\n",
    );
    run_as_jsonl(calling("sqrt"), "4\n-1\nx\n2.25\n").code(1).stdout(expected);
    let expected = concat!(
        r#"{"index":0,"error":{"kind":"trap","message":"integer divide by zero"}}"#,
        "\n",
        r#"{"index":1,"ok":2}"#,
        "\n",
    );
    run_as_jsonl(calling("div").args(["--args", "args"]), "[4,0]\n[4,2]\n")
        .code(1)
        .stdout(expected);
    let spins = run_as_jsonl(calling("spin").args(["--timeout", "20ms"]), "1\n").code(1);
    let line = String::from_utf8(spins.stdout_bytes().to_vec()).unwrap();
    assert!(line.starts_with(r#"{"index":0,"error":{"kind":"timeout","#), "{line}");
    // The function returns nothing, so the item has no record.
    run_as_jsonl(calling("drop"), "1\n2\n").code(0).stdout("");
}

#[test]
fn typed_results_obey_the_result_limit() {
    let too_long = |index: usize, limit: &str| {
        format!(
            "{{\"index\":{index},\"error\":{{\"kind\":\"bad-result\",\"message\":\"the result is \
             larger than the {limit} of `max_result`\"}}}}\n"
        )
    };
    // The result has two brackets, two quotes, and four characters for three bytes.
    let tuples = calling("zeros-in-a-tuple").args(["--max-result", "3KiB"]);
    let fits = format!("{{\"index\":0,\"ok\":[\"{}\"]}}\n", "A".repeat(3068));
    run_as_jsonl(tuples, "2301\n2304\n").code(1).stdout(fits + &too_long(1, "3KiB"));
    let values = "{\"index\":0,\"error\":{\"kind\":\"bad-result\",\"message\":\"the values of the \
                  result need more memory than the 64MiB of `max_result` allow\"}}\n";
    for name in ["zeros", "zeros-in-a-tuple"] {
        run_as_jsonl(calling(name), "8000000\n").code(1).stdout(values);
    }
}

#[test]
fn the_memory_of_many_small_values_is_limited() {
    let rights = || host().plugin("typed-uses.wat").args(["--call", "no-rights", "--jobs", "1"]);
    run_as_jsonl(rights(), "3\n").code(0).stdout("{\"index\":0,\"ok\":[[],[],[]]}\n");
    // For numbers, the limit would allow a list of this length.
    let values = "{\"index\":0,\"error\":{\"kind\":\"bad-result\",\"message\":\"the values of the \
                  result need more memory than the 64MiB of `max_result` allow\"}}\n";
    run_as_jsonl(rights(), "200000\n").code(1).stdout(values);
}

#[test]
fn the_types_of_an_interface_may_be_used() {
    let uses = host().plugin("typed-uses.wat").args(["--jobs", "1"]);
    uses.stdin("{\"x\":-7}\n").run().code(0).stdout("-7\n");
    let found = inspected("typed-uses.wat", &[]);
    assert_eq!(found["imports"], serde_json::json!([]), "{found:#}");
}

#[test]
fn a_reason_beyond_the_result_limit_is_still_a_refusal() {
    let short = ["--jobs", "1", "--max-result", "10", "--output-format", "jsonl"];
    let sum = || host().plugin("typed-sum.wat").args(short);
    let refused = "{\"index\":0,\"error\":{\"kind\":\"refused\",\"message\":\"sum below zero\"}}\n";
    sum().args(["--args", "args", "--init", "1"]).stdin("[[-2]]\n").run().code(1).stdout(refused);
    let finished = sum().args(["--args", "args", "--init", "-1"]).stdin("[[1]]\n").run().code(3);
    assert!(finished.stderr_text().contains("start below zero"), "{}", finished.stderr_text());
}

#[test]
fn a_typed_component_can_be_cached_and_precompiled() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let run = calling("sqrt").args(["--cache-dir".into(), folder.path().join("cache")]);
        run.stdin("4\n").run().code(0).stdout("2.0\n");
        // The same file, with another function.
        let run = calling("same").args(["--cache-dir".into(), folder.path().join("cache")]);
        run.stdin("4\n").run().code(0).stdout("4\n");
    }
    let output = folder.path().join("it.cwasm");
    command()
        .args(["compile", "--call", "sqrt", "--output"])
        .args([&output])
        .plugin("typed-functions.wat")
        .run()
        .code(0);
    let run = host().args([&output]).args(["--trust-precompiled", "--call", "sqrt"]);
    run.stdin("4\n").run().code(0).stdout("2.0\n");
}

#[test]
fn the_library_runs_typed_components() {
    let loader = Plugin::loader(&Engine::new().unwrap()).call("div").isolation(isolation());
    let plugin = loader.load(fixtures().join("typed-functions.wat")).unwrap();
    assert!(plugin.uses_argument_passing() && !plugin.has_init() && !plugin.can_connect());
    let pool = Pool::builder(&plugin).argument_passing(ArgumentPassing::Kwargs);
    let mut pool = pool.isolation(isolation()).build().unwrap();
    let items = (1..=1000).map(|n| format!("{{\"divisor\":{n},\"dividend\":{}}}", n * n));
    for (n, record) in (1..=1000).zip(pool.map(items)) {
        assert_eq!(record.unwrap().bytes(), Some(n.to_string().as_bytes()));
    }
}

fn inspected(plugin: &str, args: &[&str]) -> serde_json::Value {
    let run = command().args(["inspect", "--json"]).args(args.iter().copied()).plugin(plugin);
    serde_json::from_slice(run.run().code(0).stderr("").stdout_bytes()).unwrap()
}

#[test]
fn inspect_shows_how_a_typed_component_is_called() {
    let shown = command().args(["inspect"]).plugin("typed-sum.wat").run().code(0).stderr("");
    let shown = String::from_utf8(shown.stdout_bytes().to_vec()).unwrap();
    let from_memory = shown.split_once("memory ").unwrap().1;
    assert_eq!(
        from_memory,
        "    128KiB at the start\n\
         items      passed to `call`, as values of its parameter types\n\
         an item    [[1],1] with `--args args`\n           \
                    {\"numbers\":[1],\"scale\":1} with `--args kwargs`\n\
         init       takes `--init 1`\n\
         results    JSON\n\
         exports    init(start: s64) -> result<_, string>\n           \
                    call(numbers: list<s64>, scale: option<s64>) -> result<option<s64>, string>\n           \
                    finish() -> u32\n\
         might use  nothing that needs a grant\n\
         run it     mtl-host run typed-sum.wat --isolation process --args args --init 1 [INPUT]...\n"
    );
    let found = inspected("typed-functions.wat", &["--call", "same"]);
    assert_eq!(found["typed"]["call"], "same");
    assert_eq!(found["typed"]["results"], "text");
    assert_eq!(found["typed"]["has_init"], false);
    assert_eq!(
        found["typed"]["items"][0],
        serde_json::json!({"args": "single", "item": "any text"})
    );
    assert_eq!(
        found["run"],
        "mtl-host run typed-functions.wat --isolation process --call same [INPUT]..."
    );
    let refused = command().args(["inspect"]).plugin("typed-resource.wat").run().code(3);
    let shown = String::from_utf8(refused.stdout_bytes().to_vec()).unwrap();
    assert!(shown.contains("kind       component\n"), "{shown}");
    assert!(refused.stderr_text().contains("its parameter `file` has a resource"));
}

/// Checks that the SDKs' README shows the output of its component without an SDK.
#[test]
fn the_readme_shows_a_component_that_runs() {
    let readme = fs::read_to_string(fixtures().join("../../plugin-sdk/README.md")).unwrap();
    let (_, shown) = readme.split_once("$ echo '").expect("the README pipes an item into a run");
    let (item, shown) = shown.split_once("' | mtl-host run shapes.wasm ").unwrap();
    let (flags, shown) = shown.split_once('\n').unwrap();
    let (result, _) = shown.split_once("```").unwrap();
    assert_eq!(flags, "--call area --args kwargs");
    host()
        .plugin("shapes.wat")
        .args(flags.split(' '))
        .stdin(format!("{item}\n"))
        .run()
        .code(0)
        .stdout(result)
        .stderr("");
    let inspected = inspected("shapes.wat", &["--call", "area"]);
    let signature = inspected["exports"][0]["signature"].as_str().unwrap();
    let declared = format!("`area: func{signature}`");
    assert!(readme.contains(&declared), "the README lacks {declared}");
}
