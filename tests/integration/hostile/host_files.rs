//! Checks files that the host itself opens in a directory that a plugin may change. In such a directory, the host
//! follows no symbolic link. It refuses to read files that control the run from such a directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{ISOLATIONS, isolated};
use crate::support::{Host, fixtures, host, lines};

/// Describes a run with a writable grant of `work`, which contains symbolic links to `outside`. The grant includes
/// symbolic links. Without `+symlinks`, a worker in a process cannot even rename a symbolic link.
fn playing(isolation: &str) -> Host {
    let described = isolated(host(), isolation).plugin("hostile/play.wat").args([
        "--jobs",
        "1",
        "--dir",
        "work::/w:rw+symlinks",
    ]);
    let folder = described.folder();
    fs::create_dir_all(folder.join("work/results")).unwrap();
    fs::create_dir(folder.join("outside")).unwrap();
    fs::write(folder.join("outside/words"), "secret\n").unwrap();
    symlink("../outside/words", folder.join("work/link")).unwrap();
    symlink("../outside", folder.join("work/link-dir")).unwrap();
    described
}

/// Checks that the files outside the grant are unchanged.
#[track_caller]
fn nothing_outside_was_written(folder: &Path) {
    assert_eq!(fs::read_to_string(folder.join("outside/words")).unwrap(), "secret\n");
    assert_eq!(fs::read_dir(folder.join("outside")).unwrap().count(), 1);
}

#[test]
fn an_item_that_is_a_plugin_symlink_is_a_fault() {
    for isolation in ISOLATIONS {
        let described = playing(isolation).args(["--input-format", "files"]).stdin_open();
        fs::write(described.folder().join("work/first"), "x 0 second link").unwrap();
        fs::write(described.folder().join("work/second"), ".").unwrap();
        let mut running = described.start();
        running.send("work/first\n");
        running.wait_for_stdout("done\n");
        running.send("work/second\nwork/old\n");
        let finished = running.finish().code(1).stdout("done\n\n.\n");
        let stderr = finished.stderr_text();
        assert!(
            stderr.contains(
                "fault: item 1 (`work/second`): bad-item: cannot read `work/second`: a symbolic link is not followed in `work`, \
                 which a plugin may change"
            ),
            "{stderr}"
        );
    }
}

#[test]
fn a_later_input_that_is_a_plugin_symlink_is_not_read() {
    for isolation in ISOLATIONS {
        let described = playing(isolation).args(["-", "work/later"]).stdin_open();
        fs::write(described.folder().join("work/later"), ".\n").unwrap();
        let mut running = described.start();
        running.send("x 0 later link\n");
        running.wait_for_stdout("done\n");
        let finished = running.finish().code(4).stdout("done\n");
        let stderr = finished.stderr_text();
        assert!(
            stderr.contains(
                "error: cannot open input `work/later`: a symbolic link is not followed in `work`, which a plugin may \
                 change\n hint: name the file itself, or grant that directory without `:rw`"
            ),
            "{stderr}"
        );
    }
}

#[test]
fn results_go_to_the_file_that_was_named_at_the_start() {
    for isolation in ISOLATIONS {
        // The plugin replaces the file in `init`, and again while it runs items.
        let described = playing(isolation)
            .args(["-o", "work/out", "--init", "x 0 out link"])
            .stdin(lines([".", "m 0 out out-2", "m 0 link-dir out"]));
        let finished = described.run().code(0);
        nothing_outside_was_written(finished.folder());
        finished.file("work/old", ".\ndone\ndone\n");
    }
}

