//! Safe display of untrusted names and texts.
//!
//! The names of plugins, files and items are untrusted. An escape sequence in a name could control the terminal, and a
//! line break could forge a message of the command. The command therefore shows every such name as a [`DisplayText`].
//! As a second line of defence, the console and standard output escape all control characters on their way to a
//! terminal ([`escape`]).

use std::ffi::OsStr;
use std::fmt::{self, Display, Write};

use super::escape;

/// An untrusted name or text, shown on one line and without control characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DisplayText<'a>(&'a OsStr);

impl<'a> DisplayText<'a> {
    /// Wraps a path or a text.
    pub(crate) fn of(name: &'a (impl AsRef<OsStr> + ?Sized)) -> Self {
        Self(name.as_ref())
    }
}

impl Display for DisplayText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_string_lossy();
        name.chars().try_for_each(|character| match escape::is_plain(character) {
            true => f.write_char(character),
            false => character.escape_default().try_for_each(|character| f.write_char(character)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn displayed_names_are_escaped() {
        #[rustfmt::skip]
        let cases: [(&[u8], &str); 4] = [
            (b"a b/gr\xc3\xbcn",           "a b/gr\u{fc}n"),
            (b"x\x1b[31m\nerror: y",       r"x\u{1b}[31m\nerror: y"),
            (b"\xe2\x80\xaetxt\xc2\x9b", r"\u{202e}txt\u{9b}"),
            (b"\xff",                      "\u{fffd}"),
        ];
        for (name, expected) in cases {
            let name = OsStr::from_bytes(name);
            assert_eq!(DisplayText::of(name).to_string(), expected);
            assert_eq!(DisplayText::of(Path::new(name)).to_string(), expected);
        }
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, found),
                false => found.push(path),
            }
        }
    }

    /// The source files that convert names to text without [`DisplayText`]. Each row has the file, the number of
    /// conversions in it, and the reason why these conversions are safe.
    const OTHERWISE: [(&str, usize, &str); 9] = [
        ("src/display_text.rs", 1, "this type itself"),
        ("src/shell.rs", 1, "a word of a hint or a command line, shown by `escape`"),
        ("src/build/step.rs", 3, "a command line and a program, shown by this type"),
        ("src/build/project.rs", 1, "a part of a path"),
        ("src/build/fingerprint.rs", 1, "input of a digest"),
        ("src/new/name.rs", 1, "a name that is checked, shown by this type"),
        ("src/cache.rs", 1, "shown by this type, and in JSON by `escape`"),
        ("src/inspect.rs", 2, "shown on a page and in JSON, both by `escape`"),
        ("src/check/report.rs", 1, "shown in JSON by `escape`"),
    ];

    /// `display` shows a path unescaped, and so does a path that becomes text first.
    #[test]
    fn no_source_displays_a_path_unescaped() {
        let mut files = Vec::new();
        sources(Path::new("src"), &mut files);
        assert!(files.len() > 50, "{files:?}");
        let calls =
            [[".disp", "lay()"], ["to_string_", "lossy("], [":", "?}"]].map(|it| it.concat());
        let mut found = Vec::new();
        for path in &files {
            let text = fs::read_to_string(path).unwrap();
            let name = path.to_str().unwrap();
            let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
            let code = text.split("#[cfg(test)]\nmod tests {").next().filter(|_| !is_test);
            let lines = code.unwrap_or_default().lines().enumerate();
            let lines = lines.filter(|(_, line)| calls.iter().any(|call| line.contains(call)));
            let lines: Vec<_> = lines.map(|(at, _)| format!("{name}:{}", at + 1)).collect();
            let allowed = OTHERWISE.iter().find(|(file, ..)| *file == name);
            if lines.len() != allowed.map_or(0, |(_, count, _)| *count) {
                found.extend(lines);
            }
        }
        assert_eq!(found, [""; 0], "use `DisplayText::of(path)`");
    }
}
