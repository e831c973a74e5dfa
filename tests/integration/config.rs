//! Checks `--config` and `--print-config`: flags and workers from a file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;

use crate::support::{Finished, Host, command, fixtures, host};

/// Describes a run with this configuration, and copies fixtures into its directory `plugins`.
fn with_config(config: &str) -> Host {
    let described = host().file("mtl.toml", config).subfolder("plugins");
    let fixed =
        ["upper.wat", "init.wat", "environment.wat", "files.wat", "misbehave.wat", "worker.wat"];
    for name in fixed {
        let to = described.folder().join("plugins").join(name);
        fs::copy(fixtures().join(name), to).unwrap();
    }
    described.args(["--config", "mtl.toml"])
}

/// Returns the output of `--print-config`, with the run's directory replaced by `HERE`.
fn printed(finished: &Finished) -> String {
    let text = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    text.replace(fs::canonicalize(finished.folder()).unwrap().to_str().unwrap(), "HERE")
}

#[test]
fn a_configuration_sets_flags_by_name() {
    with_config(
        "[pool]\nplugin = 'plugins/init.wat'\njobs = 1\ninit = \"> \"\nskip-failed = true\n",
    )
    .stdin("a\ntrap\nb\n")
    .run()
    .code(1)
    .stdout("> a\n> b\n");
}

#[test]
fn a_configuration_lists_workers() {
    let config = "
        [[worker]]
        plugin = 'plugins/init.wat'
        init = { key = [1, 2.5, true, 'x'], other = {} }
        [[worker]]
        plugin = 'plugins/init.wat'
        timeout = 60
        init-file = 'args'
        [[worker]]
        plugin = 'plugins/init.wat'
        init = '@more'";
    let items: String = (0..2000).map(|item| format!("{item}\n")).collect();
    let finished = with_config(config)
        .file("args", "from a file ")
        .file("more", "@")
        .stdin(items)
        .run()
        .code(0);
    let printed = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    for (item, line) in printed.lines().enumerate() {
        let answers = [
            format!("{{\"key\":[1,2.5,true,\"x\"],\"other\":{{}}}}{item}"),
            format!("from a file {item}"),
            format!("@{item}"),
        ];
        assert!(answers.contains(&line.into()), "{line}");
    }
    assert_eq!(printed.lines().count(), 2000);
}

#[test]
fn the_pool_plugin_serves_workers_without_their_own() {
    let config = "
        [pool]
        plugin = 'plugins/environment.wat'
        env = { ALL = 1 }
        [[worker]]
        env = ['OWN=a,b']
        dir = ['plugins::/plugins']
        memory = '64MiB'";
    with_config(config).stdin("x\n").run().code(0).stdout("ALL=1;OWN=a,b;\n");
}

#[test]
fn configured_paths_are_relative_to_the_file() {
    let described =
        host().subfolder("conf").subfolder("conf/data").args(["--config", "conf/c.toml"]);
    let at = |name: &str| described.folder().join("conf").join(name);
    fs::copy(fixtures().join("files.wat"), at("files.wat")).unwrap();
    fs::write(at("data/words"), "some words").unwrap();
    fs::write(at("in.txt"), "<words\n").unwrap();
    let config = "
        [pool]
        plugin = 'files.wat'
        dir = 'data::/data'
        inputs = ['in.txt']
        output = 'out.txt'";
    fs::write(at("c.toml"), config).unwrap();
    described.run().code(0).stdout("").file("conf/out.txt", "some words\n");
}

#[test]
fn the_command_line_overrides_the_configuration() {
    let identical = "
        [pool]
        plugin = 'plugins/init.wat'
        jobs = 1
        init = ['a ']
        inputs = ['items']
        output-format = 'jsonl'";
    let list = "
        [pool]
        output-format = 'jsonl'
        inputs = ['items']
        [[worker]]
        plugin = 'plugins/init.wat'";
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str); 8] = [
        (identical,  &[],                                             "{\"index\":0,\"ok\":\"a x\"}\n"),
        (identical,  &["--output-format", "lines"],                   "a x\n"),
        (identical,  &["--init", "b ", "--output-format", "lines"],   "b x\n"),
        (identical,  &["other"],                                      "{\"index\":0,\"ok\":\"a y\"}\n"),
        (identical,  &["--worker", "plugins/upper.wat"],              "{\"index\":0,\"ok\":\"X\"}\n"),
        (identical,  &["--init=b ", "--", "other"],                   "{\"index\":0,\"ok\":\"b y\"}\n"),
        (list, &[],                                             "{\"index\":0,\"ok\":\"x\"}\n"),
        (list, &["--plugin", "plugins/upper.wat", "--jobs=1"],  "{\"index\":0,\"ok\":\"X\"}\n"),
    ];
    for (config, args, expected) in cases {
        let described = with_config(config).file("items", "x\n").file("other", "y\n");
        described.args(args.iter().copied()).run().code(0).stdout(expected).stderr("");
    }
}

