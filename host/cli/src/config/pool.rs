//! The table `[pool]`: flags, by their long names.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::entry::Entry;
use super::error::ConfigError;
use super::error::FileLine;
use super::relative::ValueKind;
use super::value::Many;
use crate::suggest::nearest;
use crate::worker_arg::WorkerArg;

/// The arguments that a configuration file adds to a command line.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// Flags that the command line does not have.
    pub(crate) flags: Vec<String>,
    /// Workers, used if the command line has no workers.
    pub(crate) workers: Vec<WorkerArg>,
    /// Inputs, used if the command line has no inputs.
    pub(crate) inputs: Vec<PathBuf>,
}

/// The flags that exist, the flags on the command line, and the folder of the file.
pub(super) struct FlagContext<'a> {
    pub(super) command: &'a Command,
    pub(super) given: &'a ArgMatches,
    pub(super) folder: &'a Path,
}

/// Returns whether a flag is on the command line.
pub(super) fn is_given(given: &ArgMatches, id: &str) -> bool {
    given.value_source(id) == Some(ValueSource::CommandLine)
}

/// Returns whether a flag is a switch that the command line unsets.
pub(crate) fn is_unset(given: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    matches!(arg.get_action(), ArgAction::SetTrue) && is_given(given, id) && !given.get_flag(id)
}

/// Returns whether a flag is on the command line, and is not an unset switch.
pub(super) fn is_set(given: &ArgMatches, arg: &Arg) -> bool {
    is_given(given, arg.get_id().as_str()) && !is_unset(given, arg)
}

/// Returns whether a flag can be in a configuration file.
pub(super) fn is_setting(arg: &Arg) -> bool {
    const NOT: [&str; 5] = ["help", "version", "config", "print-config", "worker"];
    arg.get_long().is_some_and(|long| !NOT.contains(&long))
}

/// Returns whether two flags conflict.
pub(super) fn conflict(command: &Command, one: &Arg, other: &Arg) -> bool {
    let names = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    names(one, other) || names(other, one)
}

/// The flags for identical workers, which cannot be used with a list of workers.
const ONLY_IDENTICAL: [&str; 5] = ["jobs", "init", "init-file", "sha256", "call"];

/// Adds the settings of `entries` to `additions`. If the file lists workers, returns the value of the key `plugin`,
/// which is the default plugin of these workers.
pub(super) fn add(
    entries: Vec<Entry>,
    lists_workers: bool,
    given: &FlagContext<'_>,
    additions: &mut Additions,
) -> Result<Option<PathBuf>, ConfigError> {
    check_together(&entries, lists_workers)?;
    let mut plugin = None;
    for entry in entries {
        match entry.key.as_str() {
            "inputs" => {
                let paths = given.texts(entry, ValueKind::Path, Many::Yes)?;
                additions.inputs = paths.into_iter().map(PathBuf::from).collect();
            }
            "plugin" if lists_workers => {
                plugin = given.texts(entry, ValueKind::Path, Many::No)?.pop().map(PathBuf::from);
            }
            _ => additions.flags.extend(given.added(entry)?),
        }
    }
    Ok(plugin)
}

/// Checks for conflicts between entries that clap does not check.
fn check_together(entries: &[Entry], lists_workers: bool) -> Result<(), ConfigError> {
    let conflicting = entries.iter().find(|entry| ONLY_IDENTICAL.contains(&entry.key.as_str()));
    if let Some(Entry { location, key, .. }) = conflicting.filter(|_| lists_workers) {
        return Err(ConfigError::WorkerListConflict {
            location: location.clone(),
            key: key.clone(),
        });
    }
    let mut inits =
        entries.iter().filter(|entry| ["init", "init-file"].contains(&entry.key.as_str()));
    match inits.nth(1) {
        Some(Entry { location, key, .. }) => {
            Err(ConfigError::Twice { location: location.clone(), key: key.clone() })
        }
        None => Ok(()),
    }
}

