//! Tools: compilers, and programs that install them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::command::command;

/// The folder in which a tool answers questions about itself.
const PROBE_DIR: &str = "/";

/// A program, with its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// The name to show: a name on `PATH`, or a path.
    pub(super) program: OsString,
    /// The arguments before all others.
    pub(super) args: Vec<OsString>,
    /// The path of the program.
    pub(super) file: PathBuf,
}

impl Tool {
    /// Returns a tool by its path.
    pub(super) fn at(file: PathBuf) -> Self {
        Self { program: file.clone().into(), args: Vec::new(), file }
    }

    /// Adds arguments that come before all others.
    pub(super) fn with<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.args.extend(args.map(OsString::from));
        self
    }

    /// Returns whether the program is in the folder `dir`, or is a link to a file there.
    pub(super) fn is_below(&self, dir: &Path) -> bool {
        let leads_there = |path: &Path| path.canonicalize().is_ok_and(|real| real.starts_with(dir));
        self.file.starts_with(dir)
            || leads_there(&self.file)
            || self.file.parent().is_some_and(leads_there)
    }

    /// Runs the program, and returns its output, or `None` if it fails.
    pub(super) fn answer(&self, args: &[&str]) -> Option<String> {
        let mut command = command(&self.file, Path::new(PROBE_DIR));
        let output = command.args(&self.args).args(args).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    }
}

/// The metadata of a file at the time of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStamp {
    /// The path before links are followed.
    file: PathBuf,
    /// The real path: a link may point to another version later.
    real: PathBuf,
    bytes: u64,
    nanoseconds: u128,
}

impl FileStamp {
    /// Reads the metadata of a file, or returns `None` if the file is missing.
    pub(super) fn read(file: &Path) -> Option<Self> {
        let real = file.canonicalize().ok()?;
        let found = fs::metadata(&real).ok()?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let (bytes, nanoseconds) = (found.len(), modified.as_nanos());
        Some(Self { file: file.to_owned(), real, bytes, nanoseconds })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}
