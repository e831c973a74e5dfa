//! Items whose results have an output path in a directory.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{FillStatus, SizeHint, Source, SourceError};
use crate::block::BlockBuilder;
use crate::control::stop::StopFlag;
use crate::item::index::ItemIndex;
use crate::output_paths::OutputPaths;

/// A source that reserves an output path for each item of its inner source. An item without a valid
/// output path is faulty: it never reaches a plugin, its fault states the reason, and the run
/// continues.
///
/// If the item is the content of a file, the output path is derived from the path of that file.
/// Otherwise, the item itself must be a path.
///
/// ```
/// use mtl_host::sink::Directory;
/// use mtl_host::source::{Files, Inputs, WithOutputPath};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// # let folder = tempfile::tempdir()?;
/// let mut results = Directory::create(folder.path())?;
/// let list = Inputs::from_reader("memory", &b"Cargo.toml\n../README.md\n"[..]);
/// let source = WithOutputPath::new(Files::new(list), results.output_paths());
/// let summary = Pool::builder(&plugin).build()?.run(source, &mut results).into_result()?;
/// assert_eq!(summary.counts.failed(), 1, "`..` could lead out of the directory");
/// assert!(folder.path().join("Cargo.toml").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WithOutputPath<S> {
    source: S,
    output_paths: OutputPaths,
    next: ItemIndex,
}

impl<S> WithOutputPath<S> {
    /// Wraps `source`. The new source must provide all items of the run, because each path is registered with the
    /// position of its item in the run.
    pub fn new(source: S, places: &OutputPaths) -> Self {
        Self { source, output_paths: places.clone(), next: ItemIndex::default() }
    }
}

impl<S: Source> Source for WithOutputPath<S> {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        let before = block.len();
        let filled = self.source.fill(block);
        // Paths are reserved even after an error, because the run still processes the items before it.
        block.judge(before, |at, item, path| {
            let path = path.unwrap_or(Path::new(OsStr::from_bytes(item)));
            let reserved = self.output_paths.reserve_free(path, self.next.plus(at));
            reserved.err().map(|error| error.to_string())
        });
        self.next = self.next.plus(block.len() - before);
        filled
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }

    fn stop_flag(&self) -> Option<StopFlag> {
        self.source.stop_flag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Span;
    use crate::sink::Directory;
    use crate::source::Items;

    /// A source that gives two items at a time, and an error at the end.
    struct Pairs<'a>(&'a [&'a str]);

    impl Source for Pairs<'_> {
        fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
            let (pair, rest) = self.0.split_at(2.min(self.0.len()));
            self.0 = rest;
            for item in pair {
                block.push(item.as_bytes());
            }
            if rest.is_empty() { Err(SourceError::other("broken")) } else { Ok(FillStatus::More) }
        }
    }

    #[test]
    fn items_without_an_output_path_are_rejected_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let results = Directory::create(&folder.path().join("out")).unwrap();
        let pairs = Pairs(&["a", "..", "b", "./a", "c/../a", "b/"]);
        let mut source = WithOutputPath::new(pairs, results.output_paths());
        let mut block = BlockBuilder::new();
        while let Ok(FillStatus::More) = source.fill(&mut block) {}
        let span = Span::whole(block.seal(ItemIndex::default()));
        let rejected: Vec<_> = (0..span.len()).map(|at| span.rejection(at).is_some()).collect();
        assert_eq!(rejected, [false, true, false, true, true, true]);
        assert!(span.rejection(3).unwrap().ends_with("/out/a`, as that of item 0 does"));
        assert!(span.rejection(5).unwrap().ends_with("/out/b`, as that of item 2 does"));
    }

    #[test]
    fn the_wrapped_source_keeps_its_size_hint() {
        let folder = tempfile::tempdir().unwrap();
        let results = Directory::create(folder.path()).unwrap();
        let source = WithOutputPath::new(Items::new(["a", "b"]), results.output_paths());
        assert_eq!(source.size_hint(), Items::new(["a", "b"]).size_hint());
    }
}
