//! The plan of a build. The recipe of a language turns an order into a plan: the commands to run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::build::error::ProjectError;
use crate::build::probe_reply::ToolAnswer;
use crate::build::project::Project;
use crate::build::step::Step;
use crate::build::tool::Tool;
use crate::build::tool_locator::ToolLocator;
use crate::console::Console;

/// The purpose of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A build for normal use.
    Release,
    /// A build for a debugger.
    Debug,
}

/// The order for a build: the project, and the tools for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) project: &'a Project,
    pub(crate) profile: Profile,
    pub(crate) tools: &'a ToolLocator,
    /// The console that shows command lines.
    pub(crate) console: &'a Console,
    /// The path of the plugin, relative to the project, in an existing folder.
    pub(crate) output: &'a Path,
}

/// The steps of a build.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The steps that install the compiler or packages. They may change sources, such as lock files.
    pub(crate) prepare: Vec<Step>,
    /// The packages of npm that are installed after `prepare`; `None` for a language without npm.
    pub(crate) packages: Option<Value>,
    /// The step that compiles.
    pub(crate) compile: Step,
    pub(crate) product: Product,
    /// The programs that influence the result.
    pub(crate) tools: Vec<PathBuf>,
}

/// The place of the plugin after the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// The output path of the order.
    AtOutput,
    /// This folder of the project, which has one plugin.
    In(PathBuf),
    /// The path in the messages of cargo.
    Cargo,
}

impl Plan {
    /// Returns a plan of one command, which writes the plugin to the output path.
    pub(super) fn one(tool: &Tool, compile: Step) -> Self {
        Self {
            prepare: Vec::new(),
            packages: None,
            compile,
            product: Product::AtOutput,
            tools: vec![tool.file.clone()],
        }
    }
}

impl Order<'_> {
    pub(super) fn dir(&self) -> &Path {
        self.project.dir()
    }

    /// Asks a tool a question, in a folder outside of the project.
    pub(super) fn ask(&self, tool: &Tool, args: &[&str]) -> ToolAnswer {
        ToolAnswer::ask(tool, args, self.dir(), |step| step.show(self.dir(), self.console))
    }

    /// Returns the error for a missing tool; `install` is the command that installs it.
    pub(super) fn no_tool(&self, tool: &'static str, install: impl Into<String>) -> ProjectError {
        ProjectError::NoTool { language: self.project.language(), tool, install: install.into() }
    }
}