#[test]
fn a_flag_overrides_conflicting_configured_flags() {
    with_config(
        "[pool]\nplugin = 'plugins/upper.wat'\ninput-format = 'files'\noutput-format = 'jsonl'\n",
    )
    .file("a", "text")
    .args(["--output-dir", "results"])
    .stdin("a\n")
    .run()
    .code(0)
    .stdout("")
    .stderr("")
    .file("results/a", "TEXT");
}

#[test]
fn the_configuration_can_provide_a_required_flag() {
    let once = "[pool]\nplugin = 'plugins/misbehave.wat'\njobs = 1\nretries = 1\n";
    with_config(once).args(["--retry-on", "bad-result"]).stdin("n\np\nn\n").run().code(1).stderr(
        "fault: item 1: bad-result: the plugin answered with 0 bytes at 131073, but its memory \
         ends at 131072\n",
    );
    let never = "[pool]\nplugin = 'plugins/misbehave.wat'\n";
    with_config(never).args(["--retry-on", "trap"]).run().code(2).stdout("").stderr(
        "error: with the configuration `mtl.toml`: the following required arguments were not \
         provided: --retries <N>\n",
    );
}

#[test]
fn a_non_utf_8_folder_refuses_relative_paths() {
    let described = host();
    let folder = described.folder().join(OsStr::from_bytes(b"\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mtl.toml"), "[pool]\nplugin = 'upper.wat'\n").unwrap();
    // The current directory has another plugin of the same name, which must not be used.
    fs::copy(fixtures().join("upper.wat"), described.folder().join("upper.wat")).unwrap();
    let config = OsStr::from_bytes(b"\xff/mtl.toml").to_owned();
    described.args(["--config".into(), config]).stdin("a\n").run().code(2).stdout("").stderr(
        "error: paths cannot be relative to `\u{fffd}`: it is not UTF-8\n \
         hint: keep the configuration in another folder\n",
    );
}

