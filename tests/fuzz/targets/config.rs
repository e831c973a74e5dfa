//! What the command makes of an arbitrary file of settings.
//!
//! What `--print-config` shows of it is a file that says the same: it shows itself.

#![no_main]

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};

/// A file that has no name.
static FILE: LazyLock<File> = LazyLock::new(|| tempfile::tempfile().expect("there is a folder"));

/// What `mtl-host run --config FILE --print-config` shows of a file with this text.
fn shown(text: &[u8]) -> Result<String, String> {
    let mut file = &*FILE;
    file.set_len(0).and_then(|()| file.rewind()).expect("it can be written");
    file.write_all(text).expect("it can be written");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let line = ["mtl-host", "run", "--config", &path, "--print-config"];
    let shown = mtl_host_cli::shown_instead(line.map(OsString::from).to_vec());
    shown.map(|text| text.expect("to be shown is what was asked for"))
}

fuzz_target!(|text: &[u8]| -> Corpus {
    if let Ok(settings) = shown(text) {
        let again = shown(settings.as_bytes());
        assert_eq!(again.as_ref(), Ok(&settings), "it says the same");
    }
    Corpus::Keep
});
