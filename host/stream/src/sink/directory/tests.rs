use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::sink::outcomes::{Example, offer};

/// Returns a folder with the directory `out` in it, and a sink to `out`.
fn directory() -> (tempfile::TempDir, Directory) {
    let folder = tempfile::tempdir().unwrap();
    let sink = Directory::create(&folder.path().join("out")).unwrap();
    (folder, sink)
}

/// Returns all files below the folder with their content, sorted by name.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, content)| ((*name).into(), (*content).into())).collect()
}

/// Returns an error and its causes as text, without the path of the folder.
fn chain(error: &SinkError, folder: &Path) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn each_record_becomes_a_file() {
    let (folder, mut sink) = directory();
    let filtered = Example { result: Ok(None), ..Example::record("filtered", b"") };
    let failed = Example { result: Err("no"), ..Example::record("failed", b"") };
    let file = Example { path: Some(b"/e/f"), ..Example::record("content", b"FILE\n") };
    let odd = Example { path: Some(b"odd \n name"), ..Example::record("content", b"odd") };
    let examples = [
        Example::record("a", b"A"),
        Example::record("b/c/d", b"D"),
        Example::record("b/empty", b""),
        Example::record("b/c/d2", b"D2"),
        filtered,
        failed,
        file,
        odd,
    ];
    for (at, example) in (0..).zip(&examples) {
        offer(&mut sink, at, example).unwrap();
    }
    assert_eq!(
        files(&folder.path().join("out")),
        named(&[
            ("a", "A"),
            ("b/c/d", "D"),
            ("b/c/d2", "D2"),
            ("b/empty", ""),
            ("e/f", "FILE\n"),
            ("odd \n name", "odd"),
        ])
    );
}

#[test]
fn an_existing_output_file_is_replaced_whole() {
    let (folder, mut sink) = directory();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("out/a"), "an earlier and longer content").unwrap();
    fs::hard_link(at("out/a"), at("other name")).unwrap();
    fs::write(at("linked"), "not ours").unwrap();
    symlink(at("linked"), at("out/b")).unwrap();
    fs::write(at("out/failed"), "of an earlier run").unwrap();
    offer(&mut sink, 0, &Example::record("a", b"new")).unwrap();
    offer(&mut sink, 1, &Example::record("b", b"new")).unwrap();
    let failed = Example { result: Err("no"), ..Example::record("failed", b"") };
    offer(&mut sink, 2, &failed).unwrap();
    assert_eq!(
        files(folder.path()),
        named(&[
            ("linked", "not ours"),
            ("other name", "an earlier and longer content"),
            ("out/a", "new"),
            ("out/b", "new"),
            ("out/failed", "of an earlier run"),
        ])
    );
}

#[test]
fn leftovers_of_a_killed_run_do_not_interfere() {
    let (folder, mut sink) = directory();
    let left = format!("out/.mtl-host-{}-0.part", std::process::id());
    fs::write(folder.path().join(&left), "half").unwrap();
    offer(&mut sink, 0, &Example::record("a", b"A")).unwrap();
    assert_eq!(files(folder.path()), named(&[(&left, "half"), ("out/a", "A")]));
}

#[test]
fn an_item_without_an_output_path_fails_the_sink() {
    let (folder, mut sink) = directory();
    let inside = folder.path().join("out/inside").display().to_string();
    offer(&mut sink, 0, &Example::record("a", b"first")).unwrap();
    #[rustfmt::skip]
    let cases = [
        // item              why
        ("a",                "its result would go to `out/a`, as that of item 0 does"),
        ("a/b",              "its result would go to `out/a/b`, but `out/a` is that of item 0"),
        ("../a",             "`../a` has `..` in it, which could lead anywhere"),
        ("",                 "`` names no file for the result"),
        (inside.leak(),      "`out/inside` is in the output directory `out`, where results replace \
                              files: it may be a result itself, or become one; write to a \
                              directory that holds no items"),
    ];
    for (at, (item, why)) in (1..).zip(cases) {
        let error = offer(&mut sink, at, &Example::record(item, b"other")).unwrap_err();
        let text = chain(&error, folder.path()).replace(&folder.path().display().to_string(), "");
        assert!(
            text.starts_with(&format!("there is no output path for the result of item {at}: "))
        );
        assert!(text.ends_with(why), "{text}");
        assert!(error.hint().unwrap().contains("source::WithOutputPath"));
    }
    assert_eq!(files(&folder.path().join("out")), named(&[("a", "first")]));
}

