use std::collections::VecDeque;
use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::{Input, sum};
use crate::control::stop::StopFlag;
use crate::files::Opener;
use crate::source::script::SourceOutput;
use crate::source::{Inputs, Jsonl, Lines, SizeHint, Source, SourceError};

/// Far longer than any step takes, and short enough to wait for.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(CWD, self.path(name), FileType::Fifo, mode, 0).unwrap();
        self.path(name)
    }
}

fn lines_of(paths: Vec<PathBuf>) -> SourceOutput {
    SourceOutput::by(Lines::new(Inputs::open(paths).unwrap()))
}

/// Returns the result of `work`. The test fails instead of hanging if `work` never returns.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::Builder::new().spawn(move || drop(done.send(work()))).unwrap();
    result.recv_timeout(TEST_TIMEOUT).expect("the work must end in time")
}

#[test]
fn inputs_are_read_in_sequence() {
    let folder = Folder::new();
    let paths = vec![
        folder.file("a", "one\ntwo"),
        folder.file("empty", ""),
        folder.file("b.zst", zstd::encode_all(&b"three\nfour\n"[..], 0).unwrap()),
        folder.file("c", "five\n"),
    ];
    let total: u64 = paths.iter().map(|path| path.metadata().unwrap().len()).sum();
    let lines = Lines::new(Inputs::open(paths).unwrap());
    assert_eq!(lines.size_hint(), SizeHint::from_bytes(total));
    let given = SourceOutput::by(lines);
    assert_eq!(given.texts(), ["one", "two", "three", "four", "five"]);
    assert_eq!(given.input_bytes, total, "stored bytes are counted");
}

#[test]
fn line_numbers_are_counted_per_input() {
    let folder = Folder::new();
    let paths = vec![folder.file("a", "1\n2"), folder.file("b", "\n\nno\n")];
    let given = SourceOutput::by(Jsonl::new(Inputs::open(paths.clone()).unwrap()));
    let why = format!("!`{}` line 3: not JSON: expected ident at column 2", paths[1].display());
    assert_eq!(given.texts(), ["1", "2", &why]);
}

#[test]
fn total_bytes_are_known_only_for_regular_files() {
    let folder = Folder::new();
    let paths = vec![folder.file("a", "one"), folder.pipe("pipe")];
    let inputs = Inputs::open(paths).unwrap();
    assert_eq!(inputs.total_bytes(), None);
}

/// A sparse file may claim the greatest length that a number can express.
#[test]
fn the_total_length_saturates() {
    let cases = [
        (Some(1), Some(2), Some(3)),
        (Some(u64::MAX), Some(2), Some(u64::MAX)),
        (None, Some(2), None),
        (Some(1), None, None),
    ];
    for (total, more, expected) in cases {
        assert_eq!(sum(total, more), expected, "{total:?} {more:?}");
    }
}

#[test]
fn a_missing_or_directory_input_is_refused_before_reading() {
    let folder = Folder::new();
    let good = folder.file("good", "one");
    let (missing, directory) = (folder.path("missing"), folder.path(""));
    let refused = |path: &PathBuf| {
        let error = Inputs::open(vec![good.clone(), path.clone()]).unwrap_err();
        (error.to_string(), error.hint().is_some())
    };
    let expected = format!("cannot open input `{}`", missing.display());
    assert_eq!(refused(&missing), (expected, false));
    let expected = format!("input `{}` is a directory", directory.display());
    assert_eq!(refused(&directory), (expected, true));
}

#[test]
fn an_input_that_vanishes_is_an_error_when_its_turn_comes() {
    let folder = Folder::new();
    let (first, second) = (folder.file("first", "one\ntwo"), folder.file("second", "three"));
    let inputs = Inputs::open(vec![first, second.clone()]).unwrap();
    fs::remove_file(&second).unwrap();
    let given = SourceOutput::by(Lines::new(inputs));
    assert_eq!(given.texts(), ["one", "two"]);
    assert!(matches!(given.error, Some(SourceError::Open { path, .. }) if path == second));
}

#[test]
fn a_damaged_input_is_named() {
    let folder = Folder::new();
    let path = folder.file("damaged.gz", "not compressed");
    let given = lines_of(vec![path.clone()]);
    let expected = format!("cannot read input `{}`", path.display());
    assert_eq!(given.error.unwrap().to_string(), expected);
}

