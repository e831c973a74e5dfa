//! The one place that opens files for the host itself: inputs, items that are files, outputs.
//!
//! A plugin may exchange whatever lies in a directory that is granted to it for writing: the directory that a path
//! goes through, and the file at its end. The host has more rights than the plugin, so it must not follow a link
//! there. Below such a directory an [`Opener`] follows none; elsewhere it follows links as the system does.
//!
//! ```text
//! path ─▶ is nothing granted for writing? ──yes─▶ open
//!              │ no
//!              ▼
//!         has it any link or `..`? ────────no───▶ open, by a call that follows no link
//!              │ yes
//!              ▼
//!         walk it, name by name: a link outside of every grant is followed, one inside of a grant is refused
//! ```

mod walk;

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::Errno;

use self::walk::{Last, Walk};

/// Opens files for the host, beside plugins that may change some directories.
///
/// ```
/// use std::os::unix::fs::symlink;
///
/// use mtl_host::source::Inputs;
/// use mtl_host::DirGrant;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("input");
/// symlink("/etc/hostname", &path)?;
/// // A link is followed …
/// assert!(Inputs::open(vec![path.clone()]).is_ok());
/// // … but not where a plugin may have made it.
/// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
/// let opener = DirGrant::opener([&grant])?;
/// let refused = Inputs::open_with(&opener, vec![path]);
/// assert!(refused.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Opener(Arc<[Changeable]>);

/// A directory that plugins may change.
#[derive(Debug)]
struct Changeable {
    /// As the user named it.
    name: PathBuf,
    dir: OwnedFd,
    id: FileId,
}

/// A file, whatever its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity of an open file.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn of(file: impl AsFd) -> io::Result<Self> {
        let stat = fstat(file)?;
        Ok(Self { device: stat.st_dev, inode: stat.st_ino })
    }
}

/// A path leads to a place where a plugin may have changed the way.
///
/// It is the inner error of an [`io::Error`].
///
/// ```
/// use std::os::unix::fs::symlink;
///
/// use mtl_host::{DirGrant, Exchangeable};
///
/// let folder = tempfile::tempdir()?;
/// symlink("elsewhere", folder.path().join("link"))?;
/// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
/// let error = DirGrant::opener([&grant])?.open(&folder.path().join("link")).unwrap_err();
/// let why = error.get_ref().and_then(|error| error.downcast_ref::<Exchangeable>()).unwrap();
/// assert_eq!(why.grant, folder.path());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not followed in `{}`, which a plugin may change", grant.display())]
pub struct Exchangeable {
    /// The part of the path that is not followed: `a symbolic link`, or `..`.
    pub what: &'static str,
    /// The granted directory, as the user named it.
    pub grant: PathBuf,
}

impl Exchangeable {
    /// Returns what the user can do about an error that is one of these.
    pub(crate) fn hint(error: &io::Error) -> Option<&'static str> {
        let is_one = error.get_ref().is_some_and(|inner| inner.is::<Self>());
        is_one.then_some("name the file itself, or grant that directory without `:rw`")
    }
}

impl From<Exchangeable> for io::Error {
    fn from(error: Exchangeable) -> Self {
        Self::other(error)
    }
}

impl Opener {
    const READING: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

    /// Opens files as the system does: no plugin may change any directory.
    ///
    /// ```
    /// assert!(mtl_host::Opener::new().open("Cargo.toml".as_ref()).is_ok());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens files beside plugins that may change these directories. Each has the name that messages call it by.
    ///
    /// `DirGrant::opener` makes one of grants.
    ///
    /// # Errors
    ///
    /// Returns what the system says if it cannot tell which directory one is.
    #[doc(hidden)]
    pub fn beside<D: AsFd>(changeable: impl IntoIterator<Item = (PathBuf, D)>) -> io::Result<Self> {
        let changeable = changeable.into_iter().map(|(name, dir)| {
            let (dir, id) = (dir.as_fd().try_clone_to_owned()?, FileId::of(&dir)?);
            Ok(Changeable { name, dir, id })
        });
        changeable.collect::<io::Result<_>>().map(Self)
    }

