//! Follows a path name by name. At each step, the walk knows whether a plugin may change the next entry.
//!
//! A plugin can move a directory only within and between writable directories. So a directory below a writable
//! directory stays below a writable directory, even while a plugin renames directories. A directory outside of all
//! writable directories stays outside.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    FileType, Mode, OFlags, PROC_SUPER_MAGIC, fstat, fstatfs, mkdirat, open, openat, readlinkat,
};
use rustix::io::Errno;

use super::{FileId, UntrustedPath, WritableDir};

/// The maximum number of links that one path may lead through, as on Linux.
const MAX_LINKS: usize = 40;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A walk along one path.
pub(super) struct Walk<'a> {
    writable_dirs: &'a [WritableDir],
    /// True if the walk creates each missing directory.
    makes_dirs: bool,
    links: usize,
}

/// The end of a path: a name in a directory. The name is not a link.
pub(super) struct LastName {
    pub(super) dir: OwnedFd,
    pub(super) name: OsString,
}

/// A directory on the path.
struct WalkPosition<'a> {
    dir: OwnedFd,
    /// The writable directory at or above this directory, if there is one.
    inside: Option<&'a WritableDir>,
    /// `true` if the walk has followed `..` inside the writable directory. A plugin controls where such a `..` leads
    /// inside that directory.
    has_climbed: bool,
}

/// The entry that a name leads to.
enum PathEntry {
    /// A directory.
    Directory(OwnedFd),
    /// No entry.
    Nothing,
    /// A file that is neither a directory nor a link.
    File,
    /// A link and its target.
    Link(PathBuf),
    /// A link that only the kernel can follow, such as an entry of `/proc/self/fd`.
    MagicLink,
}

impl<'a> Walk<'a> {
    pub(super) fn new(writable_dirs: &'a [WritableDir]) -> Self {
        Self { writable_dirs, makes_dirs: false, links: 0 }
    }

    /// Creates every missing directory of the path.
    pub(super) fn making_dirs(self) -> Self {
        Self { makes_dirs: true, ..self }
    }

    /// Opens the file at the end of `path`.
    pub(super) fn open(mut self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        match self.follow(path)? {
            WalkEnd::Name { here, name } => {
                match openat(&here.dir, &name, flags | OFlags::NOFOLLOW, mode) {
                    Err(Errno::LOOP) => Err(here.refuse("a symbolic link")),
                    opened => Ok(opened?),
                }
            }
            WalkEnd::Magic { here, name } => Ok(openat(&here.dir, &name, flags, mode)?),
            WalkEnd::Missing { .. } => Err(Errno::NOENT.into()),
        }
    }

    /// Returns the directory at the end of `path`, as a name in its parent.
    pub(super) fn last(mut self, path: &Path) -> io::Result<LastName> {
        match self.follow(path)? {
            WalkEnd::Name { here, name } => {
                if self.makes_dirs {
                    make_dir(&here.dir, &name)?;
                }
                Ok(LastName { dir: here.dir, name })
            }
            WalkEnd::Magic { here, name } => Ok(LastName {
                dir: openat(&here.dir, &name, DIRECTORY, Mode::empty())?,
                name: ".".into(),
            }),
            WalkEnd::Missing { .. } => Err(Errno::NOENT.into()),
        }
    }

    /// Returns the granted directory in which a plugin may change the target of `path`.
    pub(super) fn grant_of(mut self, path: &Path) -> io::Result<Option<&'a Path>> {
        let name = |writable: &'a WritableDir| writable.name.as_path();
        match self.follow(path) {
            Ok(WalkEnd::Name { here, name: last }) => {
                let itself = openat(&here.dir, &last, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
                let writable = itself
                    .ok()
                    .and_then(|dir| self.writable_dir_at(&dir).transpose())
                    .transpose()?;
                Ok(here.inside.or(writable).map(name))
            }
            Ok(WalkEnd::Missing { here }) => Ok(here.inside.map(name)),
            Ok(WalkEnd::Magic { here, name: last }) => {
                let found =
                    openat(&here.dir, &last, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
                if FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Directory {
                    return Ok(self.arrive(found)?.inside.map(name));
                }
                // The kernel reports the path of an open file. A file without a name in any directory has no absolute
                // path.
                let target = readlinkat(&here.dir, &last, Vec::new())?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() { self.grant_of(&target) } else { Ok(None) }
            }
            Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(UntrustedPath { grant, .. }) => {
                    Ok(self.writable_dirs.iter().map(name).find(|name| name == grant))
                }
                None => Err(error),
            },
        }
    }

