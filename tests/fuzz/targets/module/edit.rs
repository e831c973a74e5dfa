//! Returns modules and components that were valid before they were changed.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};

/// The fixtures of the integration tests in binary form.
static FIXTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of fixtures exists")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    paths.sort();
    paths.iter().map(|path| wat::parse_file(path).expect("the fixture is valid")).collect()
});

#[derive(Arbitrary)]
enum Edit {
    Set(u16, u8),
    Flip(u16, u8),
    Insert(u16, Vec<u8>),
    Remove(u16, u8),
    Repeat(u16, u8),
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>) {
        let position = |at: u16| usize::from(at) % bytes.len().max(1);
        let range =
            |at, length: u8| position(at)..(position(at) + usize::from(length)).min(bytes.len());
        match self {
            _ if bytes.is_empty() => {}
            Self::Set(at, byte) => {
                let at = position(at);
                bytes[at] = byte;
            }
            Self::Flip(at, bit) => {
                let at = position(at);
                bytes[at] ^= 1 << (bit % 8);
            }
            Self::Insert(at, more) => {
                let at = position(at);
                drop(bytes.splice(at..at, more));
            }
            Self::Remove(at, length) => drop(bytes.drain(range(at, length))),
            Self::Repeat(at, length) => {
                let range = range(at, length);
                let copy = bytes[range.clone()].to_vec();
                drop(bytes.splice(range.end..range.end, copy));
            }
        }
    }
}

/// Returns a fixture with up to four changes.
pub(crate) fn fixture(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut fixture = bytes.choose(&FIXTURES)?.clone();
    for _ in 0..bytes.int_in_range(0..=4)? {
        Edit::arbitrary(bytes)?.apply(&mut fixture);
    }
    Ok(fixture)
}