impl FlagContext<'_> {
    /// Returns the flag that a key names.
    fn arg(&self, location: &FileLine, key: &str) -> Result<&Arg, ConfigError> {
        let long = if key == "init-file" { "init" } else { key };
        let mut settings = self.command.get_arguments().filter(|arg| is_setting(arg));
        settings.find(|arg| arg.get_long() == Some(long)).ok_or_else(|| {
            let settings = self.command.get_arguments().filter(|arg| is_setting(arg));
            let known = settings.filter_map(Arg::get_long).chain(["inputs", "init-file"]);
            let suggestion = nearest(key, known).map(Into::into);
            ConfigError::UnknownKey { location: location.clone(), key: key.into(), suggestion }
        })
    }

    /// Returns the arguments that an entry adds to the command line. An overridden entry adds no arguments, but the
    /// function checks its value.
    fn added(&self, entry: Entry) -> Result<Vec<String>, ConfigError> {
        let (location, key) = (entry.location.clone(), entry.key.clone());
        let arg = self.arg(&location, &key)?;
        let flags = self.flags(arg, entry)?;
        let is_for_identical = key == "plugin" || ONLY_IDENTICAL.contains(&key.as_str());
        let wins = self.overrides(arg) || (is_for_identical && is_given(self.given, "worker"));
        match validate(self.command, &flags) {
            Ok(()) if wins => Ok(Vec::new()),
            Ok(()) => Ok(flags),
            Err(reason) => Err(ConfigError::Value { location, key, reason }),
        }
    }

    /// Returns whether the command line has this flag, or a flag that conflicts with it.
    fn overrides(&self, arg: &Arg) -> bool {
        let mut others = self.command.get_arguments();
        is_given(self.given, arg.get_id().as_str())
            || others.any(|other| is_set(self.given, other) && conflict(self.command, arg, other))
    }

    /// Returns the entry in the form of the command line.
    fn flags(&self, arg: &Arg, entry: Entry) -> Result<Vec<String>, ConfigError> {
        let long = arg.get_long().unwrap_or_default();
        if !arg.get_action().takes_values() {
            let is_set = entry.value.bool();
            let Entry { location, key, .. } = entry;
            let is_set = is_set.map_err(|wrong| ConfigError::wrong_type(location, key, wrong))?;
            return Ok(if is_set { vec![format!("--{long}")] } else { Vec::new() });
        }
        let many = match arg.get_action() {
            ArgAction::Append => Many::Yes,
            _ => Many::No,
        };
        if entry.key == "init-file" {
            let files = self.texts(entry, ValueKind::Path, many)?;
            return Ok(files.into_iter().map(|file| format!("--{long}=@{file}")).collect());
        }
        let texts = self.texts(entry, ValueKind::of(arg), many)?;
        Ok(texts.into_iter().map(|text| format!("--{long}={text}")).collect())
    }

    fn texts(&self, entry: Entry, kind: ValueKind, many: Many) -> Result<Vec<String>, ConfigError> {
        let Entry { location, key, value } = entry;
        let texts = value.texts(kind, many);
        let texts = texts.map_err(|wrong| ConfigError::wrong_type(location, key, wrong))?;
        Ok(texts.into_iter().map(|text| kind.relative_to(self.folder, text)).collect())
    }
}

/// Checks the values in `flags` with the parsers of their flags. If a parser fails, returns the message of its error.
/// Conflicts between flags are checked later.
fn validate(command: &Command, flags: &[String]) -> Result<(), String> {
    if flags.is_empty() {
        return Ok(());
    }
    let line = ["run".to_owned()].into_iter().chain(flags.iter().cloned());
    let Err(error) = command.clone().try_get_matches_from(line) else { return Ok(()) };
    match (error.kind(), error.get(ContextKind::ValidValue), error.source()) {
        (clap::error::ErrorKind::MissingRequiredArgument, _, _) => Ok(()),
        (_, Some(ContextValue::Strings(valid)), _) if !valid.is_empty() => {
            let valid: Vec<_> = valid.iter().map(|value| format!("`{value}`")).collect();
            Err(format!("not one of {}", valid.join(", ")))
        }
        (_, _, Some(reason)) => Err(reason.to_string()),
        (kind, _, None) => Err(kind.to_string()),
    }
}
