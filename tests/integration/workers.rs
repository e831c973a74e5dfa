//! Checks `--worker`, which gives workers different plugins and settings.

use crate::support::{Host, fixtures, host};

/// Describes a run with these fixtures in its directory.
fn with(fixtures_used: &[&str]) -> Host {
    fixtures_used.iter().fold(host(), |host, name| {
        let content = std::fs::read(fixtures().join(name)).unwrap();
        host.file(name, content)
    })
}

fn items(count: usize) -> String {
    (0..count).map(|item| format!("{item}\n")).collect()
}

#[test]
fn workers_with_different_plugins_share_the_items() {
    let finished = with(&["init.wat", "echo.wat"])
        .file("args", "c,d ")
        .args(["--worker", "init.wat,init=a,b "])
        .args(["--worker", "init.wat,env=A=1,init=@args", "--worker", "echo.wat"])
        .stdin(items(2000))
        .run()
        .code(0)
        .stderr("");
    let shown = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    for (item, line) in shown.lines().enumerate() {
        let answers = [format!("a,b {item}"), format!("c,d {item}"), format!("{item}")];
        assert!(answers.contains(&line.into()), "{line}");
    }
    assert_eq!(shown.lines().count(), 2000);
}

#[test]
fn the_worker_list_sets_the_number_of_workers() {
    let finished = with(&["worker.wat"])
        .args(["--worker", "worker.wat", "--worker", "worker.wat", "--worker", "worker.wat"])
        .stdin("a\n")
        .run()
        .code(0);
    let shown = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
    assert!(shown.ends_with("/3\n"), "{shown}");
}

#[test]
fn every_positional_is_an_input() {
    let described = || with(&["upper.wat"]).file("one", "a\n").file("two", "b\n");
    for who in ["--worker", "--plugin"] {
        let args = [who, "upper.wat", "one", "two"];
        described().args(args).run().code(0).stdout("A\nB\n").stderr("");
        described().args([who, "upper.wat"]).stdin("c\n").run().code(0).stdout("C\n");
    }
}

#[test]
fn worker_grants_add_to_the_grants_of_the_pool() {
    with(&["environment.wat"])
        .args(["--worker", "environment.wat,env=OWN=1,env=PATH", "--env", "ALL=2"])
        .stdin("x\n")
        .run()
        .code(0)
        .stdout("ALL=2;OWN=1;PATH=/usr/local/bin:/usr/bin:/bin;\n");
    let described = with(&["files.wat"]).subfolder("data");
    std::fs::write(described.folder().join("data/words"), "some words").unwrap();
    described
        .args(["--worker", "files.wat,dir=data::/data"])
        .stdin("<words\n")
        .run()
        .code(0)
        .stdout("some words\n");
}

#[test]
fn a_worker_memory_limit_overrides_the_pool_limit() {
    #[rustfmt::skip]
    let cases: [(&[&str], i32); 4] = [
        (&["--worker", "upper.wat,memory=64KiB"],                        3),
        (&["--worker", "upper.wat,memory=1MiB"],                         0),
        (&["--worker", "upper.wat", "--memory", "64KiB"],                3),
        (&["--worker", "upper.wat,memory=1MiB", "--memory", "64KiB"],    0),
    ];
    for (args, code) in cases {
        with(&["upper.wat"]).args(args.iter().copied()).stdin("x\n").run().code(code);
    }
    let args = ["--memory", "64KiB", "--jobs", "1"];
    host().plugin("upper.wat").args(args).stdin("x\n").run().code(3).stderr(
        "error: worker 0 could not be started: the plugin asked for more memory than the 64KiB of \
         `memory`\n \
         hint: `--memory SIZE` allows each worker more, `--total-memory SIZE` all together\n",
    );
}

#[test]
fn flags_that_conflict_with_a_worker_list_are_refused() {
    let conflict = |flag: &str, hint: &str| {
        format!("error: `--{flag}` cannot be used with a list of workers\n hint: {hint}\n")
    };
    let worker = ["--worker", "upper.wat"];
    #[rustfmt::skip]
    let cases: [(&[&str], String); 6] = [
        (&["--jobs", "1"],           conflict("jobs", "leave it out: there is one worker for each `--worker`")),
        (&["--init", "x"],           conflict("init", "each worker has its own: `--worker PLUGIN,init=...`")),
        (&["--call", "x"],           conflict("call", "each worker has its own: `--worker PLUGIN,call=...`")),
        (&["--plugin", "upper.wat"], conflict("plugin", "each worker names its own: `--worker PLUGIN`")),
        (&["--worker", "upper.wat,init=x"],
         "error: plugin `upper.wat` takes no init arguments: it does not export `init`\n \
          hint: leave out `--init`, or `init=` in its `--worker`\n".into()),
        (&["--output", "upper.wat"],
         "error: cannot write output `upper.wat`: it is also the plugin\n hint: write to another file\n".into()),
    ];
    for (args, stderr) in cases {
        let args = worker.iter().chain(args).copied();
        with(&["upper.wat"]).args(args).stdin("x\n").run().code(2).stdout("").stderr(&stderr);
    }
}

#[test]
fn a_run_without_a_plugin_hints_where_to_name_it() {
    host().stdin("x\n").run().code(2).stdout("").stderr(
        "error: no plugin is named\n \
         hint: name the plugin first: `mtl-host run PLUGIN [INPUT]...`; or name one for each worker: `--worker PLUGIN`\n",
    );
}

#[test]
fn an_invalid_worker_flag_gives_the_reason() {
    let finished = host().args(["--worker", "a.wasm,directory=x"]).run().code(2);
    let stderr = finished.stderr_text();
    let expected = "error: invalid value 'a.wasm,directory=x' for '--worker <SPEC>': unknown key \
                    `directory`; the keys are `dir`, `env`, `net`, `memory`, `timeout`, \
                    `init-timeout`, `fuel`, `disk`, `max-result`, `sha256`, `call`, `wasm`, `init`\n";
    assert!(stderr.starts_with(expected), "{stderr}");
}

#[test]
fn a_worker_may_be_pinned() {
    let finished = with(&["upper.wat"])
        .args(["--worker", &format!("upper.wat,sha256={}", "0".repeat(64))])
        .stdin("x\n")
        .run()
        .code(3);
    let stderr = finished.stderr_text();
    assert!(stderr.contains("`upper.wat` does not match the pinned digest"), "{stderr}");
}

#[test]
fn workers_with_one_plugin_read_it_once() {
    // A pipe can be read only once.
    host()
        .file("items", "a\n")
        .args(["--worker", "/dev/stdin", "--worker", "/dev/stdin", "items"])
        .stdin(std::fs::read(fixtures().join("upper.wat")).unwrap())
        .run()
        .code(0)
        .stdout("A\n");
}

#[test]
fn a_worker_can_have_its_own_timeouts() {
    with(&["misbehave.wat"])
        .args(["--worker", "misbehave.wat,timeout=50ms", "--timeout", "1h"])
        .stdin("spin\nok\n")
        .run()
        .code(1)
        .stdout("\nok\n")
        .stderr("fault: item 0: timeout: took longer than 50ms, in `spin`\n");
    let finished = with(&["spin-init.wat"])
        .args(["--worker", "spin-init.wat,init-timeout=50ms,init=spin"])
        .stdin("x\n")
        .run()
        .code(3);
    let stderr = finished.stderr_text();
    assert!(stderr.contains("worker 0 could not be started: the start took longer"), "{stderr}");
}
