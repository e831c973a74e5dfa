//! Granted directories, which stay open. A grant refers to an open directory and not to its path.
//! Otherwise a plugin that renames entries in one granted directory could redirect another grant.
//!
//! ```text
//! DirGrant ──open, once──▶ GrantedDir ─┬─▶ Preopens: WASI's directories of each instance, on threads
//!  (a path)                (a file)    ├─▶ sent to each child ─▶ its Preopens, its Landlock rules
//!                                      └─▶ the files that a cached snapshot depends on
//! ```

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, open};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use super::capabilities::{DirGrant, Grants};
use super::net_grant::NetGrant;
use crate::files::FileId;
use crate::jail::AllowedDir;

/// An open directory. Clones share the open file.
#[derive(Clone, Debug)]
pub(crate) struct OpenDir {
    file: Arc<OwnedFd>,
    id: FileId,
}

impl OpenDir {
    /// Opens the directory at `path`.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Self::from_fd(open(path, flags, Mode::empty())?)
    }

    /// Takes over an open directory.
    pub(crate) fn from_fd(file: OwnedFd) -> io::Result<Self> {
        let id = FileId::of(&file)?;
        Ok(Self { file: Arc::new(file), id })
    }
}

/// Equal values refer to the same directory.
impl PartialEq for OpenDir {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for OpenDir {}

impl AsFd for OpenDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A granted directory that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantedDir {
    pub(crate) grant: DirGrant,
    pub(crate) dir: OpenDir,
}

impl GrantedDir {
    /// Opens the directory of `grant`, unless the grant has it open already.
    pub(crate) fn open(grant: &DirGrant) -> io::Result<Self> {
        let dir = grant.opened().map_or_else(|| OpenDir::at(grant.host()), Ok)?;
        Ok(Self { grant: grant.clone(), dir })
    }

    /// Returns the directory in the form that a jail takes.
    pub(crate) fn allowed(&self) -> AllowedDir {
        AllowedDir::new(Arc::clone(&self.dir.file), self.grant.access())
    }
}

/// The grants of a plugin, with open directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenGrants {
    pub(crate) dirs: Vec<GrantedDir>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) net: Vec<NetGrant>,
    /// Granted directories that only WASI holds open, as in a jailed process.
    pub(crate) closed: Vec<DirGrant>,
}

impl OpenGrants {
    /// The maximum number of directories of one worker. A jailed process may have 1024 open
    /// descriptors. Before the process enters its jail, each directory needs two descriptors. The
    /// remaining descriptors are for the files that an instance opens.
    pub(crate) const MAX_DIRS: usize = 200;

    /// Returns whether the plugin has a granted directory.
    pub(crate) fn has_dirs(&self) -> bool {
        !self.dirs.is_empty() || !self.closed.is_empty()
    }

    /// Returns whether the plugin may make symbolic links.
    pub(crate) fn may_link(&self) -> bool {
        let open = self.dirs.iter().map(|dir| &dir.grant);
        open.chain(&self.closed).any(DirGrant::may_hold_symlinks)
    }

    /// Closes the directories. [`Preopens`] keep them open by their own descriptors.
    pub(crate) fn close_dirs(&mut self) {
        self.closed.extend(self.dirs.drain(..).map(|dir| dir.grant));
    }
}

/// The open directories of a pool. Each path is opened once, so that all workers get the same
/// directory.
#[derive(Debug, Default)]
pub(crate) struct Directories {
    open: Vec<(PathBuf, OpenDir)>,
}

impl Directories {
    /// Opens the directories of `grants`.
    ///
    /// # Errors
    ///
    /// Fails with the path of the directory that cannot be opened.
    pub(crate) fn open(&mut self, grants: Grants) -> Result<OpenGrants, (PathBuf, io::Error)> {
        let Grants { dirs, env, net } = grants;
        let dirs = dirs.into_iter().map(|grant| {
            let path = grant.host().to_owned();
            self.open_one(grant).map_err(|error| (path, error))
        });
        Ok(OpenGrants { dirs: dirs.collect::<Result<_, _>>()?, env, net, closed: Vec::new() })
    }

    fn open_one(&mut self, grant: DirGrant) -> io::Result<GrantedDir> {
        let known = self.open.iter().find(|(path, _)| path == grant.host());
        if let (None, Some((_, dir))) = (grant.opened(), known) {
            return Ok(GrantedDir { grant, dir: dir.clone() });
        }
        let opened = GrantedDir::open(&grant)?;
        self.open.push((grant.host().to_owned(), opened.dir.clone()));
        Ok(opened)
    }
}

/// The directories of one worker in WASI's form. All its instances share them.
#[derive(Clone, Default)]
pub(crate) struct Preopens(WasiFilesystemCtx);

impl Preopens {
    /// Makes WASI's directories from open directories. This needs `/proc`, which has a path for
    /// each open descriptor.
    pub(crate) fn of(dirs: &[GrantedDir]) -> io::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        for GrantedDir { grant, dir } in dirs {
            let rights = if grant.is_writable() { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            let path = format!("/proc/self/fd/{}", dir.file.as_raw_fd());
            wasi.preopened_dir(path, grant.guest(), rights).map_err(io::Error::other)?;
        }
        Ok(Self(wasi.build().filesystem().clone()))
    }

    /// Gives the directories to an instance.
    pub(crate) fn put_into(&self, wasi: &mut WasiCtx) {
        *wasi.filesystem() = self.0.clone();
    }
}

impl fmt::Debug for Preopens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preopens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn workers_share_one_opened_directory() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("granted");
        fs::create_dir(&at).unwrap();
        let mut directories = Directories::default();
        let mut open = |grant: DirGrant| {
            let mut grants = Grants::default();
            grants.dir(grant);
            directories.open(grants).map(|granted| granted.dirs[0].clone())
        };
        let first = open(DirGrant::read(&at, "/a")).unwrap();
        fs::rename(&at, folder.path().join("moved")).unwrap();
        let second = open(DirGrant::read_write(&at, "/b")).unwrap();
        assert_eq!(first.dir, second.dir);
        let (path, error) = open(DirGrant::read(folder.path().join("none"), "/c")).unwrap_err();
        assert_eq!(path, folder.path().join("none"));
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn closed_grants_keep_their_properties() {
        let links = DirGrant::read_write("/tmp", "/links").symlinks();
        for (grant, may_link) in [(DirGrant::read("/tmp", "/read"), false), (links, true)] {
            let dirs = vec![GrantedDir::open(&grant).unwrap()];
            let mut granted = OpenGrants { dirs, ..OpenGrants::default() };
            assert_eq!((granted.has_dirs(), granted.may_link()), (true, may_link));
            granted.close_dirs();
            assert!(granted.dirs.is_empty());
            assert_eq!((granted.has_dirs(), granted.may_link()), (true, may_link));
        }
        assert!(!OpenGrants::default().has_dirs());
    }

    #[test]
    fn an_open_grant_is_not_reopened() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("granted");
        fs::create_dir(&at).unwrap();
        let grant = DirGrant::read(&at, "/a").open().unwrap();
        fs::remove_dir(&at).unwrap();
        let (first, second) =
            (GrantedDir::open(&grant).unwrap(), GrantedDir::open(&grant).unwrap());
        assert_eq!(first, second);
    }
}
