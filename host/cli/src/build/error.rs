//! Errors of building a project.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::language::Language;
use crate::display_text::DisplayText;
use crate::overwrite::OverwriteError;
use crate::shell;

/// Error of building a project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    /// A folder has a name like the file of a plugin.
    #[error(
        "plugin `{}` is a folder, and folders with this suffix are not built",
        DisplayText::of(dir)
    )]
    NamedAsFile { dir: PathBuf },
    /// A folder is named together with the digest of a file.
    #[error("cannot check the SHA-256 of `{}`: it is a folder", DisplayText::of(dir))]
    PinnedFolder { dir: PathBuf },
    /// A folder is named in a command that builds nothing.
    #[error(
        "cannot inspect `{}`: it is a folder, and inspecting runs no compiler",
        DisplayText::of(dir)
    )]
    NotInspected { dir: PathBuf },
    /// The folder has no source of a plugin.
    #[error("`{}` is not a project: it has no sources in a known language", DisplayText::of(dir))]
    NotAProject { dir: PathBuf },
    /// The folder has sources in several languages.
    #[error(
        "`{}` is a project in more than one language: {}",
        DisplayText::of(dir),
        language_list(found)
    )]
    SeveralLanguages { dir: PathBuf, found: Vec<(Language, String)> },
    /// The folder lacks a file that every project in the language has.
    #[error("`{}` is not a project in {language}: it has no {missing_file}", DisplayText::of(dir))]
    MissingEntry { dir: PathBuf, language: Language, missing_file: &'static str },
    /// Several files may be the main file.
    #[error("cannot tell which file in `{}` is the plugin: {}", DisplayText::of(dir), files.join(", "))]
    SeveralEntries { dir: PathBuf, files: Vec<String>, usual: &'static str },
    /// The build creates several plugins, or no plugin.
    #[error("`{}` builds {}", DisplayText::of(dir), plugin_list(built))]
    NotOnePlugin { dir: PathBuf, language: Language, built: Vec<String> },
    /// The compiler of the language is not installed.
    #[error("{language} needs {tool}, which is not installed")]
    NoTool { language: Language, tool: &'static str, install: String },
    /// The compiler is too old.
    #[error("{language} needs {tool}, but `{found}` is older")]
    TooOld { language: Language, tool: &'static str, found: String, install: String },
    /// A program cannot be started.
    #[error("cannot start `{}`", DisplayText::of(program))]
    Start { program: String, source: io::Error },
    /// A program failed, after it has shown its own error.
    #[error("`{}` failed: {status}", DisplayText::of(program))]
    Failed { program: String, status: ExitStatus },
    /// A program succeeded without creating the plugin.
    #[error(
        "`{}` succeeded, but did not create `{}`",
        DisplayText::of(program),
        DisplayText::of(path)
    )]
    MissingOutput { program: String, path: PathBuf },
    /// A file of the project cannot be read.
    #[error("cannot read `{}`", DisplayText::of(path))]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Overwrite(#[from] OverwriteError),
    /// A file of the output cannot be written.
    #[error("cannot write `{}`", DisplayText::of(path))]
    Write { path: PathBuf, source: io::Error },
}

impl ProjectError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NamedAsFile { dir } | Self::NotInspected { dir } => {
                let dir = shell::path(dir);
                Some(format!(
                    "if you trust its sources, run `mtl-host build {dir}`, and name the file that it prints"
                ))
            }
            Self::PinnedFolder { dir } => {
                let dir = shell::path(dir);
                Some(format!(
                    "a digest is that of a file: run `mtl-host build {dir}`, and name the file that it \
                     prints"
                ))
            }
            Self::NotAProject { .. } => Some(
                "a project has a Cargo.toml, go.mod, package.json or build.zig, or files in .zig, .c, \
                 .cpp or .py; `mtl-host new` creates one"
                    .into(),
            ),
            Self::SeveralLanguages { dir, found } => {
                let (language, _) = found.first()?;
                let dir = shell::path(dir);
                let build = format!("mtl-host build --lang {language} {dir}");
                Some(format!("choose one: `{build}`, and run the file that it prints"))
            }
            Self::SeveralEntries { usual, .. } => Some(format!("name the main file {usual}")),
            Self::NotOnePlugin { language: Language::Rust, built, .. } if built.is_empty() => {
                Some("its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`".into())
            }
            Self::NotOnePlugin { built, .. } if built.is_empty() => {
                Some("its build file must install one .wasm".into())
            }
            Self::NotOnePlugin { .. } => Some("name the folder of one of them".into()),
            Self::NoTool { install, .. } | Self::TooOld { install, .. } => {
                Some(format!("install it: {install}"))
            }
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotADirectory => Some("name the folder of the project".into()),
                io::ErrorKind::NotFound => {
                    Some("`mtl-host new --lang LANG DIR` creates a project".into())
                }
                _ => None,
            },
            Self::Overwrite(_) => Some(OverwriteError::HINT.into()),
            Self::MissingEntry { .. }
            | Self::Start { .. }
            | Self::Failed { .. }
            | Self::MissingOutput { .. }
            | Self::Write { .. } => None,
        }
    }
}

fn language_list(found: &[(Language, String)]) -> String {
    let found = found.iter().map(|(language, file)| format!("{language} (`{file}`)"));
    found.collect::<Vec<_>>().join(", ")
}

fn plugin_list(built: &[String]) -> String {
    match built {
        [] => "no plugin".into(),
        _ => format!("more than one plugin: {}", built.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_errors_escape_the_program_name() {
        let (program, path) = ("p\u{1b}[2J\n/zig".to_owned(), PathBuf::from("x"));
        let source = || io::Error::other("no");
        for error in [
            ProjectError::Start { program: program.clone(), source: source() },
            ProjectError::Failed { program: program.clone(), status: ExitStatus::default() },
            ProjectError::MissingOutput { program, path },
        ] {
            let text = error.to_string();
            assert!(text.contains(r"`p\u{1b}[2J\n/zig`"), "{text}");
        }
    }
}
