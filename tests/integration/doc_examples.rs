//! The library's documentation: each public type has an example, and each public function and
//! constant is used in one of its file. That the examples hold is for `cargo test --doc`.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_public_item_is_shown_in_an_example() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let (mut shown, mut without) = (0, Vec::new());
    for path in sources(&library) {
        let text = fs::read_to_string(&path).unwrap();
        for (item, is_shown) in items(&text) {
            match is_shown {
                true => shown += 1,
                false => without.push(format!("{}: `{item}`", path.display())),
            }
        }
    }
    assert!(without.is_empty(), "no example shows these:\n{}", without.join("\n"));
    assert!(shown > 200, "all items are found, not {shown}");
}

/// The files of the library, without those that only fuzz targets see.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others = ["fuzzing", "fuzzing.rs"];
    let paths = paths.filter(|path| !others.iter().any(|other| path.ends_with(other)));
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The public items of a file, and whether an example shows them.
fn items(text: &str) -> Vec<(&str, bool)> {
    let examples = words_of_examples(text);
    let (mut found, mut has_example, mut is_hidden) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim_start) {
        if let Some(documentation) = line.strip_prefix("///") {
            has_example |= documentation.trim_start().starts_with("```");
            continue;
        }
        // What the documentation leaves out is there for tests.
        is_hidden |= line == "#[doc(hidden)]";
        let is_shown = |name: &str| is_hidden || examples.contains(&name);
        if let Some(name) = name_after(line, &["pub struct ", "pub enum ", "pub trait "]) {
            found.push((name, has_example));
        } else if let Some(name) = name_after(line, &["pub fn ", "pub const fn ", "pub const "]) {
            found.push((name, is_shown(name)));
        }
        // Attributes stand between an item and its documentation.
        has_example &= line.starts_with("#[");
        is_hidden &= line.starts_with("#[");
    }
    found
}

/// The name of an item that begins in one of these ways.
fn name_after<'a>(line: &'a str, begins: &[&str]) -> Option<&'a str> {
    let rest = begins.iter().find_map(|begin| line.strip_prefix(begin))?;
    words(rest).next()
}

/// All words of the examples in a file's documentation.
fn words_of_examples(text: &str) -> Vec<&str> {
    let documentation = text.lines().filter_map(|line| line.trim_start().strip_prefix("///"));
    let mut within = false;
    let examples = documentation.filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        within ^= is_fence;
        within && !is_fence
    });
    examples.flat_map(words).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates = |character: char| !character.is_alphanumeric() && character != '_';
    text.split(separates).filter(|word| !word.is_empty())
}