    /// Walks along `path`, up to its last name.
    fn follow(&mut self, path: &Path) -> io::Result<WalkEnd<'a>> {
        let mut here = self.start(path)?;
        let mut rest = names(path);
        loop {
            let Some(name) = rest.pop_front() else {
                // The path is a root, or ends in `.` or `..`.
                return Ok(WalkEnd::Name { here, name: ".".into() });
            };
            if name == ".." {
                here = self.up(&here)?;
                continue;
            }
            match look_up(&here.dir, &name)? {
                PathEntry::Directory(dir) if !rest.is_empty() => here = self.down(&here, dir)?,
                PathEntry::Directory(_) => return Ok(WalkEnd::Name { here, name }),
                PathEntry::File | PathEntry::Nothing if rest.is_empty() => {
                    return Ok(WalkEnd::Name { here, name });
                }
                PathEntry::File => return Err(Errno::NOTDIR.into()),
                PathEntry::Nothing if self.makes_dirs => {
                    make_dir(&here.dir, &name)?;
                    rest.push_front(name);
                }
                PathEntry::Nothing => return Ok(WalkEnd::Missing { here }),
                PathEntry::Link(_) if here.inside.is_some() => {
                    return Err(here.refuse("a symbolic link"));
                }
                PathEntry::Link(target) => {
                    self.links += 1;
                    if self.links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    if rest.is_empty() {
                        may_follow(&here.dir, &name)?;
                    }
                    if target.is_absolute() {
                        here = self.start(&target)?;
                    }
                    let mut names = names(&target);
                    names.append(&mut rest);
                    rest = names;
                }
                PathEntry::MagicLink if rest.is_empty() => {
                    return Ok(WalkEnd::Magic { here, name });
                }
                PathEntry::MagicLink => {
                    let dir = openat(&here.dir, &name, DIRECTORY, Mode::empty())?;
                    here = self.arrive(dir)?;
                }
            }
        }
    }

    /// Returns the directory where a path starts.
    fn start(&self, path: &Path) -> io::Result<WalkPosition<'a>> {
        let start = if path.is_absolute() { "/" } else { "." };
        self.arrive(open(start, DIRECTORY, Mode::empty())?)
    }

    /// Returns the position at `dir`. It checks all parent directories of `dir`, to find out whether a plugin may
    /// change `dir`.
    fn arrive(&self, dir: OwnedFd) -> io::Result<WalkPosition<'a>> {
        let mut inside = None;
        is_below(&dir, |above| {
            inside = self.writable_dirs.iter().find(|writable| writable.id == above);
            inside.is_some()
        })?;
        Ok(WalkPosition { dir, inside, has_climbed: false })
    }

    /// Enters a directory that is in `here`.
    fn down(&self, here: &WalkPosition<'a>, dir: OwnedFd) -> io::Result<WalkPosition<'a>> {
        let inside = match here.inside {
            None => self.writable_dir_at(&dir)?,
            inside => inside,
        };
        Ok(WalkPosition { dir, inside, has_climbed: here.has_climbed })
    }

    /// Goes up to the parent of a directory. A plugin can move directories, so it controls how many `..` components
    /// lead out of its writable directory. After a `..` inside the writable directory, the walk must not leave that
    /// directory.
    fn up(&self, here: &WalkPosition<'a>) -> io::Result<WalkPosition<'a>> {
        let parent = self.arrive(openat(&here.dir, "..", DIRECTORY, Mode::empty())?)?;
        match (here.inside, parent.inside) {
            (Some(_), Some(_)) => Ok(WalkPosition { has_climbed: true, ..parent }),
            (Some(writable), None) if here.has_climbed || FileId::of(&here.dir)? != writable.id => {
                Err(here.refuse("`..`"))
            }
            _ => Ok(parent),
        }
    }

    /// Returns the writable directory that is identical to this directory.
    fn writable_dir_at(&self, dir: impl AsFd) -> io::Result<Option<&'a WritableDir>> {
        let id = FileId::of(dir)?;
        Ok(self.writable_dirs.iter().find(|writable| writable.id == id))
    }
}

/// The end of a walk.
enum WalkEnd<'a> {
    /// At a name that is not a link. The name need not exist.
    Name { here: WalkPosition<'a>, name: OsString },
    /// At a link that only the kernel can follow.
    Magic { here: WalkPosition<'a>, name: OsString },
    /// Before the last name, because a directory is missing.
    Missing { here: WalkPosition<'a> },
}

impl WalkPosition<'_> {
    fn refuse(&self, part: &'static str) -> io::Error {
        match self.inside {
            Some(WritableDir { name, .. }) => {
                UntrustedPath { what: part, grant: name.clone() }.into()
            }
            // Another process has just put a link there.
            None => Errno::LOOP.into(),
        }
    }
}

/// Returns whether `is_it` holds for `dir` or a directory above it.
pub(super) fn is_below(dir: &OwnedFd, mut is_it: impl FnMut(FileId) -> bool) -> io::Result<bool> {
    let mut above = dir.try_clone()?;
    let mut id = FileId::of(&above)?;
    loop {
        if is_it(id) {
            return Ok(true);
        }
        above = openat(&above, "..", DIRECTORY, Mode::empty())?;
        let parent = FileId::of(&above)?;
        if parent == id {
            return Ok(false);
        }
        id = parent;
    }
}

/// Asks the kernel whether a link at the end of a path may be followed. In `/tmp`, for example, the kernel refuses to
/// follow links of other users.
fn may_follow(dir: &OwnedFd, link: &OsStr) -> io::Result<()> {
    match openat(dir, link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Err(error @ (Errno::ACCESS | Errno::LOOP)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Splits a path into its names.
fn names(path: &Path) -> VecDeque<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

/// Returns the entry that a name in a directory leads to.
fn look_up(dir: &OwnedFd, name: &OsStr) -> io::Result<PathEntry> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = match openat(dir, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(PathEntry::Nothing),
        found => found?,
    };
    match FileType::from_raw_mode(fstat(&found)?.st_mode) {
        FileType::Directory => Ok(PathEntry::Directory(found)),
        FileType::Symlink if fstatfs(&found)?.f_type == PROC_SUPER_MAGIC => {
            Ok(PathEntry::MagicLink)
        }
        FileType::Symlink => {
            let target = readlinkat(&found, "", Vec::new())?;
            Ok(PathEntry::Link(OsString::from_vec(target.into_bytes()).into()))
        }
        _ => Ok(PathEntry::File),
    }
}

/// Creates a directory, unless it exists.
fn make_dir(dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match mkdirat(dir, name, Mode::from(0o777)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