#[test]
fn a_named_pipe_is_read_to_its_end() {
    let folder = Folder::new();
    let pipe = folder.pipe("pipe");
    let lines = Lines::new(Inputs::open(vec![pipe.clone()]).unwrap());
    let given = in_time(move || {
        thread::scope(|scope| {
            scope.spawn(|| fs::write(pipe, "one\ntwo\n").unwrap());
            SourceOutput::by(lines).texts()
        })
    });
    assert_eq!(given, ["one", "two"]);
}

/// Opens the reading end of a pipe as an input.
fn open(pipe: &PipeReader) -> Inputs {
    Inputs::open(vec![format!("/proc/self/fd/{}", pipe.as_raw_fd()).into()]).unwrap()
}

#[test]
fn a_stop_ends_the_wait_for_a_pipe() {
    // The bytes written before the stop, and the expected items.
    let cases: [(&str, &[&str]); 3] =
        [("", &[]), ("one\ntwo\n", &["one", "two"]), ("one\nhal", &["one"])];
    for (written, expected) in cases {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(written.as_bytes()).unwrap();
        let mut lines = Lines::new(open(&reader));
        let stop = lines.stop_flag().unwrap();
        let given = in_time(move || {
            let mut given = SourceOutput::default();
            if !written.is_empty() {
                given.once(&mut lines);
            }
            thread::scope(|scope| {
                scope.spawn(|| stop.set());
                given.once(&mut lines);
            });
            given
        });
        drop(writer);
        assert_eq!(given.texts(), expected, "an incomplete line is not an item");
        assert!(given.error.is_none());
    }
}

/// A run that has ended sets the flag of its inputs. That must not end the inputs of the next run.
#[test]
fn a_stop_flag_ends_only_its_own_inputs() {
    let folder = Folder::new();
    let path = folder.file("a", "one\n");
    let [stopped, other] = [(); 2].map(|()| Lines::new(Inputs::open(vec![path.clone()]).unwrap()));
    stopped.stop_flag().unwrap().set();
    assert!(SourceOutput::by(stopped).items.is_empty());
    assert_eq!(SourceOutput::by(other).texts(), ["one"]);
}

#[test]
fn a_pipe_without_a_writer_opens_without_blocking() {
    let folder = Folder::new();
    let pipe = folder.pipe("pipe");
    let file = in_time(move || Opener::new().open_nonblocking(&pipe).unwrap());
    let mut polled = [PollFd::new(&file, PollFlags::IN)];
    assert_eq!(poll(&mut polled, Some(&Timespec::default())), Ok(0));
}

#[test]
fn a_stop_ends_the_wait_for_the_writer_of_a_named_pipe() {
    let folder = Folder::new();
    let lines = Lines::new(Inputs::open(vec![folder.pipe("pipe")]).unwrap());
    let stop = lines.stop_flag().unwrap();
    let given = in_time(move || {
        thread::scope(|scope| {
            scope.spawn(|| stop.set());
            SourceOutput::by(lines)
        })
    });
    assert!(given.error.is_none());
    assert!(given.items.is_empty());
}

/// A reader that a stop interrupts during its second read.
struct Stopped {
    stop: StopFlag,
    reads: VecDeque<io::Result<&'static [u8]>>,
}

impl Read for Stopped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reads.pop_front().expect("there were two reads");
        if self.reads.is_empty() {
            self.stop.set();
        }
        let bytes = read?;
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

#[test]
fn an_interrupted_read_is_neither_an_item_nor_an_error() {
    let truncated = || Err(io::ErrorKind::UnexpectedEof.into());
    for second in [Ok(&b""[..]), Ok(b"lf\n"), truncated()] {
        let stop = StopFlag::new();
        let reads = VecDeque::from([Ok(&b"one\nha"[..]), second]);
        let reader = Stopped { stop: stop.clone(), reads };
        let inputs =
            Inputs { stop: Some(stop), ..Inputs::of(vec![Input::Reader(Box::new(reader))]) };
        let given = SourceOutput::by(Lines::new(inputs));
        assert_eq!(given.texts(), ["one"]);
        assert!(given.error.is_none());
    }
}
