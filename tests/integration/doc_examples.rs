//! Checks that the library's documentation has an example of each public type. Each public function
//! and constant must occur in an example in its file. `cargo test --doc` runs the examples.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

#[test]
fn every_public_item_is_shown_in_an_example() {
    let (mut shown, mut without) = (0, Vec::new());
    let (exported, library) = (exported(), root().join("host"));
    let own = sources(&library.join("src")).into_iter().map(|path| (path, true));
    let parts = ["stream/src", "jail/src"].map(|part| sources(&library.join(part)));
    let others = parts.into_iter().flatten().map(|path| (path, false));
    for (path, is_own) in own.chain(others) {
        let text = fs::read_to_string(&path).unwrap();
        for Item { of, name: item, is_shown } in items(&text) {
            // Of the other crates, the library exports only some types.
            if !is_own && !exported.contains(of) {
                continue;
            }
            match is_shown {
                true => shown += 1,
                false => without.push(format!("{}: `{item}`", path.display())),
            }
        }
    }
    assert!(without.is_empty(), "no example shows these:\n{}", without.join("\n"));
    assert!(shown > 200, "only {shown} items were found");
}

/// Returns the source files below a directory.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Returns the names that the library exports from its other crates.
fn exported() -> BTreeSet<String> {
    let listing = fs::read_to_string(root().join("host/docs/public-api.txt")).unwrap();
    let items = listing.lines().filter(|line| !line.starts_with(' '));
    items.filter_map(|item| item.rsplit("::").next()).map(str::to_owned).collect()
}

/// A public item.
struct Item<'a> {
    /// The name of the item's type, or of the item itself if it is a type.
    of: &'a str,
    name: &'a str,
    /// The result of the search: true if an example shows the item.
    is_shown: bool,
}

/// Returns the public items of a file.
fn items(text: &str) -> Vec<Item<'_>> {
    let examples = words_of_examples(text);
    let (mut found, mut has_example, mut is_hidden) = (Vec::new(), false, false);
    let mut of = "";
    for line in text.lines() {
        if let Some(name) = type_of(line) {
            of = name;
        }
        let line = line.trim_start();
        if let Some(documentation) = line.strip_prefix("///") {
            has_example |= documentation.trim_start().starts_with("```");
            continue;
        }
        // Items that the documentation hides exist only for tests.
        is_hidden |= line == "#[doc(hidden)]";
        let is_shown = |name: &str| is_hidden || examples.contains(&name);
        if let Some(name) = name_after(line, &["pub struct ", "pub enum ", "pub trait "]) {
            found.push(Item { of: name, name, is_shown: has_example || is_hidden });
        } else if let Some(name) = name_after(line, &["pub fn ", "pub const fn ", "pub const "]) {
            found.push(Item { of, name, is_shown: is_shown(name) });
        }
        // Attributes come between an item and its documentation.
        has_example &= line.starts_with("#[");
        is_hidden &= line.starts_with("#[");
    }
    found
}

/// Returns the type of an `impl` block, if the line begins one.
fn type_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest };
    words(rest).next()
}

/// Returns the name of an item whose line begins with one of these texts.
fn name_after<'a>(line: &'a str, begins: &[&str]) -> Option<&'a str> {
    let rest = begins.iter().find_map(|begin| line.strip_prefix(begin))?;
    // A name that a macro inserts is shown where the macro is called.
    if rest.starts_with('$') { None } else { words(rest).next() }
}

/// Returns all words of the examples in a file's documentation.
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
