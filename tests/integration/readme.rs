//! Runs the commands of the README and of the guide without changes.
//!
//! A block marked `console` has commands after `$ `, each followed by its output: first standard output, then standard
//! error. A line `...` stands for any number of lines. Times and rates are not compared. The commands of a page run one
//! after the other in a new directory, with `mtl-host` on `PATH`. A symbolic link in this directory points to the
//! `examples-plugins` of the checkout.
//!
//! A block marked `sh` has commands that cannot run in a test; [`NOT_RUN`] lists the reason for each block.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::{Finished, command, root, shared_cargo_cache};

/// The pages whose commands are run.
const PAGES: [&str; 2] = ["README.md", "host/docs/guide.md"];

/// The languages of the blocks that tests cover.
const LANGUAGES: [&str; 5] = ["console", "sh", "rust,no_run", "toml", "python"];

/// The commands that are not run, by how they begin, and the reason.
const NOT_RUN: [(&str, &str); 4] = [
    ("cargo install ", "it builds the engine for minutes and installs a program"),
    ("mtl-host run tokenize.wasm ", "its files do not exist"),
    ("mtl-host run risky.wasm ", "its files do not exist"),
    ("mtl-host run --worker 'ocr.wasm,", "its files do not exist"),
];

/// The time for one command, which may compile a plugin and its SDK.
const DEADLINE: Duration = Duration::from_secs(1200);

/// The exit code of a build for which a compiler is missing.
const CANNOT_BUILD: Option<i32> = Some(5);

#[test]
fn readme_commands_print_the_shown_output() {
    run_page("README.md");
}

#[test]
fn guide_commands_print_the_shown_output() {
    run_page("host/docs/guide.md");
}

#[test]
fn skipped_commands_have_a_reason_and_valid_flags() {
    let pages = PAGES.map(page);
    let commands: Vec<_> = pages
        .iter()
        .flat_map(|page| blocks(page, "sh"))
        .flat_map(|(_, block)| block.lines())
        .collect();
    for command in &commands {
        let is_excepted = NOT_RUN.iter().any(|(beginning, _)| command.starts_with(beginning));
        assert!(is_excepted, "`{command}` is in a block `sh`, but `NOT_RUN` has no reason for it");
        check_flags(command);
    }
    for (beginning, reason) in NOT_RUN {
        let is_used = commands.iter().any(|command| command.starts_with(beginning));
        assert!(is_used, "`NOT_RUN` has `{beginning}` ({reason}), but no page has such a command");
    }
}

#[test]
fn readme_samples_match_the_tested_samples() {
    let (readme, library) = (page("README.md"), page("host/README.md"));
    let samples = |language| blocks(&readme, language).map(|(_, sample)| sample);
    for sample in samples("rust,no_run").chain(samples("toml")) {
        assert!(library.contains(sample), "host/README.md, a doctest, has not\n{sample}");
    }
    let greet = page("examples-plugins/python/greet/greet.py");
    assert_eq!(samples("python").collect::<Vec<_>>(), [greet]);
}

#[test]
fn the_readme_is_short_and_its_links_lead_to_files() {
    let readme = page("README.md");
    let lines = readme.lines().count();
    assert!(lines <= 200, "README.md has {lines} lines; move details to a page of host/docs");
    for page in ["README.md", "host/README.md", "host/docs/guide.md", "plugin-sdk/README.md"] {
        let text = self::page(page);
        let folder = root().join(page).parent().expect("it is a file").to_owned();
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{page} links to `{link}`, which does not exist");
        }
    }
    for program in ["examples-plugins/demo", "host/benches/peers/run"] {
        assert!(readme.contains(program) && root().join(program).is_file(), "{program}");
    }
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Returns the fenced blocks of a language: the number of the first line, and the text.
fn blocks<'a>(page: &'a str, language: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let opening = format!("```{language}\n");
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + page[end..].find(&opening)? + opening.len();
        end = start + page[start..].find("```").expect("a block ends");
        Some((page[..start].lines().count() + 1, &page[start..end]))
    })
}

/// Returns the targets of a page's links, without those of the web and without anchors.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let paths = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    paths.filter(|path| !path.is_empty() && !path.starts_with("https://"))
}

