//! Settings from a file: `--config mtl.toml`.
//!
//! ```text
//! command line ─▶ clap ─▶ the given flags, and the path of the file ─┐
//! file ─▶ entries with their lines ─▶ flags that are not given ──────┴▶ clap again ─▶ RunArgs
//! ```
//!
//! A key of `[pool]` is the long name of a flag. Each entry is converted to this flag, and clap
//! parses its value. A key therefore accepts the same values as its flag. A flag on the command
//! line overrides its own key in the file. It also overrides the keys of all flags that conflict
//! with it. Each table `[[worker]]` adds one worker, like `--worker`.
//!
//! Paths in the file are relative to the directory of the file.

mod entry;
mod error;
mod pool;
mod print;
mod relative;
mod value;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

pub(super) use self::error::ConfigError;
pub(super) use self::pool::{Additions, is_unset};
pub(super) use self::print::print;

use self::entry::{Entry, Table};
use self::error::FileLine;
use self::value::Value;
use super::suggest::nearest;

/// The content of a configuration file. Its keys are not checked yet.
#[derive(Debug)]
pub(super) struct Config {
    path: PathBuf,
    pool: Vec<Entry>,
    workers: Vec<Table>,
}

impl Config {
    const TABLES: [&str; 2] = ["pool", "worker"];

    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let reader = Reader { path, text };
        let file = DeTable::parse(text).map_err(|error| {
            let location = reader.location(error.span().map_or(0, |span| span.start));
            ConfigError::NotToml { location, reason: error.message().replace('\n', ", ") }
        })?;
        let mut config = Self { path: path.to_owned(), pool: Vec::new(), workers: Vec::new() };
        for (key, value) in file.get_ref() {
            let location = reader.location(key.span().start);
            match (&**key.get_ref(), value.get_ref()) {
                ("pool", DeValue::Table(table)) => config.pool = reader.entries(table)?,
                ("worker", DeValue::Array(tables)) => {
                    let tables = tables.iter().map(|table| reader.worker(table));
                    config.workers = tables.collect::<Result<_, _>>()?;
                }
                (key @ ("pool" | "worker"), _) => {
                    return Err(ConfigError::NotATable { location, key: key.into() });
                }
                (key, _) => {
                    let suggestion = nearest(key, Self::TABLES).map(str::to_owned);
                    return Err(ConfigError::UnknownTable {
                        location,
                        key: key.into(),
                        suggestion,
                    });
                }
            }
        }
        Ok(config)
    }

    /// Returns the settings of the file that the command line does not override. `given` contains
    /// the flags on the command line, and `command` defines all flags.
    pub(super) fn additions(
        self,
        command: &Command,
        given: &ArgMatches,
    ) -> Result<Additions, ConfigError> {
        let Self { path, pool, workers } = self;
        let folder = path.parent().unwrap_or(Path::new(""));
        relative::check(folder)?;
        let mut additions = Additions::default();
        let lists = !workers.is_empty();
        let plugin =
            pool::add(pool, lists, &pool::FlagContext { command, given, folder }, &mut additions)?;
        let workers = workers.into_iter().map(|table| worker::read(table, plugin.as_ref(), folder));
        let workers = workers.collect::<Result<Vec<_>, _>>()?;
        if !pool::is_given(given, "worker") && !pool::is_given(given, "plugin") {
            additions.workers = workers;
        }
        Ok(additions)
    }
}

/// Reads entries from the parsed text of a file, each with its line number.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn location(&self, at: usize) -> FileLine {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        FileLine { path: self.path.to_owned(), line }
    }

    fn worker(&self, table: &Spanned<DeValue<'_>>) -> Result<Table, ConfigError> {
        let location = self.location(table.span().start);
        match table.get_ref() {
            DeValue::Table(table) => Ok(Table { location, entries: self.entries(table)? }),
            _ => Err(ConfigError::NotATable { location, key: "worker".into() }),
        }
    }

    /// Returns the entries of a table, in the order of the file.
    fn entries(&self, table: &DeTable<'_>) -> Result<Vec<Entry>, ConfigError> {
        let mut spans: Vec<_> = table.iter().collect();
        spans.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
            let (location, key) =
                (self.location(key.span().start), key.get_ref().clone().into_owned());
            match Value::of(value.get_ref()) {
                Ok(value) => Ok(Entry { location, key, value }),
                Err(reason) => Err(ConfigError::Value { location, key, reason }),
            }
        };
        spans.into_iter().map(entry).collect()
    }
}
