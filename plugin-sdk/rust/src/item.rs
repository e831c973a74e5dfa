//! Types that can be read from an item.
//!
//! An item is a sequence of bytes. If the run's items are JSON, a worker that takes text or bytes
//! gets the decoded text of a JSON string. It gets any other JSON value unchanged.

use crate::{
    Failure,
    context::{Format, Passing},
};

/// A type that can be read from an item.
///
/// The item is in a buffer that the host fills. The value may borrow the item and change it in
/// place.
///
/// ```
/// use mtl_plugin::{Failure, FromItem, context::Format};
///
/// struct Degrees(f64);
///
/// impl<'a> FromItem<'a> for Degrees {
///     fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure> {
///         let text = <&str>::from_item(item, format)?;
///         text.trim_end_matches("°").parse().map(Self).map_err(Failure::bad_item)
///     }
/// }
///
/// let mut item = "21.5°".to_owned().into_bytes();
/// assert_eq!(Degrees::from_item(&mut item, Format::Text).unwrap().0, 21.5);
/// ```
pub trait FromItem<'a>: Sized {
    /// Reads an item.
    ///
    /// # Errors
    ///
    /// Fails if the bytes do not fit the type, normally with [`Failure::BadItem`].
    fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure>;

    /// Reads an item in the way that the run passes it. Only the code of
    /// [`worker`](macro@crate::worker) implements this function.
    ///
    /// # Errors
    ///
    /// Fails like `from_item`.
    #[doc(hidden)]
    fn from_passed(item: &'a mut [u8], format: Format, _: Passing) -> Result<Self, Failure> {
        Self::from_item(item, format)
    }
}

impl<'a> FromItem<'a> for &'a mut [u8] {
    fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure> {
        match format {
            Format::Text => Ok(item),
            Format::Json if item.trim_ascii_start().first() != Some(&b'"') => Ok(item),
            Format::Json => decode_in_place(item)
                .map_err(|error| Failure::bad_item(format_args!("not a JSON string: {error}"))),
        }
    }
}

impl<'a> FromItem<'a> for &'a [u8] {
    fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure> {
        <&mut [u8]>::from_item(item, format).map(|item| &*item)
    }
}

impl<'a> FromItem<'a> for &'a str {
    fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure> {
        parse_utf8(<&mut [u8]>::from_item(item, format)?)
    }
}

impl FromItem<'_> for Vec<u8> {
    fn from_item(item: &mut [u8], format: Format) -> Result<Self, Failure> {
        <&[u8]>::from_item(item, format).map(<[u8]>::to_vec)
    }
}

impl FromItem<'_> for String {
    fn from_item(item: &mut [u8], format: Format) -> Result<Self, Failure> {
        <&str>::from_item(item, format).map(str::to_owned)
    }
}

pub(crate) fn parse_utf8(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| {
        Failure::bad_item(format_args!("not UTF-8 from byte {} on", error.valid_up_to()))
    })
}

/// Decodes a JSON string in place. The decoded text is never longer than the JSON string.
pub(crate) fn decode_in_place(item: &mut [u8]) -> Result<&mut [u8], serde_json::Error> {
    // Without escapes, the text is the bytes between the quotes.
    if let Ok(text) = serde_json::from_slice::<&str>(item) {
        let start = text.as_ptr().addr() - item.as_ptr().addr();
        let end = start + text.len();
        return Ok(&mut item[start..end]);
    }
    let text: String = serde_json::from_slice(item)?;
    let decoded = &mut item[..text.len()];
    decoded.copy_from_slice(text.as_bytes());
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_raw_item_or_the_text_of_a_json_string() {
        #[rustfmt::skip]
        let cases = [
            // item                format         text
            ("a b",                Format::Text,  Ok("a b")),
            ("",                   Format::Text,  Ok("")),
            ("\"a\"",              Format::Text,  Ok("\"a\"")),
            ("\"a\"",              Format::Json,  Ok("a")),
            (" \"a\\n\\u00e9\" ",  Format::Json,  Ok("a\né")),
            ("\"\\ud83d\\ude00\"", Format::Json,  Ok("😀")),
            ("{\"a\": 1}",         Format::Json,  Ok("{\"a\": 1}")),
            ("12",                 Format::Json,  Ok("12")),
            ("\"a",                Format::Json,  Err(())),
        ];
        for (item, format, expected) in cases {
            let mut bytes = item.as_bytes().to_vec();
            let text = <&str>::from_item(&mut bytes, format);
            assert_eq!(text.map_err(|_| ()), expected, "{item} {format:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_a_bad_item_with_their_position() {
        let mut bytes = *b"ab\xff";
        assert_eq!(
            <&str>::from_item(&mut bytes, Format::Text),
            Err(Failure::BadItem("not UTF-8 from byte 2 on".into()))
        );
        assert_eq!(<&[u8]>::from_item(&mut bytes, Format::Text), Ok(&b"ab\xff"[..]));
    }
}
