//! How a plugin is made of its sources: for each language the commands, in a file of its own.

mod assemblyscript;
mod c;
mod go;
mod javascript;
mod npm;
mod python;
mod rust;
mod zig;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ProjectError;
use super::language::Language;
use super::project::Project;
use super::step::Step;
use super::tool::{Answer, Tool};
use super::toolbox::Toolbox;
use crate::console::Console;

/// For whom it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// For use.
    Release,
    /// For a debugger.
    Debug,
}

/// What is to be made, and with what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    pub(super) project: &'a Project,
    pub(super) profile: Profile,
    pub(super) toolbox: &'a Toolbox,
    /// Where command lines are shown.
    pub(super) console: &'a Console,
    /// Where the plugin goes, relative to the project: into a folder that is there.
    pub(super) output: &'a Path,
}

/// How it is made.
#[derive(Debug)]
pub(super) struct Recipe {
    /// What brings the compiler, or packages; it may change sources, such as lock files.
    pub(super) prepare: Vec<Step>,
    /// The packages of npm that are there after that; `None` where npm has no part in it.
    pub(super) packages: Option<Value>,
    /// What compiles.
    pub(super) compile: Step,
    pub(super) product: Product,
    /// The programs that decide what comes out.
    pub(super) tools: Vec<PathBuf>,
}

/// Where the plugin is, once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Product {
    /// Where it was ordered.
    Ordered,
    /// The only plugin in this folder of the project.
    In(PathBuf),
    /// Where the messages of cargo say.
    Cargo,
}

impl Recipe {
    /// One command, which makes the plugin where it was ordered.
    fn one(tool: &Tool, compile: Step) -> Self {
        Self {
            prepare: Vec::new(),
            packages: None,
            compile,
            product: Product::Ordered,
            tools: vec![tool.file.clone()],
        }
    }
}

/// The recipe for a project.
pub(super) fn recipe(order: &Order<'_>) -> Result<Recipe, ProjectError> {
    match order.project.language() {
        Language::Rust => rust::recipe(order),
        Language::C => c::recipe(order),
        Language::Zig => zig::recipe(order),
        Language::Go => go::recipe(order),
        Language::Assemblyscript => assemblyscript::recipe(order),
        Language::Javascript => javascript::recipe(order),
        Language::Python => python::recipe(order),
    }
}

pub(super) use self::npm::{begin as begin_packages, note as note_packages, packages};
pub(super) use self::rust::{made as made_by_cargo, sources as sources_of_cargo};

impl Order<'_> {
    fn dir(&self) -> &Path {
        self.project.dir()
    }

    /// Asks a tool something, in a folder in which nothing of the project is found.
    fn ask(&self, tool: &Tool, args: &[&str]) -> Answer {
        Answer::of(tool, args, self.dir(), |step| step.say(self.dir(), self.console))
    }

    /// The error for a tool that is not there; `install` is the command that brings it.
    fn no_tool(&self, tool: &'static str, install: impl Into<String>) -> ProjectError {
        ProjectError::NoTool { language: self.project.language(), tool, install: install.into() }
    }
}
