//! Checks nested grants: a plugin renames files inside a writable grant, and a fresh instance must still get the
//! directories that were granted when the run began.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{ISOLATIONS, isolated};
use crate::support::{Finished, Host, host, lines};

/// WASI's error for a file that does not exist.
const NOT_FOUND: &str = "error 44";

/// Creates `work` and `work/sub`, which the tests grant, and a symbolic link from `work` to `outside`. The grant of
/// `work` includes symbolic links. Without `+symlinks`, a worker in a process cannot even rename a symbolic link.
fn nested(folder: &Path) {
    fs::create_dir_all(folder.join("work/sub")).unwrap();
    fs::create_dir(folder.join("outside")).unwrap();
    fs::write(folder.join("work/sub/words"), "words").unwrap();
    fs::write(folder.join("outside/words"), "secret").unwrap();
    symlink("../outside", folder.join("work/link")).unwrap();
}

/// The item that replaces the granted directory by the link, and renames the directory to `old`.
const EXCHANGE: &str = "x 0 sub link";

/// The ways to end an instance and start another: an item, its flags, and its fault.
const ENDS: [(&str, &[&str], &str); 4] = [
    ("!", &[], "trap"),
    ("!", &["--retries", "2"], "trap"),
    ("~", &["--timeout", "300ms"], "timeout"),
    (".", &["--recycle", "1"], ""),
];

fn with_nested_grants(isolation: &str, rights: &str) -> Host {
    let described = isolated(host(), isolation).plugin("hostile/play.wat").args([
        "--dir",
        "work::/w:rw+symlinks",
        "--dir",
        &format!("work/sub::/s{rights}"),
    ]);
    nested(described.folder());
    described
}

