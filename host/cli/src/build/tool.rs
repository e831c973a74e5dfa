//! A program that compiles, or that brings what does.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::command::command;

/// Where a tool is asked.
const NOWHERE: &str = "/";

/// A program, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// A name that `PATH` leads to, or a path.
    pub(super) program: OsString,
    /// What comes before all other arguments.
    pub(super) args: Vec<OsString>,
    /// Where the program is.
    pub(super) file: PathBuf,
}

impl Tool {
    /// One that no `PATH` leads to.
    pub(super) fn at(file: PathBuf) -> Self {
        Self { program: file.clone().into(), args: Vec::new(), file }
    }

    /// The same, with arguments before all others.
    pub(super) fn with<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.args.extend(args.map(OsString::from));
        self
    }

    /// Returns whether the program lies in the folder `dir`, or a link leads there.
    pub(super) fn is_below(&self, dir: &Path) -> bool {
        let leads_there = |path: &Path| path.canonicalize().is_ok_and(|real| real.starts_with(dir));
        self.file.starts_with(dir)
            || leads_there(&self.file)
            || self.file.parent().is_some_and(leads_there)
    }

    /// Runs the program and returns what it prints; nothing if it fails.
    pub(super) fn answer(&self, args: &[&str]) -> Option<String> {
        let mut command = command(&self.file, Path::new(NOWHERE));
        let output = command.args(&self.args).args(args).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    }
}

/// A file as it was when something was made with it, or of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// As it was named.
    file: PathBuf,
    /// Where that led to: a link may lead to another version the next time.
    real: PathBuf,
    bytes: u64,
    nanoseconds: u128,
}

impl Seen {
    /// Looks at a file; nothing if it is not there.
    pub(super) fn look(file: &Path) -> Option<Self> {
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
