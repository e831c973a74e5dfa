//! The command line: a subcommand and its flags.

use clap::{Arg, CommandFactory as _, Parser, Subcommand};

use super::build::BuildArgs;
use super::cache::CacheCommand;
use super::check::CheckArgs;
use super::compile::PrecompileArgs;
use super::doctor::DoctorArgs;
use super::inspect::InspectArgs;
use super::new::NewArgs;
use super::run_args::RunArgs;

const AFTER_HELP: &str = "\
Example:
    mtl-host new --lang python my-worker
    printf 'Ada\\nGrace\\n' | mtl-host run my-worker";

/// Run WebAssembly plugins as stateful workers over a stream of items
#[derive(Debug, Parser)]
#[command(
    name = "mtl-host",
    version,
    max_term_width = 100,
    after_help = AFTER_HELP,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Run(Box<RunArgs>),
    Inspect(InspectArgs),
    New(NewArgs),
    Build(BuildArgs),
    Check(Box<CheckArgs>),
    Compile(PrecompileArgs),
    Cache(CacheCommand),
    Doctor(DoctorArgs),
}

/// Returns the definition of the command line, in which each help text shows its default value.
pub(super) fn command() -> clap::Command {
    show_defaults(Cli::command())
}

/// Adds `(default: X)` to the help text of each flag that has a default value, and hides the note
/// `[default: X]` that clap would print. If the default of a flag is computed, its help text
/// already contains `(default: …)`.
fn show_defaults(command: clap::Command) -> clap::Command {
    command.mut_args(show_default).mut_subcommands(show_defaults)
}

fn show_default(arg: Arg) -> Arg {
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_str()).collect();
    let [Some(value)] = values[..] else { return arg };
    let note = format!(" (default: {value})");
    let with_note = |text: String| match text.split_once("\n\n") {
        Some((summary, details)) => format!("{summary}{note}\n\n{details}"),
        None => text + &note,
    };
    let help = arg.get_help().map(|help| with_note(help.to_string()));
    let long_help = arg.get_long_help().map(|help| with_note(help.to_string()));
    let arg = help.into_iter().fold(arg.hide_default_value(true), Arg::help);
    long_help.into_iter().fold(arg, Arg::long_help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_help_fits_into_80_columns() {
        let mut command = command();
        let run = command.find_subcommand_mut("run").unwrap();
        let help = run.clone().term_width(80).render_long_help().to_string();
        assert!(help.contains(
            "after Ctrl-C, the run finishes the items in the workers and\n       writes"
        ));
        for name in ["run", "inspect", "new", "build", "check", "compile", "cache", "doctor"] {
            let command = command.find_subcommand_mut(name).unwrap();
            let help = command.clone().term_width(80).render_long_help().to_string();
            let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert_eq!(wide, [""; 0], "{name}");
            assert!(!help.contains("[default: "), "{help}");
        }
    }
}
