//! Checks that `host/docs/command-line.md` equals the page that this test generates from the definitions of the flags.
//!
//! With `MTL_UPDATE=1` in the environment, the test writes the page instead.

use std::fmt::Write as _;
use std::{env, fs};

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use crate::support::root;

const PAGE: &str = "host/docs/command-line.md";

/// The command that writes the page.
const UPDATE: &str =
    "MTL_UPDATE=1 cargo nextest run -p mtl-host-cli --test integration command_line_reference";

#[test]
fn the_reference_matches_the_command_definition() {
    let path = root().join(PAGE);
    let page = reference(mtl_host_cli::definition());
    if env::var_os("MTL_UPDATE").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let difference = (1..).zip(page.lines()).zip(committed.lines().chain([""]));
    let difference = difference.clone().find(|((_, new), old)| new != old);
    assert!(committed == page, "{PAGE} is out of date: {difference:?}\nwrite it: {UPDATE}");
}

/// Returns the page.
fn reference(mut command: Command) -> String {
    command.build();
    let mut page = format!(
        "<!-- This page is generated. To write it again: {UPDATE} -->\n\n\
         # Command-line reference\n\n\
         This page has the text of `mtl-host SUBCOMMAND --help` for every subcommand, and each flag has an anchor, such as\n\
         [`#run-memory`](#run-memory). `-h` shows the first line of each flag. [Limits](limits.md) gives the reasons for the\n\
         defaults. A configuration file takes the flags of `run` by their long names (`--config FILE`).\n\n\
         | subcommand | |\n|---|---|\n",
    );
    let mut commands = Vec::new();
    leaves(&command, &mut commands);
    for command in &commands {
        let about = command.get_about().map(prose).unwrap_or_default();
        let name = name(command);
        writeln!(page, "| [`{name}`](#{}) | {about} |", name.replace(' ', "-")).unwrap();
    }
    for command in commands {
        page += &section(command);
    }
    page
}

/// Adds the commands that can be run: those without subcommands of their own.
fn leaves<'a>(command: &'a Command, found: &mut Vec<&'a Command>) {
    let mut subcommands = command.get_subcommands().filter(|command| command.get_name() != "help");
    match subcommands.next() {
        None => found.push(command),
        Some(first) => {
            leaves(first, found);
            subcommands.for_each(|command| leaves(command, found));
        }
    }
}

/// Returns the words that call a command.
fn name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_else(|| command.get_name())
}

/// Returns the section of a command.
fn section(command: &Command) -> String {
    let mut text = format!("\n## {}\n", name(command));
    for about in paragraphs(command.get_long_about().or(command.get_about())) {
        write!(text, "\n{about}\n").unwrap();
    }
    let usage = command.clone().render_usage().to_string();
    let lines = usage.trim_start_matches("Usage: ").lines().map(str::trim);
    write!(text, "\n```text\n{}\n```\n", lines.collect::<Vec<_>>().join("\n")).unwrap();

    let mut groups: Vec<(&str, Vec<&Arg>)> =
        vec![("Arguments", Vec::new()), ("Options", Vec::new())];
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && !is_help(arg)) {
        let heading = if arg.is_positional() {
            "Arguments"
        } else {
            arg.get_help_heading().unwrap_or("Options")
        };
        match groups.iter_mut().find(|(group, _)| *group == heading) {
            Some((_, args)) => args.push(arg),
            None => groups.push((heading, vec![arg])),
        }
    }
    for (heading, args) in groups.iter().filter(|(_, args)| !args.is_empty()) {
        write!(text, "\n### {heading}\n").unwrap();
        for arg in args {
            text += &entry(command, arg);
        }
    }
    text + &after(command)
}

