//! The values of keys, such as those of `--worker`.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

/// Error about the value of a known key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyValueError {
    #[error("`{key}` is given twice")]
    Twice { key: String },
    #[error("`{key}`: {why}")]
    Value { key: String, why: String },
}

/// Parses the value of a key.
pub(crate) fn parsed<T: FromStr<Err: Display>>(
    key: &str,
    value: &OsStr,
) -> Result<T, KeyValueError> {
    let error = |why: String| KeyValueError::Value { key: key.into(), why };
    let text = value.to_str().ok_or_else(|| error("not UTF-8".into()))?;
    text.parse().map_err(|why: T::Err| error(why.to_string()))
}

/// Sets the value of a key that may be given only once.
pub(crate) fn once<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), KeyValueError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(KeyValueError::Twice { key: key.into() }),
    }
}
