//! Bytes from a plugin as a JSON value, without loss.
//!
//! The writer builds no JSON tree in memory. The JSON library writes strings and their escapes. The
//! writer copies bytes that are already JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::item::format::Format;

/// A record, or another output of a plugin, as a value in JSON output:
///
/// - Text becomes a string.
/// - Bytes that are not UTF-8 become `{"base64":…}`.
/// - JSON stays JSON, on one line.
///
/// ```
/// use mtl_host::sink::JsonValue;
/// use mtl_host::Format;
///
/// let mut line = b"{\"report\":".to_vec();
/// JsonValue::new(b"[1,\n2]", Format::Json).append_to(&mut line);
/// line.push(b'}');
/// assert_eq!(line, b"{\"report\":[1, 2]}");
///
/// let mut text = Vec::new();
/// JsonValue::text(b"[1,\n2]").append_to(&mut text);
/// assert_eq!(text, br#""[1,\n2]""#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonValue<'a> {
    bytes: &'a [u8],
    format: Format,
}

impl<'a> JsonValue<'a> {
    /// Creates a value from bytes as text.
    #[must_use]
    pub const fn text(bytes: &'a [u8]) -> Self {
        Self { bytes, format: Format::Text }
    }

    /// Creates a value from bytes in the format that the plugin declares. Treats invalid JSON as
    /// text.
    #[must_use]
    pub fn new(bytes: &'a [u8], format: Format) -> Self {
        match format {
            Format::Json if format.check(bytes).is_err() => Self::text(bytes),
            Format::Json | Format::Text => Self { bytes, format },
        }
    }

    /// Creates a value from bytes that were already [checked](Format::check).
    pub(crate) const fn checked(bytes: &'a [u8], format: Format) -> Self {
        Self { bytes, format }
    }

    /// Appends the value, which has no line break, to `target`.
    pub fn append_to(self, target: &mut Vec<u8>) {
        match self.format {
            Format::Text => put_text(self.bytes, target),
            // JSON strings contain no raw line breaks. Elsewhere, a line break is white space.
            Format::Json => target.extend(self.bytes.trim_ascii().iter().map(|byte| match byte {
                b'\r' | b'\n' => b' ',
                byte => *byte,
            })),
        }
    }
}

fn put_text(text: &[u8], target: &mut Vec<u8>) {
    match std::str::from_utf8(text) {
        Ok(text) => put_string(text, target),
        Err(_) => put_base64(text, target),
    }
}

fn put_string(text: &str, target: &mut Vec<u8>) {
    serde_json::to_writer(target, text)
        .expect("a string is valid JSON, and writing to a vector never fails");
}

fn put_base64(data: &[u8], target: &mut Vec<u8>) {
    target.extend_from_slice(b"{\"base64\":\"");
    let start = target.len();
    let length =
        base64::encoded_len(data.len(), true).expect("an item is far shorter than the maximum");
    target.resize(start + length, 0);
    STANDARD.encode_slice(data, &mut target[start..]).expect("the target has enough space");
    target.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_json_or_base64() {
        let cases: [(&[u8], Format, &str); 12] = [
            (b"plain", Format::Text, r#""plain""#),
            (b"", Format::Text, r#""""#),
            (b"{\"a\":1}", Format::Text, r#""{\"a\":1}""#),
            (b"tab\tand\nline\0", Format::Text, r#""tab\tand\nline\u0000""#),
            ("gr\u{fc}n".as_bytes(), Format::Text, "\"gr\u{fc}n\""),
            (b"\xff\xfe", Format::Text, r#"{"base64":"//4="}"#),
            (b"\xff", Format::Text, r#"{"base64":"/w=="}"#),
            (b"{\"a\": 1}", Format::Json, r#"{"a": 1}"#),
            (b"\n[1,\r\n2]\n", Format::Json, "[1,  2]"),
            (b"{\"a\": 1", Format::Json, r#""{\"a\": 1""#),
            (b"", Format::Json, r#""""#),
            (b"\"\xff\"", Format::Json, r#"{"base64":"Iv8i"}"#),
        ];
        for (bytes, format, expected) in cases {
            let mut target = b"before ".to_vec();
            JsonValue::new(bytes, format).append_to(&mut target);
            let text = String::from_utf8(target).unwrap();
            assert_eq!(text, format!("before {expected}"), "{format:?}");
            assert!(serde_json::from_str::<serde_json::Value>(&text[7..]).is_ok(), "{text}");
        }
    }
}
