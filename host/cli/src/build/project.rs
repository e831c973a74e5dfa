//! A project: a folder of sources, and their language.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ProjectError;
use super::folder::Folder;
use super::language::Language;

/// A folder whose language is known.
#[derive(Debug)]
pub(super) struct Project {
    /// The path that the user typed.
    typed_path: PathBuf,
    folder: Folder,
    language: Language,
}

impl Project {
    /// Opens a folder. Without `language`, the files of the folder decide the language.
    pub(super) fn open(dir: &Path, language: Option<Language>) -> Result<Self, ProjectError> {
        let error = |source| ProjectError::Read { path: dir.to_owned(), source };
        let real = dir.canonicalize().map_err(error)?;
        let folder = Folder::read(&real).map_err(|error| with_typed_path(error, dir))?;
        let language = match language {
            Some(language) => language,
            None => recognise(&folder, dir)?,
        };
        Ok(Self { typed_path: dir.to_owned(), folder, language })
    }

    /// Returns the real path.
    pub(super) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path that the user typed.
    pub(super) fn typed_path(&self) -> &Path {
        &self.typed_path
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// Returns the name of the plugin, which is that of the folder.
    pub(super) fn name(&self) -> String {
        let name = self.dir().file_name().unwrap_or("plugin".as_ref());
        name.to_string_lossy().into_owned()
    }

    /// Returns the main file.
    pub(super) fn entry(
        &self,
        stems: &[&str],
        extensions: &[&str],
        usual: &'static str,
    ) -> Result<&str, ProjectError> {
        let entry = self.folder.entry(stems, extensions, usual);
        entry
            .map_err(|error| with_typed_path(error, &self.typed_path))?
            .ok_or_else(|| self.missing(usual))
    }

    /// Returns the error for a missing file that every project in the language has.
    pub(super) fn missing(&self, missing_file: &'static str) -> ProjectError {
        ProjectError::MissingEntry {
            dir: self.typed_path.clone(),
            language: self.language,
            missing_file,
        }
    }
}

/// Returns the error with the path that the user typed.
fn with_typed_path(error: ProjectError, typed_path: &Path) -> ProjectError {
    match error {
        ProjectError::Read { source, .. } => ProjectError::Read { path: typed_path.into(), source },
        ProjectError::SeveralEntries { files, usual, .. } => {
            ProjectError::SeveralEntries { dir: typed_path.into(), files, usual }
        }
        error => error,
    }
}

fn recognise(folder: &Folder, typed_path: &Path) -> Result<Language, ProjectError> {
    let mut found = manifests(folder);
    if found.is_empty() {
        found = languages_of_sources(folder);
    }
    match found.as_slice() {
        [] => Err(ProjectError::NotAProject { dir: typed_path.into() }),
        [(language, _)] => Ok(*language),
        _ => Err(ProjectError::SeveralLanguages { dir: typed_path.into(), found }),
    }
}

/// Returns each language that has a manifest in `folder`, with the name of the manifest. If the
/// result is not empty, the caller ignores scripts in other languages.
fn manifests(folder: &Folder) -> Vec<(Language, String)> {
    let scripts =
        if is_assemblyscript(folder) { Language::Assemblyscript } else { Language::Javascript };
    let known = [
        (Language::Rust, "Cargo.toml"),
        (Language::Go, "go.mod"),
        (Language::Zig, "build.zig"),
        (scripts, "package.json"),
        (Language::Assemblyscript, "asconfig.json"),
    ];
    let mut found: Vec<_> = known.into_iter().filter(|(_, file)| folder.has(file)).collect();
    found.dedup_by_key(|(language, _)| *language);
    found.into_iter().map(|(language, file)| (language, file.to_owned())).collect()
}

fn is_assemblyscript(folder: &Folder) -> bool {
    let package = folder.json("package.json");
    folder.has("asconfig.json")
        || folder.has_folder("assembly")
        || dependencies(&package).any(|name| name == "assemblyscript")
}

/// Returns the packages that a package.json names.
pub(super) fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let tables = ["dependencies", "devDependencies"].into_iter();
    let tables = tables.filter_map(|table| package.get(table)?.as_object());
    tables.flat_map(|table| table.keys().map(String::as_str))
}

/// Returns the languages that have sources in the folder.
fn languages_of_sources(folder: &Folder) -> Vec<(Language, String)> {
    let known = [
        (Language::Zig, ["zig"].as_slice()),
        (Language::C, &C_EXTENSIONS),
        (Language::Python, &["py"]),
    ];
    let first = |(language, extensions): (Language, &[&str])| {
        Some((language, folder.sources(extensions).next()?.to_owned()))
    };
    known.into_iter().filter_map(first).collect()
}

/// The suffixes of sources in C and C++.
pub(super) const C_EXTENSIONS: [&str; 4] = ["c", "cpp", "cc", "cxx"];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the language of a folder with these files, or the error.
    fn recognised(files: &[(&str, &str)]) -> Result<Language, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            fs::write(dir.path().join(name), content).unwrap();
        }
        recognise(&Folder::read(dir.path()).unwrap(), Path::new("p"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn project_files_identify_the_language() {
        let asc = r#"{"devDependencies":{"assemblyscript":"1"}}"#;
        let qjs = r#"{"dependencies":{"componentize-qjs":"1"}}"#;
        #[rustfmt::skip]
        let cases: [(&[(&str, &str)], Language); 14] = [
            (&[("Cargo.toml", "")],                               Language::Rust),
            (&[("Cargo.toml", ""), ("train.py", ""), ("a.c", "")], Language::Rust),
            (&[("go.mod", ""), ("worker.go", "")],                Language::Go),
            (&[("package.json", "{}")],                           Language::Javascript),
            (&[("package.json", qjs)],                            Language::Javascript),
            (&[("package.json", "no JSON")],                      Language::Javascript),
            (&[("package.json", asc)],                            Language::Assemblyscript),
            (&[("package.json", "{}"), ("asconfig.json", "")],    Language::Assemblyscript),
            (&[("package.json", "{}"), ("assembly/index.ts", "")], Language::Assemblyscript),
            (&[("build.zig", ""), ("a.c", "")],                   Language::Zig),
            (&[("worker.zig", "")],                               Language::Zig),
            (&[("worker.c", ""), ("test_worker.py", "")],         Language::C),
            (&[("worker.cpp", ""), ("worker.h", "")],             Language::C),
            (&[("worker.py", ""), ("test_worker.py", "")],        Language::Python),
        ];
        for (files, language) in cases {
            assert_eq!(recognised(files), Ok(language), "{files:?}");
        }
    }

    #[test]
    fn an_unclear_language_is_refused() {
        #[rustfmt::skip]
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[],                                       "`p` is not a project: it has no sources in a known language"),
            (&[("README.md", ""), ("src/lib.rs", "")],  "`p` is not a project: it has no sources in a known language"),
            (&[("test_worker.py", "")],                 "`p` is not a project: it has no sources in a known language"),
            (&[("go.mod", ""), ("Cargo.toml", "")],     "`p` is a project in more than one language: rust (`Cargo.toml`), go (`go.mod`)"),
            (&[("a.c", ""), ("b.zig", ""), ("c.py", "")], "`p` is a project in more than one language: zig (`b.zig`), c (`a.c`), python (`c.py`)"),
        ];
        for (files, why) in cases {
            assert_eq!(recognised(files), Err(why.into()), "{files:?}");
        }
    }
}
