//! A table `[[worker]]`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Table};
use super::error::ConfigError;
use super::relative::ValueKind;
use super::value::Many;
use crate::key_value::KeyValueError;
use crate::suggest::nearest;
use crate::worker_arg::{WorkerArg, WorkerArgError};

/// Reads the worker that a table describes. `plugin` is the default for a table without a plugin.
pub(super) fn read(
    table: Table,
    plugin: Option<&PathBuf>,
    folder: &Path,
) -> Result<WorkerArg, ConfigError> {
    let Table { location, entries } = table;
    let (given, settings): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.key == "plugin");
    let given = given.into_iter().next().map(|entry| texts(entry, ValueKind::Path, folder));
    let given = given.transpose()?.and_then(|texts| texts.into_iter().next());
    let plugin = given.map(PathBuf::from).or_else(|| plugin.cloned());
    let mut worker = WorkerArg::new(plugin.ok_or(ConfigError::NoPlugin { location })?);
    for entry in settings {
        set(&mut worker, entry, folder)?;
    }
    Ok(worker)
}

fn set(worker: &mut WorkerArg, entry: Entry, folder: &Path) -> Result<(), ConfigError> {
    let (location, name) = (entry.location.clone(), entry.key.clone());
    let (key, kind) = match name.as_str() {
        "init-file" => ("init", ValueKind::Path),
        "init" => ("init", ValueKind::Init),
        "dir" => ("dir", ValueKind::Dir),
        "env" => ("env", ValueKind::Env),
        "net" => ("net", ValueKind::Net),
        "wasm" => ("wasm", ValueKind::Features),
        other if WorkerArg::keys().any(|known| known == other) => (other, ValueKind::Other),
        other => {
            let known = WorkerArg::keys().chain(["plugin", "init-file"]);
            let suggestion = nearest(other, known).map(Into::into);
            return Err(ConfigError::UnknownKey { location, key: name, suggestion });
        }
    };
    for text in texts(entry, kind, folder)? {
        let text = if name == "init-file" { format!("@{text}") } else { text };
        worker.set(key, OsStr::new(&text)).map_err(|error| {
            let (location, key) = (location.clone(), name.clone());
            match error {
                WorkerArgError::Value(KeyValueError::Twice { .. }) => {
                    ConfigError::Twice { location, key }
                }
                WorkerArgError::Value(KeyValueError::Value { reason, .. }) => {
                    ConfigError::Value { location, key, reason }
                }
                other => ConfigError::Value { location, key, reason: other.to_string() },
            }
        })?;
    }
    Ok(())
}

fn texts(entry: Entry, kind: ValueKind, folder: &Path) -> Result<Vec<String>, ConfigError> {
    let Entry { location, key, value } = entry;
    let many = match kind {
        ValueKind::Dir | ValueKind::Env | ValueKind::Net => Many::Yes,
        ValueKind::Path
        | ValueKind::Init
        | ValueKind::Kinds
        | ValueKind::Features
        | ValueKind::Text
        | ValueKind::Other => Many::No,
    };
    let texts = value.texts(kind, many);
    let texts = texts.map_err(|wrong| ConfigError::wrong_type(location, key, wrong))?;
    Ok(texts.into_iter().map(|text| kind.relative_to(folder, text)).collect())
}
