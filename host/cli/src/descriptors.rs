//! Standard input, output and error, which may be closed when the command starts.
//!
//! Before `main`, Rust's runtime opens `/dev/null` in place of each closed stream. A run would then silently discard
//! its results, or read an empty input. This module therefore checks the streams before Rust's runtime does, in an
//! initialiser that the C library calls.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

/// A standard stream of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Input,
    Output,
    Error,
}

impl Stream {
    const ALL: [Self; 3] = [Self::Input, Self::Output, Self::Error];

    /// Returns the name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Input => "standard input",
            Self::Output => "standard output",
            Self::Error => "standard error",
        }
    }

    /// Returns whether the stream was closed when the process started.
    pub(crate) fn was_closed(self) -> bool {
        CLOSED.load(Ordering::Relaxed) & self.bit() != 0
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Returns the stream that a path names by one of its usual names.
    fn named(path: &Path) -> Option<Self> {
        match path.to_str()? {
            "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => Some(Self::Input),
            "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some(Self::Output),
            "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(Self::Error),
            _ => None,
        }
    }
}

/// Error of a standard stream that is needed, and was closed when the command started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {}: it is closed", _0.name())]
pub(crate) struct ClosedStreamError(pub(crate) Stream);

impl ClosedStreamError {
    /// Returns a hint for the user.
    pub(crate) fn hint(self) -> &'static str {
        match self.0 {
            Stream::Input => "name the INPUT, or redirect it: `< FILE`",
            Stream::Output | Stream::Error => {
                "name another file, or redirect it: `> FILE`; `> /dev/null` discards the results"
            }
        }
    }
}

/// Checks that no path names a standard stream that was closed.
pub(crate) fn check<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
) -> Result<(), ClosedStreamError> {
    match paths.into_iter().filter_map(Stream::named).find(|stream| stream.was_closed()) {
        Some(stream) => Err(ClosedStreamError(stream)),
        None => Ok(()),
    }
}

/// The set of closed streams, a bit for each.
static CLOSED: AtomicU8 = AtomicU8::new(0);

#[expect(
    unsafe_code,
    reason = "no safe code runs before Rust's runtime replaces a closed stream with `/dev/null`"
)]
// SAFETY: the C library calls each function in this section once, before `main`, on the only thread. The section
// contains pointers to functions with the C calling convention, such as `check_streams`. The C library passes
// arguments, which such a function may ignore.
#[unsafe(link_section = ".init_array")]
#[used]
static CHECK_STREAMS: extern "C" fn() = {
    extern "C" fn check_streams() {
        for stream in Stream::ALL {
            // SAFETY: `F_GETFD` only reads the flags of a descriptor, and fails without effect if it is not open.
            let flags = unsafe { libc::fcntl(stream as libc::c_int, libc::F_GETFD) };
            if flags == -1 {
                CLOSED.fetch_or(stream.bit(), Ordering::Relaxed);
            }
        }
    }
    check_streams
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_streams_are_recognised_by_path() {
        #[rustfmt::skip]
        let cases = [
            ("/dev/stdin",       Some(Stream::Input)),
            ("/dev/stdout",      Some(Stream::Output)),
            ("/proc/self/fd/2",  Some(Stream::Error)),
            ("/dev/fd/1",        Some(Stream::Output)),
            ("/dev/fd/10",       None),
            ("-",                None),
            ("file",             None),
        ];
        for (path, expected) in cases {
            assert_eq!(Stream::named(path.as_ref()), expected, "{path}");
        }
    }
}
