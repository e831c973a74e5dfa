//! The inputs of a run: files, standard input, or a user-supplied reader.
//!
//! `Inputs` checks all files when the run is set up, so that a mistyped name ends the run before it reads any input. It
//! opens each file only when it reads the file, so that ten thousand names do not need ten thousand open files. It
//! decompresses the bytes of one read at a time. A stop of the run interrupts a wait for bytes.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Access, FileType, access, fstat, tell};

use super::SourceError;
use super::decoder::{Compression, Decoder};
use super::descriptor::{Descriptor, Handle, StopEventFd};
use crate::control::stop::StopFlag;
use crate::files::Opener;

/// The name of standard input in messages.
const STANDARD_INPUT: &str = "standard input";

/// The inputs of a source, which it reads one after the other.
///
/// Inputs whose names end in `.gz` or `.zst` are decompressed during reading.
///
/// ```
/// use mtl_host::source::{Inputs, SourceError};
///
/// let missing = Inputs::open(vec!["no-such-file".into()]);
/// assert!(matches!(missing, Err(SourceError::Open { .. })));
/// ```
pub struct Inputs {
    waiting: std::vec::IntoIter<Input>,
    current: Option<Decoder>,
    /// The name of the input that is read now, or was read last.
    name: String,
    total: Option<u64>,
    bytes_read: Arc<AtomicU64>,
    opener: Opener,
    /// The flag that interrupts a wait for bytes. The run sets the flag at its end, so no other inputs may share the
    /// flag. `None` for a user-supplied reader, because no flag can end a wait inside that reader.
    stop: Option<StopFlag>,
    stop_event: Option<Arc<StopEventFd>>,
}

enum Input {
    Stdin,
    File(PathBuf),
    Reader(Box<dyn Read + Send>),
}

/// The result of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadResult {
    /// This number of bytes, at least one.
    Bytes(usize),
    /// The end of one input. Another input may follow.
    InputEnd,
    /// The end of all inputs. If no `InputEnd` precedes it, the run was stopped.
    End,
}

impl Inputs {
    /// Checks the files of these names. `-` is standard input, and an empty list stands for standard input. A stop of
    /// the run ends the inputs, even if a read is waiting for bytes.
    ///
    /// ```
    /// use mtl_host::source::Inputs;
    ///
    /// let inputs = Inputs::open(vec!["Cargo.toml".into(), "../run".into()])?;
    /// assert!(inputs.total_bytes() > Some(1000));
    /// # Ok::<(), mtl_host::source::SourceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a file is missing, is not readable, or is a directory.
    pub fn open(paths: Vec<PathBuf>) -> Result<Self, SourceError> {
        Self::open_with(&Opener::new(), paths)
    }

    /// Checks the files of these names, and opens them with `opener`. [`Files`](super::Files) uses the same opener for
    /// the files that it finds in these inputs.
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    /// use mtl_host::source::Inputs;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// let inputs = Inputs::open_with(&opener, vec!["Cargo.toml".into()])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a file is missing, is not readable, or is a directory. Returns an error if the path leads
    /// through a link that a plugin may have made.
    pub fn open_with(opener: &Opener, paths: Vec<PathBuf>) -> Result<Self, SourceError> {
        let mut inputs: Vec<_> = paths.into_iter().map(Input::of).collect();
        if inputs.is_empty() {
            inputs.push(Input::Stdin);
        }
        let mut total = Some(0);
        for input in &inputs {
            total = sum(total, input.check(opener)?);
        }
        let opener = opener.clone();
        Ok(Self { total, opener, stop: Some(StopFlag::new()), ..Self::of(inputs) })
    }