fn run_page(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let plugins = "examples-plugins";
    std::os::unix::fs::symlink(root().join(plugins), folder.path().join(plugins)).unwrap();
    let page = page(name);
    let mut count = 0;
    for (line, block) in blocks(&page, "console") {
        let block = format!("\n{block}");
        let mut parts = block.split("\n$ ");
        assert_eq!(parts.next(), Some(""), "{name}, line {line}: a block begins with `$ `");
        for part in parts {
            let (shell, expected) = part.split_once('\n').unwrap_or((part, ""));
            let finished = run(folder.path(), shell);
            if is_skipped(&finished, shell) {
                continue;
            }
            let (stdout, stderr) = (finished.stdout_bytes().to_vec(), finished.stderr_text());
            let found = String::from_utf8(stdout).unwrap() + &stderr;
            assert!(
                matches(&lines_of(expected), &lines_of(&found)),
                "{name}, block at line {line}: `{shell}` printed\n{found}\nnot\n{expected}"
            );
            count += 1;
        }
    }
    assert!(count > 0, "{name} has no command that runs");
    let fences = page.lines().filter_map(|line| line.strip_prefix("```"));
    for language in fences.filter(|language| !language.is_empty()) {
        assert!(LANGUAGES.contains(&language), "{name}: a block of `{language}` is not tested");
    }
}

/// Runs a line of the shell in a directory, with the command on `PATH`.
fn run(folder: &Path, shell: &str) -> Finished {
    let program = Path::new(env!("CARGO_BIN_EXE_mtl-host"));
    let own = program.parent().expect("it is a file").to_owned();
    let usual = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([own].into_iter().chain(env::split_paths(&usual))).unwrap();
    let mut before = vec!["-C".into(), folder.to_owned().into_os_string()];
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"] {
        if let Some(value) = env::var_os(name) {
            before.push([name.as_ref(), "=".as_ref(), value.as_os_str()].into_iter().collect());
        }
    }
    before.push(["PATH=".as_ref(), path.as_os_str()].into_iter().collect());
    before.push(shared_cargo_cache().into());
    let cache = folder.join("cache");
    before.push(["XDG_CACHE_HOME=".as_ref(), cache.as_os_str()].into_iter().collect());
    before.extend(["sh", "-c", shell].map(Into::into));
    // The path of the command becomes the shell's `$0`, which nothing reads.
    command().within(DEADLINE).under("env", before).run()
}

/// Reports a command that needs a compiler which this machine lacks. Under `CI` it must have one.
#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
fn is_skipped(finished: &Finished, shell: &str) -> bool {
    let is_skipped = finished.exit_code() == CANNOT_BUILD && env::var_os("CI").is_none();
    if is_skipped {
        eprintln!("skipped: `{shell}`: {}", finished.stderr_text());
    }
    is_skipped
}

/// Returns the lines of an output, without times and rates.
fn lines_of(output: &str) -> Vec<&str> {
    output.lines().map(without_times).collect()
}

/// Cuts `0.01 s, 200 items/s` off a summary.
fn without_times(line: &str) -> &str {
    let Some((rest, rate)) = line.rsplit_once(", ") else { return line };
    let Some((rest, time)) = rest.rsplit_once(", ") else { return line };
    if rate.ends_with(" items/s") && time.ends_with(" s") { rest } else { line }
}

/// Returns whether the lines match. An expected `...` matches any number of lines.
fn matches(expected: &[&str], found: &[&str]) -> bool {
    match expected {
        [] => found.is_empty(),
        ["...", rest @ ..] => (0..=found.len()).any(|skipped| matches(rest, &found[skipped..])),
        [line, rest @ ..] => found.first() == Some(line) && matches(rest, &found[1..]),
    }
}

/// Checks the flags and directories of a command that is not run.
fn check_flags(shell: &str) {
    let folder = tempfile::tempdir().unwrap();
    if let Some(rest) = shell.strip_prefix("mtl-host run ") {
        let flags = format!("mtl-host run --print-config {rest}");
        run(folder.path(), &flags).code(0).stderr("");
        return;
    }
    let words: Vec<_> = shell.split(' ').collect();
    let help = Command::new(env!("CARGO")).args(["install", "-h"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "`cargo install` has no flag `{flag}`");
    }
    let path = words.iter().skip_while(|word| **word != "--path").nth(1).expect("a folder");
    let manifest: PathBuf = root().join(path).join("Cargo.toml");
    assert!(fs::read_to_string(manifest).unwrap().contains("name = \"mtl-host\""), "{path}");
}
