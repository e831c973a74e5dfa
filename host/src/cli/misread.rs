//! Keeps a run from reading a plugin as its items: whoever names two, and only one can be it, means
//! something else.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::CliError;

/// What WebAssembly begins with, and no text does.
const MAGIC: &[u8; 4] = b"\0asm";

/// Checks that no input is a plugin. What cannot be read says so when it is read.
pub(crate) fn check(inputs: &[PathBuf]) -> Result<(), CliError> {
    match inputs.iter().find(|path| is_wasm(path).unwrap_or(false)) {
        Some(path) => Err(CliError::PluginAsItems { path: path.clone() }),
        None => Ok(()),
    }
}

fn is_wasm(path: &Path) -> io::Result<bool> {
    // What is read from a pipe is gone.
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut begins = [0; MAGIC.len()];
    File::open(path)?.read_exact(&mut begins)?;
    Ok(begins == *MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_known_by_how_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        #[rustfmt::skip]
        let cases: [(&[u8], bool); 5] = [
            (b"\0asm\x01\0\0\0", true),
            (b"\0asm",           true),
            (b"\0as",            false),
            (b"",                false),
            (b"an item\n",       false),
        ];
        for (content, refused) in cases {
            fs::write(&path, content).unwrap();
            let inputs = [PathBuf::from("-"), "/dev/null".into(), "missing".into(), path.clone()];
            assert_eq!(check(&inputs).is_err(), refused, "{content:?}");
        }
    }
}
