//! Compares the results of a run that has ended.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;

use tempfile::TempDir;

/// A run that has ended. Each method compares one result, and shows the whole output on a mismatch.
pub(crate) struct Finished {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    folder: TempDir,
}

impl Finished {
    pub(super) fn new(
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        folder: TempDir,
    ) -> Self {
        Self { status, stdout, stderr, folder }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit code ({})\n{}", self.status, self.shown());
        self
    }

    /// Returns the exit code for other checks; `None` after a signal.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Checks the whole of standard output.
    #[track_caller]
    pub(crate) fn stdout(self, expected: impl AsRef<[u8]>) -> Self {
        let expected = expected.as_ref();
        assert!(
            self.stdout == expected,
            "standard output differs; expected:\n{}\n{}",
            readable(expected),
            self.shown()
        );
        self
    }

    /// Checks the whole of standard error.
    #[track_caller]
    pub(crate) fn stderr(self, expected: &str) -> Self {
        assert!(
            self.stderr == expected.as_bytes(),
            "standard error differs; expected:\n{expected}\n{}",
            self.shown()
        );
        self
    }

    /// Checks the whole content of a file in the run's directory.
    #[track_caller]
    pub(crate) fn file(self, name: &str, expected: impl AsRef<[u8]>) -> Self {
        let content = fs::read(self.folder.path().join(name)).unwrap();
        let expected = expected.as_ref();
        assert!(
            content == expected,
            "`{name}` is\n{}\nnot\n{}\n{}",
            readable(&content),
            readable(expected),
            self.shown()
        );
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns standard output for other checks.
    pub(crate) fn stdout_bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// Returns the lines of standard output, sorted.
    pub(crate) fn sorted_lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.stdout.clone()).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// Returns standard error for other checks.
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8(self.stderr.clone()).unwrap()
    }

    fn shown(&self) -> String {
        let (stdout, stderr) = (readable(&self.stdout), readable(&self.stderr));
        format!("stdout was:\n{stdout}\nstderr was:\n{stderr}")
    }
}

/// Converts bytes to text for a message, with an upper bound on the length.
fn readable(bytes: &[u8]) -> String {
    const MAX_BYTES: usize = 4096;
    let rest = bytes.len().saturating_sub(MAX_BYTES);
    let text = String::from_utf8_lossy(&bytes[..bytes.len() - rest]).into_owned();
    if rest == 0 { text } else { format!("{text}… and {rest} more bytes") }
}
