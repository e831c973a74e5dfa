//! Checks access to files. No path gives a plugin access to files outside its grants. A plugin
//! cannot change a directory that is granted only for reading.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::good_run::good_run;
use super::{ISOLATIONS, TIMEOUT, isolated};
use crate::support::{host, in_processes, lines};

/// WASI's error for a path that is not granted, or an operation that is not permitted.
const NOT_CAPABLE: &str = "error 63";
/// WASI's error for a file that does not exist.
const NOT_FOUND: &str = "error 44";

/// Creates a directory to grant, with links that lead out of it to a secret.
fn with_a_secret(folder: &Path) {
    fs::create_dir_all(folder.join("data/inner")).unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    fs::write(folder.join("data/words"), "words").unwrap();
    let links = [
        ("up", "..".into()),
        ("inner/up", "../..".into()),
        ("relative", "../secret".into()),
        ("absolute", folder.join("secret")),
        ("folder", folder.to_owned()),
        ("processes", "/proc".into()),
        ("chain", "relative".into()),
    ];
    for (link, target) in links {
        symlink(target, folder.join("data").join(link)).unwrap();
    }
}

#[test]
fn no_path_or_symlink_leaves_a_granted_directory() {
    #[rustfmt::skip]
    let paths = [
        "..", "../secret", "./../secret", "inner/../../secret", "inner/../../data/../secret",
        "words/../../secret", "up/secret", "inner/up/secret", "relative", "absolute", "folder/secret",
        "chain", "/etc/passwd", "//etc/passwd", "/proc/self/environ", "/proc/self/root/etc/passwd",
        "processes/self/environ", "processes/self/fd/0", "/data/words",
    ];
    let mut run = good_run("hostile/escape.wat").args(["--dir", "data::/data"]);
    for path in paths {
        // A path through a file fails with "not a directory".
        let answer = if path.starts_with("words/") { "error 54" } else { NOT_CAPABLE };
        run = run.fault(format!("!{path}"), "refused", answer);
    }
    run.fault("!missing", "refused", NOT_FOUND).granting(with_a_secret).run();
}

#[test]
fn a_plugins_own_symlink_cannot_leave_the_grant() {
    let mut run = good_run("hostile/own-link.wat").args(["--dir", "data::/data:rw+symlinks"]);
    for path in ["../secret", "..", "/etc/passwd", "/proc/self/environ", "up/secret", "absolute"] {
        run = run.fault(format!("!{path}"), "refused", NOT_CAPABLE);
    }
    run.granting(with_a_secret).run();
}

#[test]
fn a_read_only_directory_stays_unchanged() {
    #[rustfmt::skip]
    let changes = [
        "cnew", "cinner/new", "wwords", "twords", "awords", "uwords", "rwords", "lwords", "swords",
        "mwords", "dnew", "einner",
    ];
    let mut run = good_run("hostile/scribble.wat").args(["--dir", "data::/data"]);
    for change in changes {
        run = run.fault(format!("!{change}"), "refused", NOT_CAPABLE);
    }
    let granted = |folder: &Path| {
        fs::create_dir_all(folder.join("data/inner")).unwrap();
        fs::write(folder.join("data/words"), "words").unwrap();
        let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
        fs::File::open(folder.join("data/words")).unwrap().set_times(times).unwrap();
    };
    for finished in run.granting(granted).run() {
        let data = finished.folder().join("data");
        let mut names: Vec<_> =
            fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["inner", "words"]);
        assert_eq!(fs::read_dir(data.join("inner")).unwrap().count(), 0);
        let words = data.join("words");
        assert_eq!(fs::read(&words).unwrap(), b"words");
        let changed = words.metadata().unwrap().modified().unwrap();
        assert_eq!(changed, std::time::SystemTime::UNIX_EPOCH);
    }
}

#[test]
fn a_writable_grant_allows_the_changes_refused_elsewhere() {
    for isolation in ISOLATIONS {
        let described = isolated(host(), isolation).plugin("hostile/scribble.wat").args([
            "--jobs",
            "1",
            "--dir",
            "data::/data:rw+symlinks",
        ]);
        fs::create_dir_all(described.folder().join("data/inner")).unwrap();
        fs::write(described.folder().join("data/words"), "words").unwrap();
        let mut items = vec![
            "!cnew", "!wwords", "!awords", "!mwords", "!lwords", "!snew", "!rinner", "!uwords",
            "!dmore", "!emore", "!tnew",
        ];
        if *isolation == "process" || in_processes() {
            // Landlock cannot restrict changes to the timestamps of a file that is named by a path.
            // The jail therefore permits such changes only on open files.
            items.retain(|item| *item != "!mwords");
        }
        let done = "done\n".repeat(items.len());
        described.stdin(lines(items)).run().code(0).stdout(done);
    }
}

#[test]
fn opening_a_pipe_without_a_peer_times_out() {
    let granted = |folder: &Path| {
        fs::create_dir(folder.join("data")).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(CWD, folder.join("data/pipe"), FileType::Fifo, mode, 0).unwrap();
    };
    good_run("hostile/pipe.wat")
        .args(TIMEOUT)
        .args(["--dir", "data::/data"])
        .granting(granted)
        .fault("!", "timeout", "took longer than 300ms")
        .run();
}

/// The message for a plugin that has opened too much.
const TOO_MUCH: &str = "the plugin has reached the limit of 256 open files and other resources";

fn with_a_file(folder: &Path) {
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("data/file"), "words").unwrap();
}

#[test]
fn endless_opening_ends_at_a_limit() {
    for plugin in ["hostile/open.wat", "hostile/keep-open.wat", "hostile/clocks-component.wat"] {
        let run = good_run(plugin).args(["--dir", "data::/data"]).granting(with_a_file);
        run.fault("!", "trap", TOO_MUCH).run();
    }
}

#[test]
fn open_files_of_a_plugin_do_not_starve_the_host() {
    // A usual limit, and a low soft limit that the process may raise.
    for limit in ["ulimit -n 1024", "ulimit -S -n 100"] {
        for isolation in ISOLATIONS {
            let described = isolated(host(), isolation)
                .plugin("hostile/keep-open.wat")
                .file("good", "good")
                .file("bad", "!")
                .args(["--jobs", "1", "--dir", "data::/data", "--input-format", "files"])
                .under("sh", ["-c", &format!("{limit}; exec \"$@\""), "sh"])
                .stdin_open();
            with_a_file(described.folder());
            let mut running = described.start();
            running.send("good\nbad\n");
            running.wait_for_stdout("good\n\n");
            // The host opens this file when the plugin has used up its own limit.
            running.send("good\n");
            running.finish().code(1).stdout("good\n\ngood\n");
        }
    }
}
