//! The answer of a tool to a question about itself, such as its version.

use std::path::Path;

use super::step::Step;
use super::tool::Tool;

/// The answer of a tool to a question about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ToolAnswer {
    /// The output of the tool.
    Output(String),
    /// The tool cannot be run, or failed.
    Fails,
    /// The tool belongs to the project, so it was not asked. Such a tool runs only to build.
    NotAsked,
}

impl ToolAnswer {
    /// Runs `tool` with `args` and returns its answer, after showing the command line with `show`. Does not run a tool
    /// from inside the directory `project`.
    ///
    /// The tool runs in a directory outside the project. Otherwise, a file of the project could make the tool start
    /// another program, as `rust-toolchain.toml` does with rustup.
    pub(super) fn ask(
        tool: &Tool,
        args: &[&str],
        project: &Path,
        show: impl FnOnce(&Step),
    ) -> Self {
        if tool.is_below(project) {
            return Self::NotAsked;
        }
        show(&Step::new(tool).args(args));
        tool.answer(args).map_or(Self::Fails, Self::Output)
    }

    /// Returns the tool's output, if the tool was asked and did not fail.
    pub(super) fn output(self) -> Option<String> {
        match self {
            Self::Output(text) => Some(text),
            Self::Fails | Self::NotAsked => None,
        }
    }
}
