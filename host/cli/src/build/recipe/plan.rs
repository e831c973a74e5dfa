//! The plan of a build: an order goes to the recipe of a language, which returns the commands to run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::build::answer::Answer;
use crate::build::error::ProjectError;
use crate::build::project::Project;
use crate::build::step::Step;
use crate::build::tool::Tool;
use crate::build::tool_locator::ToolLocator;
use crate::console::Console;

/// For whom it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For use.
    Release,
    /// For a debugger.
    Debug,
}

/// A plan: the plugin to make, and the tools for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) project: &'a Project,
    pub(crate) profile: Profile,
    pub(crate) tools: &'a ToolLocator,
    /// Where command lines are shown.
    pub(crate) console: &'a Console,
    /// Where the plugin goes, relative to the project: into a folder that is there.
    pub(crate) output: &'a Path,
}

/// The steps that make it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The step that brings the compiler, or packages; it may change sources, such as lock files.
    pub(crate) prepare: Vec<Step>,
    /// The packages of npm that are there after that; `None` where npm has no part in it.
    pub(crate) packages: Option<Value>,
    /// The step that compiles.
    pub(crate) compile: Step,
    pub(crate) product: Product,
    /// The programs that decide what comes out.
    pub(crate) tools: Vec<PathBuf>,
}

/// Where the plugin is, once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// Where it was ordered.
    Ordered,
    /// The only plugin in this folder of the project.
    In(PathBuf),
    /// Where the messages of cargo say.
    Cargo,
}

impl Plan {
    /// One command, which makes the plugin where it was ordered.
    pub(super) fn one(tool: &Tool, compile: Step) -> Self {
        Self {
            prepare: Vec::new(),
            packages: None,
            compile,
            product: Product::Ordered,
            tools: vec![tool.file.clone()],
        }
    }
}

impl Order<'_> {
    pub(super) fn dir(&self) -> &Path {
        self.project.dir()
    }

    /// Asks a tool something, in a folder in which nothing of the project is found.
    pub(super) fn ask(&self, tool: &Tool, args: &[&str]) -> Answer {
        Answer::of(tool, args, self.dir(), |step| step.say(self.dir(), self.console))
    }

    /// The error for a tool that is not there; `install` is the command that brings it.
    pub(super) fn no_tool(&self, tool: &'static str, install: impl Into<String>) -> ProjectError {
        ProjectError::NoTool { language: self.project.language(), tool, install: install.into() }
    }
}
