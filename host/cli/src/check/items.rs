//! The items that a plugin is checked with.

use std::io::Read as _;

use mtl_host::{ArgumentPassing, Opener};

use super::args::CheckArgs;
use crate::error::CliError;

/// Those that the author has named: the more of them a plugin takes, the more is checked.
pub(super) fn named(args: &CheckArgs, opener: &Opener) -> Result<Vec<Vec<u8>>, CliError> {
    let mut items: Vec<_> = args.item.iter().map(|item| item.clone().into_bytes()).collect();
    if let Some(path) = &args.items {
        let mut read = Vec::new();
        let whole = opener.open(path).and_then(|mut file| file.read_to_end(&mut read));
        whole.map_err(|source| CliError::Items { path: path.clone(), source })?;
        let lines = read.split_inclusive(|byte| *byte == b'\n');
        items.extend(lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec()));
    }
    Ok(items)
}

/// Some of each kind that plugins usually take.
pub(super) fn samples(passing: ArgumentPassing) -> Vec<Vec<u8>> {
    let texts: &[&str] = match passing {
        ArgumentPassing::Single => &[
            "hello",
            "a line of several words",
            "7",
            "-12.5",
            "true",
            "null",
            "\"a JSON string\"",
            "[1, 2, 3]",
            "{\"name\": \"value\", \"list\": [1, 2.5, null]}",
            "na\u{ef}ve \u{2603} \u{1f600}",
            "\ta tab, and \"quotes\" \\ and a backslash\r",
        ],
        ArgumentPassing::Args => &[
            "[]",
            "[1]",
            "[2, 3]",
            "[2, 3, 5]",
            "[\"text\"]",
            "[\"na\u{ef}ve \\u2603\", \"text\"]",
            "[\"text\", 1]",
            "[1, \"text\"]",
            "[[1, 2], {\"name\": null}]",
            "[null, true, 2.5]",
        ],
        ArgumentPassing::Kwargs => &["{}", "{\"item\": \"text\"}", "{\"a\": 1, \"b\": 2}"],
    };
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// All bytes that there are, and what looks like text and is not.
pub(super) fn of_every_byte() -> Vec<Vec<u8>> {
    let all = (0..=u8::MAX).collect();
    let others: [&[u8]; 7] =
        [b"\0", b"\xff", b"a\0b", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\n\r\n"];
    std::iter::once(all).chain(others.map(<[u8]>::to_vec)).collect()
}

/// How large growing items are: round sizes, with those beside them where buffers end.
pub(super) fn sizes() -> Vec<usize> {
    const LARGEST: usize = 256 * 1024;
    let powers = (0..).map(|power| 1 << power).take_while(|size| *size <= LARGEST);
    let mut sizes: Vec<usize> = powers
        .flat_map(|size| if size < 1024 { vec![size] } else { vec![size - 1, size, size + 1] })
        .collect();
    // And small again, in a buffer that is large now.
    sizes.extend([3, 5000, 1]);
    sizes
}

/// An item of so many bytes, made of another.
pub(super) fn of_size(size: usize, like: &[u8]) -> Vec<u8> {
    let like = if like.is_empty() { b"x" } else { like };
    like.iter().copied().cycle().take(size).collect()
}