#[test]
fn an_obstacle_in_the_output_directory_is_named() {
    let (folder, mut sink) = directory();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("out/folder/in")).unwrap();
    fs::create_dir(at("elsewhere")).unwrap();
    fs::write(at("out/file"), "old").unwrap();
    symlink(at("elsewhere"), at("out/link")).unwrap();
    symlink(at("gone"), at("out/nowhere")).unwrap();
    #[rustfmt::skip]
    let cases = [
        ("folder/in",   "cannot write to `out/folder/in`, which is a folder"),
        ("file/a/b",    "cannot write to `out/file`, which is a link, or not a directory"),
        ("link/a",      "cannot write to `out/link`, which is a link, or not a directory"),
        ("nowhere/a",   "cannot write to `out/nowhere`, which is a link, or not a directory"),
    ];
    for (index, (item, expected)) in (0..).zip(cases) {
        let error = offer(&mut sink, index, &Example::record(item, b"new")).unwrap_err();
        assert_eq!(chain(&error, folder.path()), expected);
        assert!(error.hint().is_some());
    }
    // No incomplete file is left, and no file was written through a link.
    assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(at("out")).unwrap().count(), 4);
    assert_eq!(fs::read_dir(at("out/folder")).unwrap().count(), 1);
}

#[test]
fn the_output_directory_may_exist_be_new_or_be_a_symlink() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("there")).unwrap();
    symlink(at("there"), at("link")).unwrap();
    fs::write(at("file"), "").unwrap();
    #[rustfmt::skip]
    let cases: [(&str, Option<&str>); 5] = [
        ("there",     None),
        ("new/deep",  None),
        ("link",      None),
        ("file",      Some("cannot write to `file`, which is not a directory")),
        ("file/deep", Some("cannot create output `file/deep`: Not a directory (os error 20)")),
    ];
    for (name, expected) in cases {
        let made = Directory::create(&at(name));
        let error = made.as_ref().err().map(|error| chain(error, folder.path()));
        assert_eq!(error.as_deref(), expected, "{name}");
        if let Ok(mut sink) = made {
            offer(&mut sink, 0, &Example::record("a", b"A")).unwrap();
            assert_eq!(fs::read(at(name).join("a")).unwrap(), b"A", "{name}");
        }
    }
}

#[test]
fn a_deleted_output_directory_is_an_error() {
    let (folder, mut sink) = directory();
    offer(&mut sink, 0, &Example::record("a", b"A")).unwrap();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    for item in ["b", "c/d"] {
        let error = offer(&mut sink, 1, &Example::record(item, b"")).unwrap_err();
        assert!(matches!(error, SinkError::Create { .. }), "{error}");
    }
}

#[test]
fn a_sink_and_its_source_share_reserved_paths() {
    let (_folder, mut sink) = directory();
    let (zero, one) =
        (crate::item::index::ItemIndex::new(0), crate::item::index::ItemIndex::new(1));
    assert!(sink.output_paths().reserve(Path::new("a"), zero).is_ok());
    offer(&mut sink, 0, &Example::record("a", b"A")).unwrap();
    let error = sink.output_paths().reserve(Path::new("./a"), one).unwrap_err();
    assert!(
        matches!(error, crate::output_paths::OutputPathError::Taken { by, .. } if by == zero),
        "{error}"
    );
}
