//! `mtl-host build`: a plugin from its sources, in whatever language they are.
//!
//! ```text
//! DIR ─▶ project: its language ─▶ fingerprint: has anything changed? ─ no ─▶ path of the plugin
//!                                     │ yes
//!          tool_locator ─▶ recipe ─▶ plan: steps, shown and run ─▶ renamed into place ─▶ fingerprint
//! ```
//!
//! What a language needs is in its recipe, and only there. Compilers run with the rights of whoever
//! starts them: a project is built only when somebody names its folder as such ([`named`]), and each
//! command line is shown before it is run, also those that only look for a compiler.

mod answer;
mod builder;
mod command;
mod error;
mod fingerprint;
mod folder;
mod language;
mod named;
mod project;
mod recipe;
mod sources;
mod step;
mod tool;
mod tool_locator;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

pub(super) use self::error::ProjectError;
pub(super) use self::language::Language;
pub(super) use self::named::Pinned;

use self::builder::Builder;
use self::named::Named;
use self::project::Project;
use self::recipe::Profile;
use self::tool_locator::ToolLocator;
use super::overwrite::{self, Used};
use super::shown::Shown;

const AFTER_HELP: &str = "\
The language is known by the files of DIR:
    Cargo.toml                      rust
    go.mod                          go
    package.json                    assemblyscript if it names that, else javascript
    build.zig, *.zig                zig
    *.c, *.cpp, *.cc, *.cxx         c
    *.py                            python

The plugin becomes DIR/build/NAME.wasm, Rust's what cargo makes it. Nothing is
done if it is there and neither the sources nor the compiler have changed. A
compiler is run as you would run it: build only what you trust. Each command is
shown before it is run.

Exit codes:
    0  it is built; its path is on standard output
    2  the command line does not make sense, or DIR does not say what to build
    4  a file cannot be read or written
    5  a compiler is missing, or fails";

/// Build a plugin from its sources
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BuildArgs {
    /// The folder of the project
    #[arg(default_value = ".")]
    dir: PathBuf,

    /// Write the plugin to FILE, too
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The language of the sources, where the folder has more than one
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,

    /// Build without optimisation, for a debugger
    #[arg(long)]
    debug: bool,

    /// Build optimised, as by default
    #[arg(long, conflicts_with = "debug")]
    release: bool,
}

/// Builds a project, and returns the path of the plugin, to be shown.
pub(super) fn build(args: &BuildArgs) -> Result<String, ProjectError> {
    args.build().map(|path| format!("{}\n", Shown::of(&path)))
}

/// Returns the file of a plugin that a command line names, and builds a folder of sources first.
pub(super) fn plugin_of(path: &Path, pinned: Pinned) -> Result<PathBuf, ProjectError> {
    match Named::of(path, pinned)? {
        Named::File => Ok(path.to_owned()),
        Named::Sources => {
            let project = Project::open(path, None)?;
            Builder::new(&project, Profile::Release, &ToolLocator::of_environment()).build()
        }
    }
}

/// Checks that `plugin_of` would not refuse this path for what it is, and runs nothing.
pub(super) fn check(path: &Path, pinned: Pinned) -> Result<(), ProjectError> {
    Named::of(path, pinned).map(|_| ())
}

/// Refuses a folder, for a command that runs nothing.
pub(super) fn refuse_folder(path: &Path) -> Result<(), ProjectError> {
    match path.is_dir() {
        true => Err(ProjectError::NotInspected { dir: path.to_owned() }),
        false => Ok(()),
    }
}

impl BuildArgs {
    fn build(&self) -> Result<PathBuf, ProjectError> {
        let project = Project::open(&self.dir, self.lang)?;
        let profile = if self.debug { Profile::Debug } else { Profile::Release };
        if let Some(output) = &self.output {
            let sources = sources::below(project.dir())?;
            let sources = sources.iter().map(|path| Used { what: "a source", path });
            overwrite::check(
                Used { what: "the plugin", path: output },
                &sources.collect::<Vec<_>>(),
            )?;
        }
        let made = Builder::new(&project, profile, &ToolLocator::of_environment()).build()?;
        match &self.output {
            None => Ok(made),
            Some(output) => {
                copy(&made, output)?;
                Ok(output.clone())
            }
        }
    }
}

/// Copies a file so that there is never half of it.
fn copy(from: &Path, to: &Path) -> Result<(), ProjectError> {
    let write = |source| ProjectError::Write { path: to.to_owned(), source };
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = to.with_file_name(name);
    let copied = fs::copy(from, &beside).and_then(|_| fs::rename(&beside, to));
    copied.inspect_err(|_| _ = fs::remove_file(&beside)).map_err(write)
}
