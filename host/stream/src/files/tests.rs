//! Tests of the paths that an opener follows and refuses.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Opener, UntrustedPath};

/// A directory with two subdirectories: a plugin may change `granted` and may not change `other`. Each of them has a
/// file, a directory with a file, and links.
struct Tree {
    root: TempDir,
}

impl Tree {
    fn new() -> Self {
        let tree = Self { root: tempfile::tempdir().unwrap() };
        for name in ["granted", "other"] {
            fs::create_dir_all(tree.at(name).join("dir")).unwrap();
            fs::write(tree.at(name).join("file"), name).unwrap();
            fs::write(tree.at(name).join("dir/file"), name).unwrap();
            symlink("file", tree.at(name).join("link")).unwrap();
            symlink("dir", tree.at(name).join("link-dir")).unwrap();
            symlink("../other/file", tree.at(name).join("link-other")).unwrap();
            symlink("nothing", tree.at(name).join("link-nothing")).unwrap();
        }
        symlink("granted", tree.at("to-granted")).unwrap();
        symlink(tree.at("granted/file"), tree.at("to-file")).unwrap();
        symlink(tree.at("granted/link"), tree.at("to-link")).unwrap();
        symlink("around", tree.at("around")).unwrap();
        tree
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn opener(&self) -> Opener {
        let granted = fs::File::open(self.at("granted")).unwrap();
        Opener::with_writable_dirs([("granted".into(), granted)]).unwrap()
    }
}

/// Returns the refusal in an error of the opener.
#[track_caller]
fn refusal<T: std::fmt::Debug>(opened: std::io::Result<T>) -> UntrustedPath {
    let error = opened.unwrap_err();
    let inner = error.get_ref().unwrap_or_else(|| panic!("{error}"));
    inner.downcast_ref::<UntrustedPath>().unwrap_or_else(|| panic!("{error}")).clone()
}

#[test]
fn symlinks_are_followed_except_where_a_plugin_can_write() {
    let tree = Tree::new();
    #[rustfmt::skip]
    let cases = [
        // path                     content, or the part that is not followed
        ("granted/file",            Ok("granted")),
        ("granted/./dir/file",      Ok("granted")),
        ("other/link",              Ok("other")),
        ("other/link-dir/file",     Ok("other")),
        ("other/../granted/file",   Ok("granted")),
        ("granted/../other/link",   Ok("other")),
        ("to-granted/file",         Ok("granted")),
        ("to-file",                 Ok("granted")),
        ("to-link",                 Err("a symbolic link")),
        ("to-granted/link",         Err("a symbolic link")),
        ("granted/link",            Err("a symbolic link")),
        ("granted/link-dir/file",   Err("a symbolic link")),
        ("granted/link-other",      Err("a symbolic link")),
        ("granted/link-nothing",    Err("a symbolic link")),
        ("granted/dir/../file",     Ok("granted")),
        ("granted/dir/../dir/file", Ok("granted")),
        ("granted/dir/../link",     Err("a symbolic link")),
        ("granted/dir/../../other/file", Err("`..`")),
        ("granted/dir/../dir/../../other/file", Err("`..`")),
    ];
    for (path, expected) in cases {
        let opened = tree.opener().open(&tree.at(path));
        match expected {
            Ok(expected) => {
                let mut text = String::new();
                opened
                    .unwrap_or_else(|error| panic!("{path}: {error}"))
                    .read_to_string(&mut text)
                    .unwrap();
                assert_eq!(text, expected, "{path}");
            }
            Err(what) => {
                let refusal = refusal(opened);
                assert_eq!(
                    (refusal.what, refusal.grant.as_path()),
                    (what, Path::new("granted")),
                    "{path}"
                );
            }
        }
    }
    for path in ["around", "other/none", "granted/none", "other/link-nothing", "none/file"] {
        let error = tree.opener().open(&tree.at(path)).unwrap_err();
        assert!(error.raw_os_error().is_some(), "{path}: {error}");
    }
}

#[test]
fn proc_descriptor_links_are_followed() {
    let tree = Tree::new();
    let file = fs::File::open(tree.at("other/file")).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let mut text = String::new();
    tree.opener().open(path.as_ref()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "other");
    // The rest of the path after such a link is checked like any other path.
    let dir = fs::File::open(tree.at("granted")).unwrap();
    let path = format!("/proc/self/fd/{}/link", std::os::fd::AsRawFd::as_raw_fd(&dir));
    assert_eq!(refusal(tree.opener().open(path.as_ref())).what, "a symbolic link");
}

#[test]
fn files_are_not_created_through_plugin_symlinks() {
    let tree = Tree::new();
    let opener = tree.opener();
    for path in
        ["granted/new", "granted/dir/new", "other/new", "to-granted/newer", "other/link-nothing"]
    {
        opener.create(&tree.at(path)).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read(tree.at(path)).unwrap(), b"new", "{path}");
    }
    for path in
        ["granted/link", "granted/link-other", "granted/link-nothing", "granted/link-dir/new"]
    {
        refusal(opener.create(&tree.at(path)));
    }
    assert_eq!(fs::read(tree.at("other/file")).unwrap(), b"other");
    assert_eq!(fs::read_link(tree.at("granted/link-other")).unwrap(), Path::new("../other/file"));
}

