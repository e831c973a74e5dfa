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
    /// Shows the command line with `show`, runs `tool` with `args`, and returns the answer of the tool. If the file of
    /// the tool is below the directory `project`, does not run the tool.
    ///
    /// The working directory of the tool is outside the project. In the project, a settings file could make the tool
    /// start another program: for example, rustup reads `rust-toolchain.toml`.
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
