//! Checks the limit on bytes that all instances of a worker may write to files, by every way to write.

use std::fs;

use super::{ISOLATIONS, isolated};
use crate::support::{Finished, Host, host, lines};

/// A plugin for WASI preview 1 and one for preview 2, each with its ways to write seven bytes to a file.
const WRITERS: [(&str, &[&str]); 2] = [
    ("hostile/play.wat", &["> 0 file", "b 0 file"]),
    ("hostile/files-component.wat", &["wfile", "sfile", "afile"]),
];

fn writing(plugin: &str, isolation: &str, disk: &str) -> Host {
    isolated(host(), isolation).plugin(plugin).subfolder("work").args([
        "--jobs",
        "1",
        "--chunk-size",
        "1",
        "--dir",
        "work::/w:rw",
        "--disk",
        disk,
    ])
}

/// Returns the number of finished items and the number of faults for the limit.
#[track_caller]
fn counts(finished: &Finished) -> (usize, usize) {
    let done = String::from_utf8_lossy(finished.stdout_bytes()).matches("done").count();
    let message = "out-of-disk: the plugin would write more to files than the ";
    (done, finished.stderr_text().matches(message).count())
}

#[test]
fn a_worker_stays_within_its_disk_limit() {
    for isolation in ISOLATIONS {
        for (plugin, ways) in WRITERS {
            for way in ways {
                // Two writes of seven bytes fit, a third does not, and a fresh instance gets no new budget.
                let items = [*way, ".", *way, *way, ".", *way];
                let finished = writing(plugin, isolation, "20").stdin(lines(items)).run().code(1);
                assert_eq!(
                    counts(&finished),
                    (2, 2),
                    "{plugin}, {way}: {}",
                    finished.stderr_text()
                );
                let stderr = finished.stderr_text();
                assert!(stderr.contains("than the 20 bytes of `disk`"), "{stderr}");
                let length = fs::metadata(finished.folder().join("work/file")).unwrap().len();
                // These ways empty the file before they write.
                let expected = match *way {
                    "> 0 file" | "b 0 file" => 0,
                    "afile" => 14,
                    _ => 7,
                };
                assert_eq!(length, expected, "{plugin}, {way}");
            }
        }
    }
}

#[test]
fn a_replacement_gets_the_remaining_disk_limit() {
    for isolation in ISOLATIONS {
        let items = ["> 0 file", "!", "> 0 file", "!", "> 0 file"];
        let finished =
            writing("hostile/play.wat", isolation, "21").stdin(lines(items)).run().code(1);
        assert_eq!(counts(&finished), (3, 0), "{}", finished.stderr_text());
    }
}

#[test]
fn a_file_never_exceeds_the_disk_limit() {
    for isolation in ISOLATIONS {
        for (plugin, item) in
            [("hostile/play.wat", "z 0 file"), ("hostile/files-component.wat", "zfile")]
        {
            let finished = writing(plugin, isolation, "999").stdin(lines([item])).run().code(1);
            assert_eq!(counts(&finished), (0, 1), "{plugin}: {}", finished.stderr_text());
            let finished = writing(plugin, isolation, "1000").stdin(lines([item])).run().code(0);
            assert_eq!(counts(&finished), (1, 0), "{plugin}");
        }
    }
}

#[test]
fn stdout_is_no_file_until_a_file_takes_its_descriptor() {
    for isolation in ISOLATIONS {
        let print = isolated(host(), isolation).plugin("print.wat");
        print.args(["--disk", "1"]).stdin("a line\n").run().code(0);
        let items = ["c 0", "> 0 file", "> 0 file"];
        let finished =
            writing("hostile/play.wat", isolation, "7").stdin(lines(items)).run().code(1);
        assert_eq!(counts(&finished), (2, 1), "{}", finished.stderr_text());
    }
}

#[test]
fn each_worker_has_its_own_disk_limit() {
    for isolation in ISOLATIONS {
        let plugin = crate::support::fixtures().join("hostile/play.wat");
        let worker = format!("{},dir=work::/w:rw,disk=7", plugin.display());
        let described = isolated(host(), isolation)
            .subfolder("work")
            .args(["--disk", "1", "--worker", &worker])
            .stdin("> 0 a\n> 0 b\n");
        assert_eq!(counts(&described.run().code(1)), (1, 1));
    }
}
