//! The table of output paths in use. It stores hashes of the paths, because the paths of millions
//! of files would need too much memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::Path;

use super::OutputPath;
use crate::item::index::ItemIndex;

/// The table of output paths and the items that own them. It includes the parent directories of
/// each reserved path, so that no result replaces a directory.
#[derive(Debug, Default)]
pub(crate) struct ReservedPaths {
    hasher: RandomState,
    uses: HashMap<u64, Use>,
}

/// The holder of an output path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Item(ItemIndex),
    /// A file that the run uses for another purpose.
    Run,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    File(Holder),
    Folder,
}

/// The conflict of an output path with an earlier output path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict<'a> {
    Same(ItemIndex),
    SameRun,
    Folder,
    Above(&'a Path, ItemIndex),
    AboveRun(&'a Path),
}

impl ReservedPaths {
    pub(crate) fn has(&self, path: &OutputPath, holder: Holder) -> bool {
        self.uses.get(&self.hash(path.path())) == Some(&Use::File(holder))
    }

    /// Checks that an output path is free. Returns how many of its parent directories are not in
    /// the table yet.
    pub(super) fn check<'a>(
        &self,
        path: &'a OutputPath,
        holder: Holder,
    ) -> Result<usize, Conflict<'a>> {
        let mut missing = 0;
        for folder in path.folders() {
            match self.uses.get(&self.hash(folder)) {
                None => missing += 1,
                // The table already includes all folders above this one.
                Some(Use::Folder) => break,
                Some(Use::File(Holder::Item(by))) => return Err(Conflict::Above(folder, *by)),
                Some(Use::File(Holder::Run)) => return Err(Conflict::AboveRun(folder)),
            }
        }
        match self.uses.get(&self.hash(path.path())) {
            None => Ok(missing),
            Some(Use::File(owner)) if *owner == holder => Ok(missing),
            Some(Use::File(Holder::Item(by))) => Err(Conflict::Same(*by)),
            Some(Use::File(Holder::Run)) => Err(Conflict::SameRun),
            Some(Use::Folder) => Err(Conflict::Folder),
        }
    }

    /// Reserves an output path and its folders. The same holder may reserve it again.
    pub(super) fn reserve<'a>(
        &mut self,
        path: &'a OutputPath,
        holder: Holder,
    ) -> Result<(), Conflict<'a>> {
        let missing = self.check(path, holder)?;
        self.uses.insert(self.hash(path.path()), Use::File(holder));
        for folder in path.folders().take(missing) {
            self.uses.insert(self.hash(folder), Use::Folder);
        }
        Ok(())
    }

    fn hash(&self, path: &Path) -> u64 {
        self.hasher.hash_one(path.as_os_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_path_is_reserved_once() {
        let item = |index| Holder::Item(ItemIndex::new(index));
        let (zero, one) = (ItemIndex::new(0), ItemIndex::new(1));
        #[rustfmt::skip]
        let cases = [
            // path    holder          conflict
            ("a/b",    item(0),        None),
            ("a/b",    item(0),        None),
            ("a/b",    item(5),        Some(Conflict::Same(zero))),
            ("a",      item(5),        Some(Conflict::Folder)),
            ("a/c",    item(1),        None),
            ("a/c/d",  item(5),        Some(Conflict::Above(Path::new("a/c"), one))),
            ("a/b/d/e", item(5),       Some(Conflict::Above(Path::new("a/b"), zero))),
            ("b",      item(2),        None),
            ("x/y",    Holder::Run,    None),
            ("x/y",    Holder::Run,    None),
            ("x/y",    item(5),        Some(Conflict::SameRun)),
            ("x/y/z",  item(5),        Some(Conflict::AboveRun(Path::new("x/y")))),
            ("x",      item(5),        Some(Conflict::Folder)),
            // A refused path has reserved nothing.
            ("a/b/d",  item(5),        Some(Conflict::Above(Path::new("a/b"), zero))),
        ];
        let mut reserved = ReservedPaths::default();
        for (path, holder, conflict) in cases {
            let output = OutputPath::of(Path::new(path)).unwrap();
            assert_eq!(reserved.reserve(&output, holder).err(), conflict, "{path} by {holder:?}");
        }
    }
}