#[test]
fn directories_are_not_created_through_plugin_symlinks() {
    let tree = Tree::new();
    let opener = tree.opener();
    for path in ["granted/a/b/c", "other/a/b", "to-granted/x/y", "granted", "other/link-dir/z", "."]
    {
        opener.create_dir(&tree.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(tree.at(path).is_dir(), "{path}");
    }
    for path in ["granted/link-dir", "granted/link-dir/x", "granted/link-nothing"] {
        refusal(opener.create_dir(&tree.at(path)));
    }
    assert!(opener.create_dir(&tree.at("other/file")).is_err());
    assert!(opener.create_dir(&tree.at("other/file/x")).is_err());
}

#[test]
fn the_opener_finds_paths_that_a_plugin_can_change() {
    let tree = Tree::new();
    let opener = tree.opener();
    #[rustfmt::skip]
    let cases = [
        ("granted",                true),
        ("granted/file",           true),
        ("granted/none",           true),
        ("granted/none/none",      true),
        ("granted/link-other",     true),
        ("granted/dir/../file",    true),
        ("to-granted",             true),
        ("to-file",                true),
        ("to-link",                true),
        ("other/file",             false),
        ("other/none/none",        false),
        ("granted/../other/file",  false),
        ("/dev/null",              false),
        ("/proc/self/fd/0",        false),
        ("/proc/self/cwd",         false),
    ];
    for (path, expected) in cases {
        let found = opener.writable_dir_of(&tree.at(path)).unwrap();
        assert_eq!(found.is_some(), expected, "{path}");
    }
}

#[test]
fn the_opener_finds_writable_directories_below_a_path() {
    let tree = Tree::new();
    let opener = tree.opener();
    for (path, expected) in [
        ("granted", true),
        ("granted/dir", false),
        (".", true),
        ("other", false),
        ("other/none", false),
    ] {
        let found = opener.writable_dir_below(&tree.at(path)).unwrap();
        assert_eq!(found.is_some(), expected, "{path}");
    }
}

#[test]
fn an_open_file_is_traced_to_its_writable_directory() {
    let tree = Tree::new();
    let opener = tree.opener();
    for (name, expected) in [("granted/file", true), ("granted/dir", true), ("other/file", false)] {
        let file = fs::File::open(tree.at(name)).unwrap();
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        let found = opener.writable_dir_of(path.as_ref()).unwrap();
        assert_eq!(found.is_some(), expected, "{name}");
    }
}

#[test]
fn a_moved_directory_is_recognised() {
    let tree = Tree::new();
    let opener = tree.opener();
    fs::rename(tree.at("granted"), tree.at("moved")).unwrap();
    refusal(opener.open(&tree.at("moved/link")));
    fs::create_dir(tree.at("granted")).unwrap();
    assert_eq!(opener.writable_dir_of(&tree.at("granted/file")).unwrap(), None);
}
