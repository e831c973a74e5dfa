//! The values of `--isolation` and `--jail`: workers on threads or in processes, and the level of the jail.

use std::fmt;
use std::str::FromStr;

use mtl_host::isolation::{Isolation, JailLevel, Processes};

/// The place where workers run, as typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IsolationArg {
    #[default]
    Thread,
    Process,
}

impl IsolationArg {
    pub(crate) fn isolation(self, jail: JailLevel) -> Isolation {
        match self {
            Self::Thread => Isolation::Thread,
            Self::Process => Isolation::Process(Processes::new().jail(jail)),
        }
    }
}

/// Error of a value that is neither `thread` nor `process`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither `thread` nor `process`")]
pub(crate) struct ParseIsolationError;

impl FromStr for IsolationArg {
    type Err = ParseIsolationError;

    fn from_str(text: &str) -> Result<Self, ParseIsolationError> {
        match text {
            "thread" => Ok(Self::Thread),
            "process" => Ok(Self::Process),
            _ => Err(ParseIsolationError),
        }
    }
}

impl fmt::Display for IsolationArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Thread => "thread",
            Self::Process => "process",
        })
    }
}

/// Error of a value of `--jail` that names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of `required`, `best-effort` and `strict`")]
pub(crate) struct ParseJailError;

/// Parses the value of `--jail`.
pub(crate) fn parse_jail(text: &str) -> Result<JailLevel, ParseJailError> {
    JailLevel::from_name(text).ok_or(ParseJailError)
}
