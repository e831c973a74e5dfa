//! The values of keys, such as the keys of `--worker`.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

/// Error about the value of a known key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyValueError {
    #[error("`{key}` is given twice")]
    Twice { key: String },
    #[error("`{key}`: {reason}")]
    Value { key: String, reason: String },
}

/// Parses the value of a key.
pub(crate) fn parse_value<T: FromStr<Err: Display>>(
    key: &str,
    value: &OsStr,
) -> Result<T, KeyValueError> {
    let error = |reason: String| KeyValueError::Value { key: key.into(), reason };
    let text = value.to_str().ok_or_else(|| error("not UTF-8".into()))?;
    text.parse().map_err(|reason: T::Err| error(reason.to_string()))
}

/// Sets the value of a key that may be given only once.
pub(crate) fn set_once<T>(
    target: &mut Option<T>,
    key: &str,
    value: T,
) -> Result<(), KeyValueError> {
    match target.replace(value) {
        None => Ok(()),
        Some(_) => Err(KeyValueError::Twice { key: key.into() }),
    }
}