#[test]
fn a_configuration_error_names_its_line() {
    #[rustfmt::skip]
    let cases = [
        ("[pool]\njobs = 'many'",              "2: `jobs`: not a number from 1 to 10000\n"),
        ("[pool]\n\njob = 1",                  "3: unknown key `job`\n hint: did you mean `jobs`?\n"),
        ("[pool]\ncolour = 1",                 "2: unknown key `colour`\n hint: keys are the long names of flags; `--print-config` shows them\n"),
        ("[pool]\nzeal = 1\nardour = 1",     "2: unknown key `zeal`\n hint: keys are the long names of flags; `--print-config` shows them\n"),
        ("[pool]\nconfig = 'x'",               "2: unknown key `config`\n hint: keys are the long names of flags; `--print-config` shows them\n"),
        ("[pool]\nworker = ['x']",             "2: unknown key `worker`\n hint: each worker is a table of its own: `[[worker]]`\n"),
        ("[pool]\nquiet = 'yes'",              "2: `quiet` takes true or false, not text\n"),
        ("[pool]\njobs = [1]",                 "2: `jobs` takes text or a number, not an array\n"),
        ("[pool]\nretry-on = []",              "2: `retry-on` takes at least one kind of fault, not an empty array\n"),
        ("[pool]\noutput = true",              "2: `output` takes text or a number, not true or false\n"),
        ("[pool]\nenv = { A = [] }",           "2: `env` takes text or a number, not an array\n"),
        ("[pool]\noutput-format = 'xml'",      "2: `output-format`: not one of `lines`, `nul`, `jsonl`, `frames`\n"),
        ("[pool]\ninit = 'x'\ninit-file = 'y'", "3: `init-file` is given twice\n"),
        ("[pool]\nmemory = '1MiB'\nmemory = 2", "3: duplicate key\n"),
        ("jobs = 1",                           "1: unknown table or key `jobs`\n hint: flags go into a table `[pool]`, each worker into a table `[[worker]]`\n"),
        ("[workers]",                          "1: unknown table or key `workers`\n hint: did you mean `worker`?\n"),
        ("[worker]\nplugin = 'x'",             "1: `worker` is not a table\n hint: each worker is a table of its own: `[[worker]]`\n"),
        ("pool = 1",                           "1: `pool` is not a table\n hint: flags go into a table: `[pool]`\n"),
        ("[[worker]]\ninit = 'x'",             "1: the worker has no plugin\n hint: name it here, or in `[pool]` for all workers that name none\n"),
        ("[[worker]]\nplugin = 'x'\ndirs = 1", "3: unknown key `dirs`\n hint: did you mean `dir`?\n"),
        ("[[worker]]\nplugin = 'x'\ndir = 'y'", "3: `dir`: not of the form `HOST::GUEST[:rw|:rw+symlinks]`, such as `./data::/data`\n"),
        ("[[worker]]\nplugin = 'x'\nmemory = [1]", "3: `memory` takes text or a number, not an array\n"),
        ("[[worker]]\nplugin = 'x'\n[pool]\njobs = 1", "4: `jobs` cannot be used with a list of workers\n hint: leave it out: there is one worker for each `[[worker]]`\n"),
        ("[[worker]]\nplugin = 'x'\n[pool]\ninit = '1'", "4: `init` cannot be used with a list of workers\n hint: each `[[worker]]` has its own\n"),
        ("[pool]\ntotal = 99999999999999999999", "2: `total`: the number `99999999999999999999` is too large\n"),
    ];
    for (config, message) in cases {
        let stderr = format!("error: `mtl.toml` line {message}");
        with_config(config).stdin("x\n").run().code(2).stdout("").stderr(&stderr);
    }
    let stderr = with_config("[pool\n").run().code(2).stdout("").stderr_text();
    assert!(stderr.starts_with("error: `mtl.toml` line 1: "), "{stderr}");
    with_config("[pool]\nunbounded = true\nwindow = 5\n").run().code(2).stderr(
        "error: with the configuration `mtl.toml`: the argument '--unbounded' cannot be used with \
         '--window <N|SIZE>'\n",
    );
    host().args(["--config", "missing"]).run().code(2).stderr(
        "error: cannot read the configuration `missing`: No such file or directory (os error 2)\n \
         hint: `--config` takes a file in TOML; `--print-config` writes one\n",
    );
}

#[test]
fn flags_that_conflict_with_configured_workers_are_refused() {
    #[rustfmt::skip]
    let cases = [
        ("jobs",   "2", "leave it out: there is one worker for each `[[worker]]` of the configuration"),
        ("init",   "x", "each worker has its own: `init` in its `[[worker]]` of the configuration"),
        ("call",   "x", "each worker has its own: `call` in its `[[worker]]` of the configuration"),
    ];
    for (flag, value, hint) in cases {
        with_config("[[worker]]\nplugin = 'plugins/upper.wat'\n")
            .args([format!("--{flag}"), value.to_owned()])
            .run()
            .code(2)
            .stdout("")
            .stderr(&format!(
                "error: `--{flag}` cannot be used with a list of workers\n hint: {hint}\n"
            ));
    }
}

#[test]
fn fault_kinds_may_be_an_array_or_a_string() {
    for kinds in ["'trap,bad-result'", "['trap', 'bad-result']", "['trap,bad-result']"] {
        let pool = "[pool]\nplugin = 'plugins/misbehave.wat'\nretries = 1\n";
        let finished =
            with_config(&format!("{pool}retry-on = {kinds}\n")).args(["--print-config"]).run();
        let text = printed(&finished.code(0).stderr(""));
        assert!(text.contains("\nretry-on = \"trap,bad-result\"\n"), "{kinds}:\n{text}");
    }
}

