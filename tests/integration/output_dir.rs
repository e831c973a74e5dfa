//! Checks `--output-dir`, which writes one file for each result.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Host, fixtures, host, host_on_threads, host_with_summary, lines};

/// Returns the names of all files below a directory, sorted.
fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Describes a run over the contents of the files `a`, `b/c` and `b/d/e`, with results in `out`.
fn tree(plugin: &str) -> Host {
    host()
        .plugin(plugin)
        .subfolder("b")
        .subfolder("b/d")
        .file("a", "one\n")
        .file("b/c", "two\nlines")
        .file("b/d/e", "")
        .args(["--output-dir", "out", "--input-format", "files"])
}

#[test]
fn each_result_file_has_the_name_of_its_item() {
    for order in [&[][..], &["--unordered"]] {
        let finished = tree("upper.wat").args(order.iter().copied()).stdin("a\n./b/c\nb/d/e\n");
        let finished = finished.run().code(0).stdout("").stderr("");
        let finished = finished.file("out/a", "ONE\n").file("out/b/c", "TWO\nLINES");
        let finished = finished.file("out/b/d/e", "");
        assert_eq!(files_in(&finished.folder().join("out")), ["a", "b/c", "b/d/e"]);
    }
}

#[test]
fn an_absolute_path_loses_its_root() {
    let run = tree("upper.wat");
    let path = run.folder().join("b/c").display().to_string();
    let finished = run.stdin(format!("{path}\n")).run().code(0).stderr("");
    let name = format!("out{path}");
    finished.file(&name, "TWO\nLINES");
}

#[test]
fn items_may_be_paths_that_the_plugin_opens_itself() {
    let finished = host()
        .plugin("echo.wat")
        .args(["--input-format", "paths", "--output-dir", "no/such/folder/yet"])
        .stdin("a/b\n/c\n")
        .run()
        .code(0)
        .stdout("")
        .stderr("")
        .file("no/such/folder/yet/a/b", "a/b")
        .file("no/such/folder/yet/c", "/c");
    assert_eq!(files_in(&finished.folder().join("no")).len(), 2);
}

