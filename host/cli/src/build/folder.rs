//! The top folder of a project, which decides its language and its main file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ProjectError;

/// A folder, with the names of its files and folders.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    files: Vec<String>,
    folders: Vec<String>,
}

impl Folder {
    pub(super) fn read(path: &Path) -> Result<Self, ProjectError> {
        let error = |source| ProjectError::Read { path: path.to_owned(), source };
        let mut folder = Self { path: path.into(), files: Vec::new(), folders: Vec::new() };
        for entry in fs::read_dir(path).map_err(error)? {
            let entry = entry.map_err(error)?;
            // Names that are not UTF-8 are ignored, because no compiler gets them as an argument.
            let Ok(name) = entry.file_name().into_string() else { continue };
            // `fs::metadata` follows links.
            match fs::metadata(entry.path()) {
                Ok(found) if found.is_file() => folder.files.push(name),
                Ok(found) if found.is_dir() => folder.folders.push(name),
                _ => {}
            }
        }
        folder.files.sort();
        folder.folders.sort();
        Ok(folder)
    }

    /// Reads a folder inside this one, or returns `None` if it does not exist.
    pub(super) fn inside(&self, name: &str) -> Result<Option<Self>, ProjectError> {
        match self.has_folder(name) {
            true => Self::read(&self.path.join(name)).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }

    pub(super) fn has_folder(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder == name)
    }

    /// Returns the files with these suffixes, without tests.
    pub(super) fn sources(&self, extensions: &[&str]) -> impl Iterator<Item = &str> {
        let is_source = |name: &&str| match name.rsplit_once('.') {
            Some((stem, extension)) => extensions.contains(&extension) && !is_test(stem),
            None => false,
        };
        self.files.iter().map(String::as_str).filter(is_source)
    }

    /// Returns the main file: the first with a usual name, or else the only source.
    pub(super) fn entry(
        &self,
        stems: &[&str],
        extensions: &[&str],
        usual: &'static str,
    ) -> Result<Option<&str>, ProjectError> {
        let files: Vec<&str> = self.sources(extensions).collect();
        let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        let called = |wanted: &&str| {
            files.iter().copied().find(|name| stem(name).as_deref() == Some(*wanted))
        };
        if let Some(entry) = stems.iter().find_map(called) {
            return Ok(Some(entry));
        }
        match files.as_slice() {
            [] => Ok(None),
            [entry] => Ok(Some(entry)),
            _ => Err(ProjectError::SeveralEntries {
                dir: self.path.clone(),
                files: files.iter().map(|name| format!("`{name}`")).collect(),
                usual,
            }),
        }
    }

    /// Returns the content of a JSON file, or null for an invalid file: its own tools report the error.
    pub(super) fn json(&self, name: &str) -> Value {
        let text = fs::read(self.path.join(name)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// Returns whether the name of a file is that of a test.
fn is_test(stem: &str) -> bool {
    let begins = ["test_", "test-", "tests_"].iter().any(|begin| stem.starts_with(begin));
    let ends = ["_test", "-test", ".test", ".spec", "_tests"].iter().any(|end| stem.ends_with(end));
    begins || ends || ["test", "tests", "conftest"].contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_recognised_by_name() {
        #[rustfmt::skip]
        let cases = [
            ("worker", false), ("test", true), ("test_worker", true), ("worker_test", true),
            ("worker.test", true), ("worker.spec", true), ("conftest", true), ("contest", false),
            ("latest", false), ("attest_all", false),
        ];
        for (stem, expected) in cases {
            assert_eq!(is_test(stem), expected, "{stem}");
        }
    }
}