#[test]
fn results_do_not_follow_symlinks_of_an_earlier_run() {
    for isolation in ISOLATIONS {
        for (output, name) in
            [("-o", "work/link"), ("--output-dir", "work/link-dir"), ("-o", "work/link-dir/new")]
        {
            let mut described = playing(isolation).args([output, name]);
            if output == "--output-dir" {
                described = described.args(["--input-format", "paths"]);
            }
            let finished = described.stdin(".\n").run().code(4).stdout("");
            let stderr = finished.stderr_text();
            assert!(
                stderr.contains(
                    "a symbolic link is not followed in `work`, which a plugin may change"
                ),
                "{stderr}"
            );
            assert!(stderr.contains(" hint: "), "{stderr}");
            nothing_outside_was_written(finished.folder());
        }
    }
}

#[test]
fn results_may_go_into_the_directory_of_the_items() {
    for isolation in ISOLATIONS {
        let described = playing(isolation)
            .args(["--input-format", "files", "--output-dir", "work/results/new"])
            .stdin("work/item\n");
        fs::write(described.folder().join("work/item"), ".").unwrap();
        described.run().code(0).file("work/results/new/work/item", ".");
        // Outside the grant, the host follows links as usual.
        let described = playing(isolation).args(["-o", "out"]).stdin(".\n");
        symlink("outside/words", described.folder().join("out")).unwrap();
        described.run().code(0).file("outside/words", ".\n");
    }
}

#[test]
fn run_settings_that_a_plugin_can_change_are_refused() {
    let plugin = fixtures().join("hostile/play.wat");
    let plugin = plugin.to_str().unwrap();
    let copy = |folder: &Path| fs::copy(plugin, folder.join("work/plugin.wat")).map(drop).unwrap();
    let grant = ["--dir", "work::/w:rw"];
    #[rustfmt::skip]
    let cases: [(&[&str], &str, &str); 9] = [
        (&["work/plugin.wat"],                                  "the plugin `work/plugin.wat`", "move it out of `work`"),
        (&["./work/../work/plugin.wat"],                        "the plugin `./work/../work/plugin.wat`", "move it"),
        (&["work/link-dir/words"],                              "the plugin `work/link-dir/words`", "move it"),
        (&["--worker", "work/plugin.wat"],                      "the plugin `work/plugin.wat`", "move it out of `work`"),
        (&[plugin, "--init", "@work/init"],                     "an init argument `work/init`", "move it out of `work`"),
        (&[plugin, "--faults", "work/faults"],                  "the file of faults `work/faults`", "move it out of `work`"),
        (&[plugin, "--finish-output", "work/none/finish"],      "the file of finish reports `work/none/finish`", "move"),
        (&[plugin, "--cache-dir", "work/cache"],                "the cache `work/cache`", "use `--no-cache`, or another cache"),
        (&["--config", "work/mtl.toml", "--plugin", plugin],    "the configuration `work/mtl.toml`", "move it out of `work`"),
    ];
    for (args, named, hint) in cases {
        let described = host().args(grant).args(args.iter().copied()).stdin(".\n");
        let folder = described.folder();
        fs::create_dir_all(folder.join("work")).unwrap();
        fs::create_dir_all(folder.join("outside")).unwrap();
        fs::write(folder.join("outside/words"), "").unwrap();
        symlink("../outside", folder.join("work/link-dir")).unwrap();
        copy(folder);
        fs::write(folder.join("work/init"), "").unwrap();
        fs::write(folder.join("work/mtl.toml"), "").unwrap();
        let finished = described.run().code(2).stdout("");
        let stderr = finished.stderr_text();
        let expected =
            format!("error: {named} is in `work`, which a plugin may change\n hint: {hint}");
        assert!(stderr.starts_with(&expected), "{args:?}: {stderr}");
        assert!(!finished.folder().join("work/cache").exists());
    }
    // The rule applies to grants of a single worker, and to every file that the host writes.
    let worker = format!("{plugin},dir=work::/w:rw,init=");
    let described = host().args(["--worker", &worker, "--faults", "work/faults"]).subfolder("work");
    let stderr = described.stdin(".\n").run().code(2).stderr_text();
    assert!(stderr.contains("the file of faults `work/faults` is in `work`"), "{stderr}");
    // A read-only grant may contain these files.
    let described =
        host().plugin("hostile/play.wat").args(["--dir", "work::/w", "--faults", "work/faults"]);
    described.subfolder("work").stdin(".\n").run().code(0).stdout(".\n");
}

