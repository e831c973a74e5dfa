//! The bytes of a plugin's file in binary form, with the kind of plugin.

use std::borrow::Cow;
use std::path::Path;

use super::{LoadErrorKind, PluginKind};
use crate::item::error_chain::ErrorChain;

/// A WebAssembly binary of a known kind.
#[derive(Debug)]
pub(crate) struct WasmBinary<'a> {
    kind: PluginKind,
    bytes: Cow<'a, [u8]>,
}

/// The four bytes at the start of every binary.
const MAGIC: &[u8] = b"\0asm";

impl<'a> WasmBinary<'a> {
    pub(crate) fn from_bytes(path: &Path, bytes: &'a [u8]) -> Result<Self, LoadErrorKind> {
        let binary = binary(path, bytes)?;
        let kind = match binary.get(4..8) {
            Some([1, 0, 0, 0]) => PluginKind::CoreModule,
            // The upper two bytes are the layer, which marks a component. The version in the lower bytes still changes.
            Some([_, _, 1, 0]) => PluginKind::Component,
            Some(&[a, b, c, d]) => {
                let version = u32::from_le_bytes([a, b, c, d]);
                return Err(LoadErrorKind::Version { version });
            }
            Some(_) | None => {
                return Err(LoadErrorKind::Truncated { bytes: binary.len() });
            }
        };
        Ok(Self { kind, bytes: binary })
    }

    pub(crate) fn kind(&self) -> PluginKind {
        self.kind
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the binary form of a file. Assembles text, and refuses a file that is neither text nor binary.
fn binary<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, LoadErrorKind> {
    if bytes.starts_with(MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !bytes.is_empty() && MAGIC.starts_with(bytes) {
        return Err(LoadErrorKind::Truncated { bytes: bytes.len() });
    }
    let begin = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_text = path.extension().is_some_and(|extension| extension == "wat")
        || matches!(begin, Some(b'(' | b';'));
    if !is_text {
        return Err(LoadErrorKind::NotWasm { begins: begins(bytes) });
    }
    let parsed = wat::Parser::new().parse_bytes(Some(path), bytes);
    parsed.map_err(|error| LoadErrorKind::Text { source: ErrorChain::new(error) })
}

/// Returns a description of the beginning of a file.
fn begins(bytes: &[u8]) -> String {
    match bytes.get(..bytes.len().min(8)) {
        None | Some([]) => "it is empty".into(),
        Some([0x7f, b'E', b'L', b'F', ..]) => "it is a native program or library".into(),
        Some([b'#', b'!', ..]) => "it is a script".into(),
        Some([0x1f, 0x8b, ..]) => "it is compressed by gzip".into(),
        Some(first) => format!("it begins with `{}`", first.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_determine_the_binary_kind() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &str); 13] = [
            ("module",       b"\0asm\x01\0\0\0",      "CoreModule"),
            ("component",    b"\0asm\x0d\0\x01\0",    "Component"),
            ("module text",  b"(module)",             "CoreModule"),
            ("component text", b"\n (component)",     "Component"),
            ("empty",        b"",                     "the plugin is not WebAssembly: it is empty"),
            ("cut early",    b"\0as",                 "the plugin is cut off after 3 bytes"),
            ("cut later",    b"\0asm\x01",            "the plugin is cut off after 5 bytes"),
            ("cut last",     b"\0asm\x01\0\0",        "the plugin is cut off after 7 bytes"),
            ("cut new",      b"\0asm\x02\0\0",        "the plugin is cut off after 7 bytes"),
            ("new module",   b"\0asm\x02\0\0\0",      "the plugin is WebAssembly of a version that this host does not know: 2"),
            ("new layer",    b"\0asm\x01\0\x02\0...", "the plugin is WebAssembly of a version that this host does not know: 131073"),
            ("elf",          b"\x7fELF....",          "the plugin is not WebAssembly: it is a native program or library"),
            ("text",         b"hello\nworld",         "the plugin is not WebAssembly: it begins with `hello\\nwo`"),
        ];
        for (case, bytes, expected) in cases {
            let result = match WasmBinary::from_bytes(Path::new("p"), bytes) {
                Ok(binary) => format!("{:?}", binary.kind()),
                Err(error) => error.to_string(),
            };
            assert_eq!(result, expected, "{case}");
        }
    }

    #[test]
    fn parser_errors_name_the_file() {
        for text in [&b"(module\n  (fnuc))"[..], b"(\xff)"] {
            let error = WasmBinary::from_bytes(Path::new("a/plugin.wat"), text).unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("a/plugin.wat") && !cause.contains("<anon>"), "{cause}");
        }
    }
}
