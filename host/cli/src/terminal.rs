//! Escaped output for a terminal. The results of a plugin and untrusted items may contain escape sequences. Without
//! escaping, a terminal would execute them. `--raw` disables the escaping.
//!
//! Output to a file or a pipe is never escaped.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use mtl_host::sink::{Output, OutputFile};

use super::escape;

/// The choice between raw and escaped output to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    Yes,
    No,
}

/// The form in which a character that is not plain is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EscapeStyle {
    /// `\u{1b}`, and for a byte that is not UTF-8, `\x9b`.
    Text,
    /// `\u001b`, which has the same meaning in JSON and TOML.
    Json,
}

/// Returns the output, escaped if it is a terminal.
pub(crate) fn output(output: Output<'static>, raw: Raw, style: EscapeStyle) -> Output<'static> {
    let is_terminal = output.descriptor().is_some_and(|target| target.is_terminal());
    if raw == Raw::Yes || !is_terminal {
        return output;
    }
    Output::to(output.name().to_owned(), Escaped::new(output, style))
}

/// A file of JSON, escaped if it is a terminal.
#[derive(Debug)]
pub(crate) enum JsonFile {
    File(OutputFile),
    Terminal(Escaped<OutputFile>),
}

impl JsonFile {
    pub(crate) fn new(file: OutputFile, raw: Raw) -> Self {
        match raw == Raw::No && file.as_fd().is_terminal() {
            true => Self::Terminal(Escaped::new(file, EscapeStyle::Json)),
            false => Self::File(file),
        }
    }

    /// Returns the file itself.
    pub(crate) fn file(&self) -> &OutputFile {
        match self {
            Self::File(file) => file,
            Self::Terminal(escaped) => &escaped.terminal,
        }
    }

    /// Removes the last `bytes` that were written, if the file allows it.
    pub(crate) fn remove_last(&self, bytes: usize) -> io::Result<()> {
        match self {
            Self::File(file) => file.remove_last(bytes),
            Self::Terminal(_) => Ok(()),
        }
    }
}

impl Write for JsonFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Terminal(terminal) => terminal.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Terminal(terminal) => terminal.flush(),
        }
    }
}

/// A writer that escapes everything except line feeds, tabs and plain characters.
#[derive(Debug)]
pub(crate) struct Escaped<W> {
    terminal: W,
    style: EscapeStyle,
    /// The first bytes of a character whose other bytes are not written yet.
    incomplete: Vec<u8>,
}

impl<W: Write> Escaped<W> {
    /// The number of bytes that are escaped at a time. Their escaped form takes up to ten times as much memory.
    const PIECE: usize = 64 * 1024;

    pub(crate) fn new(terminal: W, style: EscapeStyle) -> Self {
        Self { terminal, style, incomplete: Vec::new() }
    }

    /// Appends `bytes` to `shown`, escaped. Leaves out an incomplete character at their end, and returns its length.
    fn escape_into(&self, bytes: &[u8], shown: &mut String) -> usize {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            chunk.valid().chars().for_each(|character| self.push(character, shown));
            let is_incomplete = chunks.peek().is_none() && is_beginning(chunk.invalid());
            if is_incomplete {
                return chunk.invalid().len();
            }
            self.push_bytes(chunk.invalid(), shown);
        }
        0
    }

    fn push(&self, character: char, shown: &mut String) {
        match self.style {
            _ if character == '\n' || escape::is_plain(character) => shown.push(character),
            EscapeStyle::Text => shown.extend(character.escape_default()),
            EscapeStyle::Json => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }

    /// Appends bytes that are not UTF-8.
    fn push_bytes(&self, bytes: &[u8], shown: &mut String) {
        match self.style {
            EscapeStyle::Text => {
                bytes.iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
            }
            EscapeStyle::Json if bytes.is_empty() => {}
            EscapeStyle::Json => shown.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// Returns whether these bytes are the beginning of a character.
fn is_beginning(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.error_len().is_none())
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(Self::PIECE)];
        let whole = [&self.incomplete, piece].concat();
        let mut shown = String::with_capacity(whole.len());
        let incomplete = self.escape_into(&whole, &mut shown);
        self.terminal.write_all(shown.as_bytes())?;
        self.incomplete = whole[whole.len() - incomplete..].to_vec();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (incomplete, mut shown) = (std::mem::take(&mut self.incomplete), String::new());
        self.push_bytes(&incomplete, &mut shown);
        self.terminal.write_all(shown.as_bytes())?;
        self.terminal.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]], style: EscapeStyle) -> String {
        let mut shown = Vec::new();
        let mut escaped = Escaped::new(&mut shown, style);
        pieces.iter().for_each(|piece| escaped.write_all(piece).unwrap());
        escaped.flush().unwrap();
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn the_terminal_writer_escapes_control_characters() {
        #[rustfmt::skip]
        let cases: [(&[u8], &str, &str); 7] = [
            // bytes                    as text                     in JSON
            (b"a\tb\n\xc3\xbc",         "a\tb\n\u{fc}",             "a\tb\n\u{fc}"),
            (b"\x1b]0;x\x07\x1b[2J\r",  r"\u{1b}]0;x\u{7}\u{1b}[2J\r", r"\u001b]0;x\u0007\u001b[2J\u000d"),
            (b"\x7f\0",                 r"\u{7f}\u{0}",             r"\u007f\u0000"),
            (b"\xc2\x9b31m",            r"\u{9b}31m",               r"\u009b31m"),
            (b"\x9b31m\xff",            r"\x9b31m\xff",             "\u{fffd}31m\u{fffd}"),
            (b"\xe2\x80\xaea",          r"\u{202e}a",               r"\u202ea"),
            (b"\xe2\x80",               r"\xe2\x80",               "\u{fffd}"),
        ];
        for (bytes, text, json) in cases {
            assert_eq!(written(&[bytes], EscapeStyle::Text), text);
            assert_eq!(written(&[bytes], EscapeStyle::Json), json);
            // The pieces of a write do not matter.
            let single: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(written(&single, EscapeStyle::Text), text);
        }
    }

    #[test]
    fn long_writes_are_escaped_in_pieces() {
        let bytes = "\u{fc}\u{1b}".repeat(100_000);
        let shown = written(&[bytes.as_bytes()], EscapeStyle::Text);
        assert_eq!(shown, "\u{fc}\\u{1b}".repeat(100_000));
    }
}
