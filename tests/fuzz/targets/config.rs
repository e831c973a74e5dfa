//! Fuzzes the parsing of configuration files.
//!
//! `--print-config` must print a file with the same settings as its input. The target reads the
//! printed file again: `--print-config` must then print the same text.

#![no_main]

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};

/// A file without a name.
static FILE: LazyLock<File> =
    LazyLock::new(|| tempfile::tempfile().expect("a temporary file can be created"));

/// Returns the output of `mtl-host run --config FILE --print-config` for a file with this text.
fn print_config(text: &[u8]) -> Result<String, String> {
    let mut file = &*FILE;
    file.set_len(0).and_then(|()| file.rewind()).expect("the file can be written");
    file.write_all(text).expect("the file can be written");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let line = ["mtl-host", "run", "--config", &path, "--print-config"];
    let printed = mtl_host_cli::text_or_error(line.map(OsString::from).to_vec());
    printed.map(|text| text.expect("`--print-config` prints the settings"))
}

fuzz_target!(|text: &[u8]| -> Corpus {
    if let Ok(settings) = print_config(text) {
        let second = print_config(settings.as_bytes());
        assert_eq!(second.as_ref(), Ok(&settings), "the printed file differs");
    }
    Corpus::Keep
});
