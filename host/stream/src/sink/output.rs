//! The output of a sink: standard output, a file, or a user-supplied writer.

use std::fmt;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::output_file::shorten;
use super::{OutputFile, SinkError, durable};
use crate::files::Opener;

/// The target of a sink, with its name in messages.
///
/// ```
/// use mtl_host::sink::{Lines, Output, Sink};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("results");
/// let mut sinks: Vec<Box<dyn Sink>> = vec![
///     Box::new(Lines::new(Output::create(&path)?)),
///     Box::new(Lines::new(Output::standard())),
/// ];
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// for sink in &mut sinks {
///     pool.run(Items::new(["one"]), sink).into_result()?;
/// }
/// assert_eq!(std::fs::read(&path)?, b"ONE\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Output<'a> {
    name: String,
    target: Target<'a>,
}

enum Target<'a> {
    StandardOutput,
    File(OutputFile),
    Writer(Box<dyn Write + Send + 'a>),
}

impl Output<'static> {
    /// Returns standard output.
    #[must_use]
    pub fn standard() -> Self {
        Self { name: "standard output".into(), target: Target::StandardOutput }
    }

    /// Creates a file, or empties an existing one.
    ///
    /// ```
    /// use mtl_host::sink::Output;
    ///
    /// let error = Output::create("no-such-folder/results".as_ref()).unwrap_err();
    /// assert_eq!(error.to_string(), "cannot create output `no-such-folder/results`");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        Self::create_with(&Opener::new(), path)
    }

    /// Creates a file with `opener`, or empties an existing one.
    ///
    /// ```
    /// use mtl_host::grants::DirGrant;
    /// use mtl_host::sink::Output;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
    /// let opener = DirGrant::opener([&grant])?;
    /// let output = Output::create_with(&opener, &folder.path().join("results"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be created, or is reached through a link that a plugin may have made.
    pub fn create_with(opener: &Opener, path: &Path) -> Result<Self, SinkError> {
        match opener.create(path) {
            Ok(file) => Ok(Self::of(path, OutputFile::from_emptied(file))),
            Err(source) => Err(SinkError::Create { path: path.to_owned(), source }),
        }
    }

    /// Opens a file and locks it against other runs. [`OutputFile::begin`] empties the file. If `begin` is not called,
    /// the first record empties the file.
    ///
    /// ```
    /// use std::fs;
    ///
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("results");
    /// fs::write(&path, "of an earlier run")?;
    /// let output = Output::open(&path)?;
    /// assert!(Output::open(&path).is_err(), "the file is locked");
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// // Without a record, nothing else empties the file.
    /// output.file().expect("the output is a file").begin()?;
    /// pool.run(Items::new([""; 0]), &mut Lines::new(output)).into_result()?;
    /// assert_eq!(fs::read(&path)?, b"");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`create`](Self::create). If another run writes to the file, the source of
    /// [`SinkError::Create`] holds [`OutputLocked`](super::OutputLocked).
    pub fn open(path: &Path) -> Result<Self, SinkError> {
        Self::open_with(&Opener::new(), path)
    }

    /// Opens a file with `opener`, and otherwise does the same as [`open`](Self::open).
    ///
    /// ```
    /// use mtl_host::files::Opener;
    /// use mtl_host::sink::Output;
    ///
    /// let output = Output::open_with(&Opener::new(), "/dev/null".as_ref())?;
    /// assert_eq!(output.name(), "/dev/null");
    /// # Ok::<(), mtl_host::sink::SinkError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`open`](Self::open), and if the file is reached through a link that a
    /// plugin may have made.
    pub fn open_with(opener: &Opener, path: &Path) -> Result<Self, SinkError> {
        match OutputFile::open_with(opener, path) {
            Ok(file) => Ok(Self::of(path, file)),
            Err(source) => Err(SinkError::Create { path: path.to_owned(), source }),
        }
    }

    pub(super) fn of(path: &Path, file: OutputFile) -> Self {
        Self { name: path.display().to_string(), target: Target::File(file) }
    }
}

