//! The table `[pool]`: flags by their long names.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::error::Place;
use super::relative::Meaning;
use super::value::Many;
use super::{Additions, ConfigError, Entry};
use crate::cli::nearest::nearest;

/// What there is to give, and what is given on the command line.
pub(super) struct Given<'a> {
    pub(super) command: &'a Command,
    pub(super) given: &'a ArgMatches,
    pub(super) folder: &'a Path,
}

/// Whether a flag is on the command line.
pub(super) fn is_given(given: &ArgMatches, id: &str) -> bool {
    given.value_source(id) == Some(ValueSource::CommandLine)
}

/// Whether a flag can be in a file.
pub(super) fn is_setting(arg: &Arg) -> bool {
    const NOT: [&str; 5] = ["help", "version", "config", "print-config", "worker"];
    arg.get_long().is_some_and(|long| !NOT.contains(&long))
}

/// Whether two flags cannot be together.
pub(super) fn conflict(command: &Command, one: &Arg, other: &Arg) -> bool {
    let names = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    names(one, other) || names(other, one)
}

/// Adds what the entries say. Where workers are listed, the plugin is for those that name none:
/// it is given back.
pub(super) fn add(
    entries: Vec<Entry>,
    lists_workers: bool,
    given: &Given<'_>,
    additions: &mut Additions,
) -> Result<Option<PathBuf>, ConfigError> {
    let mut plugin = None;
    let mut has_init = false;
    for entry in entries {
        let (place, key) = (entry.place.clone(), entry.key.clone());
        let alike = ["jobs", "init", "init-file", "sha256", "call"].contains(&key.as_str());
        if alike && lists_workers {
            return Err(ConfigError::BesideWorkers { place, key });
        }
        if ["init", "init-file"].contains(&key.as_str()) && std::mem::replace(&mut has_init, true) {
            return Err(ConfigError::Twice { place, key });
        }
        if key == "inputs" {
            let paths = given.texts(entry, Meaning::Path, Many::Yes)?;
            additions.inputs = paths.into_iter().map(PathBuf::from).collect();
        } else if key == "plugin" && lists_workers {
            plugin = given.texts(entry, Meaning::Path, Many::No)?.pop().map(PathBuf::from);
        } else {
            let arg = given.arg(&place, &key)?;
            let flags = given.flags(arg, entry)?;
            validate(given.command, &flags).map_err(|why| ConfigError::Value {
                place,
                key: key.clone(),
                why,
            })?;
            let listed = is_given(given.given, "worker") && (alike || key == "plugin");
            if !listed && !given.overrides(arg) {
                additions.flags.extend(flags);
            }
        }
    }
    Ok(plugin)
}

impl Given<'_> {
    /// The flag that a key names.
    fn arg(&self, place: &Place, key: &str) -> Result<&Arg, ConfigError> {
        let long = if key == "init-file" { "init" } else { key };
        let mut settings = self.command.get_arguments().filter(|arg| is_setting(arg));
        settings.find(|arg| arg.get_long() == Some(long)).ok_or_else(|| {
            let settings = self.command.get_arguments().filter(|arg| is_setting(arg));
            let known = settings.filter_map(Arg::get_long).chain(["inputs", "init-file"]);
            let nearest = nearest(key, known).map(Into::into);
            ConfigError::UnknownKey { place: place.clone(), key: key.into(), nearest }
        })
    }

    /// Whether the command line has this flag, or one that cannot be together with it.
    fn overrides(&self, arg: &Arg) -> bool {
        let mut others = self.command.get_arguments();
        let is_given = |other: &Arg| is_given(self.given, other.get_id().as_str());
        is_given(arg) || others.any(|other| is_given(other) && conflict(self.command, arg, other))
    }

    /// The entry as it would be on the command line.
    fn flags(&self, arg: &Arg, entry: Entry) -> Result<Vec<String>, ConfigError> {
        let long = arg.get_long().unwrap_or_default();
        if !arg.get_action().takes_values() {
            let is_set = entry.value.bool();
            let Entry { place, key, .. } = entry;
            let is_set = is_set.map_err(|wrong| ConfigError::wrong_type(place, key, wrong))?;
            return Ok(if is_set { vec![format!("--{long}")] } else { Vec::new() });
        }
        let many = match arg.get_action() {
            ArgAction::Append => Many::Yes,
            _ => Many::No,
        };
        if entry.key == "init-file" {
            let files = self.texts(entry, Meaning::Path, many)?;
            return Ok(files.into_iter().map(|file| format!("--{long}=@{file}")).collect());
        }
        let texts = self.texts(entry, Meaning::of(arg), many)?;
        Ok(texts.into_iter().map(|text| format!("--{long}={text}")).collect())
    }

    fn texts(
        &self,
        entry: Entry,
        meaning: Meaning,
        many: Many,
    ) -> Result<Vec<String>, ConfigError> {
        let Entry { place, key, value } = entry;
        let texts = value.texts(meaning, many);
        let texts = texts.map_err(|wrong| ConfigError::wrong_type(place, key, wrong))?;
        Ok(texts.into_iter().map(|text| meaning.within(self.folder, text)).collect())
    }
}

/// Checks values by the flag's own parser; says what is wrong in its words. What flags mean
/// together is checked later, with all of them.
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
        (_, _, Some(why)) => Err(why.to_string()),
        (kind, _, None) => Err(kind.to_string()),
    }
}
