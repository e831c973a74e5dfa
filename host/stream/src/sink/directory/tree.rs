//! Files below a directory that an open descriptor holds.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::SinkError;
use crate::files::Opener;
use crate::output_paths::OutputPath;
use crate::sink::durable;

/// The output directory, and the open subdirectory of the last result. Consecutive items often have
/// the same subdirectory.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    last: Option<(PathBuf, OwnedFd)>,
    /// The temporary names of incomplete files.
    names: PartNames,
}

/// The step that failed, with the path and the error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) step: Step,
    /// The path, relative to the directory.
    pub(super) at: PathBuf,
    pub(super) source: io::Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Folder,
    Create,
    Write,
    Rename,
}

impl Step {
    fn failure_at(self, at: &Path) -> impl Fn(io::Error) -> Failure {
        move |source| Failure { step: self, at: at.to_owned(), source }
    }

    pub(super) fn error(self, path: PathBuf, records: u64, source: io::Error) -> SinkError {
        let is = |errno: Errno| source.raw_os_error() == Some(errno.raw_os_error());
        match self {
            Self::Folder if is(Errno::NOTDIR) || is(Errno::LOOP) => {
                SinkError::Obstructed { path, what: "a link, or not a directory" }
            }
            Self::Rename if is(Errno::ISDIR) => SinkError::Obstructed { path, what: "a folder" },
            Self::Folder | Self::Create | Self::Rename => SinkError::Create { path, source },
            Self::Write => SinkError::Write { name: path.display().to_string(), records, source },
        }
    }
}

impl Tree {
    /// The flags that open a directory, and fail for a link.
    const FOLDER: OFlags =
        OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
    /// The flags that create a file, and fail if the name exists.
    const NEW: OFlags =
        OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC);

    /// Opens the directory at `path`, and creates it if it does not exist.
    pub(super) fn create(opener: &Opener, path: &Path) -> io::Result<Self> {
        let root = opener.create_dir(path)?;
        Ok(Self { root, last: None, names: PartNames::default() })
    }

    /// Writes a file and creates the folders that contain it. It replaces an existing file.
    pub(super) fn write(&mut self, output: &OutputPath, content: &[u8]) -> Result<(), Failure> {
        let folder = match self.last.take_if(|(path, _)| path == output.folder()) {
            Some((_, folder)) => folder,
            None => self.open(output)?,
        };
        let written = self.write_in(&folder, output, content);
        self.last = Some((output.folder().to_owned(), folder));
        written
    }

    /// Waits until all written files are on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        durable::sync_all(&self.root)
    }

    /// Opens the folder of a file, and creates missing folders.
    fn open(&self, output: &OutputPath) -> Result<OwnedFd, Failure> {
        let mut so_far = PathBuf::new();
        let mut folder = None;
        for name in output.folder() {
            so_far.push(name);
            let parent = folder.as_ref().unwrap_or(&self.root);
            let next = open_or_make(parent, name).map_err(Step::Folder.failure_at(&so_far))?;
            folder = Some(next);
        }
        match folder {
            Some(folder) => Ok(folder),
            None => self.root.try_clone().map_err(Step::Folder.failure_at(output.folder())),
        }
    }

    fn write_in(
        &mut self,
        folder: &OwnedFd,
        output: &OutputPath,
        content: &[u8],
    ) -> Result<(), Failure> {
        let (name, mut file) =
            self.names.create(folder).map_err(Step::Create.failure_at(output.path()))?;
        let written = file.write_all(content).map_err(Step::Write.failure_at(output.path()));
        drop(file);
        let done = written.and_then(|()| {
            let renamed = renameat(folder, &name, folder, output.file_name());
            renamed.map_err(|error| Step::Rename.failure_at(output.path())(error.into()))
        });
        if done.is_err() {
            // If this fails, an incomplete file stays, under its temporary name.
            let _ = unlinkat(folder, &name, AtFlags::empty());
        }
        done
    }
}

fn open_or_make(parent: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let open = || openat(parent, name, Tree::FOLDER, Mode::empty());
    match open() {
        Err(Errno::NOENT) => match mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
            // Another process created the folder first.
            Ok(()) | Err(Errno::EXIST) => Ok(open()?),
            Err(error) => Err(error.into()),
        },
        opened => Ok(opened?),
    }
}

/// Temporary names for incomplete files, with a counter.
#[derive(Debug, Default)]
struct PartNames {
    next: u64,
}

impl PartNames {
    /// Creates a file with a name that does not exist yet.
    fn create(&mut self, folder: &OwnedFd) -> io::Result<(String, File)> {
        loop {
            let name = format!(".mtl-host-{}-{}.part", std::process::id(), self.next);
            match openat(folder, &name, Tree::NEW, Mode::from_raw_mode(0o666)) {
                Ok(file) => return Ok((name, File::from(file))),
                // A file of this name exists: a killed run left it, or a run in another container
                // has the same process ID.
                Err(Errno::EXIST) => self.next += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
