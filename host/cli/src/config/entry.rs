//! What a file of settings says, and on which lines.

use super::error::Place;
use super::value::Value;

/// A table of settings.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) entries: Vec<Entry>,
}

/// `key = value`, and where.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) value: Value,
}
