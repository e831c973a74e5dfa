//! The only module that opens files for the host itself: inputs, items that are files, and outputs.
//!
//! In a directory that is granted for writing, a plugin may replace any file or directory with a symbolic link. The
//! host can access files that the plugin must not access. So the host must not follow such links. An [`Opener`] follows
//! no links below a directory that is granted for writing. Elsewhere, it follows links as the system does.
//!
//! ```text
//! path ─▶ is any directory granted for writing? ──no──▶ open
//!              │ yes
//!              ▼
//!         does it contain a link or `..`? ────────no──▶ open, by a call that follows no link
//!              │ yes
//!              ▼
//!         walk it name by name: follow a link outside of all grants, refuse a link inside of a grant
//! ```

mod walk;

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::Errno;

use self::walk::{LastName, Walk};

/// An opener of files for the host. It follows no link that a plugin may have made.
///
/// ```
/// use std::os::unix::fs::symlink;
///
/// use mtl_host::source::Inputs;
/// use mtl_host::grants::DirGrant;
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
pub struct Opener(Arc<[WritableDir]>);

/// A directory that plugins may change.
#[derive(Debug)]
struct WritableDir {
    /// The path as the user wrote it.
    name: PathBuf,
    dir: OwnedFd,
    id: FileId,
}

/// The identity of a file, independent of its names.
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
    /// Returns an error if the system cannot report it.
    pub fn of(file: impl AsFd) -> io::Result<Self> {
        let stat = fstat(file)?;
        Ok(Self { device: stat.st_dev, inode: stat.st_ino })
    }
}

/// The error of a path that leads through a link or `..` that a plugin may have changed.
///
/// It is the inner error of an [`io::Error`].
///
/// ```
/// use std::os::unix::fs::symlink;
///
/// use mtl_host::files::UntrustedPath;
/// use mtl_host::grants::DirGrant;
///
/// let folder = tempfile::tempdir()?;
/// symlink("elsewhere", folder.path().join("link"))?;
/// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
/// let error = DirGrant::opener([&grant])?.open(&folder.path().join("link")).unwrap_err();
/// let inner = error.get_ref().and_then(|error| error.downcast_ref::<UntrustedPath>()).unwrap();
/// assert_eq!(inner.grant, folder.path());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not followed in `{}`, which a plugin may change", grant.display())]
pub struct UntrustedPath {
    /// The part of the path that is not followed: `a symbolic link`, or `..`.
    pub what: &'static str,
    /// The granted directory, as the user wrote it.
    pub grant: PathBuf,
}

impl UntrustedPath {
    /// Returns a hint for the user, if the inner error is of this type.
    pub(crate) fn hint(error: &io::Error) -> Option<&'static str> {
        let is_untrusted = error.get_ref().is_some_and(|inner| inner.is::<Self>());
        is_untrusted.then_some("name the file itself, or grant that directory without `:rw`")
    }
}

impl From<UntrustedPath> for io::Error {
    fn from(error: UntrustedPath) -> Self {
        Self::other(error)
    }
}

impl Opener {
    const READING: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

    /// Creates an opener for a host in which no plugin may change a directory. It opens files as the system does.
    ///
    /// ```
    /// assert!(mtl_host::files::Opener::new().open("Cargo.toml".as_ref()).is_ok());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an opener for directories that plugins may change. Each directory has a name, which messages show.
    ///
    /// `DirGrant::opener` makes an opener from grants.
    ///
    /// # Errors
    ///
    /// Returns the system error if the system cannot identify one of the directories.
    #[doc(hidden)]
    pub fn with_writable_dirs<D: AsFd>(
        dirs: impl IntoIterator<Item = (PathBuf, D)>,
    ) -> io::Result<Self> {
        let dirs = dirs.into_iter().map(|(name, dir)| {
            let (dir, id) = (dir.as_fd().try_clone_to_owned()?, FileId::of(&dir)?);
            Ok(WritableDir { name, dir, id })
        });
        dirs.collect::<io::Result<_>>().map(Self)
    }