    /// Creates one input from `reader`. Messages show it as `name`.
    ///
    /// No stop can interrupt a read that waits inside `reader`.
    ///
    /// ```
    /// use mtl_host::source::BlockBuilder;
    /// use mtl_host::source::{Inputs, Lines, Source};
    ///
    /// let inputs = Inputs::from_reader("memory", &b"one\ntwo\n"[..]);
    /// assert_eq!(inputs.total_bytes(), None);
    /// let mut block = BlockBuilder::new();
    /// Lines::new(inputs).fill(&mut block)?;
    /// assert_eq!(block.len(), 2);
    /// # Ok::<(), mtl_host::source::SourceError>(())
    /// ```
    pub fn from_reader(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), ..Self::of(vec![Input::Reader(Box::new(reader))]) }
    }

    fn of(inputs: Vec<Input>) -> Self {
        Self {
            waiting: inputs.into_iter(),
            current: None,
            name: String::new(),
            total: None,
            bytes_read: Arc::default(),
            opener: Opener::new(),
            stop: None,
            stop_event: None,
        }
    }

    /// Returns the stored size of all inputs together, if all are regular files.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// Returns the opener of files.
    pub(super) fn opener(&self) -> &Opener {
        &self.opener
    }

    pub(super) fn stop_flag(&self) -> Option<StopFlag> {
        self.stop.clone()
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(StopFlag::is_set)
    }

    /// Returns the name of the input that was read last.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of stored bytes that were read since the last call.
    pub(super) fn take_bytes_read(&mut self) -> u64 {
        self.bytes_read.swap(0, Ordering::Relaxed)
    }

    /// Reads once. Waits if no bytes are available.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<ReadResult, SourceError> {
        match self.read_or_fail(buffer) {
            // A decompressor reports an input that a stop has cut short as an error.
            _ if self.is_stopped() => Ok(self.finish()),
            Err(error) => {
                self.finish();
                Err(error)
            }
            done => done,
        }
    }

    fn finish(&mut self) -> ReadResult {
        self.current = None;
        self.waiting = Vec::new().into_iter();
        ReadResult::End
    }

    fn read_or_fail(&mut self, buffer: &mut [u8]) -> Result<ReadResult, SourceError> {
        if self.is_stopped() {
            return Ok(ReadResult::End);
        }
        if self.current.is_none() {
            match self.waiting.next() {
                Some(input) => self.current = Some(self.open_input(input)?),
                None => return Ok(ReadResult::End),
            }
        }
        let current = self.current.as_mut().expect("an input is open");
        match read_some(current, buffer) {
            Ok(0) => {
                self.current = None;
                Ok(ReadResult::InputEnd)
            }
            Ok(bytes) => Ok(ReadResult::Bytes(bytes)),
            Err(source) => Err(SourceError::Read { name: self.name.clone(), source }),
        }
    }

    /// Opens the next input.
    fn open_input(&mut self, input: Input) -> Result<Decoder, SourceError> {
        let opened = match input {
            Input::Reader(reader) => self.decoder(Compression::Plain, reader),
            Input::Stdin => {
                STANDARD_INPUT.clone_into(&mut self.name);
                self.descriptor(Handle::StandardInput)
                    .and_then(|bytes| self.decoder(Compression::Plain, Box::new(bytes)))
            }
            Input::File(path) => {
                self.name = path.display().to_string();
                return self.open_file(path);
            }
        };
        opened.map_err(|source| SourceError::Read { name: self.name.clone(), source })
    }

    fn open_file(&mut self, path: PathBuf) -> Result<Decoder, SourceError> {
        let opened =
            self.opener.open_nonblocking(&path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((metadata, _)) if metadata.is_dir() => Err(SourceError::Directory { path }),
            Ok((_, file)) => self
                .descriptor(Handle::File(file))
                .and_then(|bytes| self.decoder(Compression::of(&path), Box::new(bytes)))
                .map_err(|source| SourceError::Open { path, source }),
            Err(source) => Err(SourceError::Open { path, source }),
        }
    }

    fn descriptor(&mut self, handle: Handle) -> io::Result<Descriptor> {
        if FileType::from_raw_mode(fstat(handle.as_fd())?.st_mode) == FileType::RegularFile {
            return Ok(Descriptor::new(handle, None));
        }
        if self.stop_event.is_none() {
            self.stop_event = self.stop.as_ref().map(StopEventFd::of).transpose()?;
        }
        Ok(Descriptor::new(handle, self.stop_event.clone()))
    }

    fn decoder(
        &self,
        compression: Compression,
        bytes: Box<dyn Read + Send>,
    ) -> io::Result<Decoder> {
        Decoder::new(
            compression,
            Box::new(CountingReader { bytes, bytes_read: Arc::clone(&self.bytes_read) }),
        )
    }
}

/// Adds sizes if both are known. The sum saturates, because sparse files may claim any size.
fn sum(total: Option<u64>, more: Option<u64>) -> Option<u64> {
    total.zip(more).map(|(total, more)| total.saturating_add(more))
}

/// Reads once; tries again only after a signal.
fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("name", &self.name)
            .field("waiting", &self.waiting.len())
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl Input {
    fn of(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }

    /// Checks that the input can be read, and returns its length if that is known.
    fn check(&self, opener: &Opener) -> Result<Option<u64>, SourceError> {
        match self {
            Self::Reader(_) => Ok(None),
            Self::Stdin => check_standard_input(),
            Self::File(path) => check_file(opener, path),
        }
    }
}

fn check_file(opener: &Opener, path: &Path) -> Result<Option<u64>, SourceError> {
    let failed = |source| SourceError::Open { path: path.to_owned(), source };
    let found = opener.look_up(path).map_err(failed)?;
    let metadata = found.metadata();
    if metadata.is_dir() {
        return Err(SourceError::Directory { path: path.to_owned() });
    }
    if metadata.is_file() {
        found.open_nonblocking().map_err(failed)?;
    } else {
        // The check does not open a named pipe: its writer would see a reader come and go.
        access(path, Access::READ_OK).map_err(|error| failed(error.into()))?;
    }
    Ok(regular_length(metadata))
}

fn regular_length(metadata: &Metadata) -> Option<u64> {
    metadata.is_file().then_some(metadata.len())
}

fn check_standard_input() -> Result<Option<u64>, SourceError> {
    let failed = |source| SourceError::Read { name: STANDARD_INPUT.into(), source };
    let input = rustix::stdio::stdin();
    let file = input.try_clone_to_owned().map(File::from).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(SourceError::Directory { path: STANDARD_INPUT.into() });
    }
    // Another process may have read the beginning of the file before.
    let read = tell(&file).unwrap_or(0);
    Ok(regular_length(&metadata).map(|length| length.saturating_sub(read)))
}

/// A reader that counts bytes before they are decompressed.
struct CountingReader {
    bytes: Box<dyn Read + Send>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