impl<'a> Output<'a> {
    /// Wraps `writer`. Messages show it as `name`. The sink treats bytes as written as soon as `writer` accepts them,
    /// even if `writer` buffers them.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Lines::new(Output::to("memory", &mut output));
    /// Pool::builder(&plugin).build()?.run(Items::new(["one"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"one\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to(name: impl Into<String>, writer: impl Write + Send + 'a) -> Self {
        Self { name: name.into(), target: Target::Writer(Box::new(writer)) }
    }

    /// Returns the name of the output in messages.
    ///
    /// ```
    /// use mtl_host::sink::Output;
    ///
    /// assert_eq!(Output::standard().name(), "standard output");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the descriptor of the target, or `None` for a user-supplied writer.
    ///
    /// ```
    /// use std::io::{IsTerminal, stdout};
    ///
    /// use mtl_host::sink::Output;
    ///
    /// let is_terminal = Output::standard().descriptor().map(|file| file.is_terminal());
    /// assert_eq!(is_terminal, Some(stdout().is_terminal()));
    /// assert!(Output::to("memory", Vec::new()).descriptor().is_none());
    /// ```
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.target {
            Target::Writer(_) => None,
            Target::File(file) => Some(file.as_fd()),
            Target::StandardOutput => Some(rustix::stdio::stdout()),
        }
    }

    /// Returns the file of the target, or `None` for standard output and a user-supplied writer.
    ///
    /// ```
    /// use mtl_host::sink::Output;
    ///
    /// assert!(Output::open("/dev/null".as_ref())?.file().is_some());
    /// assert!(Output::standard().file().is_none());
    /// # Ok::<(), mtl_host::sink::SinkError>(())
    /// ```
    #[must_use]
    pub fn file(&self) -> Option<OutputFile> {
        match &self.target {
            Target::File(file) => Some(file.clone()),
            Target::StandardOutput | Target::Writer(_) => None,
        }
    }

    /// Removes the last `bytes` bytes that were written. This works only in a regular file to which no other process
    /// has written since.
    pub(super) fn remove_last(&mut self, bytes: usize) -> io::Result<()> {
        match &self.target {
            Target::Writer(_) => Ok(()),
            Target::File(file) => file.remove_last(bytes),
            Target::StandardOutput => shorten(rustix::stdio::stdout(), bytes),
        }
    }

    /// Waits until the written bytes and the name of the file are on the disk. For a block device, waits for the bytes
    /// only. For a user-supplied writer or a file of another type, does nothing.
    pub(super) fn sync(&self) -> Result<(), SinkError> {
        let synced = match &self.target {
            Target::Writer(_) => Ok(()),
            Target::File(file) => file.sync(),
            Target::StandardOutput => durable::sync(rustix::stdio::stdout()),
        };
        synced.map_err(|source| SinkError::Sync { name: self.name.clone(), source })
    }
}

/// Writes to the target of the output. With this implementation, an `Output` can be wrapped in another writer.
///
/// ```
/// use std::io::{LineWriter, Write};
///
/// use mtl_host::sink::{Lines, Output};
///
/// let output = Output::standard();
/// let name = output.name().to_owned();
/// let sink = Lines::new(Output::to(name, LineWriter::new(output)));
/// # drop(sink);
/// ```
impl Write for Output<'_> {
    /// Writes as many bytes as the target takes in one call. Waits until the target takes some.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Writer(writer) => writer.write(bytes),
            Target::File(file) => file.write(bytes),
            Target::StandardOutput => write_blocking(rustix::stdio::stdout(), bytes),
        }
    }

    /// Flushes the buffer of the target, if it has one.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Writer(writer) => writer.flush(),
            Target::File(file) => file.flush(),
            Target::StandardOutput => Ok(()),
        }
    }
}

/// Writes to a descriptor that may be non-blocking, because another process shares it and may have made it so.
fn write_blocking(target: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(target, bytes) {
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(target, PollFlags::OUT)], None)?;
            }
            done => return Ok(done?),
        }
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Output").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_file_in_a_missing_folder_is_an_error() {
        let error = Output::create(Path::new("no-such-folder/file")).unwrap_err();
        assert_eq!(error.to_string(), "cannot create output `no-such-folder/file`");
    }

    #[test]
    fn bytes_written_to_a_file_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"whole half").unwrap();
        output.remove_last(5).unwrap();
        output.write_all(b"!").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole!");
    }

    #[test]
    fn bytes_of_other_writers_are_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"ours").unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b" theirs").unwrap();
        output.remove_last(2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours theirs");
    }
}
