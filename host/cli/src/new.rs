//! `mtl-host new`: the beginning of a project, with the SDK of its language in it, so that nothing
//! has to be fetched for the first run.
//!
//! A folder is made whole or not at all.

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
use super::shell;
use super::shown::Shown;

const AFTER_HELP: &str = "\
The project has a small worker, a test beside it, and the SDK in the folder
mtl-plugin. It is a beginning: all of it is yours to change.

Exit codes:
    0  it is there
    2  the command line does not make sense, or DIR is not empty
    4  a file cannot be written

Example:
    mtl-host new --lang go my-worker
    mtl-host run my-worker input.txt";

/// Begin a plugin in a language of your choice
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct NewArgs {
    /// The folder of the project, which is made; the worker is called after it
    dir: PathBuf,

    /// The language to write it in
    #[arg(long, value_name = "LANG")]
    lang: Language,
}

/// Begins a project, and returns what comes next, to be shown.
pub(super) fn new(args: &NewArgs) -> Result<String, NewError> {
    args.begin().map(|()| next(&args.dir))
}

/// The two commands that one would like to see first.
fn next(dir: &Path) -> String {
    let dir = shell::path(dir);
    let dir = Shown::of(&dir);
    format!("mtl-host build {dir}\nprintf 'Ada\\nGrace\\n' | mtl-host run {dir}\n")
}

impl NewArgs {
    fn begin(&self) -> Result<(), NewError> {
        let name = Name::of(&self.dir, self.lang)?;
        let template =
            Template::of(self.lang).ok_or(NewError::NoTemplate { language: self.lang })?;
        let was_there = self.is_empty_folder()?;
        let made = template.write(&self.dir, &name);
        made.inspect_err(|_| match was_there {
            true => empty(&self.dir),
            false => _ = fs::remove_dir_all(&self.dir),
        })
    }

    /// Whether the folder is there already; an error if something is in it.
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

/// Removes all that is in a folder, as far as possible.
fn empty(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}
