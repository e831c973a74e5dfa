use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// Returns the output paths in the folder `out` of a new folder.
fn output_paths() -> (tempfile::TempDir, OutputPaths) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("out");
    fs::create_dir(&root).unwrap();
    (folder, OutputPaths::new("out".into(), root))
}

/// Creates a file in the folder, with its parent folders, and returns its path.
fn made(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    path
}

fn reserve(paths: &OutputPaths, path: &Path, item: u64) -> Result<PathBuf, OutputPathError> {
    paths.reserve(path, ItemIndex::new(item)).map(|output| output.path().to_owned())
}

#[test]
fn an_item_inside_the_output_directory_is_refused() {
    let (folder, paths) = output_paths();
    let inside = made(&folder, "out/a/inside");
    let outside = made(&folder, "outside");
    let at = |name: &str| folder.path().join(name);
    symlink(&inside, at("to-inside")).unwrap();
    symlink(&outside, at("out/to-outside")).unwrap();
    symlink(at("out"), at("alias")).unwrap();
    #[rustfmt::skip]
    let cases = [
        // item                     refused
        ("out/a/inside",            true),
        ("out/./a//inside",         true),
        ("to-inside",               true),
        ("out/to-outside",          true),
        ("alias/a/inside",          true),
        ("out/not-there-yet",       true),
        ("outside",                 false),
        ("not-there-either",        false),
        ("no-folder/file",          false),
    ];
    for (item, name) in (0..).zip(cases) {
        let (name, refused) = name;
        let reserved = reserve(&paths, &at(name), item);
        let inside = matches!(reserved, Err(OutputPathError::Inside { .. }));
        assert_eq!((inside, reserved.is_err()), (refused, refused), "{name}: {reserved:?}");
    }
}

#[test]
fn files_used_by_the_run_are_protected() {
    let (folder, paths) = output_paths();
    let plugin = made(&folder, "out/bin/plugin");
    let link = folder.path().join("out/link");
    symlink(made(&folder, "outside"), &link).unwrap();
    for used in [&plugin, &link, &folder.path().join("out/faults"), &folder.path().join("other")] {
        paths.protect(used);
    }
    #[rustfmt::skip]
    let cases = [
        // item          why
        ("bin/plugin",   Some("its result would go to `out/bin/plugin`, a file that the run itself uses")),
        ("/link",        Some("its result would go to `out/link`, a file that the run itself uses")),
        ("faults",       Some("its result would go to `out/faults`, a file that the run itself uses")),
        ("faults/a",     Some("its result would go to `out/faults`, a file that the run itself uses")),
        ("bin",          Some("its result would go to `out/bin`, which is the folder of other results")),
        ("other",        None),
        ("bin/other",    None),
        ("/other",       Some("its result would go to `out/other`, as that of item 5 does")),
        ("other/a",      Some("its result would go to `out/other/a`, but `out/other` is that of item 5")),
    ];
    for (item, (name, why)) in (0..).zip(cases) {
        let error = reserve(&paths, Path::new(name), item).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), why, "{name}");
    }
}
