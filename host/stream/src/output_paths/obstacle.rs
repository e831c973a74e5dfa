//! Finds files on the disk that are in the way of a result or of its parent directories. An earlier run may have left
//! such files.
//!
//! The check runs before a worker processes the item. If an obstacle appears later, the sink finds it and ends the run.

use std::fs::{FileType, symlink_metadata};
use std::path::{Path, PathBuf};

use super::OutputPath;

/// The search for obstacles in a directory.
#[derive(Debug)]
pub(crate) struct Obstacles {
    root: PathBuf,
    /// The last folder that was found free of obstacles: consecutive items often share a folder.
    free: Option<PathBuf>,
}

/// A file that is in the way of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// The path of the file, relative to the directory.
    pub(crate) at: PathBuf,
    pub(crate) kind: &'static str,
}

impl Obstacles {
    /// Creates a search in this directory.
    pub(crate) fn below(root: PathBuf) -> Self {
        Self { root, free: None }
    }

    /// Returns the obstacle for a file at `path`. Another file or a link is not an obstacle: the result replaces it.
    pub(crate) fn of(&mut self, path: &OutputPath) -> Option<Obstacle> {
        if self.free.as_deref() != Some(path.folder()) {
            if let Some(obstacle) = self.in_folders_of(path) {
                return Some(obstacle);
            }
            self.free = Some(path.folder().to_owned());
        }
        let is_folder = self.kind(path.path()).is_some_and(|kind| kind.is_dir());
        is_folder.then(|| Obstacle { at: path.path().to_owned(), kind: "a folder" })
    }

    /// Returns the first of the file's folders, from the top down, that is not a real directory.
    fn in_folders_of(&self, path: &OutputPath) -> Option<Obstacle> {
        let mut at = PathBuf::new();
        for name in path.folder() {
            at.push(name);
            // If this entry does not exist, none exists below it.
            if !self.kind(&at)?.is_dir() {
                return Some(Obstacle { at, kind: "a link, or not a directory" });
            }
        }
        None
    }

    /// Returns the kind of the file at `path`, or `None` if it is unknown. The sink reports such a problem later.
    fn kind(&self, path: &Path) -> Option<FileType> {
        symlink_metadata(self.root.join(path)).ok().map(|metadata| metadata.file_type())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_block_files_and_files_block_folders() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        symlink("a", folder.path().join("link")).unwrap();
        symlink("nowhere", folder.path().join("a/dangling")).unwrap();
        #[rustfmt::skip]
        let cases = [
            // path            obstacle
            ("a",              Some(("a", "a folder"))),
            ("a/b",            Some(("a/b", "a folder"))),
            ("a/c",            None),
            ("a/b/c/d",        None),
            ("file",           None),
            ("link",           None),
            ("file/x",         Some(("file", "a link, or not a directory"))),
            ("link/b/x",       Some(("link", "a link, or not a directory"))),
            ("a/dangling/x",   Some(("a/dangling", "a link, or not a directory"))),
            ("new/x",          None),
        ];
        let mut obstacles = Obstacles::below(folder.path().to_owned());
        for (path, expected) in cases {
            let expected = expected.map(|(at, kind)| Obstacle { at: at.into(), kind });
            assert_eq!(obstacles.of(&OutputPath::of(path.as_ref()).unwrap()), expected, "{path}");
        }
    }
}
