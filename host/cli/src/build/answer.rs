//! The answer of a tool that is asked about itself, such as its version.

use std::path::Path;

use super::step::Step;
use super::tool::Tool;

/// The answer of a tool about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It printed this.
    Says(String),
    /// It cannot be run, or fails.
    Fails,
    /// It belongs to the project: it is run to build, and not to find out what it is.
    NotAsked,
}

impl Answer {
    /// Asks a tool for the project in the folder `project`; `say` is told the command line before.
    ///
    /// A tool is asked in a folder in which nothing of the project is found: many start another
    /// program that a file of the current folder names, such as rustup by `rust-toolchain.toml`.
    pub(super) fn of(tool: &Tool, args: &[&str], project: &Path, say: impl FnOnce(&Step)) -> Self {
        if tool.is_below(project) {
            return Self::NotAsked;
        }
        say(&Step::new(tool).args(args));
        tool.answer(args).map_or(Self::Fails, Self::Says)
    }

    /// Returns the tool's output, if the tool was asked and did not fail.
    pub(super) fn said(self) -> Option<String> {
        match self {
            Self::Says(text) => Some(text),
            Self::Fails | Self::NotAsked => None,
        }
    }
}
