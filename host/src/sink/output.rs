//! Where a sink's bytes go: standard output, a file, or a writer of the user's own.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, SeekFrom, fstat, ftruncate, seek, tell};
use rustix::io::Errno;

use super::SinkError;
use crate::files::Opener;

/// The target of a sink, and its name in messages.
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
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
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
    File(File),
    Writer(Box<dyn Write + Send + 'a>),
}

impl Output<'static> {
    /// Standard output.
    #[must_use]
    pub fn standard() -> Self {
        Self { name: "standard output".into(), target: Target::StandardOutput }
    }

    /// A file that is made, or emptied if it is there.
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
    /// When that cannot be done.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        Self::create_with(&Opener::new(), path)
    }

    /// The same, made by `opener`.
    ///
    /// ```
    /// use mtl_host::DirGrant;
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
    /// When that cannot be done, or the file is reached by a link that a plugin may have made.
    pub fn create_with(opener: &Opener, path: &Path) -> Result<Self, SinkError> {
        match opener.create(path) {
            Ok(file) => Ok(Self::of_file(path.display().to_string(), file)),
            Err(source) => Err(SinkError::Create { path: path.to_owned(), source }),
        }
    }

    pub(super) fn of_file(name: impl Into<String>, file: File) -> Self {
        Self { name: name.into(), target: Target::File(file) }
    }
}

impl<'a> Output<'a> {
    /// What `writer` takes. `name` stands for it in messages.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/judge.wat")?;
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

    /// Returns the descriptor that is written to; nothing for a writer of the user's own.
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

    /// Takes back the last `bytes` that were written, where that is possible: in a regular
    /// file, if nobody else has written after us.
    pub(super) fn take_back(&mut self, bytes: usize) -> io::Result<()> {
        match &self.target {
            Target::Writer(_) => Ok(()),
            Target::File(file) => shorten(file.as_fd(), bytes),
            Target::StandardOutput => shorten(rustix::stdio::stdout(), bytes),
        }
    }
}

/// Writes to the target of the output, so that another writer can stand before it.
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
    /// Writes what is taken at once; waits until something is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Writer(writer) => writer.write(bytes),
            Target::File(file) => file.write(bytes),
            Target::StandardOutput => write_patiently(rustix::stdio::stdout(), bytes),
        }
    }

    /// Passes on what the target holds back.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Writer(writer) => writer.flush(),
            Target::File(_) | Target::StandardOutput => Ok(()),
        }
    }
}

/// Writes to a descriptor that may be non-blocking, because somebody made it so who shares it.
fn write_patiently(target: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(target, bytes) {
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(target, PollFlags::OUT)], None)?;
            }
            done => return Ok(done?),
        }
    }
}

fn shorten(file: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    let stat = fstat(file)?;
    if bytes == 0 || FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(());
    }
    let end = tell(file)?;
    if u64::try_from(stat.st_size) != Ok(end) {
        return Ok(());
    }
    let kept = end.saturating_sub(bytes as u64);
    ftruncate(file, kept)?;
    // Whoever writes next would leave a hole otherwise.
    seek(file, SeekFrom::Start(kept))?;
    Ok(())
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Output").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let error = Output::create(Path::new("no-such-folder/file")).unwrap_err();
        assert_eq!(error.to_string(), "cannot create output `no-such-folder/file`");
    }

    #[test]
    fn what_was_written_to_a_file_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"whole half").unwrap();
        output.take_back(5).unwrap();
        output.write_all(b"!").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole!");
    }

    #[test]
    fn what_others_have_written_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"ours").unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b" theirs").unwrap();
        output.take_back(2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours theirs");
    }
}
