//! Bytes of a plugin as a JSON value, none of them lost.
//!
//! Nothing is built in memory: strings and their escapes are written by the JSON library, and
//! JSON is written as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::item::format::Format;

/// A record, or anything else that a plugin gives, as a value in JSON output: text is a string,
/// bytes that are not UTF-8 are `{"base64":…}`, and JSON is itself, on one line.
///
/// ```
/// use mtl_host::{Format, JsonValue};
///
/// let mut line = b"{\"report\":".to_vec();
/// JsonValue::of(b"[1,\n2]", Format::Json).append_to(&mut line);
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
    /// Bytes as text, whatever they are.
    #[must_use]
    pub const fn text(bytes: &'a [u8]) -> Self {
        Self { bytes, format: Format::Text }
    }

    /// Bytes as what the plugin says they are. What should be JSON and is not, is text.
    #[must_use]
    pub fn of(bytes: &'a [u8], format: Format) -> Self {
        match format {
            Format::Json if format.check(bytes).is_err() => Self::text(bytes),
            Format::Json | Format::Text => Self { bytes, format },
        }
    }

    /// Bytes that were [checked](Format::check) where they were made.
    pub(crate) const fn checked(bytes: &'a [u8], format: Format) -> Self {
        Self { bytes, format }
    }

    /// Writes the value, which has no line break, after what is there.
    pub fn append_to(self, target: &mut Vec<u8>) {
        match self.format {
            Format::Text => put_text(self.bytes, target),
            // Inside of strings JSON has no line breaks, and elsewhere they are but space.
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
    serde_json::to_writer(target, text).expect("a string is JSON, and a vector takes everything");
}

fn put_base64(data: &[u8], target: &mut Vec<u8>) {
    target.extend_from_slice(b"{\"base64\":\"");
    let start = target.len();
    let length = base64::encoded_len(data.len(), true).expect("an item is far from that long");
    target.resize(start + length, 0);
    STANDARD.encode_slice(data, &mut target[start..]).expect("there is room for all of it");
    target.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_or_json() {
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
            JsonValue::of(bytes, format).append_to(&mut target);
            let text = String::from_utf8(target).unwrap();
            assert_eq!(text, format!("before {expected}"), "{format:?}");
            assert!(serde_json::from_str::<serde_json::Value>(&text[7..]).is_ok(), "{text}");
        }
    }
}
