//! Parsing: the flags of the command line, combined with those of a configuration file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, FromArgMatches, Id};

use super::command_line::{self, Cli, Command};
use super::config::{self, Additions, Config, ConfigError};
use super::error::CliError;
use super::worker_list::WorkerListOrigin;

/// A parsed command line.
#[derive(Debug)]
pub(super) enum ParsedCommand {
    /// A command to execute, with its settings.
    Execute(Command),
    /// A text to show.
    Show(String),
}

/// Error of parsing a command line, or of the configuration file that it names.
#[derive(Debug)]
pub(super) enum ParseFailure {
    /// The command line is invalid, or requests the help.
    CommandLine(clap::Error),
    /// The configuration file is invalid, or its settings conflict.
    Settings(Box<CliError>),
}

impl From<clap::Error> for ParseFailure {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

impl From<ConfigError> for ParseFailure {
    fn from(error: ConfigError) -> Self {
        Self::Settings(Box::new(error.into()))
    }
}

/// Parses a command line, and the configuration file that it names.
pub(super) fn parse(mut line: Vec<OsString>) -> Result<ParsedCommand, ParseFailure> {
    let mut command = command_line::command();
    // Resolves the conflicts between flags, which `without_conflicts` reads.
    command.build();
    let run = command.find_subcommand("run").expect("`run` is a subcommand").clone();
    let unset = unset_switches(&command, &line);
    let command = without_conflicts(command, |id| unset.contains(id));
    let matches = get_matches(without_requirements(command.clone()), &line)?;
    if matches.subcommand_matches("run").is_none() {
        return Ok(ParsedCommand::Execute(Cli::from_arg_matches(&matches)?.command));
    }
    let given = run_flags(&matches);
    let config = given.get_one::<PathBuf>("config");
    let additions = config.map(|path| Config::read(path)?.additions(&run, given)).transpose()?;
    let Additions { flags: added, workers, inputs } = additions.unwrap_or_default();
    // The flags go after the name of the subcommand, and therefore before a `--`.
    let position = line.len().min(2);
    line.splice(position..position, added.into_iter().map(OsString::from));
    let matches = get_matches(command, &line).map_err(|error| match config {
        // The command line alone was valid, so a flag of the file causes the error.
        Some(path) => ConfigError::together(path, &error).into(),
        None => ParseFailure::CommandLine(error),
    })?;
    let Command::Run(mut args) = Cli::from_arg_matches(&matches)?.command else {
        unreachable!("the subcommand is `run`");
    };
    let origin = if workers.is_empty() {
        WorkerListOrigin::CommandLine
    } else {
        WorkerListOrigin::Configuration
    };
    if !workers.is_empty() {
        args.workers.worker = workers;
    }
    let mut args = args.resolve_first();
    if args.items.inputs.is_empty() {
        args.items.inputs = inputs;
    }
    args.workers.check(origin).map_err(|error| ParseFailure::Settings(Box::new(error.into())))?;
    if args.print_config {
        return Ok(ParsedCommand::Show(config::print(&run, run_flags(&matches), &args)?));
    }
    Ok(ParsedCommand::Execute(Command::Run(Box::new(args))))
}

/// Returns the command in which no flag requires another flag: the configuration file may set that one.
fn without_requirements(command: clap::Command) -> clap::Command {
    let needs_nothing = |arg: Arg| arg.requires(Resettable::Reset);
    command.mut_subcommand("run", |run| run.mut_args(needs_nothing))
}

/// Returns the switches of `run` that `line` unsets. If `line` is invalid, the list is empty. The caller then parses
/// `line` again, and reports the error.
fn unset_switches(command: &clap::Command, line: &[OsString]) -> Vec<Id> {
    let matches =
        get_matches(without_conflicts(without_requirements(command.clone()), |_| true), line);
    let Ok(matches) = &matches else { return Vec::new() };
    let Some(given) = matches.subcommand_matches("run") else { return Vec::new() };
    let run = command.find_subcommand("run").expect("the subcommand is `run`");
    let unset = run.get_arguments().filter(|arg| config::is_unset(given, arg));
    unset.map(|arg| arg.get_id().clone()).collect()
}

/// Returns `command` with fewer conflicts between the flags of `run`. Conflicts of the flags that `flags` selects are
/// removed. With these conflicts, clap would refuse `--SWITCH=false` together with a flag that conflicts with the
/// switch.
fn without_conflicts(command: clap::Command, flags: impl Fn(&Id) -> bool) -> clap::Command {
    let remove_conflicts = |run: clap::Command| {
        let original = run.clone();
        run.mut_args(|arg| {
            let others = original.get_arg_conflicts_with(&arg).into_iter().map(Arg::get_id);
            let conflicts = others.filter(|other| !flags(arg.get_id()) && !flags(other));
            let conflicts: Vec<_> = conflicts.cloned().collect();
            arg.conflicts_with(Resettable::Reset).conflicts_with_all(conflicts)
        })
    };
    command.mut_subcommand("run", remove_conflicts)
}

/// Parses a command line. If a switch of `run` has a value, such as `--SWITCH=false`, parses the line again with a
/// definition in which switches accept values. The first definition does not allow such values, so the help and other
/// messages do not mention them.
fn get_matches(command: clap::Command, line: &[OsString]) -> Result<ArgMatches, clap::Error> {
    match command.clone().try_get_matches_from(line) {
        Err(error) if error.kind() == ErrorKind::TooManyValues => command
            .mut_subcommand("run", |run| run.mut_args(allow_unsetting))
            .try_get_matches_from(line),
        get_matches => get_matches,
    }
}

/// Lets a switch take `=true` and `=false`. Other flags stay unchanged.
fn allow_unsetting(arg: Arg) -> Arg {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(clap::value_parser!(bool))
}

/// Returns the parsed flags of `run`.
fn run_flags(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand_matches("run").expect("the subcommand is `run`")
}