    /// Returns the granted directory through which a plugin may change the target of `path`, or `None`. The target need
    /// not exist.
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    ///
    /// let grant = DirGrant::read_write("../fixtures", "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// assert_eq!(opener.writable_dir_of("../fixtures/upper.wat".as_ref())?, Some("../fixtures".as_ref()));
    /// assert_eq!(opener.writable_dir_of("../run".as_ref())?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error if it cannot look up the path.
    pub fn writable_dir_of(&self, path: &Path) -> io::Result<Option<&Path>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Walk::new(&self.0).grant_of(path)
    }

    /// Returns a granted directory through which a plugin may change an entry below the directory `path`, or `None`.
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    ///
    /// let grant = DirGrant::read_write("../fixtures", "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// assert_eq!(opener.writable_dir_below("..".as_ref())?, Some("../fixtures".as_ref()));
    /// assert_eq!(opener.writable_dir_below("../integration".as_ref())?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error if it cannot look up the path.
    pub fn writable_dir_below(&self, path: &Path) -> io::Result<Option<&Path>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let dir = match open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            dir => FileId::of(dir?)?,
        };
        for writable in self.0.iter() {
            if walk::is_below(&writable.dir, |above| above == dir)? {
                return Ok(Some(&writable.name));
            }
        }
        Ok(None)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// Returns the system error, or [`UntrustedPath`].
    pub fn open(&self, path: &Path) -> io::Result<File> {
        self.open_file(path, Self::READING).map(File::from)
    }

    /// Opens a file for reading if it is a regular file. Does not open any other file, such as a named pipe.
    ///
    /// ```
    /// let opener = mtl_host::files::Opener::new();
    /// assert!(opener.open_regular("Cargo.toml".as_ref())?.is_some());
    /// assert!(opener.open_regular("/dev/null".as_ref())?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error, or [`UntrustedPath`].
    pub fn open_regular(&self, path: &Path) -> io::Result<Option<File>> {
        let found = self.look_up(path)?;
        if found.metadata().is_file() { found.open_nonblocking().map(Some) } else { Ok(None) }
    }

    /// Opens a file of any kind for reading, without blocking. A named pipe then needs no writer.
    pub(crate) fn open_nonblocking(&self, path: &Path) -> io::Result<File> {
        self.open_file(path, Self::READING | OFlags::NONBLOCK).map(File::from)
    }

    /// Looks up a file, without opening it for reading or writing.
    pub(crate) fn look_up<'a>(&self, path: &'a Path) -> io::Result<FoundFile<'a>> {
        if self.0.is_empty() {
            return Ok(FoundFile { metadata: path.metadata()?, at: At::Path(path) });
        }
        let file = File::from(self.open_file(path, OFlags::PATH | OFlags::CLOEXEC)?);
        Ok(FoundFile { metadata: file.metadata()?, at: At::File(file) })
    }

    /// Creates a file, or empties an existing one.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// let file = mtl_host::files::Opener::new().create(&folder.path().join("new"))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system error, or [`UntrustedPath`].
    pub fn create(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        self.open_file(path, flags).map(File::from)
    }

    /// Opens a file for writing, and creates it if it does not exist. The file keeps its content.
    pub(crate) fn open_to_write(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        self.open_file(path, flags).map(File::from)
    }

    /// Opens a directory as a base for opening files in it. It creates the directory and its parents if they do not
    /// exist.
    ///
    /// # Errors
    ///
    /// Returns the system error, or [`UntrustedPath`].
    pub(crate) fn create_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if self.0.is_empty() {
            std::fs::create_dir_all(path)?;
            return Ok(open(path, flags, Mode::empty())?);
        }
        let LastName { dir, name } = Walk::new(&self.0).making_dirs().last(path)?;
        Ok(openat(dir, &name, flags | OFlags::NOFOLLOW, Mode::empty())?)
    }

    fn open_file(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let mode = if flags.contains(OFlags::CREATE) { Mode::from(0o666) } else { Mode::empty() };
        if self.0.is_empty() {
            return Ok(open(path, flags, mode)?);
        }
        if !path.components().any(|part| part == Component::ParentDir) {
            match openat2(CWD, path, flags, mode, ResolveFlags::NO_SYMLINKS) {
                // The path has a link, or the kernel (or a container around it) lacks this call.
                Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => {}
                opened => return Ok(opened?),
            }
        }
        Walk::new(&self.0).open(path, flags, mode)
    }
}

/// Returns whether a path leads through a descriptor of a process, like `/dev/stdout` and `/dev/fd/3`.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    matches!(found, Err(Errno::LOOP))
}

/// A file that was looked up and is not opened yet.
#[derive(Debug)]
pub(crate) struct FoundFile<'a> {
    metadata: Metadata,
    at: At<'a>,
}

/// The way to open a file that was looked up.
#[derive(Debug)]
enum At<'a> {
    /// By its path, which no plugin may change. That costs less.
    Path(&'a Path),
    /// By this descriptor, which holds the file even if another file takes its name later.
    File(File),
}

impl FoundFile<'_> {
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Opens the file for reading, without blocking. If plugins may change directories, this needs `/proc`.
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
