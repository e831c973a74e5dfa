//! Fuzzes the parsing of configuration files.
//!
//! `--print-config` must print a file that means the same, so printing that file must give it
//! again.

#![no_main]

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};

/// A file without a name.
static FILE: LazyLock<File> = LazyLock::new(|| tempfile::tempfile().expect("there is a folder"));

/// Returns the output of `mtl-host run --config FILE --print-config` for a file with this text.
fn shown(text: &[u8]) -> Result<String, String> {
    let mut file = &*FILE;
    file.set_len(0).and_then(|()| file.rewind()).expect("the file can be written");
    file.write_all(text).expect("the file can be written");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let line = ["mtl-host", "run", "--config", &path, "--print-config"];
    let shown = mtl_host_cli::shown_instead(line.map(OsString::from).to_vec());
    shown.map(|text| text.expect("`--print-config` prints the settings"))
}

fuzz_target!(|text: &[u8]| -> Corpus {
    if let Ok(settings) = shown(text) {
        let again = shown(settings.as_bytes());
        assert_eq!(again.as_ref(), Ok(&settings), "the printed file differs");
    }
    Corpus::Keep
});
