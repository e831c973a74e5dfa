//! Tests of granted directories, and of files outside them.

use std::ffi::CString;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, Mode, linkat, mkdirat, renameat, symlinkat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, getppid};
use tempfile::TempDir;

use super::{JailConfig, Task, alone, bare, begin, call, enter, misdeeds, not_refused, seal};
use crate::{Access, AllowedDir};

/// Three directories: `read` is granted for reading, `write` for writing, and `secret` is not
/// granted. Each directory contains a file. The granted directories contain symbolic links to files
/// outside of them.
struct Tree {
    root: TempDir,
}

impl Tree {
    fn new() -> Self {
        let tree = Self { root: tempfile::tempdir().unwrap() };
        for name in ["read", "write", "secret"] {
            fs::create_dir(tree.at(name)).unwrap();
            fs::write(tree.at(name).join("file"), name).unwrap();
        }
        symlink("../secret/file", tree.at("read/link")).unwrap();
        symlink("/etc/passwd", tree.at("write/link")).unwrap();
        tree
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn dirs(&self) -> [(PathBuf, Access); 2] {
        [(self.at("read"), Access::Read), (self.at("write"), Access::ReadWrite)]
    }

    /// Returns the same directories; the writable one may hold symbolic links.
    fn dirs_with_symlinks(&self) -> [(PathBuf, Access); 2] {
        [(self.at("read"), Access::Read), (self.at("write"), Access::ReadWriteSymlinks)]
    }
}

fn enter_with(parent: Pid, dirs: &[(PathBuf, Access)]) {
    // `begin` closes all descriptors, so the directories are opened after it.
    begin(parent).unwrap();
    let dirs: Vec<_> =
        dirs.iter().map(|(path, access)| AllowedDir::open(path, *access).unwrap()).collect();
    enter(&JailConfig { dirs: &dirs, ..bare(Task::Work) }).unwrap();
    seal().unwrap();
}

#[test]
fn granted_directories_allow_their_access() {
    let tree = Tree::new();
    alone("files::granted_directories_allow_their_access", |parent| {
        enter_with(parent, &tree.dirs_with_symlinks());
        assert_eq!(fs::read(tree.at("read/file")).unwrap(), b"read");
        assert_eq!(fs::read_dir(tree.at("read")).unwrap().count(), 2);
        fs::write(tree.at("write/new"), "new").unwrap();
        renameat(CWD, tree.at("write/new"), CWD, tree.at("write/renamed")).unwrap();
        mkdirat(CWD, tree.at("write/folder"), Mode::RWXU).unwrap();
        let (file, linked) = (tree.at("write/renamed"), tree.at("write/folder/linked"));
        linkat(CWD, file, CWD, &linked, AtFlags::empty()).unwrap();
        symlinkat("file", CWD, tree.at("write/symbolic")).unwrap();
        assert_eq!(fs::read(tree.at("write/symbolic")).unwrap(), b"write");
        let file = OpenOptions::new().write(true).open(tree.at("write/renamed")).unwrap();
        file.set_len(1).unwrap();
        file.sync_all().unwrap();
        file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        unlinkat(CWD, linked, AtFlags::empty()).unwrap();
        unlinkat(CWD, tree.at("write/folder"), AtFlags::REMOVEDIR).unwrap();
    });
}

#[test]
fn symlinks_need_a_symlink_grant() {
    let tree = Tree::new();
    alone("files::symlinks_need_a_symlink_grant", |parent| {
        enter_with(parent, &tree.dirs());
        let made = symlinkat("file", CWD, tree.at("write/symbolic"));
        assert_eq!(made.unwrap_err(), Errno::PERM);
        let moved = renameat(CWD, tree.at("write/link"), CWD, tree.at("write/moved"));
        assert_eq!(moved.unwrap_err(), Errno::ACCESS);
    });
}

#[test]
fn paths_outside_the_grants_are_inaccessible() {
    let tree = Tree::new();
    alone("files::paths_outside_the_grants_are_inaccessible", |parent| {
        enter_with(parent, &tree.dirs_with_symlinks());
        let read = |path: &Path| fs::read(path).map(drop);
        let write = |path: &Path| OpenOptions::new().write(true).open(path).map(drop);
        let cut = |path: &Path| File::create(path).map(drop);
        let list = |path: &Path| fs::read_dir(path).map(drop);
        let make = |path: &Path| Ok(mkdirat(CWD, path, Mode::RWXU)?);
        let remove = |path: &Path| Ok(unlinkat(CWD, path, AtFlags::empty())?);
        let link = |path: &Path| Ok(symlinkat("/etc/passwd", CWD, path)?);
        let file = tree.at("write/file");
        let out = |path: &Path| Ok(renameat(CWD, &file, CWD, path)?);
        let bring = |path: &Path| Ok(renameat(CWD, path, CWD, tree.at("write/brought"))?);
        let hold =
            |path: &Path| Ok(linkat(CWD, path, CWD, tree.at("write/held"), AtFlags::empty())?);
        let parent = format!("/proc/{}/mem", getppid().unwrap());
        let at = |name: &str| tree.at(name);
        type Deed<'a> = &'a dyn Fn(&Path) -> io::Result<()>;
        let cases: [(Deed<'_>, PathBuf); 28] = [
            (&read, "/etc/passwd".into()),
            (&read, "/proc/1/environ".into()),
            (&read, "/proc/self/maps".into()),
            (&read, parent.clone().into()),
            (&write, parent.into()),
            (&write, "/proc/self/mem".into()),
            (&write, "/dev/null".into()),
            (&list, "/".into()),
            (&read, at("secret/file")),
            (&list, at("secret")),
            (&read, at("read/../secret/file")),
            (&read, at("read/link")),
            (&read, at("write/link")),
            (&write, at("read/file")),
            (&cut, at("read/file")),
            (&cut, at("read/new")),
            (&make, at("read/new")),
            (&remove, at("read/file")),
            (&cut, at("secret/new")),
            (&make, at("secret/new")),
            (&link, at("secret/new")),
            (&link, at("read/new")),
            (&out, at("secret/new")),
            (&out, at("read/new")),
            (&bring, at("read/file")),
            (&bring, at("secret/file")),
            (&hold, at("read/file")),
            (&hold, at("secret/file")),
        ];
        for (number, (deed, path)) in cases.into_iter().enumerate() {
            let error = deed(&path).expect_err(&format!("deed {number} on {}", path.display()));
            // Landlock answers `EACCES`, and for some calls on two directories `EXDEV`.
            let is_refused = matches!(error.raw_os_error(), Some(libc::EACCES | libc::EXDEV));
            assert!(is_refused, "deed {number} on {}: {error}", path.display());
        }
    });
    assert_eq!(fs::read(tree.at("read/file")).unwrap(), b"read");
}

#[test]
fn a_directory_grant_allows_nothing_else() {
    let tree = Tree::new();
    let outside = CString::new(tree.at("secret/file").as_os_str().as_bytes()).unwrap();
    let program = CString::new(tree.at("write/program").as_os_str().as_bytes()).unwrap();
    alone("files::a_directory_grant_allows_nothing_else", |parent| {
        fs::copy("/bin/false", tree.at("write/program")).unwrap();
        fs::set_permissions(tree.at("write/program"), Permissions::from_mode(0o755)).unwrap();
        enter_with(parent, &tree.dirs());
        let ran = call(libc::SYS_execve, &[misdeeds::at(&program), 0, 0]);
        assert_eq!(ran, Err(libc::EPERM));
        let groups = [
            misdeeds::on_processes(parent.as_raw_nonzero().get()),
            misdeeds::on_the_system(),
            misdeeds::on_file_metadata(&outside),
            misdeeds::on_the_network(),
            misdeeds::on_other_sockets(),
        ];
        for group in groups {
            let done = not_refused(group);
            assert!(done.is_empty(), "{done:#?}");
        }
    });
}

#[test]
fn a_read_only_grant_refuses_every_change() {
    let tree = Tree::new();
    alone("files::a_read_only_grant_refuses_every_change", |parent| {
        let dirs = [(tree.at("read"), Access::Read)];
        enter_with(parent, &dirs);
        let file = File::open(tree.at("read/file")).unwrap();
        let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let (new, old) = (tree.at("read/new"), tree.at("read/file"));
        let refused = [
            file.set_times(times),
            mkdirat(CWD, &new, Mode::RWXU).map_err(io::Error::from),
            renameat(CWD, &old, CWD, &new).map_err(io::Error::from),
            unlinkat(CWD, &old, AtFlags::empty()).map_err(io::Error::from),
        ];
        for deed in refused {
            assert_eq!(deed.unwrap_err().raw_os_error(), Some(libc::EPERM));
        }
    });
}
