//! Grants that contain one another: a plugin changes the names of what it may write to, and a fresh instance
//! still has what was granted when the run began.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{ISOLATIONS, isolated};
use crate::support::{Finished, Host, host, lines};

/// The answer of WASI where a file does not exist.
const NOT_FOUND: &str = "error 44";

/// `work`, which is granted for writing; `work/sub`, which is granted too; a link beside it that leads
/// out of both, to `outside`. Symbolic links are granted, too: without that right, a worker in a process
/// cannot even rename one.
fn nested(folder: &Path) {
    fs::create_dir_all(folder.join("work/sub")).unwrap();
    fs::create_dir(folder.join("outside")).unwrap();
    fs::write(folder.join("work/sub/words"), "words").unwrap();
    fs::write(folder.join("outside/words"), "secret").unwrap();
    symlink("../outside", folder.join("work/link")).unwrap();
}

/// Puts the link into the place of the directory that is granted, which is called `old` from then on.
const EXCHANGE: &str = "x 0 sub link";

/// An end of an instance, so that another takes its place: an item, its flags, and what its fault is.
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

/// Nothing of what lies outside of the grants was read or changed.
#[track_caller]
fn nothing_got_out(finished: &Finished) {
    let read = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
    assert!(!read.contains("secret"), "{read}");
    let outside = finished.folder().join("outside");
    assert_eq!(fs::read_to_string(outside.join("words")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1, "nothing was made there");
}

#[test]
fn a_fresh_instance_has_the_directory_that_was_granted() {
    for isolation in ISOLATIONS {
        for (end, flags, fault) in ENDS {
            let items = [EXCHANGE, end, "< 1 words", "> 1 new", "> 1 words"];
            let finished = with_nested_grants(isolation, ":rw+symlinks")
                .args(["--jobs", "1", "--chunk-size", "1"])
                .args(flags.iter().copied())
                .stdin(lines(items))
                .run()
                .code(i32::from(!fault.is_empty()));
            nothing_got_out(&finished);
            let end = if fault.is_empty() { end } else { "" };
            let finished = finished.stdout(format!("done\n{end}\nwords\ndone\ndone\n"));
            // What was granted is where the plugin has moved it to.
            finished.file("work/old/new", "written").file("work/old/words", "written");
        }
    }
}

#[test]
fn a_grant_for_reading_inside_of_one_for_writing_keeps_its_rights() {
    for isolation in ISOLATIONS {
        let items = [EXCHANGE, "!", "< 1 words", "> 1 new", "> 1 words"];
        let finished = with_nested_grants(isolation, "")
            .args(["--jobs", "1", "--chunk-size", "1"])
            .stdin(lines(items))
            .run()
            .code(1);
        nothing_got_out(&finished);
        finished.stdout("done\n\nwords\n\n\n").file("work/old/words", "words");
    }
}

#[test]
fn a_grant_for_writing_inside_of_one_for_reading_keeps_its_rights() {
    for isolation in ISOLATIONS {
        let described = isolated(host(), isolation)
            .plugin("hostile/play.wat")
            .args(["--jobs", "1", "--dir", "work::/w", "--dir", "work/sub::/s:rw"])
            .stdin(lines(["> 0 new", "> 0 sub/new", "m 0 sub old", "> 1 new", "!", "> 1 newer"]));
        nested(described.folder());
        let finished = described.run().code(1);
        nothing_got_out(&finished);
        finished.stdout("\n\n\ndone\n\ndone\n").file("work/sub/newer", "written");
    }
}

#[test]
fn a_worker_that_starts_late_has_the_directory_that_was_granted() {
    for isolation in ISOLATIONS {
        // A snapshot is tried by one worker, while the others wait to start. It changes the names, so that
        // there is no snapshot: each of the others then starts on its own.
        let finished = with_nested_grants(isolation, "")
            .args(["--jobs", "3", "--chunk-size", "1", "--snapshot", "--init", EXCHANGE])
            .stdin(lines(["< 1 words"; 20]))
            .run()
            .code(0);
        nothing_got_out(&finished);
        finished.stdout("words\n".repeat(20));
    }
}

#[test]
fn a_worker_of_another_plugin_has_the_directory_that_was_granted() {
    for isolation in ISOLATIONS {
        let described = isolated(host(), isolation);
        let folder = described.folder().to_owned();
        nested(&folder);
        let plugin = crate::support::fixtures().join("hostile/play.wat");
        let plugin = plugin.display();
        // The first changes names as it starts; the second has another grant, and is replaced again and
        // again meanwhile.
        let first = format!("{plugin},dir=work::/w:rw+symlinks,init={EXCHANGE}");
        let second = format!("{plugin},dir=work/sub::/w,init=");
        let items = [["!", "< 0 words"]; 20].concat();
        let finished = described
            .args(["--chunk-size", "1", "--worker", &first, "--worker", &second])
            .stdin(lines(items))
            .run()
            .code(1);
        nothing_got_out(&finished);
    }
}

#[test]
fn a_grant_that_is_removed_is_an_empty_directory() {
    for isolation in ISOLATIONS {
        let items = ["u 0 sub/words", "d 0 sub", "m 0 link sub", "!", "< 1 words", "> 1 new"];
        let finished = with_nested_grants(isolation, ":rw+symlinks")
            .args(["--jobs", "1", "--chunk-size", "1", "--output-format", "jsonl"])
            .stdin(lines(items))
            .run()
            .code(1);
        nothing_got_out(&finished);
        let results = String::from_utf8_lossy(finished.stdout_bytes()).into_owned();
        assert_eq!(results.matches(NOT_FOUND).count(), 2, "{results}");
    }
}

/// A plugin that makes a symbolic link to an item's target, by WASI's first preview and by its second.
const LINKERS: [(&str, &str, &str); 2] = [
    // plugin                     item            refused
    ("hostile/play.wat", "l 0 up link", "error 63"),
    ("hostile/files-component.wat", "!up", "error 31"),
];

#[test]
fn a_symbolic_link_is_made_only_where_that_is_granted() {
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
                let made = fs::read_link(finished.folder().join("work/link"));
                assert_eq!(made.is_ok(), code == 0, "{plugin}, {rights}");
            }
        }
    }
}

#[test]
fn a_symbolic_link_is_moved_only_where_that_is_granted() {
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
fn the_writable_directories_of_a_worker_all_hold_symbolic_links_or_none_does() {
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
