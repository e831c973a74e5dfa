//! `mtl-host new`: creates a project that contains the SDK of its language, so that the first run
//! downloads nothing.
//!
//! If a file cannot be written, all files of the project are removed.

mod error;
mod name;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

pub(super) use self::error::NewError;

use self::name::Name;
use self::template::Template;
use super::build::Language;
use super::display_text::DisplayText;
use super::shell;

const AFTER_HELP: &str = "\
The project has a small worker, a test of it, and the SDK in the folder
mtl-plugin. You may change all of it.

Exit codes:
    0  the project is created
    2  usage error, or DIR is not empty
    4  a file cannot be written

Example:
    mtl-host new --lang go my-worker
    mtl-host run my-worker input.txt";

/// Create a plugin project in a language of your choice
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct NewArgs {
    /// Folder to create; its name becomes the name of the worker
    dir: PathBuf,

    /// Language of the worker
    #[arg(long, value_name = "LANG")]
    lang: Language,
}

/// Creates a project, and returns the text to show: the next commands.
pub(super) fn new(args: &NewArgs) -> Result<String, NewError> {
    args.create().map(|()| next(&args.dir))
}

/// Returns the commands that build and run the new project.
fn next(dir: &Path) -> String {
    let dir = shell::path(dir);
    let dir = DisplayText::of(&dir);
    format!("mtl-host build {dir}\nprintf 'Ada\\nGrace\\n' | mtl-host run {dir}\n")
}

impl NewArgs {
    fn create(&self) -> Result<(), NewError> {
        let name = Name::of(&self.dir, self.lang)?;
        let template =
            Template::of(self.lang).ok_or(NewError::NoTemplate { language: self.lang })?;
        let existed = self.is_empty_folder()?;
        let written = template.write(&self.dir, &name);
        written.inspect_err(|_| match existed {
            true => empty(&self.dir),
            false => _ = fs::remove_dir_all(&self.dir),
        })
    }

    /// Returns whether the folder exists already. A folder that is not empty is an error.
    fn is_empty_folder(&self) -> Result<bool, NewError> {
        let path = || self.dir.clone();
        match fs::read_dir(&self.dir) {
            Ok(mut entries) => match entries.next() {
                None => Ok(true),
                Some(_) => Err(NewError::NotEmpty { path: path() }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(NewError::Write { path: path(), source }),
        }
    }
}

/// Removes the content of a folder, as far as possible.
fn empty(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}
