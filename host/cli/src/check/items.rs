//! The items for checks.

use std::io::Read as _;

use mtl_host::ArgumentPassing;
use mtl_host::files::Opener;

use super::args::CheckArgs;
use crate::error::CliError;

/// Returns the items that the flags name.
pub(super) fn from_flags(args: &CheckArgs, opener: &Opener) -> Result<Vec<Vec<u8>>, CliError> {
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

/// Returns typical items of each kind that plugins take.
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

/// Returns items with every byte, and items that are almost UTF-8.
pub(super) fn of_every_byte() -> Vec<Vec<u8>> {
    let all = (0..=u8::MAX).collect();
    let others: [&[u8]; 7] =
        [b"\0", b"\xff", b"a\0b", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\n\r\n"];
    std::iter::once(all).chain(others.map(<[u8]>::to_vec)).collect()
}

/// Returns sizes of items: powers of two in ascending order, then some small sizes. From 1024 on,
/// the list includes the sizes that are smaller and larger by one than each power of two. Many
/// buffers have a power of two as their size.
pub(super) fn sizes() -> Vec<usize> {
    const LARGEST: usize = 256 * 1024;
    let powers = (0..).map(|power| 1 << power).take_while(|size| *size <= LARGEST);
    let mut sizes: Vec<usize> = powers
        .flat_map(|size| if size < 1024 { vec![size] } else { vec![size - 1, size, size + 1] })
        .collect();
    // Small items follow, in a buffer that is now large.
    sizes.extend([3, 5000, 1]);
    sizes
}

/// Returns an item of `size` bytes that repeats the bytes of another.
pub(super) fn of_size(size: usize, like: &[u8]) -> Vec<u8> {
    let like = if like.is_empty() { b"x" } else { like };
    like.iter().copied().cycle().take(size).collect()
}