/// Returns whether an argument shows the help or the version.
fn is_help(arg: &Arg) -> bool {
    matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

/// Returns the list item of an argument.
fn entry(command: &Command, arg: &Arg) -> String {
    let takes_value = arg.get_action().takes_values();
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    let mut names: Vec<String> =
        arg.get_short().map(|short| format!("-{short}")).into_iter().collect();
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    if names.is_empty() {
        names.push(arg.to_string());
    } else if takes_value && let Some(last) = names.last_mut() {
        *last += &format!(" {value}");
    }
    let shown: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let mut notes = Vec::new();
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !defaults.is_empty() {
        notes.push(match defaults.join(" ").as_str() {
            "" => "default: none".to_owned(),
            default => format!("default: `{default}`"),
        });
    }
    let help = paragraphs(arg.get_long_help().or(arg.get_help()));
    let is_repeatable = matches!(arg.get_action(), ArgAction::Append) && !arg.is_positional();
    if is_repeatable && !help.iter().any(|paragraph| paragraph.contains("repeatable")) {
        notes.push("repeatable".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    let anchor = format!(
        "{}-{}",
        name(command).trim_start_matches("mtl-host ").replace(' ', "-"),
        arg.get_long().unwrap_or(arg.get_id().as_str())
    );
    let mut text = format!("\n- <a id=\"{anchor}\"></a>{}{notes}\n", shown.join(", "));
    for paragraph in help {
        write!(text, "\n  {paragraph}\n").unwrap();
    }
    let values = arg.get_possible_values();
    if takes_value && !values.is_empty() && !arg.is_hide_possible_values_set() {
        text += "\n";
        for value in values.iter().filter(|value| !value.is_hide_set()) {
            let help =
                value.get_help().map(|help| format!(": {}", prose(help))).unwrap_or_default();
            writeln!(text, "  - `{}`{help}", value.get_name()).unwrap();
        }
    }
    text
}

/// Returns the text that follows the flags: a table of the exit codes, examples, and everything else.
fn after(command: &Command) -> String {
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    let mut text = String::new();
    let mut rest = after.trim_end();
    while !rest.is_empty() {
        let (block, others) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let (title, body) = block.split_once('\n').unwrap_or((block, ""));
        if title == "Exit codes:" {
            text += "\n### Exit codes\n\n| code | |\n|---|---|\n";
            for (code, meaning) in exit_codes(body) {
                writeln!(text, "| {code} | {} |", escaped(&meaning)).unwrap();
            }
        } else if let "Example:" | "Examples:" = title {
            // Examples have blank lines between them, and nothing follows them.
            let lines = rest.strip_prefix(title).unwrap_or(rest).trim_matches('\n');
            write!(text, "\n### Examples\n\n```text\n{}\n```\n", dedented(lines)).unwrap();
            break;
        } else if block.lines().any(|line| line.starts_with(' ')) {
            write!(text, "\n```text\n{block}\n```\n").unwrap();
        } else {
            write!(text, "\n{}\n", escaped(&block.replace('\n', " "))).unwrap();
        }
        rest = others.trim_start_matches('\n');
    }
    text
}

/// Returns the exit codes of a list: a line begins with a code, or continues the line before it.
fn exit_codes(list: &str) -> Vec<(&str, String)> {
    let mut codes: Vec<(&str, String)> = Vec::new();
    for line in list.lines().map(str::trim) {
        let (first, meaning) = line.split_once(' ').unwrap_or((line, ""));
        match codes.last_mut() {
            _ if first.parse::<u8>().is_ok() => codes.push((first, meaning.trim().to_owned())),
            Some((_, before)) => *before += &format!(" {line}"),
            None => panic!("the list begins with a code, not with `{line}`"),
        }
    }
    codes
}

/// Returns the lines without the indentation that all of them have.
fn dedented(text: &str) -> String {
    let indents = text.lines().filter(|line| !line.trim().is_empty());
    let indent = indents.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines = text.lines().map(|line| line.get(indent..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the paragraphs of a help text, as Markdown.
fn paragraphs(text: Option<&StyledStr>) -> Vec<String> {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(sentence).collect()
}

/// Returns a help text of one paragraph, as Markdown.
fn prose(text: &StyledStr) -> String {
    escaped(&text.to_string().replace('\n', " "))
}

/// Returns a paragraph as Markdown that ends in a full stop.
fn sentence(text: &str) -> String {
    let text = escaped(&text.replace('\n', " ")).replace("[default: ", "(default: ");
    let text = match text.split_once("(default: ") {
        Some((before, default)) => format!("{before}(default: {}", default.replacen(']', ")", 1)),
        None => text,
    };
    if text.ends_with(['.', ':']) { text } else { text + "." }
}

/// Escapes the characters that Markdown would read as markup, except in code between backticks.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(number, part)| match number % 2 {
        0 => part.replace('<', "&lt;").replace('*', "\\*").replace('|', "\\|"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

#[test]
fn the_text_after_the_flags_becomes_tables_and_blocks() {
    let help = "A note\non two lines.\n\nExit codes:\n    0  done\n  130  interrupted: a\n       second\n\nExamples:\n  One:\n    a | b\n\n  Two:\n    c";
    let command = Command::new("x").after_help(help);
    let expected = "\nA note on two lines.\n\
        \n### Exit codes\n\n| code | |\n|---|---|\n| 0 | done |\n| 130 | interrupted: a second |\n\
        \n### Examples\n\n```text\nOne:\n  a | b\n\nTwo:\n  c\n```\n";
    assert_eq!(after(&command), expected);
}

#[test]
fn help_text_becomes_markdown() {
    assert_eq!(sentence("A `*`\nor * of <b> [default: x]"), "A `*` or \\* of &lt;b> (default: x).");
}