#[test]
fn an_item_without_a_result_leaves_no_file() {
    let finished = host()
        .plugin("judge.wat")
        .args(["--input-format", "paths", "--output-dir", "out", "--faults", "out/faults.jsonl"])
        .args(["--skip-failed"])
        .stdin("one\n#two\n!three\n?four\n")
        .run()
        .code(1)
        .stderr("fault: item 2: refused: !three\nfault: item 3: bad-item: ?four\n");
    let out = finished.folder().join("out");
    assert_eq!(files_in(&out), ["faults.jsonl", "one"]);
    assert_eq!(fs::read_to_string(out.join("faults.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn an_item_without_an_output_path_is_a_fault() {
    let finished = tree("upper.wat")
        .file("twice", "first")
        .stdin("twice\nb/../a\n./twice\nmissing\nmissing\n\na\n")
        .run()
        .code(1)
        .stderr(
            "fault: item 1 (`b/../a`): bad-item: `b/../a` has `..` in it, which could lead \
             anywhere\n\
             fault: item 2 (`./twice`): bad-item: its result would go to `out/twice`, as that of \
             item 0 does\n\
             fault: item 3 (`missing`): bad-item: cannot read `missing`: No such file or directory \
             (os error 2)\n\
             fault: item 4 (`missing`): bad-item: cannot read `missing`: No such file or directory \
             (os error 2)\n\
             fault: item 5 (``): bad-item: cannot read ``: No such file or directory (os error 2)\n",
        )
        .file("out/twice", "FIRST");
    assert_eq!(files_in(&finished.folder().join("out")), ["a", "twice"]);
}

#[test]
fn output_path_faults_obey_the_error_policy() {
    host_with_summary()
        .plugin("echo.wat")
        .args(["--input-format", "paths", "--output-dir", "out", "--on-error", "immediate"])
        .stdin("a\na/b\n")
        .run()
        .code(1)
        .file("out/a", "a");
}

#[test]
fn no_item_file_is_overwritten() {
    // `find` lists the output directory in this way if it is inside the searched directory.
    let finished = tree("upper.wat")
        .subfolder("out")
        .file("out/a", "of an earlier run")
        .stdin("a\nout/a\nb/c\n")
        .run()
        .code(1)
        .stderr(
            "fault: item 1 (`out/a`): bad-item: `out/a` is in the output directory `out`, where \
             results replace files: it may be a result itself, or become one; write to a \
             directory that holds no items\n",
        )
        .file("out/a", "ONE\n");
    assert_eq!(files_in(&finished.folder().join("out")), ["a", "b/c"]);

    let described = host().plugin("upper.wat").file("a", "one").file("list", "a\nlist\n");
    symlink("a", described.folder().join("link")).unwrap();
    let finished = described
        .args(["--input-format", "files", "--output-dir", ".", "list"])
        .run()
        .code(1)
        .file("a", "one")
        .file("list", "a\nlist\n");
    assert_eq!(files_in(finished.folder()), ["a", "link", "list", "upper.wat"]);
}

#[test]
fn no_file_of_the_run_is_overwritten() {
    let names = lines(["plugin.wat", "list", "init", "faults", "other"]);
    let plugin = fs::read(fixtures().join("init.wat")).unwrap();
    let run = host()
        .subfolder("out")
        .file("out/plugin.wat", &plugin)
        .file("out/list", &names)
        .file("out/init", "init of ")
        .plugin("out/plugin.wat")
        .args(["--input-format", "paths", "--output-dir", "out", "--init", "@out/init"])
        .args(["--faults", "out/faults"]);
    let list = fs::File::open(run.folder().join("out/list")).unwrap();
    let finished = run.stdin_from(list).run().code(1);
    let faults = fs::read_to_string(finished.folder().join("out/faults")).unwrap();
    let used = faults.lines().filter(|line| line.contains("a file that the run itself uses"));
    assert_eq!(used.count(), 4, "{faults}");
    finished
        .file("out/plugin.wat", plugin)
        .file("out/list", names)
        .file("out/init", "init of ")
        .file("out/other", "init of other");
}

#[test]
fn an_existing_file_is_replaced_and_a_folder_is_a_fault() {
    tree("upper.wat")
        .subfolder("out")
        .file("out/a", "what was there before, and was longer")
        .stdin("a\n")
        .run()
        .code(0)
        .file("out/a", "ONE\n");
    let finished = tree("upper.wat")
        .subfolder("out")
        .subfolder("out/a")
        .file("out/b", "of an earlier run")
        .file("d", "four")
        .stdin("a\nb/c\nd\n")
        .run()
        .code(1)
        .stderr(
            "fault: item 0 (`a`): bad-item: its result would go to `out/a`, but `out/a` is a folder\n\
             fault: item 1 (`b/c`): bad-item: its result would go to `out/b/c`, but `out/b` is a \
             link, or not a directory\n",
        )
        .file("out/b", "of an earlier run")
        .file("out/d", "FOUR");
    assert_eq!(files_in(&finished.folder().join("out")), ["b", "d"]);
}

#[test]
fn no_symlink_leaves_the_output_directory() {
    let run = tree("upper.wat").subfolder("out").subfolder("elsewhere");
    symlink("../elsewhere", run.folder().join("out/b")).unwrap();
    let finished = run.stdin("b/c\n").run().code(1).stderr(
        "fault: item 0 (`b/c`): bad-item: its result would go to `out/b/c`, but `out/b` is a link, \
         or not a directory\n",
    );
    assert_eq!(files_in(&finished.folder().join("elsewhere")), [""; 0]);
}

#[test]
fn a_full_disk_leaves_no_partial_file() {
    let finished = host_on_threads()
        .plugin("echo.wat")
        .file("small", "x")
        .file("large", "x".repeat(9000))
        .args(["--input-format", "files", "--output-dir", "out"])
        .stdin("small\nlarge\n")
        // A limit of 8192 bytes per file simulates a full disk. Workers run on threads, because the
        // host passes compiled code to processes in a file, and this file would exceed the limit.
        .under("sh", ["-c", "ulimit -f 16; exec \"$0\" \"$@\""])
        .run()
        .code(4)
        .stderr(
            "error: cannot write results to `out/large` after 1 whole records: File too large \
             (os error 27)\n \
             hint: raise the limit on file sizes (`ulimit -f`), or use a file system for larger \
             files\n",
        );
    assert_eq!(files_in(&finished.folder().join("out")), ["small"]);
}

#[test]
fn an_output_directory_that_cannot_be_created_is_an_error() {
    host()
        .plugin("upper.wat")
        .file("out", "")
        .args(["--input-format", "files", "--output-dir", "out"])
        .run()
        .code(4)
        .stderr(
            "error: cannot write to `out`, which is not a directory\n hint: move it away, or name another \
             directory with `--output-dir`\n",
        );
}

#[test]
fn the_output_dir_flag_requires_file_items() {
    let finished = host()
        .plugin("upper.wat")
        .args(["--output-dir", "out"])
        .stdin("one\n")
        .run()
        .code(2)
        .stderr(
            "error: `--output-dir` names each result after its item's file, but items in `lines` \
             are not files\n hint: for a list of files, use `--input-format files`, or `paths` if \
             the plugin opens them itself\n",
        );
    assert!(!finished.folder().join("out").exists());
}

#[test]
fn the_output_dir_flag_refuses_single_output_flags() {
    for other in [&["-o", "x"][..], &["--output-format", "jsonl"], &["--tag"], &["--multiline"]] {
        let finished = host()
            .plugin("upper.wat")
            .args(["--input-format", "files", "--output-dir", "out"])
            .args(other.iter().copied())
            .run()
            .code(2);
        let stderr = finished.stderr_text();
        assert!(stderr.contains("'--output-dir <DIR>' cannot be used with '-"), "{stderr}");
    }
}