    /// Returns the granted directory in which a plugin may change what `path` leads to, if there is one. The file
    /// need not exist.
    ///
    /// ```
    /// use mtl_host::DirGrant;
    ///
    /// let grant = DirGrant::read_write("../fixtures", "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// assert_eq!(opener.changeable("../fixtures/upper.wat".as_ref())?, Some("../fixtures".as_ref()));
    /// assert_eq!(opener.changeable("../run".as_ref())?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns what the system says if it cannot look.
    pub fn changeable(&self, path: &Path) -> io::Result<Option<&Path>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Walk::new(&self.0).grant_of(path)
    }

    /// Returns a granted directory in which a plugin may change something below the directory `path`, if there is one.
    ///
    /// ```
    /// use mtl_host::DirGrant;
    ///
    /// let grant = DirGrant::read_write("../fixtures", "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// assert_eq!(opener.changeable_below("..".as_ref())?, Some("../fixtures".as_ref()));
    /// assert_eq!(opener.changeable_below("../integration".as_ref())?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns what the system says if it cannot look.
    pub fn changeable_below(&self, path: &Path) -> io::Result<Option<&Path>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let dir = match open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            dir => FileId::of(dir?)?,
        };
        for changeable in self.0.iter() {
            if walk::is_below(&changeable.dir, |above| above == dir)? {
                return Ok(Some(&changeable.name));
            }
        }
        Ok(None)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// Returns what the system says, or [`Exchangeable`].
    pub fn open(&self, path: &Path) -> io::Result<File> {
        self.open_file(path, Self::READING).map(File::from)
    }

    /// Opens a file for reading if it is a regular one. What else there is, such as a named pipe, does not notice.
    ///
    /// ```
    /// let opener = mtl_host::Opener::new();
    /// assert!(opener.open_regular("Cargo.toml".as_ref())?.is_some());
    /// assert!(opener.open_regular("/dev/null".as_ref())?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns what the system says, or [`Exchangeable`].
    pub fn open_regular(&self, path: &Path) -> io::Result<Option<File>> {
        let found = self.look(path)?;
        if found.metadata().is_file() { found.open_nonblocking().map(Some) } else { Ok(None) }
    }

    /// Opens a file of any kind for reading, without blocking: a named pipe does not need a writer for that.
    pub(crate) fn open_nonblocking(&self, path: &Path) -> io::Result<File> {
        self.open_file(path, Self::READING | OFlags::NONBLOCK).map(File::from)
    }

    /// Finds a file, without opening it to read or to write.
    pub(crate) fn look<'a>(&self, path: &'a Path) -> io::Result<Found<'a>> {
        if self.0.is_empty() {
            return Ok(Found { metadata: path.metadata()?, at: At::Path(path) });
        }
        let file = File::from(self.open_file(path, OFlags::PATH | OFlags::CLOEXEC)?);
        Ok(Found { metadata: file.metadata()?, at: At::File(file) })
    }

    /// Makes a file, or empties it if it exists.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// let file = mtl_host::Opener::new().create(&folder.path().join("new"))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns what the system says, or [`Exchangeable`].
    pub fn create(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        self.open_file(path, flags).map(File::from)
    }

    /// Opens a file for writing, and makes it if it does not exist. It keeps its content.
    pub(crate) fn open_to_write(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        self.open_file(path, flags).map(File::from)
    }

    /// Opens a directory, to be named by what is opened in it. It is made, with those above it, if it does not
    /// exist.
    ///
    /// # Errors
    ///
    /// Returns what the system says, or [`Exchangeable`].
    pub(crate) fn create_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if self.0.is_empty() {
            std::fs::create_dir_all(path)?;
            return Ok(open(path, flags, Mode::empty())?);
        }
        let Last { dir, name } = Walk::new(&self.0).making_dirs().last(path)?;
        Ok(openat(dir, &name, flags | OFlags::NOFOLLOW, Mode::empty())?)
    }

    fn open_file(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let mode = if flags.contains(OFlags::CREATE) { Mode::from(0o666) } else { Mode::empty() };
        if self.0.is_empty() {
            return Ok(open(path, flags, mode)?);
        }
        if !path.components().any(|part| part == Component::ParentDir) {
            match openat2(CWD, path, flags, mode, ResolveFlags::NO_SYMLINKS) {
                // There is a link; or the kernel, or a container around it, has no such call.
                Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => {}
                opened => return Ok(opened?),
            }
        }
        Walk::new(&self.0).open(path, flags, mode)
    }
}

/// Returns whether a path leads through a descriptor of a process, as `/dev/stdout` and `/dev/fd/3` do.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    matches!(found, Err(Errno::LOOP))
}

/// A file that was found, and not yet opened.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    metadata: Metadata,
    at: At<'a>,
}

/// Where a file was found.
#[derive(Debug)]
enum At<'a> {
    /// No plugin may change the path, so it is opened again: that costs less.
    Path(&'a Path),
    /// The file is held, whatever has its name later.
    File(File),
}

impl Found<'_> {
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Opens the file for reading, without blocking. Where plugins may change directories, this needs `/proc`.
    pub(crate) fn open_nonblocking(&self) -> io::Result<File> {
        let flags = Opener::READING | OFlags::NONBLOCK;
        let opened = match &self.at {
            At::Path(path) => open(*path, flags, Mode::empty()),
            At::File(file) => {
                open(format!("/proc/self/fd/{}", file.as_raw_fd()), flags, Mode::empty())
            }
        };
        Ok(File::from(opened?))
    }
}

#[cfg(test)]
mod tests;
