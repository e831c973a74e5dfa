//! `--finish-output FILE`: what each worker has to say at its end, as a line of JSON.
//!
//! Workers end on threads of their own, and in the middle of a run when they are replaced. None
//! of them can do anything about a disk that is full: the first error is kept for the end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mtl_host::sink::OutputFile;
use mtl_host::{Closing, JsonValue, WorkerIndex};

use super::lines_file::LinesFile;
use super::shown::Shown;
use super::terminal::Raw;

/// A file of closing reports, written to by several threads.
#[derive(Debug)]
pub(crate) struct FinishFile {
    path: PathBuf,
    lines: Mutex<Lines>,
}

/// Why closing reports could not be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishFileError {
    /// The file could not be made.
    #[error("cannot create `{}` for closing reports", Shown::of(path))]
    Create { path: PathBuf, source: io::Error },
    /// The system does not confirm that they are on the disk.
    #[error("cannot make sure that `{}` is on the disk", Shown::of(path))]
    Sync { path: PathBuf, source: io::Error },
    /// Writing failed; then nothing more was written.
    #[error("cannot write {unwritten} of {all} closing reports to `{}`", Shown::of(path))]
    Write { path: PathBuf, unwritten: u64, all: u64, source: io::Error },
}

impl FinishFileError {
    /// Returns what the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Create { source, .. }
            | Self::Sync { source, .. }
            | Self::Write { source, .. } => OutputFile::hint(source),
        }
    }
}

#[derive(Debug)]
struct Lines {
    file: LinesFile,
    /// The number of lines that were written.
    written: u64,
    failure: Option<Failure>,
}

/// From then on nothing is written: what follows half a line is not a line.
#[derive(Debug)]
struct Failure {
    unwritten: u64,
    source: io::Error,
}

impl FinishFile {
    /// Opens a file, which keeps its content until it begins.
    pub(crate) fn open(path: &Path, raw: Raw) -> Result<Self, FinishFileError> {
        let path = path.to_owned();
        match LinesFile::open(&path, raw) {
            Ok(file) => {
                let lines = Lines { file, written: 0, failure: None };
                Ok(Self { path, lines: Mutex::new(lines) })
            }
            Err(source) => Err(FinishFileError::Create { path, source }),
        }
    }

    /// Returns the file itself.
    pub(crate) fn file(&self) -> OutputFile {
        self.lines().file.file()
    }

    /// Writes down how an instance of `worker` ended, and after how many items.
    pub(crate) fn report(&self, worker: WorkerIndex, items: u64, closing: Closing<'_>) {
        let line = line(worker, items, closing);
        self.lines().add(&line);
    }

    /// Waits until the reports that were written are on the disk.
    pub(crate) fn sync(&self) -> Result<(), FinishFileError> {
        let synced = self.lines().file.sync();
        synced.map_err(|source| FinishFileError::Sync { path: self.path.clone(), source })
    }

    /// Tells whether all reports were written. To be asked when no more will come.
    pub(crate) fn end(&self) -> Result<(), FinishFileError> {
        let mut lines = self.lines();
        match lines.failure.take() {
            None => Ok(()),
            Some(Failure { unwritten, source }) => {
                let (path, all) = (self.path.clone(), lines.written + unwritten);
                Err(FinishFileError::Write { path, unwritten, all, source })
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // A thread that panicked has left a count that is one too low at worst.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// Writes a line at once: somebody may be following the file.
    fn add(&mut self, line: &[u8]) {
        if let Some(failure) = &mut self.failure {
            failure.unwritten += 1;
            return;
        }
        match self.file.add(line).and_then(|()| self.file.flush()) {
            Ok(()) => self.written += 1,
            Err(source) => self.failure = Some(Failure { unwritten: 1, source }),
        }
    }
}

fn line(worker: WorkerIndex, items: u64, closing: Closing<'_>) -> Vec<u8> {
    let text: String;
    let (name, value) = match closing {
        Closing::Report { bytes, format } => ("report", JsonValue::of(bytes, format)),
        Closing::Failed(why) => {
            text = why.to_string();
            ("error", JsonValue::text(text.as_bytes()))
        }
        Closing::Lost(why) => {
            text = why.to_string();
            ("lost", JsonValue::text(text.as_bytes()))
        }
    };
    let mut line = format!("{{\"worker\":{worker},\"items\":{items},\"{name}\":").into_bytes();
    value.append_to(&mut line);
    line.extend_from_slice(b"}\n");
    line
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs;
    use std::thread;

    use mtl_host::{Broken, FaultKind, Format};

    use super::*;

    fn broken(kind: FaultKind, message: &str) -> Broken {
        Broken::new(kind, message)
    }

    #[test]
    fn each_end_is_a_line() {
        let report = |bytes, format| Closing::Report { bytes, format };
        #[rustfmt::skip]
        let cases = [
            (report(b"3 words\n", Format::Text),      r#""report":"3 words\n""#),
            (report(b"", Format::Text),               r#""report":"""#),
            (report(b"{\"n\":\n3}", Format::Json),    r#""report":{"n": 3}"#),
            (report(b"not JSON", Format::Json),       r#""report":"not JSON""#),
            (report(b"\xff", Format::Text),           r#""report":{"base64":"/w=="}"#),
            (Closing::Failed(&broken(FaultKind::Trap, "\"why\"")),        r#""error":"trap: \"why\"""#),
            (Closing::Lost(&broken(FaultKind::Timeout, "after 1 s")),     r#""lost":"timeout: after 1 s""#),
        ];
        for (closing, tail) in cases {
            let line = String::from_utf8(line(WorkerIndex::new(7), 123, closing)).unwrap();
            assert_eq!(line, format!("{{\"worker\":7,\"items\":123,{tail}}}\n"));
        }
    }

    #[test]
    fn workers_may_end_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        let file = FinishFile::open(&path, Raw::No).unwrap();
        let long = broken(FaultKind::Trap, &"x".repeat(10_000));
        thread::scope(|scope| {
            for worker in 0..4 {
                let (file, long) = (&file, &long);
                scope.spawn(move || {
                    for items in 0..50 {
                        file.report(WorkerIndex::new(worker), items, Closing::Lost(long));
                    }
                });
            }
        });
        file.end().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = written.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 200);
        assert!(lines.iter().all(|line| line.len() > 10_000 && line.ends_with("x\"}")));
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let error = FinishFile::open(Path::new("no-such-folder/file"), Raw::No).unwrap_err();
        assert_eq!(error.to_string(), "cannot create `no-such-folder/file` for closing reports");
        assert!(error.source().is_some());
    }

    #[test]
    fn what_was_not_written_is_counted() {
        let file = FinishFile::open(Path::new("/dev/full"), Raw::No).unwrap();
        for _ in 0..3 {
            file.report(WorkerIndex::new(0), 1, Closing::Failed(&broken(FaultKind::Trap, "why")));
        }
        let error = file.end().unwrap_err();
        let told = format!("{error}: {}", error.source().unwrap());
        assert_eq!(
            told,
            "cannot write 3 of 3 closing reports to `/dev/full`: No space left on device (os error 28)"
        );
        assert!(file.end().is_ok(), "it is told once");
    }

    #[test]
    fn a_file_without_trouble_ends_well() {
        let folder = tempfile::tempdir().unwrap();
        let file = FinishFile::open(&folder.path().join("reports"), Raw::No).unwrap();
        assert!(file.end().is_ok());
    }
}
