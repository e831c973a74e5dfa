//! `mtl-host build`: builds a plugin from its sources, in any of the languages.
//!
//! ```text
//! DIR ─▶ project: its language ─▶ fingerprint: has anything changed? ─ no ─▶ path of the plugin
//!                                     │ yes
//!          tool_locator ─▶ recipe ─▶ plan: steps, shown and run ─▶ renamed into place ─▶ fingerprint
//! ```
//!
//! Each recipe contains the commands that build projects in one language. No other module contains such commands.
//! Compilers run with the user's rights, and a user who names a plugin file expects that no compiler runs. If the name
//! of a directory looks like a plugin file, the host therefore refuses to build the directory (`plugin_path`). The host
//! shows each command line before it runs, even if the command only looks for a compiler.

mod builder;
mod command;
mod error;
mod fingerprint;
mod folder;
mod language;
mod plugin_path;
mod probe_reply;
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
pub(super) use self::plugin_path::DigestGiven;

use self::builder::Builder;
use self::plugin_path::PluginPath;
use self::project::Project;
use self::recipe::Profile;
use self::tool_locator::ToolLocator;
use super::display_text::DisplayText;
use super::overwrite::{self, FileUse};

const AFTER_HELP: &str = "\
The files in DIR decide the language:
    Cargo.toml                      rust
    go.mod                          go
    package.json                    assemblyscript if it names that, else javascript
    build.zig, *.zig                zig
    *.c, *.cpp, *.cc, *.cxx         c
    *.py                            python

The plugin is written to DIR/build/NAME.wasm; a Rust plugin stays where cargo
puts it. If the plugin exists and neither the sources nor the compiler have
changed, nothing runs. The compiler runs with your rights: build only sources
that you trust. Each command is shown before it runs.

Exit codes:
    0  the plugin is built; its path is on standard output
    2  usage error, or it is unclear what to build in DIR
    4  a file cannot be read or written
    5  a compiler is missing, or fails";

/// Build a plugin from its sources
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BuildArgs {
    /// Folder of the project
    #[arg(default_value = ".")]
    dir: PathBuf,

    /// Copy the plugin to FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Language of the sources, if the folder has more than one
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,

    /// Build without optimisation, for a debugger
    #[arg(long)]
    debug: bool,

    /// Build with optimisation (default)
    #[arg(long, conflicts_with = "debug")]
    release: bool,
}

/// Builds a project, and returns the text to show: the path of the plugin.
pub(super) fn build(args: &BuildArgs) -> Result<String, ProjectError> {
    args.build().map(|path| format!("{}\n", DisplayText::of(&path)))
}

/// Returns the file of the plugin that a command line names. A folder of sources is built first.
pub(super) fn plugin_of(path: &Path, digest: DigestGiven) -> Result<PathBuf, ProjectError> {
    match PluginPath::of(path, digest)? {
        PluginPath::File => Ok(path.to_owned()),
        PluginPath::Sources => {
            let project = Project::open(path, None)?;
            Builder::new(&project, Profile::Release, &ToolLocator::of_environment()).build()
        }
    }
}

/// Checks that `plugin_of` would accept this path, and builds nothing.
pub(super) fn check(path: &Path, digest: DigestGiven) -> Result<(), ProjectError> {
    PluginPath::of(path, digest).map(|_| ())
}

/// Refuses a folder, for a command that builds nothing.
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
            let sources = sources.iter().map(|path| FileUse { name: "a source", path });
            overwrite::check(
                FileUse { name: "the plugin", path: output },
                &sources.collect::<Vec<_>>(),
            )?;
        }
        let built = Builder::new(&project, profile, &ToolLocator::of_environment()).build()?;
        match &self.output {
            None => Ok(built),
            Some(output) => {
                copy(&built, output)?;
                Ok(output.clone())
            }
        }
    }
}

/// Copies a file atomically: to a temporary file in the same folder, which is then renamed.
fn copy(from: &Path, to: &Path) -> Result<(), ProjectError> {
    let write = |source| ProjectError::Write { path: to.to_owned(), source };
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = to.with_file_name(name);
    let copied = fs::copy(from, &temporary).and_then(|_| fs::rename(&temporary, to));
    copied.inspect_err(|_| _ = fs::remove_file(&temporary)).map_err(write)
}
