//! The tables and entries of a configuration file, with their lines.

use super::error::FileLine;
use super::value::Value;

/// A table of settings.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) location: FileLine,
    pub(super) entries: Vec<Entry>,
}

/// A key, its value, and its line.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) location: FileLine,
    pub(super) key: String,
    pub(super) value: Value,
}