#[test]
fn the_command_line_can_unset_a_configured_switch() {
    let run = |config: &str, args: &[&str]| {
        let config = format!("[pool]\nplugin = 'plugins/upper.wat'\n{config}");
        with_config(&config).args(args.iter().copied()).stdin("a\n").run()
    };
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str); 6] = [
        ("tag = true",       &[],                             "a\tA\n"),
        ("tag = true",       &["--tag=false"],                "A\n"),
        ("tag = true",       &["--tag=true"],                 "a\tA\n"),
        ("tag = false",      &["--tag"],                      "a\tA\n"),
        ("",                 &["--tag=false", "--", "-"],     "A\n"),
        ("unbounded = true", &["-j1", "--unbounded=false"],   "A\n"),
    ];
    for (config, args, stdout) in cases {
        run(config, args).code(0).stdout(stdout).stderr("");
    }
    let text = printed(&run("tag = true", &["--tag=false", "--print-config"]).code(0));
    assert!(text.contains("\ntag = false\n"), "{text}");
    let stderr = run("", &["--tag=no"]).code(2).stdout("").stderr_text();
    let error = "error: invalid value 'no' for '--tag[=<TAG>]'\n  [possible values: true, false]\n";
    assert!(stderr.starts_with(error), "{stderr}");
}

#[test]
fn an_unset_switch_conflicts_with_no_flag() {
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str); 9] = [
        ("window = 5",                &["--unbounded=false"],                   "window = 5"),
        ("unbounded = true",          &["--unbounded=false", "--window=5"],     "window = 5"),
        ("",                          &["--unbounded=false", "--window=5"],     "window = 5"),
        ("",                          &["--unbounded=false"],                   "window = \"16MiB\""),
        ("cache-dir = '/c'",          &["--no-cache=false"],                    "cache-dir = \"/c\""),
        ("cache-size = '5MiB'",       &["--no-cache=false"],                    "cache-size = \"5MiB\""),
        ("snapshot-cache = true",     &["--no-cache=false"],                    "snapshot-cache = true"),
        ("",                          &["--no-cache=false", "--snapshot-cache"], "snapshot-cache = true"),
        ("output-dir = '/o'",         &["--tag=false"],                         "output-dir = \"/o\""),
    ];
    for (config, args, line) in cases {
        let config = format!("[pool]\nplugin = 'plugins/upper.wat'\n{config}\n");
        let args = args.iter().copied().chain(["--print-config"]);
        let text = printed(&with_config(&config).args(args).run().code(0).stderr(""));
        assert!(text.lines().any(|printed| printed == line), "{line} is not in:\n{text}");
    }
    with_config("[pool]\nplugin = 'plugins/upper.wat'\nwindow = 5\n")
        .args(["--unbounded=false"])
        .stdin("a\n")
        .run()
        .code(0)
        .stdout("A\n");
    // The argument after a flag is the value of the flag, even if the value looks like a switch.
    // Such a value unsets no switch.
    let stderr =
        with_config("").args(["--init", "--no-cache=false", "--no-cache", "--cache-dir=c"]).run();
    let stderr = stderr.code(2).stdout("").stderr_text().to_owned();
    assert!(stderr.starts_with("error: the argument '--no-cache' cannot be used with"), "{stderr}");
    let set = with_config("").args(["--no-cache=true", "--cache-dir=c"]).run().code(2);
    assert!(set.stderr_text().contains("cannot be used with"), "{}", set.stderr_text());
}

#[test]
fn a_plugin_is_not_read_as_items() {
    let binary = wat::parse_file(fixtures().join("upper.wat")).unwrap();
    let host = || with_config("[pool]\nplugin = 'plugins/upper.wat'\n").file("it.wasm", &binary);
    let stderr = "error: cannot read items `it.wasm`: they are WebAssembly\n \
                  hint: the plugin is already named, so this file is an input; to replace the plugin \
                  of the configuration, use `--plugin FILE`; to run several plugins together, use \
                  one `--worker` for each\n";
    command()
        .file("it.wasm", &binary)
        .args(["run", "it.wasm", "it.wasm"])
        .run()
        .code(2)
        .stdout("")
        .stderr(
            "error: cannot read items `it.wasm`: they are WebAssembly\n \
             hint: the plugin is already named, so this file is an input; to run several plugins \
             together, use one `--worker` for each\n",
        );
    for args in [&["it.wasm"][..], &["-", "it.wasm"], &["it.wasm", "--input-format", "nul"]] {
        host().args(args.iter().copied()).run().code(2).stdout("").stderr(stderr);
    }
    host().args(["--plugin", "it.wasm"]).stdin("a\n").run().code(0).stdout("A\n").stderr("");
    // As an item, `it.wasm` may have any content.
    host().args(["--input-format", "paths"]).stdin("it.wasm\n").run().code(0).stdout("IT.WASM\n");
}

