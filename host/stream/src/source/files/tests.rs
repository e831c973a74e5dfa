use std::fs;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::block::{BlockBuilder, Span};
use crate::item::index::ItemIndex;
use crate::source::script::{Script, SourceOutput, Then};
use crate::source::{Files, FillStatus, ItemLimit, Source};

/// A folder with files to read.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path().join("a"), "one\ntwo").unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        fs::write(folder.path().join("b.gz"), "not unzipped").unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        mknodat(CWD, folder.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn list(&self, names: &[&str]) -> String {
        names.iter().map(|name| format!("{}/{name}\n", self.path().display())).collect()
    }
}

#[test]
fn a_listed_file_becomes_an_item_or_a_reason() {
    let folder = Folder::new();
    let cases = [
        ("a", "one\ntwo"),
        ("empty", ""),
        ("b.gz", "not unzipped"),
        ("none", "!cannot read `DIR/none`: No such file or directory (os error 2)"),
        ("folder", "!cannot read `DIR/folder`: it is a directory, not a file"),
        ("pipe", "!cannot read `DIR/pipe`: it is a named pipe, not a file"),
        ("../../dev/null", "!cannot read `DIR/../../dev/null`: it is a device, not a file"),
    ];
    for (name, expected) in cases {
        let list = Script::new([folder.list(&[name])], Then::End).inputs();
        let given = SourceOutput::by(Files::new(list)).texts();
        let dir = folder.path().to_str().unwrap();
        assert_eq!(given, [expected.replace("DIR", dir)], "{name}");
    }
}

#[test]
fn each_item_has_its_path() {
    let folder = Folder::new();
    let list = Script::new([folder.list(&["a", "none", "a"])], Then::End).inputs();
    let mut block = BlockBuilder::new();
    Files::new(list).fill(&mut block).unwrap();
    let span = Span::whole(block.seal(ItemIndex::default()));
    let paths: Vec<_> = (0..span.len()).map(|at| span.path(at).unwrap().to_owned()).collect();
    assert_eq!(paths, ["a", "none", "a"].map(|name| folder.path().join(name)));
}

#[test]
fn an_invalid_path_is_a_faulty_item() {
    let long = format!("{}\n", "x".repeat(100_000));
    let cases = [
        ("\n", "!cannot read ``: No such file or directory (os error 2)"),
        (&*long, "!not a valid path: longer than 64KiB"),
    ];
    for (list, expected) in cases {
        let given = SourceOutput::by(Files::new(Script::new([list], Then::End).inputs()));
        assert_eq!(given.texts(), [expected]);
    }
}

#[test]
fn files_are_delivered_before_the_next_name_arrives() {
    let folder = Folder::new();
    let list = folder.list(&["a", "empty"]) + "half a na";
    let mut files = Files::new(Script::new([list], Then::Silence).inputs());
    let mut given = SourceOutput::default();
    assert_eq!(given.once(&mut files), FillStatus::More);
    assert_eq!(given.texts(), ["one\ntwo", ""]);
}

#[test]
fn a_large_file_gets_its_own_block() {
    let folder = Folder::new();
    let large = "x".repeat(BlockBuilder::FULL);
    fs::write(folder.path().join("large"), &large).unwrap();
    let list = folder.list(&["a", "large", "large", "a", "empty"]);
    let mut files = Files::new(Script::new([list], Then::End).inputs());
    let mut blocks = Vec::new();
    loop {
        let mut given = SourceOutput::default();
        let filled = given.once(&mut files);
        blocks.push(given.items.len());
        if filled == FillStatus::End {
            break;
        }
    }
    assert_eq!(blocks, [1, 1, 1, 2, 0]);
}

#[test]
fn an_overlong_file_is_a_faulty_item() {
    let folder = Folder::new();
    let list = Script::new([folder.list(&["a", "b.gz", "a"])], Then::End).inputs();
    let given = SourceOutput::by(Files::new(list).item_limit(ItemLimit::new(7).unwrap()));
    let dir = folder.path().display();
    let why = format!("!`{dir}/b.gz` is longer than the 7 bytes of `item_limit`");
    assert_eq!(given.texts(), ["one\ntwo", &why, "one\ntwo"]);
}

#[test]
fn the_maximal_item_limit_admits_every_file() {
    let folder = Folder::new();
    let list = Script::new([folder.list(&["a"])], Then::End).inputs();
    let given = SourceOutput::by(Files::new(list).item_limit(ItemLimit::new(usize::MAX).unwrap()));
    assert_eq!(given.texts(), ["one\ntwo"]);
}

/// A file may be longer than the system reports: for `/proc`, only reading tells the length.
#[test]
fn a_file_of_unknown_length_is_read_up_to_the_limit() {
    let read = |limit| {
        let list = Script::new(["/proc/self/status"], Then::End).inputs();
        SourceOutput::by(Files::new(list).item_limit(ItemLimit::new(limit).unwrap())).texts()
    };
    assert!(read(1 << 20)[0].starts_with("Name:"));
    assert_eq!(read(10), ["!`/proc/self/status` is longer than the 10 bytes of `item_limit`"]);
}
