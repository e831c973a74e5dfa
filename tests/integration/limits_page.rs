//! Checks the defaults in the table of `host/docs/limits.md` against the command's flags and the library's constants.
//!
//! The flags take their defaults from the library's types.

use std::fs;

use mtl_host::inspect::Complexity;
use mtl_host::limits::MemoryLimit;

use crate::support::root;

const PAGE: &str = "host/docs/limits.md";

/// The limits without a flag: the first cell of the row, and the default.
fn fixed() -> Vec<(&'static str, String)> {
    let size = |file, name| bytes(constant(file, name));
    let count = |number: u64| number.to_string();
    vec![
        (
            "guest output of all workers together",
            format!("{}×--log-limit", constant("src/sandbox/guest_output.rs", "LOUD_WORKERS")),
        ),
        (
            "components and modules of a component, nested ones included",
            count(Complexity::MAX_PARTS),
        ),
        ("depth of nested components", count(Complexity::MAX_DEPTH)),
        ("definitions of component instances", count(Complexity::MAX_DEFINITIONS)),
        ("compiled code from a child process", size("jail/src/sealed_file.rs", "MAX_CODE_BYTES")),
        ("memory in a snapshot", size("src/engine/snapshot/image.rs", "MAX_IMAGE_BYTES")),
        ("memories of a plugin", count(constant("src/sandbox/meter.rs", "MAX_MEMORIES"))),
        ("tables of a plugin", count(constant("src/sandbox/meter.rs", "MAX_TABLES"))),
        ("core instances of a plugin", count(constant("src/sandbox/meter.rs", "MAX_INSTANCES"))),
        (
            "open files, streams, sockets and waits of an instance",
            count(constant("src/engine/state.rs", "MAX_OPEN")),
        ),
        ("granted directories of a worker", count(constant("src/sandbox/granted.rs", "MAX_DIRS"))),
        ("call stack of a plugin", size("src/engine.rs", "STACK")),
        ("result of a host function", size("src/engine/host_function.rs", "MAX_ANSWER")),
        (
            "values of an item of a typed component",
            size("src/engine/typed/reader.rs", "MAX_VALUE_BYTES"),
        ),
        ("line that a plugin writes", size("src/sandbox/output.rs", "MAX_LINE")),
        ("log message", size("src/engine/context.rs", "MAX_MESSAGE")),
        ("message of a fault", size("stream/src/outcome.rs", "MAX_MESSAGE")),
    ]
}

#[test]
fn documented_defaults_match_the_code() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let (run, mut fixed) = (run(), fixed());
    let (mut flags, mut wrong) = (0, Vec::new());
    for [limit, flag, default] in rows(&page) {
        let names: Vec<_> = flag.split(['`', ' ']).filter(|word| word.starts_with("--")).collect();
        flags += names.len();
        for name in &names {
            let code = default_of_flag(&run, name);
            if plain(default) != code {
                wrong.push(format!("`{name}` has the default `{code}`, not {default}"));
            }
        }
        if names.is_empty() {
            match fixed.iter().position(|(row, _)| *row == limit) {
                Some(at) => {
                    let (_, code) = fixed.remove(at);
                    if plain(default) != code {
                        wrong.push(format!("the limit of `{limit}` is `{code}`, not {default}"));
                    }
                }
                None => wrong.push(format!("no constant is known for `{limit}`")),
            }
        }
    }
    wrong.extend(fixed.iter().map(|(limit, _)| format!("no row is about `{limit}`")));
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
    assert!(flags > 15, "all flags are found, not {flags}");
}

/// Every flag under the heading *Limits* has a row.
#[test]
fn each_flag_of_a_limit_has_a_row() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let flags: String = rows(&page).into_iter().map(|[_, flag, _]| flag).collect();
    let run = run();
    let limits = run.get_arguments().filter(|arg| arg.get_help_heading() == Some("Limits"));
    let missing: Vec<_> = limits
        .filter_map(|arg| arg.get_long())
        .filter(|long| !flags.contains(&format!("`--{long}")))
        .collect();
    assert!(missing.is_empty(), "{PAGE} has no row for {missing:?}");
}

/// Returns the definition of `mtl-host run`.
fn run() -> clap::Command {
    let command = mtl_host_cli::definition();
    command.find_subcommand("run").unwrap().clone()
}

/// Returns the first three cells of each row of the table of limits.
fn rows(page: &str) -> Vec<[&str; 3]> {
    let lines = page.lines().skip_while(|line| !line.starts_with("| limit |"));
    let lines = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let rows: Vec<_> = cells.map(|cells| [cells[1], cells[2], cells[3]]).collect();
    assert!(rows.len() > 20, "the table is found, with {} rows", rows.len());
    rows
}

/// Returns the default of a flag of `run`, in the form of [`plain`].
fn default_of_flag(run: &clap::Command, name: &str) -> String {
    let flag = run.get_arguments().find(|arg| arg.get_long() == name.strip_prefix("--"));
    let flag = flag.unwrap_or_else(|| panic!("`run` has the flag `{name}`"));
    match (name, flag.get_default_values()) {
        // The command computes it; a unit test of `system_limits.rs` shows that.
        ("--total-memory", []) => "threequartersoftheavailablememory".to_owned(),
        (_, []) => "none".to_owned(),
        (_, defaults) => plain(&defaults[0].to_string_lossy()),
    }
}

/// Returns a value without the marks that make it easier to read.
fn plain(value: &str) -> String {
    value.replace(['`', ',', ' '], "")
}

/// Returns a size in the form of [`plain`].
fn bytes(number: u64) -> String {
    MemoryLimit::new(usize::try_from(number).unwrap().try_into().unwrap()).to_string()
}

/// Returns a constant that is private to a file below `host`: a product of numbers.
fn constant(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(root().join("host").join(file));
    let text = text.unwrap_or_else(|error| panic!("{file}, for the constant `{name}`: {error}"));
    let (_, rest) = text
        .split_once(&format!("const {name}: "))
        .unwrap_or_else(|| panic!("{file} has the constant `{name}`"));
    let (_, value) = rest.split_once(" = ").unwrap();
    let (value, _) = value.split_once(';').unwrap();
    let factor = |factor: &str| factor.trim().replace('_', "").parse::<u64>();
    value
        .split('*')
        .map(|text| factor(text).unwrap_or_else(|_| panic!("{file}: `{value}`")))
        .product()
}
