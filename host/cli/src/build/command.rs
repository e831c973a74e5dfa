//! Commands that run a tool: without input, and with a `PATH` of absolute folders only.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns a command that runs the program `file` in `dir`. The program reads an empty standard input, because the
/// host's standard input may contain the items of a run. `file` must be an absolute path. The system would search
/// `PATH` for a bare name, and would resolve a relative path against `dir`.
pub(super) fn command(file: &Path, dir: &Path) -> Command {
    let mut command = Command::new(file);
    command.current_dir(dir).stdin(Stdio::null());
    match search_path(env::var_os("PATH")) {
        Some(path) => command.env("PATH", path),
        None => command.env_remove("PATH"),
    };
    command
}

/// Returns the absolute paths of `PATH`, for programs that run in another directory. Relative paths are removed,
/// because in that directory, they would name other directories. If no absolute path is left, returns `None`: programs
/// search the current directory if `PATH` is empty.
fn search_path(path: Option<OsString>) -> Option<OsString> {
    let path = path?;
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    env::join_paths(folders).ok().filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_folders_are_dropped_from_path() {
        #[rustfmt::skip]
        let cases = [
            (None,                     None),
            (Some(""),                 None),
            (Some("."),                None),
            (Some("a:b/c::"),          None),
            (Some("/a:/b"),            Some("/a:/b")),
            (Some("a:/a:./b::/c/d:"),  Some("/a:/c/d")),
        ];
        for (path, expected) in cases {
            assert_eq!(search_path(path.map(Into::into)), expected.map(Into::into), "{path:?}");
        }
    }
}