#[test]
fn the_configuration_is_never_overwritten() {
    with_config("[pool]\nplugin = 'plugins/upper.wat'\n")
        .args(["-o", "mtl.toml"])
        .run()
        .code(2)
        .stderr(
            "error: cannot write output `mtl.toml`: it is also the configuration\n \
         hint: write to another file\n",
        );
}

#[test]
fn print_config_shows_the_settings_and_runs_nothing() {
    let args = ["run", "--print-config", "no-such.wasm", "in.txt", "-", "--init", "{\"a\":1}"];
    let more = ["--init", "@args", "--env", "A=it's", "--env", "PATH", "--limit", "7", "--desc=7"];
    let finished = command().args(args).args(more).args(["--tag"]).run().code(0).stderr("");
    let text = printed(&finished);
    let lines: Vec<_> = text.lines().collect();
    #[rustfmt::skip]
    let expected = [
        "[pool]",
        "plugin = \"HERE/no-such.wasm\"",
        "inputs = [\"HERE/in.txt\", \"-\"]",
        "input-format = \"lines\"",
        "limit = 7",
        "skip-failed = false",
        "raw = false",
        "tag = true",
        "init = ['{\"a\":1}', \"@HERE/args\"]",
        "env = [\"A=it's\", \"PATH\"]",
        "memory = \"512MiB\"",
        "max-item = \"64MiB\"",
        "on-error = \"ignore\"",
        "desc = \"7\"",
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line} is not in:\n{text}");
    }
    let hidden = |line: &&str| line.starts_with("jobs") || line.starts_with("output =");
    assert!(!lines.iter().any(hidden), "{text}");
}

#[test]
fn print_config_reports_write_errors() {
    let shows = || command().args(["run", "--print-config", "upper.wat"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    shows()
        .stdout_to(full)
        .run()
        .code(4)
        .stderr("error: cannot write to standard output: No space left on device (os error 28)\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    shows().stdout_to(writer).run().code(0).stderr("");
}

#[test]
fn a_printed_configuration_means_the_same_anywhere() {
    let workers = [
        "--worker",
        "a.wasm,dir=x::/x:rw,env=A=1,env=B,memory=1MiB,timeout=100ms,init-timeout=1.5m,init={\"a\": 'é\t'}",
        "--worker",
        "b.wasm,timeout=1.5s,init-timeout=2m,fuel=5,max-result=1KiB,call=run,init=@args",
        "in.txt",
    ];
    #[rustfmt::skip]
    let cases: [&[&str]; 7] = [
        &[],
        &["a.wasm"],
        &["a.wasm", "in.txt", "--jobs", "3", "--dir", "x::/x:rw", "-o", "-", "--unordered", "-q"],
        &["a.wasm", "--unbounded", "--output-dir", "out", "--input-format", "files"],
        &["a.wasm", "--retries", "2", "--timeout", "1.5s", "--max-faults", "5%", "--chunk-size", "4"],
        &["a.wasm", "--total-memory", "unlimited", "--fuel", "50M", "--max-item", "9", "--max-functions", "7"],
        &workers,
    ];
    for args in cases {
        let shows = |host: Host| host.args(["--print-config"]).run().code(0).stderr("");
        let first = shows(command().args(["run"]).args(args.iter().copied()));
        let folder = first.folder().join("elsewhere");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("mtl.toml");
        fs::write(&file, first.stdout_bytes()).unwrap();
        let path = file.to_str().unwrap();
        let second = shows(command().args(["run", "--config", path]));
        assert_eq!(
            String::from_utf8_lossy(second.stdout_bytes()),
            String::from_utf8_lossy(first.stdout_bytes()),
            "{args:?}"
        );
    }
}
