//! The name of a worker: that of its folder, if the name is valid in its language.

use std::path::Path;

use super::error::NewError;
use crate::build::Language;

/// The names that a Rust package cannot have: keywords of the language, and names that cargo reserves.
const RUST: [&str; 57] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "use",
    "where",
    "while",
];
/// The module names that Go reserves.
const GO: [&str; 3] = ["main", "plugin", "std"];
/// The name of the SDK's folder.
const SDK: &str = "mtl-plugin";

/// A name of lower-case letters, digits and `-`, which begins with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// Returns the name of the worker in a folder.
    pub(super) fn of(dir: &Path, language: Language) -> Result<Self, NewError> {
        // An existing folder may be named `.`.
        let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let folder = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(&folder, language).ok_or(NewError::Name { name: folder, language })
    }

    fn parse(folder: &str, language: Language) -> Option<Self> {
        let lowercase = folder.to_lowercase();
        let words = lowercase.split(|character: char| !character.is_ascii_alphanumeric());
        let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let reserved: &[&str] = match language {
            Language::Rust => &RUST,
            Language::Go => &GO,
            _ => &[],
        };
        let is_allowed = name != SDK && !reserved.contains(&name.as_str());
        (is_allowed && name.starts_with(|character: char| character.is_ascii_lowercase()))
            .then_some(Self(name))
    }

    /// Replaces the placeholder name in the text of a template.
    pub(super) fn insert_into(&self, text: &str) -> String {
        text.replace("my-worker", &self.0).replace("my_worker", &self.0.replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_name_gives_the_worker_name() {
        use Language::{C, Go, Python, Rust};
        #[rustfmt::skip]
        let cases = [
            ("my-worker",    Rust,   Some("my-worker")),
            ("My_Worker",    Rust,   Some("my-worker")),
            ("Word Count.2", Python, Some("word-count-2")),
            ("--a--",        C,      Some("a")),
            ("2d",           C,      None),
            ("...",          C,      None),
            ("",             C,      None),
            ("naïve",        C,      Some("na-ve")),
            ("fn",           Rust,   None),
            ("fn",           Go,     Some("fn")),
            ("plugin",       Go,     None),
            ("mtl_plugin",   C,      None),
        ];
        for (folder, language, expected) in cases {
            let name = Name::parse(folder, language).map(|name| name.0);
            assert_eq!(name.as_deref(), expected, "{folder} in {language}");
        }
    }

    #[test]
    fn the_worker_name_replaces_the_template_name() {
        let name = Name("a-b".into());
        assert_eq!(name.insert_into("my-worker.my_worker"), "a-b.a_b");
    }
}
