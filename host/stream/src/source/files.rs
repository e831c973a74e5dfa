//! Items that are whole files. The inputs list the paths of the files.
//!
//! A file that cannot be read is a faulty item and does not end the run. In a run of a million files, a file often
//! disappears before the source reads it. The source reads only regular files, because a pipe or a device could block
//! the run forever. The source opens a file when it reads the file's path. If the block already has files and the
//! opened file does not fit, the source keeps that file open for the next block. So a large file becomes a separate
//! block.

use std::ffi::OsStr;
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::input_buffer::InputState;
use super::records::{Content, Records};
use super::{FillStatus, Inputs, ItemLimit, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;
use crate::files::Opener;

/// A source in which each line of the inputs is the path of a file. The item is the content of that
/// file. A relative path is relative to the current directory.
///
/// ```
/// use mtl_host::source::BlockBuilder;
/// use mtl_host::source::{Files, Inputs, Source};
///
/// let mut files = Files::new(Inputs::from_reader("memory", &b"Cargo.toml\nno-such-file\n"[..]));
/// let mut block = BlockBuilder::new();
/// files.fill(&mut block)?;
/// assert_eq!(block.len(), 2, "the second file is a faulty item");
/// # Ok::<(), mtl_host::source::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Files {
    list: Records,
    limit: ItemLimit,
    opener: Opener,
    postponed: Option<ListedFile>,
}

/// A file that a line names.
#[derive(Debug)]
struct ListedFile {
    path: PathBuf,
    content: Result<OpenedFile, String>,
}

#[derive(Debug)]
struct OpenedFile {
    file: File,
    length: u64,
}

impl Files {
    /// A limit above the longest path of any system.
    const LINE_LIMIT: ItemLimit = ItemLimit::new(64 << 10).expect("64 KiB is not zero");

    /// Creates a source of the files that the lines of `inputs` name. It opens these files with the [`Opener`] of the
    /// inputs.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        let opener = inputs.opener().clone();
        let mut list = Records::new(inputs, b'\n');
        list.set_limit(Self::LINE_LIMIT);
        Self { list, limit: ItemLimit::DEFAULT, opener, postponed: None }
    }

    /// Bounds the length of a file (default: 64 MiB). A longer file is a faulty item.
    ///
    /// ```
    /// use mtl_host::sink::Memory;
    /// use mtl_host::source::{Files, Inputs, ItemLimit};
    /// # use mtl_host::{Engine, FaultKind, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let list = Inputs::from_reader("memory", &b"Cargo.toml\n"[..]);
    /// let source = Files::new(list).item_limit(ItemLimit::new(10).unwrap());
    /// let mut sink = Memory::new();
    /// Pool::builder(&plugin).build()?.run(source, &mut sink).into_result()?;
    /// assert_eq!(sink.results()[0].as_ref().unwrap_err().kind(), FaultKind::BadItem);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn item_limit(mut self, limit: ItemLimit) -> Self {
        self.limit = limit;
        self
    }

    /// Returns the next file whose path has been read.
    fn next_ready(&mut self) -> Option<ListedFile> {
        self.postponed.take().or_else(|| {
            let (limit, opener) = (self.limit, &self.opener);
            self.list.next_ready().map(|line| match line.content {
                Content::Whole(path) => ListedFile::open(opener, path_of(path), limit),
                Content::TooLong(head) => {
                    let message = format!("not a valid path: longer than {:#}", Self::LINE_LIMIT);
                    ListedFile { path: path_of(head), content: Err(message) }
                }
            })
        })
    }

    /// Adds the files whose paths have been read, until the block is full.
    fn add_ready(&mut self, block: &mut BlockBuilder) {
        let mut added = 0;
        while !block.is_full()
            && let Some(file) = self.next_ready()
        {
            if added > 0 && added + file.length() > BlockBuilder::FULL as u64 {
                self.postponed = Some(file);
                break;
            }
            added += file.length().max(1);
            file.add_to(block, self.limit);
        }
    }
}

impl Source for Files {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        let before = block.len();
        loop {
            self.add_ready(block);
            let ended = block.len() == before && self.list.read()? == InputState::Ended;
            if ended || block.len() > before {
                self.list.charge(block);
                return Ok(if ended { FillStatus::End } else { FillStatus::More });
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.list.size()
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.list.stop_flag()
    }
}

fn path_of(line: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(line))
}

impl ListedFile {
    fn open(opener: &Opener, path: PathBuf, limit: ItemLimit) -> Self {
        let content = OpenedFile::open(opener, &path, limit);
        Self { path, content }
    }

    fn length(&self) -> u64 {
        self.content.as_ref().map_or(0, |opened| opened.length)
    }

    /// Adds the file as an item. If the file cannot be read, the item is faulty.
    fn add_to(self, block: &mut BlockBuilder, limit: ItemLimit) {
        let Self { path, content } = self;
        let read = content.and_then(|opened| {
            block
                .push_with(|bytes| opened.read(bytes, limit))
                .map_err(|problem| problem.message(&path, limit))
        });
        if read.is_err() {
            block.push(b"");
        }
        block.set_path(path);
        if let Err(message) = read {
            block.reject(message);
        }
    }
}

/// The reason why a file is not an item.
#[derive(Debug)]
enum FileProblem {
    Failed(io::Error),
    NotAFile(&'static str),
    TooLong,
}

impl FileProblem {
    /// Returns the fault message for the file at `path`.
    fn message(&self, path: &Path, limit: ItemLimit) -> String {
        let path = path.display();
        match self {
            Self::Failed(error) => format!("cannot read `{path}`: {error}"),
            Self::NotAFile(kind) => format!("cannot read `{path}`: it is {kind}, not a file"),
            Self::TooLong => format!("`{path}` is longer than the {limit:#} of `item_limit`"),
        }
    }
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl OpenedFile {
    fn open(opener: &Opener, path: &Path, limit: ItemLimit) -> Result<Self, String> {
        Self::try_open(opener, path, limit).map_err(|problem| problem.message(path, limit))
    }

    fn try_open(opener: &Opener, path: &Path, limit: ItemLimit) -> Result<Self, FileProblem> {
        // The first check comes before the open, because the other end of a pipe would notice the open. The second
        // check comes after the open, because another process may have replaced the file.
        let found = opener.look_up(path)?;
        check_regular(found.metadata().file_type())?;
        let file = found.open_nonblocking()?;
        let metadata = file.metadata()?;
        check_regular(metadata.file_type())?;
        let length = metadata.len();
        if length > limit.get() as u64 {
            Err(FileProblem::TooLong)
        } else {
            Ok(Self { file, length })
        }
    }

    /// Appends the content to `bytes`.
    fn read(self, bytes: &mut Vec<u8>, limit: ItemLimit) -> Result<(), FileProblem> {
        let limit = limit.get() as u64;
        // The file may have grown since it was found, even beyond the limit.
        let read = self.file.take(limit.saturating_add(1)).read_to_end(bytes)? as u64;
        if read > limit { Err(FileProblem::TooLong) } else { Ok(()) }
    }
}

fn check_regular(kind: FileType) -> Result<(), FileProblem> {
    match () {
        () if kind.is_file() => Ok(()),
        () if kind.is_dir() => Err(FileProblem::NotAFile("a directory")),
        () if kind.is_fifo() => Err(FileProblem::NotAFile("a named pipe")),
        () if kind.is_socket() => Err(FileProblem::NotAFile("a socket")),
        () => Err(FileProblem::NotAFile("a device")),
    }
}

#[cfg(test)]
mod tests;
