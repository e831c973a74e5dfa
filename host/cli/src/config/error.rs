//! Errors in a configuration file, with their lines.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::display_text::DisplayText;

/// The position of an error: a line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileLine {
    pub(super) path: PathBuf,
    pub(super) line: usize,
}

impl fmt::Display for FileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` line {}", DisplayText::of(&self.path), self.line)
    }
}

/// A value whose type is wrong for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) expected: &'static str,
    pub(super) found: &'static str,
}

/// Error in reading or printing a configuration file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration `{}`", DisplayText::of(path))]
    Read { path: PathBuf, source: io::Error },
    #[error("{location}: {reason}")]
    NotToml { location: FileLine, reason: String },
    #[error("{location}: unknown table or key `{key}`")]
    UnknownTable { location: FileLine, key: String, suggestion: Option<String> },
    #[error("{location}: `{key}` is not a table")]
    NotATable { location: FileLine, key: String },
    #[error("{location}: unknown key `{key}`")]
    UnknownKey { location: FileLine, key: String, suggestion: Option<String> },
    #[error("{location}: `{key}` takes {expected}, not {found}")]
    WrongType { location: FileLine, key: String, expected: &'static str, found: &'static str },
    #[error("{location}: `{key}`: {reason}")]
    Value { location: FileLine, key: String, reason: String },
    #[error("{location}: `{key}` is given twice")]
    Twice { location: FileLine, key: String },
    #[error("{location}: `{key}` cannot be used with a list of workers")]
    WorkerListConflict { location: FileLine, key: String },
    #[error("with the configuration `{}`: {reason}", DisplayText::of(path))]
    Conflict { path: PathBuf, reason: String },
    #[error("{location}: the worker has no plugin")]
    NoPlugin { location: FileLine },
    #[error("the value of `{key}` is not UTF-8, and cannot be in a configuration")]
    NotText { key: String },
    #[error("paths cannot be relative to `{}`: it is not UTF-8", DisplayText::of(path))]
    FolderNotText { path: PathBuf },
    #[error("cannot determine the current folder")]
    Folder { source: io::Error },
}

impl ConfigError {
    /// Converts an error of clap about the flags of the file `path`. The error is a conflict: each flag is valid alone,
    /// but conflicts with another flag of the file or of the command line.
    pub(crate) fn together(path: &Path, error: &clap::Error) -> Self {
        let text = error.to_string();
        let reason = text.split("\n\n").next().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Conflict { path: path.to_owned(), reason }
    }

    pub(super) fn wrong_type(location: FileLine, key: String, wrong: Mismatch) -> Self {
        let Mismatch { expected, found } = wrong;
        Self::WrongType { location, key, expected, found }
    }

    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } => "`--config` takes a file in TOML; `--print-config` writes one",
            Self::UnknownTable { suggestion: Some(suggestion), .. } => {
                return Some(format!("did you mean `{suggestion}`?"));
            }
            Self::UnknownTable { suggestion: None, .. } => {
                "flags go into a table `[pool]`, each worker into a table `[[worker]]`"
            }
            Self::NotATable { key, .. } if key == "worker" => {
                "each worker is a table of its own: `[[worker]]`"
            }
            Self::NotATable { .. } => "flags go into a table: `[pool]`",
            Self::UnknownKey { key, .. } if key == "worker" => {
                "each worker is a table of its own: `[[worker]]`"
            }
            Self::UnknownKey { suggestion: Some(suggestion), .. } => {
                return Some(format!("did you mean `{suggestion}`?"));
            }
            Self::UnknownKey { suggestion: None, .. } => {
                "keys are the long names of flags; `--print-config` shows them"
            }
            Self::WorkerListConflict { key, .. } if key == "jobs" => {
                "leave it out: there is one worker for each `[[worker]]`"
            }
            Self::WorkerListConflict { .. } => "each `[[worker]]` has its own",
            Self::FolderNotText { .. } => "keep the configuration in another folder",
            Self::NoPlugin { .. } => "name it here, or in `[pool]` for all workers that name none",
            Self::NotToml { .. }
            | Self::WrongType { .. }
            | Self::Value { .. }
            | Self::Twice { .. }
            | Self::Conflict { .. }
            | Self::NotText { .. }
            | Self::Folder { .. } => return None,
        };
        Some(hint.into())
    }
}
