//! The sources of a plugin: all files of a project except generated files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ProjectError;

/// The folders that tools create at the top of a project. Deeper folders with these names may be packages.
const GENERATED: [&str; 4] = ["build", "target", "zig-out", "venv"];
/// The folders that tools create at any depth.
const GENERATED_ANYWHERE: [&str; 2] = ["node_modules", "__pycache__"];
/// The directory of the SDK in a project. In projects inside the SDK's repository, this path is a symbolic link.
/// Symbolic links to directories are therefore followed at this path and below it, but nowhere else.
const SDK: &str = "mtl-plugin";
/// The folders next to an SDK that are not part of it, and may contain a link back to it.
const NOT_IN_SDK: [&str; 2] = ["tests", "template"];

/// Returns all sources below a project, sorted by name.
pub(super) fn below(dir: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let mut files = Vec::new();
    let skipped = &[&GENERATED[..], &[SDK]].concat();
    Walk { top: dir, skipped, follows: false }.collect(dir, &mut files)?;
    let sdk = dir.join(SDK);
    if sdk.is_dir() {
        let skipped = &[&GENERATED[..], &NOT_IN_SDK].concat();
        Walk { top: &sdk, skipped, follows: true }.collect(&sdk, &mut files)?;
    }
    // Installed packages become part of the plugin. npm lists them in this file.
    let installed = dir.join("node_modules/.package-lock.json");
    files.extend(Some(installed).filter(|file| file.is_file()));
    files.sort();
    Ok(files)
}

/// A walk through a folder.
struct Walk<'a> {
    top: &'a Path,
    /// The names that are skipped in the top folder.
    skipped: &'a [&'static str],
    /// Is true if links to folders are followed.
    follows: bool,
}

impl Walk<'_> {
    fn collect(&self, dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), ProjectError> {
        let error = |source| ProjectError::Read { path: dir.to_owned(), source };
        for entry in fs::read_dir(dir).map_err(error)? {
            let entry = entry.map_err(error)?;
            let path = entry.path();
            if self.is_left_out(dir, &entry.file_name()) || is_link_to_ancestor(&path) {
                continue;
            }
            let is_folder = match self.follows {
                true => path.is_dir(),
                false => entry.file_type().map_err(error)?.is_dir(),
            };
            if is_folder {
                self.collect(&path, files)?;
            } else if path.is_file() {
                files.push(path);
            }
        }
        Ok(())
    }

    fn is_left_out(&self, dir: &Path, name: &OsStr) -> bool {
        let is_in = |names: &[&str]| names.iter().any(|one| name == *one);
        name.as_encoded_bytes().starts_with(b".")
            || is_in(&GENERATED_ANYWHERE)
            || dir == self.top && is_in(self.skipped)
    }
}

/// Returns whether a path is a link to a folder that contains it.
fn is_link_to_ancestor(path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    path.is_symlink()
        && real(path)
            .zip(path.parent().and_then(real))
            .is_some_and(|(to, from)| from.starts_with(to))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn build_outputs_are_not_sources() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        let sources = [
            "project/a.c",
            "project/data/vocab.txt",
            "project/lib/build/b.c",
            "sdk/mtl.h",
            "wit/plugin.wit",
        ];
        let others = [
            "project/build/a.wasm",
            "project/target/a",
            "project/node_modules/p/index.js",
            "project/lib/__pycache__/a.pyc",
            "project/.venv/bin/python",
            "project/.zig-cache/o",
            "sdk/template/worker.c",
            "sdk/tests/probe/probe.c",
            "elsewhere/file",
        ];
        sources.iter().chain(&others).for_each(|name| write(name));
        let at = |name: &str| dir.path().join(name);
        symlink("../sdk", at("project/mtl-plugin")).unwrap();
        symlink("../../../project/mtl-plugin", at("sdk/tests/probe/mtl-plugin")).unwrap();
        symlink("../wit", at("sdk/wit")).unwrap();
        symlink("..", at("sdk/up")).unwrap();
        symlink("../elsewhere", at("project/elsewhere")).unwrap();

        let found = below(&at("project")).unwrap();
        let names = [
            "a.c",
            "data/vocab.txt",
            "lib/build/b.c",
            "mtl-plugin/mtl.h",
            "mtl-plugin/wit/plugin.wit",
        ];
        assert_eq!(found, names.map(|name| at("project").join(name)));
    }

    #[test]
    fn installed_packages_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let installed = dir.path().join("node_modules/.package-lock.json");
        fs::create_dir(dir.path().join("node_modules")).unwrap();
        fs::write(&installed, "").unwrap();
        assert_eq!(below(dir.path()).unwrap(), [installed]);
    }
}
