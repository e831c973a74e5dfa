//! The files that a plugin is made of: all of a project but what tools have made there.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::error::ProjectError;

/// Folders that tools make.
const MADE: [&str; 6] = ["build", "target", "node_modules", "zig-out", "__pycache__", "venv"];
/// The folder of the SDK. As the only one it is followed if it is a link, as in the repository of the SDK.
const SDK: &str = "mtl-plugin";
/// What lies beside an SDK and is no part of it, and may have a link back to it.
const BESIDE_SDK: [&str; 2] = ["tests", "template"];

/// All files below a project, in the order of their names.
pub(super) fn below(dir: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let mut files = Vec::new();
    collect(dir, &MADE, &mut files)?;
    let sdk = dir.join(SDK);
    if sdk.is_symlink() && sdk.is_dir() {
        collect(&sdk, &[&MADE[..], &BESIDE_SDK].concat(), &mut files)?;
    }
    // What is installed decides what is built in. It says so in a file.
    let installed = dir.join("node_modules/.package-lock.json");
    files.extend(Some(installed).filter(|file| file.is_file()));
    files.sort();
    Ok(files)
}

fn collect(dir: &Path, skipped: &[&str], files: &mut Vec<PathBuf>) -> Result<(), ProjectError> {
    let error = |source| ProjectError::Read { path: dir.to_owned(), source };
    for entry in fs::read_dir(dir).map_err(error)? {
        let entry = entry.map_err(error)?;
        if is_left_out(&entry, skipped) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().map_err(error)?.is_dir() {
            collect(&path, skipped, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn is_left_out(entry: &DirEntry, skipped: &[&str]) -> bool {
    let name = entry.file_name();
    name.as_encoded_bytes().starts_with(b".") || skipped.iter().any(|skipped| name == *skipped)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_tools_have_made_is_no_source() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        let sources = ["project/a.c", "project/data/vocab.txt", "sdk/mtl.h"];
        let others = [
            "project/build/a.wasm",
            "project/target/a",
            "project/node_modules/p/index.js",
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
        symlink("../elsewhere", at("project/elsewhere")).unwrap();

        let found = below(&at("project")).unwrap();
        assert_eq!(
            found,
            ["a.c", "data/vocab.txt", "mtl-plugin/mtl.h"].map(|name| at("project").join(name))
        );
    }

    #[test]
    fn what_is_installed_counts() {
        let dir = tempfile::tempdir().unwrap();
        let installed = dir.path().join("node_modules/.package-lock.json");
        fs::create_dir(dir.path().join("node_modules")).unwrap();
        fs::write(&installed, "").unwrap();
        assert_eq!(below(dir.path()).unwrap(), [installed]);
    }
}
