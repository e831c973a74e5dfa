//! `--finish-output FILE`: each finish report as a line of JSON.
//!
//! When an instance ends, the thread of its worker writes the report. If an instance is replaced, this happens during
//! the run. A worker cannot handle a write error, such as a full disk. `FinishFile` therefore stores the first write
//! error until the run ends.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mtl_host::WorkerIndex;
use mtl_host::event::FinishReport;
use mtl_host::sink::JsonValue;
use mtl_host::sink::OutputFile;

use super::display_text::DisplayText;
use super::lines_file::LinesFile;
use super::terminal::Raw;

/// The file of finish reports, written by several threads.
#[derive(Debug)]
pub(crate) struct FinishFile {
    path: PathBuf,
    lines: Mutex<Lines>,
}

/// Error of writing the file of finish reports.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishFileError {
    /// The file cannot be created.
    #[error("cannot create `{}` for finish reports", DisplayText::of(path))]
    Create { path: PathBuf, source: io::Error },
    /// The system cannot sync the file.
    #[error("cannot make sure that `{}` is on the disk", DisplayText::of(path))]
    Sync { path: PathBuf, source: io::Error },
    /// A write failed, and no more reports were written.
    #[error("cannot write {unwritten} of {all} finish reports to `{}`", DisplayText::of(path))]
    Write { path: PathBuf, unwritten: u64, all: u64, source: io::Error },
}

impl FinishFileError {
    /// Returns a hint for the user.
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

/// The first write error. After it nothing is written, because the file may end in an incomplete line.
#[derive(Debug)]
struct Failure {
    unwritten: u64,
    source: io::Error,
}

impl FinishFile {
    /// Opens the file. It keeps its content until the first line is written.
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

    /// Writes the finish report of an instance of `worker`, and its number of items.
    pub(crate) fn report(&self, worker: WorkerIndex, items: u64, finish_report: FinishReport<'_>) {
        let line = line(worker, items, finish_report);
        self.lines().add(&line);
    }

    /// Waits until the reports that were written are on the disk.
    pub(crate) fn sync(&self) -> Result<(), FinishFileError> {
        let synced = self.lines().file.sync();
        synced.map_err(|source| FinishFileError::Sync { path: self.path.clone(), source })
    }

    /// Returns the error if a report could not be written. Call it after the last report.
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
        // After a panic of another thread, the count is too low by at most one.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// Writes a line immediately, because a reader may follow the file.
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

fn line(worker: WorkerIndex, items: u64, finish_report: FinishReport<'_>) -> Vec<u8> {
    let text: String;
    let (name, value) = match finish_report {
        FinishReport::Report { bytes, format } => ("report", JsonValue::new(bytes, format)),
        FinishReport::Failed(failure) => {
            text = failure.to_string();
            ("error", JsonValue::text(text.as_bytes()))
        }
        FinishReport::Lost(failure) => {
            text = failure.to_string();
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

    use mtl_host::{FaultKind, Format, InstanceFailure};

    use super::*;

    fn failure(kind: FaultKind, message: &str) -> InstanceFailure {
        InstanceFailure::new(kind, message)
    }

    #[test]
    fn each_finish_report_becomes_one_json_line() {
        let report = |bytes, format| FinishReport::Report { bytes, format };
        #[rustfmt::skip]
        let cases = [
            (report(b"3 words\n", Format::Text),      r#""report":"3 words\n""#),
            (report(b"", Format::Text),               r#""report":"""#),
            (report(b"{\"n\":\n3}", Format::Json),    r#""report":{"n": 3}"#),
            (report(b"not JSON", Format::Json),       r#""report":"not JSON""#),
            (report(b"\xff", Format::Text),           r#""report":{"base64":"/w=="}"#),
            (FinishReport::Failed(&failure(FaultKind::Trap, "\"why\"")),        r#""error":"trap: \"why\"""#),
            (FinishReport::Lost(&failure(FaultKind::Timeout, "after 1 s")),     r#""lost":"timeout: after 1 s""#),
        ];
        for (finish_report, tail) in cases {
            let line = String::from_utf8(line(WorkerIndex::new(7), 123, finish_report)).unwrap();
            assert_eq!(line, format!("{{\"worker\":7,\"items\":123,{tail}}}\n"));
        }
    }

    #[test]
    fn concurrent_finish_reports_do_not_interleave() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        let file = FinishFile::open(&path, Raw::No).unwrap();
        let long = failure(FaultKind::Trap, &"x".repeat(10_000));
        thread::scope(|scope| {
            for worker in 0..4 {
                let (file, long) = (&file, &long);
                scope.spawn(move || {
                    for items in 0..50 {
                        file.report(WorkerIndex::new(worker), items, FinishReport::Lost(long));
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
    fn a_file_in_a_missing_folder_is_an_error() {
        let error = FinishFile::open(Path::new("no-such-folder/file"), Raw::No).unwrap_err();
        assert_eq!(error.to_string(), "cannot create `no-such-folder/file` for finish reports");
        assert!(error.source().is_some());
    }

    #[test]
    fn unwritten_finish_reports_are_counted() {
        let file = FinishFile::open(Path::new("/dev/full"), Raw::No).unwrap();
        for _ in 0..3 {
            file.report(
                WorkerIndex::new(0),
                1,
                FinishReport::Failed(&failure(FaultKind::Trap, "why")),
            );
        }
        let error = file.end().unwrap_err();
        let message = format!("{error}: {}", error.source().unwrap());
        assert_eq!(
            message,
            "cannot write 3 of 3 finish reports to `/dev/full`: No space left on device (os error 28)"
        );
        assert!(file.end().is_ok(), "the error is returned once");
    }

    #[test]
    fn a_complete_report_file_ends_without_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = FinishFile::open(&folder.path().join("reports"), Raw::No).unwrap();
        assert!(file.end().is_ok());
    }
}
