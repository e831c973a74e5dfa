//! `--finish-output FILE`: what each worker has to say at its end, as a line of JSON.
//!
//! Workers end on threads of their own, and in the middle of a run when they are replaced. None
//! of them can do anything about a disk that is full: the first error is kept for the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mtl_host::{Closing, Event, Format, JsonValue, Observer, WorkerIndex};

/// A file of closing reports, written to by several threads.
#[derive(Debug)]
pub(crate) struct FinishFile {
    path: PathBuf,
    lines: Mutex<Lines>,
}

/// How the life of an instance ended.
#[derive(Clone, Copy, Debug)]
enum End<'a> {
    /// The plugin gave a report.
    Report {
        /// What it gave.
        bytes: &'a [u8],
        /// What the plugin says that is.
        format: Format,
    },
    /// `finish` failed; in words.
    Failed(&'a str),
    /// The instance broke on an item, and what it knew is lost; in words.
    Lost(&'a str),
}

/// Why closing reports could not be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishFileError {
    /// The file could not be made.
    #[error("cannot create `{}` for closing reports", path.display())]
    Create { path: PathBuf, source: io::Error },
    /// Writing failed; then nothing more was written.
    #[error("cannot write {unwritten} of {all} closing reports to `{}`", path.display())]
    Write { path: PathBuf, unwritten: u64, all: u64, source: io::Error },
}

#[derive(Debug)]
struct Lines {
    file: File,
    /// How many were written, and how many bytes they are.
    written: u64,
    bytes: u64,
    failure: Option<Failure>,
}

/// From then on nothing is written: what follows half a line is not a line.
#[derive(Debug)]
struct Failure {
    unwritten: u64,
    source: io::Error,
}

impl FinishFile {
    pub(crate) fn create(path: &Path) -> Result<Self, FinishFileError> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => {
                let lines = Lines { file, written: 0, bytes: 0, failure: None };
                Ok(Self { path, lines: Mutex::new(lines) })
            }
            Err(source) => Err(FinishFileError::Create { path, source }),
        }
    }

    /// Writes down how an instance of `worker` ended, and after how many items.
    fn report(&self, worker: WorkerIndex, items: u64, end: End<'_>) {
        let line = line(worker, items, end);
        // A thread that panicked has left a count that is one too low at worst.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).add(&line);
    }

    /// Tells whether all reports were written. To be asked when no more will come.
    pub(crate) fn end(&self) -> Result<(), FinishFileError> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.failure.take() {
            None => Ok(()),
            Some(Failure { unwritten, source }) => {
                let (path, all) = (self.path.clone(), lines.written + unwritten);
                Err(FinishFileError::Write { path, unwritten, all, source })
            }
        }
    }
}

impl Observer for FinishFile {
    fn notify(&self, event: &Event<'_>) {
        match *event {
            Event::Finished { worker, items, closing } => match closing {
                Closing::Report { bytes, format } => {
                    self.report(worker, items, End::Report { bytes, format });
                }
                Closing::Failed(why) => self.report(worker, items, End::Failed(&why.to_string())),
                // There is no other yet.
                _ => {}
            },
            Event::WorkerBroke { worker, items, why } => {
                self.report(worker, items, End::Lost(&why.to_string()));
            }
            _ => {}
        }
    }
}

impl Lines {
    /// Writes a line at once: somebody may be following the file.
    fn add(&mut self, line: &[u8]) {
        if let Some(failure) = &mut self.failure {
            failure.unwritten += 1;
            return;
        }
        match self.file.write_all(line) {
            Ok(()) => {
                self.written += 1;
                self.bytes += line.len() as u64;
            }
            Err(source) => {
                // Half a line is taken back, where that can be done: not from a pipe.
                let _ = self.file.set_len(self.bytes);
                self.failure = Some(Failure { unwritten: 1, source });
            }
        }
    }
}

