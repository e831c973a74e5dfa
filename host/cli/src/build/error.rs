//! Why a project cannot be built.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::language::Language;
use crate::overwrite::Overwrite;
use crate::shell;
use crate::shown::Shown;

/// Why a project cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    /// A folder is named as the file of a plugin is.
    #[error("plugin `{}` is a folder, and folders with this ending are not built", Shown::of(dir))]
    NamedAsFile { dir: PathBuf },
    /// A folder is named where the digest of a file is given.
    #[error("cannot check the SHA-256 of `{}`: it is a folder", Shown::of(dir))]
    PinnedFolder { dir: PathBuf },
    /// A folder is named to a command that runs nothing.
    #[error("cannot inspect `{}`: it is a folder, and inspecting runs no compiler", Shown::of(dir))]
    NotInspected { dir: PathBuf },
    /// Nothing in the folder is the source of a plugin.
    #[error("`{}` is no project: it has no sources of a language that is known", Shown::of(dir))]
    NotAProject { dir: PathBuf },
    /// It might be a project in any of these.
    #[error("`{}` is a project in more than one language: {}", Shown::of(dir), listed(found))]
    SeveralLanguages { dir: PathBuf, found: Vec<(Language, String)> },
    /// What the language begins with is not there.
    #[error("`{}` is no project in {language}: there is no {wanted}", Shown::of(dir))]
    NotIn { dir: PathBuf, language: Language, wanted: &'static str },
    /// Any of these might be where the program begins.
    #[error("`{}` does not say which of its files is the plugin: {}", Shown::of(dir), files.join(", "))]
    SeveralEntries { dir: PathBuf, files: Vec<String>, usual: &'static str },
    /// The folder makes more than one plugin, or none.
    #[error("`{}` makes {}", Shown::of(dir), plugins(made))]
    NotOnePlugin { dir: PathBuf, language: Language, made: Vec<String> },
    /// What compiles the language is not on this machine.
    #[error("{language} needs {tool}, which is not there")]
    NoTool { language: Language, tool: &'static str, install: String },
    /// It is there, and too old.
    #[error("{language} needs {tool}, and `{found}` is older")]
    TooOld { language: Language, tool: &'static str, found: String, install: String },
    /// A program cannot be started.
    #[error("cannot start `{}`", Shown::of(program))]
    Start { program: String, source: io::Error },
    /// It has said why.
    #[error("`{}` failed: {status}", Shown::of(program))]
    Failed { program: String, status: ExitStatus },
    /// It has claimed success.
    #[error("`{}` has not made `{}`", Shown::of(program), Shown::of(path))]
    NotMade { program: String, path: PathBuf },
    /// A file of the project cannot be read.
    #[error("cannot read `{}`", Shown::of(path))]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Overwrite(#[from] Overwrite),
    /// What is made has no place.
    #[error("cannot write `{}`", Shown::of(path))]
    Write { path: PathBuf, source: io::Error },
}

impl ProjectError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NamedAsFile { dir } | Self::NotInspected { dir } => {
                let dir = shell::path(dir);
                Some(format!(
                    "if you trust its sources: `mtl-host build {dir}`, and name the file that it prints"
                ))
            }
            Self::PinnedFolder { dir } => {
                let dir = shell::path(dir);
                Some(format!(
                    "the digest is that of a file: `mtl-host build {dir}`, and name the file that it \
                     prints"
                ))
            }
            Self::NotAProject { .. } => Some(
                "one is known by Cargo.toml, go.mod, package.json, build.zig, or files in .zig, .c, \
                 .cpp or .py; `mtl-host new` begins one"
                    .into(),
            ),
            Self::SeveralLanguages { dir, found } => {
                let (language, _) = found.first()?;
                let dir = shell::path(dir);
                let build = format!("mtl-host build --lang {language} {dir}");
                Some(format!("name one: `{build}`, and run the file that it prints"))
            }
            Self::SeveralEntries { usual, .. } => Some(format!("call it {usual}")),
            Self::NotOnePlugin { language: Language::Rust, made, .. } if made.is_empty() => {
                Some("its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`".into())
            }
            Self::NotOnePlugin { made, .. } if made.is_empty() => {
                Some("its build file has to install one .wasm".into())
            }
            Self::NotOnePlugin { .. } => Some("name the folder of one of them".into()),
            Self::NoTool { install, .. } | Self::TooOld { install, .. } => {
                Some(format!("install it: {install}"))
            }
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotADirectory => Some("name the folder of the project".into()),
                io::ErrorKind::NotFound => {
                    Some("`mtl-host new --lang LANG DIR` begins a project".into())
                }
                _ => None,
            },
            Self::Overwrite(_) => Some(Overwrite::HINT.into()),
            Self::NotIn { .. }
            | Self::Start { .. }
            | Self::Failed { .. }
            | Self::NotMade { .. }
            | Self::Write { .. } => None,
        }
    }
}

fn listed(found: &[(Language, String)]) -> String {
    let found = found.iter().map(|(language, file)| format!("{language} (`{file}`)"));
    found.collect::<Vec<_>>().join(", ")
}

fn plugins(made: &[String]) -> String {
    match made {
        [] => "no plugin".into(),
        _ => format!("more than one plugin: {}", made.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_on_one_line_of_plain_signs() {
        let (program, path) = ("p\u{1b}[2J\n/zig".to_owned(), PathBuf::from("x"));
        let source = || io::Error::other("no");
        for error in [
            ProjectError::Start { program: program.clone(), source: source() },
            ProjectError::Failed { program: program.clone(), status: ExitStatus::default() },
            ProjectError::NotMade { program, path },
        ] {
            let text = error.to_string();
            assert!(text.contains(r"`p\u{1b}[2J\n/zig`"), "{text}");
        }
    }
}