/// Checks that no file outside the grants was read or changed.
#[track_caller]
fn check_nothing_escaped(finished: &Finished) {
    let read = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
    assert!(!read.contains("secret"), "{read}");
    let outside = finished.folder().join("outside");
    assert_eq!(fs::read_to_string(outside.join("words")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1, "the plugin created nothing there");
}

#[test]
fn a_fresh_instance_keeps_the_granted_directory() {
    for isolation in ISOLATIONS {
        for (end, flags, fault) in ENDS {
            let items = [EXCHANGE, end, "< 1 words", "> 1 new", "> 1 words"];
            let finished = with_nested_grants(isolation, ":rw+symlinks")
                .args(["--jobs", "1", "--chunk-size", "1"])
                .args(flags.iter().copied())
                .stdin(lines(items))
                .run()
                .code(i32::from(!fault.is_empty()));
            check_nothing_escaped(&finished);
            let end = if fault.is_empty() { end } else { "" };
            let finished = finished.stdout(format!("done\n{end}\nwords\ndone\ndone\n"));
            // The granted directory is now at the name that the plugin gave it.
            finished.file("work/old/new", "written").file("work/old/words", "written");
        }
    }
}

#[test]
fn a_read_grant_inside_a_writable_one_keeps_its_rights() {
    for isolation in ISOLATIONS {
        let items = [EXCHANGE, "!", "< 1 words", "> 1 new", "> 1 words"];
        let finished = with_nested_grants(isolation, "")
            .args(["--jobs", "1", "--chunk-size", "1"])
            .stdin(lines(items))
            .run()
            .code(1);
        check_nothing_escaped(&finished);
        finished.stdout("done\n\nwords\n\n\n").file("work/old/words", "words");
    }
}

#[test]
fn a_writable_grant_inside_a_read_grant_keeps_its_rights() {
    for isolation in ISOLATIONS {
        let described = isolated(host(), isolation)
            .plugin("hostile/play.wat")
            .args(["--jobs", "1", "--dir", "work::/w", "--dir", "work/sub::/s:rw"])
            .stdin(lines(["> 0 new", "> 0 sub/new", "m 0 sub old", "> 1 new", "!", "> 1 newer"]));
        nested(described.folder());
        let finished = described.run().code(1);
        check_nothing_escaped(&finished);
        finished.stdout("\n\n\ndone\n\ndone\n").file("work/sub/newer", "written");
    }
}

#[test]
fn a_late_worker_gets_the_granted_directory() {
    for isolation in ISOLATIONS {
        // One worker tries to make a snapshot while the other workers wait. The `init` of this worker renames files, so
        // a snapshot is impossible. Each of the other workers then runs `init` itself.
        let finished = with_nested_grants(isolation, "")
            .args(["--jobs", "3", "--chunk-size", "1", "--snapshot", "--init", EXCHANGE])
            .stdin(lines(["< 1 words"; 20]))
            .run()
            .code(0);
        check_nothing_escaped(&finished);
        finished.stdout("words\n".repeat(20));
    }
}

#[test]
fn a_worker_of_another_plugin_gets_the_granted_directory() {
    for isolation in ISOLATIONS {
        let described = isolated(host(), isolation);
        let folder = described.folder().to_owned();
        nested(&folder);
        let plugin = crate::support::fixtures().join("hostile/play.wat");
        let plugin = plugin.display();
        // The first worker renames files when it starts. Meanwhile, the host replaces instances of the second worker,
        // which has another grant.
        let first = format!("{plugin},dir=work::/w:rw+symlinks,init={EXCHANGE}");
        let second = format!("{plugin},dir=work/sub::/w,init=");
        let items = [["!", "< 0 words"]; 20].concat();
        let finished = described
            .args(["--chunk-size", "1", "--worker", &first, "--worker", &second])
            .stdin(lines(items))
            .run()
            .code(1);
        check_nothing_escaped(&finished);
    }
}

#[test]
fn a_removed_grant_appears_as_an_empty_directory() {
    for isolation in ISOLATIONS {
        let items = ["u 0 sub/words", "d 0 sub", "m 0 link sub", "!", "< 1 words", "> 1 new"];
        let finished = with_nested_grants(isolation, ":rw+symlinks")
            .args(["--jobs", "1", "--chunk-size", "1", "--output-format", "jsonl"])
            .stdin(lines(items))
            .run()
            .code(1);
        check_nothing_escaped(&finished);
        let results = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
        assert_eq!(results.matches(NOT_FOUND).count(), 2, "{results}");
    }
}

/// Plugins for WASI preview 1 and preview 2 that create a symbolic link to an item's target.
const LINKERS: [(&str, &str, &str); 2] = [
    // plugin                     item            refused
    ("hostile/play.wat", "l 0 up link", "error 63"),
    ("hostile/files-component.wat", "!up", "error 31"),
];

#[test]
fn symlinks_are_created_only_with_a_symlink_grant() {
    for isolation in ISOLATIONS {
        for (plugin, item, refusal) in LINKERS {
            for (rights, code) in [("", 1), (":rw", 1), (":rw+symlinks", 0)] {
                let described = isolated(host(), isolation)
                    .plugin(plugin)
                    .subfolder("work")
                    .args(["--jobs", "1", "--output-format", "jsonl"])
                    .args(["--dir", &format!("work::/w{rights}")])
                    .stdin(lines([item, "."]));
                let finished = described.run().code(code);
                let results = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
                let answer = if code == 0 { "done" } else { refusal };
                assert!(results.contains(answer), "{plugin}, {rights}: {results}");
                let target = fs::read_link(finished.folder().join("work/link"));
                assert_eq!(target.is_ok(), code == 0, "{plugin}, {rights}");
            }
        }
    }
}

#[test]
fn symlinks_are_moved_only_with_a_symlink_grant() {
    for isolation in ISOLATIONS {
        for (plugin, moving, linking, refusal) in [
            ("hostile/play.wat", "m 0 LINK moved", "h 0 LINK second", "error 63"),
            ("hostile/files-component.wat", "mLINK", "hLINK", "error 31"),
        ] {
            for (name, rights, code) in
                [("up", ":rw", 1), ("up", ":rw+symlinks", 0), ("file", ":rw", 0)]
            {
                let described = isolated(host(), isolation)
                    .plugin(plugin)
                    .subfolder("work")
                    .args(["--jobs", "1", "--output-format", "jsonl"])
                    .args(["--dir", &format!("work::/w{rights}")])
                    .stdin(lines([linking, moving].map(|item| item.replace("LINK", name))));
                fs::write(described.folder().join("work/file"), "").unwrap();
                symlink("..", described.folder().join("work/up")).unwrap();
                let finished = described.run().code(code);
                let results = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
                let answer = if code == 0 { "done" } else { refusal };
                assert_eq!(
                    results.matches(answer).count(),
                    2,
                    "{plugin}, {name}, {rights}: {results}"
                );
            }
        }
    }
}

#[test]
fn all_or_no_writable_grants_of_a_worker_allow_symlinks() {
    let described = host().plugin("hostile/play.wat").subfolder("a").subfolder("b").args([
        "--dir",
        "a::/a:rw+symlinks",
        "--dir",
        "b::/b:rw",
    ]);
    let stderr = described.stdin(".\n").run().code(2).stdout("").stderr_text();
    assert!(
        stderr.starts_with(
            "error: `a` is granted with symbolic links, and `b` without, to the same worker\n"
        ),
        "{stderr}"
    );
    assert!(
        stderr.contains("hint: give all writable directories of a worker `:rw+symlinks`"),
        "{stderr}"
    );
}
