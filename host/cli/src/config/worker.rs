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
    let Table { place, entries } = table;
    let (own, settings): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.key == "plugin");
    let own = own.into_iter().next().map(|entry| texts(entry, ValueKind::Path, folder));
    let own = own.transpose()?.and_then(|texts| texts.into_iter().next());
    let plugin = own.map(PathBuf::from).or_else(|| plugin.cloned());
    let mut worker = WorkerArg::new(plugin.ok_or(ConfigError::NoPlugin { place })?);
    for entry in settings {
        set(&mut worker, entry, folder)?;
    }
    Ok(worker)
}

fn set(worker: &mut WorkerArg, entry: Entry, folder: &Path) -> Result<(), ConfigError> {
    let (place, name) = (entry.place.clone(), entry.key.clone());
    let (key, meaning) = match name.as_str() {
        "init-file" => ("init", ValueKind::Path),
        "init" => ("init", ValueKind::Init),
        "dir" => ("dir", ValueKind::Dir),
        "env" => ("env", ValueKind::Env),
        "net" => ("net", ValueKind::Net),
        "wasm" => ("wasm", ValueKind::Features),
        other if WorkerArg::keys().any(|known| known == other) => (other, ValueKind::Other),
        other => {
            let known = WorkerArg::keys().chain(["plugin", "init-file"]);
            let nearest = nearest(other, known).map(Into::into);
            return Err(ConfigError::UnknownKey { place, key: name, nearest });
        }
    };
    for text in texts(entry, meaning, folder)? {
        let text = if name == "init-file" { format!("@{text}") } else { text };
        worker.set(key, OsStr::new(&text)).map_err(|error| {
            let (place, key) = (place.clone(), name.clone());
            match error {
                WorkerArgError::Value(KeyValueError::Twice { .. }) => {
                    ConfigError::Twice { place, key }
                }
                WorkerArgError::Value(KeyValueError::Value { why, .. }) => {
                    ConfigError::Value { place, key, why }
                }
                other => ConfigError::Value { place, key, why: other.to_string() },
            }
        })?;
    }
    Ok(())
}

fn texts(entry: Entry, meaning: ValueKind, folder: &Path) -> Result<Vec<String>, ConfigError> {
    let Entry { place, key, value } = entry;
    let many = match meaning {
        ValueKind::Dir | ValueKind::Env | ValueKind::Net => Many::Yes,
        ValueKind::Path
        | ValueKind::Init
        | ValueKind::Kinds
        | ValueKind::Features
        | ValueKind::Text
        | ValueKind::Other => Many::No,
    };
    let texts = value.texts(meaning, many);
    let texts = texts.map_err(|wrong| ConfigError::wrong_type(place, key, wrong))?;
    Ok(texts.into_iter().map(|text| meaning.relative_to(folder, text)).collect())
}
