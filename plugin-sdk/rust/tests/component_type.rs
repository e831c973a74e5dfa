//! Checks that `src/guest/component/component_type.rs` matches `plugin-sdk/wit`.
//!
//! `MTL_UPDATE=1 cargo test -p mtl-plugin --test component_type` rewrites the file.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::{fmt::Write, fs, path::Path};

use wit_component::{StringEncoding, metadata};
use wit_parser::Resolve;

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/plugin.wit");
const SECTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guest/component/component_type.rs");

#[test]
fn the_section_matches_the_wit_file() {
    let text = fs::read_to_string(WIT).unwrap();
    let expected = source(&encode(&text));
    if std::env::var_os("MTL_UPDATE").is_some() {
        fs::write(SECTION, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(SECTION).unwrap() == expected,
        "`component_type.rs` does not match `plugin.wit`; run this test with MTL_UPDATE=1"
    );
}

fn encode(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str(Path::new("plugin.wit"), wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    metadata::encode(&resolve, world, StringEncoding::UTF8, None).unwrap()
}

/// Returns the source of a byte-string literal, in which printable characters are not escaped.
fn source(bytes: &[u8]) -> String {
    let mut lines = vec![String::new()];
    for &byte in bytes {
        let line = lines.last_mut().unwrap();
        write!(line, "{}", byte.escape_ascii()).unwrap();
        if line.len() > 80 {
            lines.push(String::new());
        }
    }
    format!(
        "//! Written by `tests/component_type.rs` from `plugin.wit`.\n\n\
         /// The world `mtl:plugin/plugin`, as a component type.\n\
         #[rustfmt::skip]\n\
         pub const COMPONENT_TYPE: &[u8; {}] = b\"\\\n{}\\\n\";\n",
        bytes.len(),
        lines
            .iter()
            .map(|line| format!("{}\\\n", leading_space(line)))
            .collect::<String>()
            .trim_end_matches("\\\n"),
    )
}

/// Escapes a leading space: after a line continuation (`\`), the compiler skips leading spaces.
fn leading_space(line: &str) -> String {
    match line.strip_prefix(' ') {
        Some(rest) => format!("\\x20{rest}"),
        None => line.to_owned(),
    }
}