#[test]
fn an_item_list_that_a_plugin_can_change_is_refused() {
    for (from, args) in [("work/list", &["work/list"][..]), ("-", &["-"]), ("-", &[])] {
        let described = host()
            .plugin("hostile/play.wat")
            .file("item", ".")
            .subfolder("work")
            .args(["--input-format", "files", "--dir", "work::/w:rw"])
            .args(args.iter().copied());
        let list = described.folder().join("work/list");
        fs::write(&list, "item\n").unwrap();
        let finished = described.stdin_from(fs::File::open(list).unwrap()).run().code(2).stdout("");
        let stderr = finished.stderr_text();
        let name = if from == "-" { "/dev/stdin" } else { from };
        let expected =
            format!("error: the list of files `{name}` is in `work`, which a plugin may change\n");
        assert!(stderr.starts_with(&expected), "{stderr}");
        assert!(
            stderr.contains(
                " hint: the list decides which files the host reads: move it out of `work`"
            ),
            "{stderr}"
        );
    }
    // A list outside the grant may name files inside the grant.
    let described = host()
        .plugin("hostile/play.wat")
        .file("list", "work/item\n")
        .subfolder("work")
        .file("work/item", ".")
        .args(["list", "--input-format", "files", "--dir", "work::/w:rw"]);
    described.run().code(0).stdout(".\n");
}

#[test]
fn sources_that_a_plugin_can_change_are_not_built() {
    for (plugin, grant, conflict) in [
        ("work/project", "work::/w:rw", "the plugin `work/project` is in `work`"),
        ("project", "project/src::/w:rw", "the plugin `project` holds `project/src`"),
    ] {
        for command in ["run", "check"] {
            let described = crate::support::command().args([command, plugin, "--dir", grant]);
            let project = described.folder().join(plugin);
            fs::create_dir_all(project.join("src")).unwrap();
            fs::write(project.join("worker.c"), "").unwrap();
            let finished = described.run().code(2).stdout("");
            let expected = format!("error: {conflict}, which a plugin may change\n");
            assert!(finished.stderr_text().starts_with(&expected), "{}", finished.stderr_text());
            assert_eq!(fs::read_dir(finished.folder().join(plugin)).unwrap().count(), 2);
        }
    }
}

#[test]
fn the_cache_must_not_overlap_a_writable_grant() {
    for (cache, grant, conflict) in [
        ("cache", "cache/jailed::/w:rw", "the cache `cache` holds `cache/jailed`"),
        ("/proc/self/cwd", ".::/w:rw", "the cache `/proc/self/cwd` is in `.`"),
    ] {
        let described = host()
            .args([fixtures().join("hostile/play.wat")])
            .args(["--cache-dir", cache, "--dir", grant])
            .stdin(".\n");
        fs::create_dir_all(described.folder().join("cache/jailed")).unwrap();
        let finished = described.run().code(2).stdout("");
        let expected = format!("error: {conflict}, which a plugin may change\n");
        assert!(finished.stderr_text().starts_with(&expected), "{}", finished.stderr_text());
        assert!(!finished.folder().join("trusted").exists());
    }
}

#[test]
fn parent_paths_work_from_within_a_grant() {
    let described = host()
        .args([fixtures().join("hostile/play.wat")])
        .args(["../items", "-o", "../out", "--dir", "..::/w:rw"])
        .under("env", ["-C", "work/sub"]);
    fs::create_dir_all(described.folder().join("work/sub")).unwrap();
    fs::write(described.folder().join("work/items"), ".\n").unwrap();
    described.run().code(0).file("work/out", ".\n");
}
