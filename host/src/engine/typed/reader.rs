//! Reads JSON as values of a known type, directly from the text.
//!
//! The type determines which JSON is valid at each position. Therefore the reader builds no intermediate JSON tree and
//! skips no text. It reads the digits of a number directly as the number's type, without loss. The recursion is no
//! deeper than the type, and the memory for values is limited.

mod value;

use std::borrow::Cow;

use self::value::expected;
use super::shape::Shape;
use super::value_error::ValueError;

/// The memory limit for the values of one item, in bytes. The values of a list of small elements need much more memory
/// than the list's text, because each element is a separate value.
const MAX_VALUE_BYTES: usize = 128 * 1024 * 1024;

/// A reader at a position in a JSON text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The memory that is left for values, in bytes.
    memory_left: usize,
}

type Read<T> = Result<T, ValueError>;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self::with_memory(text, MAX_VALUE_BYTES)
    }

    /// Returns a reader with `memory` bytes of memory for values.
    pub(crate) fn with_memory(text: &'a str, memory: usize) -> Self {
        Self { text, at: 0, memory_left: memory }
    }

    /// Checks that only white space follows.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(ValueError::new(format!("something follows at byte {}", self.at))),
        }
    }

    /// Reads an array; `element` reads each element.
    pub(crate) fn array(
        &mut self,
        expected: &str,
        mut element: impl FnMut(&mut Self, usize) -> Read<()>,
    ) -> Read<()> {
        if !self.skip_byte(b'[') {
            return Err(self.mismatch(expected));
        }
        if self.skip_byte(b']') {
            return Ok(());
        }
        for index in 0.. {
            element(self, index).map_err(|error| error.in_index(index))?;
            if self.skip_byte(b']') {
                break;
            }
            self.expect(b',', "`,` or `]`")?;
        }
        Ok(())
    }

    /// Reads an object; `member` reads the value of each key.
    pub(crate) fn object(
        &mut self,
        expected: &str,
        mut member: impl FnMut(&mut Self, &str) -> Read<()>,
    ) -> Read<()> {
        if !self.skip_byte(b'{') {
            return Err(self.mismatch(expected));
        }
        if self.skip_byte(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax_error("a key"));
            }
            let key = self.text()?;
            self.expect(b':', "`:`")?;
            member(self, &key)?;
            if self.skip_byte(b'}') {
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// Skips `null` and returns true, if it is next.
    pub(crate) fn skip_null(&mut self) -> bool {
        self.skip_word("null")
    }

    /// Reads a string, if it is next.
    pub(crate) fn read_optional_string(&mut self) -> Read<Option<String>> {
        match self.peek() {
            Some(b'"') => self.text().map(|text| Some(text.into_owned())),
            _ => Ok(None),
        }
    }

    /// Returns the next byte after white space, without consuming it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn skip_byte(&mut self, byte: u8) -> bool {
        let matches = self.peek() == Some(byte);
        self.at += usize::from(matches);
        matches
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let matches = self.peek().is_some() && self.word() == word;
        self.at += if matches { word.len() } else { 0 };
        matches
    }

    /// Returns the letters and digits that come next.
    fn word(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        &rest[..end.unwrap_or(rest.len())]
    }

    fn expect(&mut self, byte: u8, expected: &str) -> Read<()> {
        match self.skip_byte(byte) {
            true => Ok(()),
            false => Err(self.syntax_error(expected)),
        }
    }

    /// Takes memory for values from the limit.
    fn reserve(&mut self, bytes: usize) -> Read<()> {
        let left = self.memory_left.checked_sub(bytes);
        self.memory_left = left.ok_or_else(|| {
            let limit = MAX_VALUE_BYTES / (1024 * 1024);
            ValueError::new(format!("the item's values take more than {limit}MiB"))
        })?;
        Ok(())
    }

    /// Reads the text of a number.
    fn number(&mut self, shape: &Shape) -> Read<&'a str> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.unexpected(shape));
        }
        let rest = &self.text[self.at..];
        let Some(length) = number_length(rest.as_bytes()) else {
            return Err(self.syntax_error("a number"));
        };
        self.at += length;
        Ok(&rest[..length])
    }

    fn string(&mut self, shape: &Shape) -> Read<Cow<'a, str>> {
        match self.peek() {
            Some(b'"') => self.text(),
            _ => Err(self.unexpected(shape)),
        }
    }

    fn owned_string(&mut self, shape: &Shape) -> Read<String> {
        let text = self.string(shape)?;
        self.reserve(text.len())?;
        Ok(text.into_owned())
    }

    /// Reads the string that begins here.
    fn text(&mut self) -> Read<Cow<'a, str>> {
        let begin = self.at;
        let bytes = self.text.as_bytes();
        let mut end = begin + 1;
        let mut is_plain = true;
        loop {
            let special = memchr::memchr2(b'"', b'\\', &bytes[end.min(bytes.len())..]);
            let Some(special) = special else {
                self.at = bytes.len();
                return Err(self.syntax_error("the end of a string"));
            };
            end += special;
            if bytes[end] == b'"' {
                break;
            }
            is_plain = false;
            end += 2;
        }
        self.at = end + 1;
        let inner = &self.text[begin + 1..end];
        if is_plain && !inner.bytes().any(|byte| byte < b' ') {
            return Ok(Cow::Borrowed(inner));
        }
        serde_json::from_str(&self.text[begin..=end]).map(Cow::Owned).map_err(|_| {
            ValueError::new(format!("not JSON: an invalid string begins at byte {begin}"))
        })
    }

    /// Returns the error for a next value that is not of this type.
    fn unexpected(&mut self, shape: &Shape) -> ValueError {
        self.mismatch(&expected(shape))
    }

    /// Returns the error for a next value that is not `expected`.
    pub(crate) fn mismatch(&mut self, expected: &str) -> ValueError {
        let found = match self.peek() {
            Some(b'"') => "a string",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(_) if self.word() == "null" => "`null`",
            Some(_) if self.word() == "true" => "`true`",
            Some(_) if self.word() == "false" => "`false`",
            None | Some(_) => return self.syntax_error(expected),
        };
        ValueError::new(format!("expected {expected}, found {found}"))
    }

    /// Returns the error for text that is not JSON at this position.
    fn syntax_error(&mut self, expected: &str) -> ValueError {
        let found = match (self.peek(), self.text[self.at..].chars().next()) {
            (Some(b'"'), _) => format!("a string at byte {}", self.at),
            (Some(_), Some(sign)) => format!("`{}` at byte {}", sign.escape_debug(), self.at),
            _ => "the end".into(),
        };
        ValueError::new(format!("not JSON: expected {expected}, found {found}"))
    }
}

/// Returns the length of the JSON number that begins here, if it is valid.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let begin = usize::from(bytes.first() == Some(&b'-'));
    let mut end = match bytes.get(begin)? {
        b'0' => begin + 1,
        b'1'..=b'9' => digits(begin),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == end + 1 {
            return None;
        }
        end = fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == end + 1 + sign {
            return None;
        }
        end = exponent;
    }
    Some(end)
}