fn line(worker: WorkerIndex, items: u64, end: End<'_>) -> Vec<u8> {
    let (name, value) = match end {
        End::Report { bytes, format } => ("report", JsonValue::of(bytes, format)),
        End::Failed(why) => ("error", JsonValue::text(why.as_bytes())),
        End::Lost(why) => ("lost", JsonValue::text(why.as_bytes())),
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
    use std::sync::Arc;
    use std::thread;

    use mtl_host::{Engine, Plugin, Pool};

    use super::*;

    #[test]
    fn each_end_is_a_line() {
        let report = |bytes, format| End::Report { bytes, format };
        #[rustfmt::skip]
        let cases = [
            (report(b"3 words\n", Format::Text),      r#""report":"3 words\n""#),
            (report(b"", Format::Text),               r#""report":"""#),
            (report(b"{\"n\":\n3}", Format::Json),    r#""report":{"n": 3}"#),
            (report(b"not JSON", Format::Json),       r#""report":"not JSON""#),
            (report(b"\xff", Format::Text),           r#""report":{"base64":"/w=="}"#),
            (End::Failed("trap: \"why\""),        r#""error":"trap: \"why\"""#),
            (End::Lost("timeout: after 1 s"),     r#""lost":"timeout: after 1 s""#),
        ];
        for (closing, tail) in cases {
            let line = String::from_utf8(line(WorkerIndex::new(7), 123, closing)).unwrap();
            assert_eq!(line, format!("{{\"worker\":7,\"items\":123,{tail}}}\n"));
        }
    }

    #[test]
    fn instances_that_end_or_break_are_written_down() {
        // It counts items; one that begins with `!` breaks it.
        const COUNT: &str = r#"(module
            (memory (export "memory") 1)
            (global $count (mut i32) (i32.const 48))
            (func (export "mtl_alloc") (param i32) (result i32) i32.const 8)
            (func (export "call") (param i32 i32) (result i64)
                (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 33)) (then unreachable))
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (i64.const 0x800000001))
            (func (export "finish") (result i64)
                (i32.store8 (i32.const 4) (global.get $count))
                (i64.const 0x400000001)))"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        let file = Arc::new(FinishFile::create(&path).unwrap());
        let plugin = Plugin::from_bytes(&Engine::new().unwrap(), "count", COUNT.as_bytes());
        let builder = Pool::builder(&plugin.unwrap()).jobs("1".parse().unwrap());
        let mut pool = builder.observer(file.clone()).build().unwrap();
        let results = pool.map(["a", "b", "!", "c"]);
        assert_eq!(results.filter(Result::is_err).count(), 1);
        pool.close();
        file.end().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let [lost, report] = written.lines().collect::<Vec<_>>().try_into().unwrap();
        assert!(lost.starts_with("{\"worker\":0,\"items\":"), "{lost}");
        assert!(lost.contains(",\"lost\":\"trap: "), "{lost}");
        assert_eq!(report, "{\"worker\":0,\"items\":1,\"report\":\"1\"}");
    }

    #[test]
    fn workers_may_end_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        let file = FinishFile::create(&path).unwrap();
        let text = "x".repeat(10_000);
        thread::scope(|scope| {
            for worker in 0..4 {
                let (file, text) = (&file, &text);
                scope.spawn(move || {
                    for items in 0..50 {
                        file.report(WorkerIndex::new(worker), items, End::Lost(text));
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
        let error = FinishFile::create(Path::new("no-such-folder/file")).unwrap_err();
        assert_eq!(error.to_string(), "cannot create `no-such-folder/file` for closing reports");
        assert!(error.source().is_some());
    }

    #[test]
    fn what_was_not_written_is_counted() {
        let file = FinishFile::create(Path::new("/dev/full")).unwrap();
        for _ in 0..3 {
            file.report(WorkerIndex::new(0), 1, End::Failed("trap: why"));
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
        let file = FinishFile::create(&folder.path().join("reports")).unwrap();
        assert!(file.end().is_ok());
    }
}
