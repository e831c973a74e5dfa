//! `--print-config`: all settings of a run, as a configuration file.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::ConfigError;
use super::pool::{conflict, is_set, is_setting};
use super::relative::{self, ValueKind};
use crate::env_grant::EnvGrant;
use crate::init_arg::InitArg;
use crate::run_args::RunArgs;
use crate::worker_arg::WorkerArg;

/// Returns the text of a configuration file with the settings of `args`. All paths in the text are absolute. `command`
/// defines the flags, `found` contains their parsed values, and `args` contains the settings that were created from
/// `found`.
pub(crate) fn print(
    command: &Command,
    found: &ArgMatches,
    args: &RunArgs,
) -> Result<String, ConfigError> {
    let folder = std::env::current_dir().map_err(|source| ConfigError::Folder { source })?;
    relative::check(&folder)?;
    let mut writer = TomlWriter { folder: &folder, text: String::from("[pool]\n") };
    let path = |path: &PathBuf| path.as_os_str().to_owned();
    writer.one("plugin", ValueKind::Path, args.workers.plugin.as_ref().map(path).as_deref())?;
    writer.several("inputs", ValueKind::Path, args.items.inputs.iter().map(path))?;
    for arg in command.get_arguments().filter(|arg| is_setting(arg)) {
        let (id, key) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        if !arg.get_action().takes_values() {
            writer.line(key, if found.get_flag(id) { "true" } else { "false" });
            continue;
        }
        if key == "plugin" || is_overridden_default(command, found, arg) {
            continue;
        }
        let mut values = found.get_raw(id).into_iter().flatten().map(OsStr::to_owned);
        match arg.get_action() {
            ArgAction::Append => writer.several(key, ValueKind::of(arg), values)?,
            _ => writer.one(key, ValueKind::of(arg), values.next_back().as_deref())?,
        }
    }
    args.workers.worker.iter().try_for_each(|worker| writer.worker(worker))?;
    Ok(writer.text)
}

/// Returns whether a flag has its default value and conflicts with a flag that is set.
fn is_overridden_default(command: &Command, found: &ArgMatches, arg: &Arg) -> bool {
    let has_default = found.value_source(arg.get_id().as_str()) == Some(ValueSource::DefaultValue);
    let mut others = command.get_arguments();
    has_default && others.any(|other| is_set(found, other) && conflict(command, arg, other))
}

struct TomlWriter<'a> {
    folder: &'a Path,
    text: String,
}

impl TomlWriter<'_> {
    fn worker(&mut self, worker: &WorkerArg) -> Result<(), ConfigError> {
        self.text.push_str("\n[[worker]]\n");
        self.one("plugin", ValueKind::Path, Some(worker.plugin.as_os_str()))?;
        let dirs = worker.dirs.iter().map(|grant| grant.to_string().into());
        self.several("dir", ValueKind::Dir, dirs)?;
        let env = worker.env.iter().map(|grant| match grant {
            EnvGrant::FromHost { name } => name.into(),
            EnvGrant::Value { name, value } => format!("{name}={value}").into(),
        });
        self.several("env", ValueKind::Env, env)?;
        let net = worker.net.iter().map(|grant| grant.to_string().into());
        self.several("net", ValueKind::Net, net)?;
        let mut text = |key: &str, text: Option<String>| {
            self.one(key, ValueKind::Text, text.as_deref().map(OsStr::new))
        };
        for (key, limit) in worker.limits.texts() {
            text(key, limit)?;
        }
        text("sha256", worker.sha256.map(|digest| digest.to_string()))?;
        text("call", worker.call.clone())?;
        text("wasm", worker.wasm.map(|features| features.to_string()))?;
        match &worker.init {
            None => Ok(()),
            Some(InitArg::File(path)) => {
                self.one("init-file", ValueKind::Path, Some(path.as_os_str()))
            }
            Some(InitArg::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(init) => text("init", Some(init.into())),
                Err(_) => Err(ConfigError::NotText { key: "init".into() }),
            },
        }
    }

    fn one(
        &mut self,
        key: &str,
        kind: ValueKind,
        value: Option<&OsStr>,
    ) -> Result<(), ConfigError> {
        if let Some(value) = value {
            let value = self.value(key, kind, value)?;
            self.line(key, &value);
        }
        Ok(())
    }

    fn several(
        &mut self,
        key: &str,
        kind: ValueKind,
        values: impl Iterator<Item = OsString>,
    ) -> Result<(), ConfigError> {
        let values = values.map(|value| self.value(key, kind, &value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if !values.is_empty() {
            self.line(key, &format!("[{}]", values.join(", ")));
        }
        Ok(())
    }

    fn value(&self, key: &str, kind: ValueKind, value: &OsStr) -> Result<String, ConfigError> {
        let text = value.to_str().ok_or_else(|| ConfigError::NotText { key: key.into() })?;
        let text = kind.relative_to(self.folder, text.to_owned());
        let is_number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
        Ok(if kind == ValueKind::Other && is_number { text } else { quoted(&text) })
    }

    fn line(&mut self, key: &str, value: &str) {
        self.text.push_str(key);
        self.text.push_str(" = ");
        self.text.push_str(value);
        self.text.push('\n');
    }
}

/// Returns a TOML string: between two `'` if that avoids escapes.
fn quoted(text: &str) -> String {
    let needs_escapes = text.contains(['"', '\\']);
    if needs_escapes && !text.contains('\'') && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(control))
                    .expect("writing to a string cannot fail");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_parses_back_as_toml() {
        let texts = ["", "a b", "it's", "{\"a\":1}", "'\"\\", "a\nb\tc\r\0\u{7f}\u{85}", "é…"];
        for text in texts {
            let line = format!("key = {}", quoted(text));
            let read = toml::de::DeTable::parse(&line).unwrap();
            assert_eq!(read.get_ref()["key"].get_ref().as_str(), Some(text), "{line}");
        }
    }
}
