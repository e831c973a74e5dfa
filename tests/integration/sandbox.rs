//! Checks that a plugin has no rights except those that the run grants.

use crate::support::{Host, host};

fn files(dir: &str) -> Host {
    let described =
        host().plugin("files.wat").subfolder("data").args(["--jobs", "1", "--dir", dir]);
    std::fs::write(described.folder().join("data/words"), "some words").unwrap();
    std::fs::write(described.folder().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("..", described.folder().join("data/out")).unwrap();
    described
}

/// The errors that WASI returns, by number.
const BAD_DESCRIPTOR: &str = "error 08";
const NOT_CAPABLE: &str = "error 63";
const NOT_FOUND: &str = "error 44";
const NOT_PERMITTED: &str = "error 63";

#[test]
fn a_grant_allows_only_reading_inside_its_directory() {
    files("data::/data")
        .args(["--output-format", "jsonl"])
        .stdin("<words\n<missing\n<../secret\n>new\n<out/secret\n</etc/passwd\n")
        .run()
        .code(1)
        .stdout(format!(
            "{{\"index\":0,\"ok\":\"some words\"}}\n\
             {{\"index\":1,\"error\":{{\"kind\":\"refused\",\"message\":\"{NOT_FOUND}\"}}}}\n\
             {{\"index\":2,\"error\":{{\"kind\":\"refused\",\"message\":\"{NOT_CAPABLE}\"}}}}\n\
             {{\"index\":3,\"error\":{{\"kind\":\"refused\",\"message\":\"{NOT_PERMITTED}\"}}}}\n\
             {{\"index\":4,\"error\":{{\"kind\":\"refused\",\"message\":\"{NOT_PERMITTED}\"}}}}\n\
             {{\"index\":5,\"error\":{{\"kind\":\"refused\",\"message\":\"{NOT_PERMITTED}\"}}}}\n"
        ));
}

#[test]
fn a_directory_can_be_granted_for_writing() {
    files("data::/data:rw")
        .stdin(">new\n<new\n")
        .run()
        .code(0)
        .stdout("written\nwritten\n")
        .file("data/new", "written");
}

#[test]
fn without_a_grant_files_are_inaccessible() {
    host()
        .plugin("files.wat")
        .file("words", "some words")
        .args(["--output-format", "jsonl"])
        .stdin("<words\n")
        .run()
        .code(1)
        .stdout(format!(
            "{{\"index\":0,\"error\":{{\"kind\":\"refused\",\"message\":\"{BAD_DESCRIPTOR}\"}}}}\n"
        ));
}

#[test]
fn a_plugin_sees_only_granted_variables() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 4] = [
        (&[],                                       "\n"),
        (&["--env", "KEY=value"],                   "KEY=value;\n"),
        (&["--env", "A=1=2", "--env", "B="],        "A=1=2;B=;\n"),
        (&["--env", "PATH"],                        "PATH=/usr/local/bin:/usr/bin:/bin;\n"),
    ];
    for (args, expected) in cases {
        host()
            .plugin("environment.wat")
            .args(args.iter().copied())
            .stdin("x\n")
            .run()
            .code(0)
            .stdout(expected)
            .stderr("");
    }
}

#[test]
fn a_variable_to_pass_on_must_exist() {
    let finished = host().plugin("environment.wat").args(["--env", "NO_SUCH"]).stdin("x\n").run();
    let stderr = finished.code(2).stdout("").stderr_text();
    assert!(stderr.starts_with("error: ") && stderr.contains("`NO_SUCH`"), "{stderr}");
}
