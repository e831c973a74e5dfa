//! Bounds on data from an untrusted process. serde checks the bounds while it reads the data.
//!
//! An empty text takes one byte in a message and many bytes in memory, so a short message could fill the memory.
//! Therefore the reader checks the number of elements of a list while it reads them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a list of at most `MAX` elements.
///
/// # Errors
///
/// Returns an error if the list has more elements, or if an element has another type.
pub fn list<'de, const MAX: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(ListVisitor::<MAX, T>(PhantomData))
}

/// Reads an optional list of at most `MAX` elements.
///
/// # Errors
///
/// Returns an error in the same cases as [`list`].
pub fn optional_list<'de, const MAX: usize, T, D>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<Bounded<MAX, T>>::deserialize(deserializer)?.map(|Bounded(list)| list))
}

struct Bounded<const MAX: usize, T>(Vec<T>);

impl<'de, const MAX: usize, T: Deserialize<'de>> Deserialize<'de> for Bounded<MAX, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        list::<MAX, T, D>(deserializer).map(Self)
    }
}

struct ListVisitor<const MAX: usize, T>(PhantomData<T>);

impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for ListVisitor<MAX, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::custom("too many elements"));
            }
            list.push(element);
        }
        Ok(list)
    }
}

/// Cuts a text to at most `most` bytes, at a character boundary.
pub fn truncate_text(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// Defines a module for `#[serde(with = …)]` that cuts a text when it is sent, and again when it is read.
macro_rules! text {
    ($(#[$docs:meta])* $name:ident, $most:expr) => {
        $(#[$docs])*
        pub mod $name {
            use serde::{Deserialize, Deserializer, Serializer};

            /// The maximum number of bytes.
            pub const MAX: usize = $most;

            /// Sends the text, cut to `MAX` bytes.
            ///
            /// # Errors
            ///
            /// Returns the errors of the serialiser.
            pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&text[..text.floor_char_boundary(MAX)])
            }

            /// Reads the text and cuts it to `MAX` bytes.
            ///
            /// # Errors
            ///
            /// Returns the errors of the deserialiser.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
                Ok(super::truncate_text(String::deserialize(deserializer)?, MAX))
            }
        }
    };
}

text! {
    /// The beginning of a text that is a part of an error. This length is enough for a human reader, and several such
    /// texts fit into one frame.
    short, 3 * 1024
}
text! {
    /// A text from a guest, of at most 64 KiB. Each invalid byte becomes a replacement character of 3 bytes. So the
    /// limit is three times as long as the longest text.
    guest, 3 * 64 * 1024
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Few(#[serde(deserialize_with = "list::<3, _, _>")] Vec<String>);

    #[test]
    fn a_list_beyond_its_limit_is_refused() {
        let read = |text: &str| serde_json::from_str::<Few>(text).ok().map(|few| few.0.len());
        assert_eq!(read("[]"), Some(0));
        assert_eq!(read(r#"["a","b","c"]"#), Some(3));
        for refused in [r#"["a","b","c","d"]"#, r#"["a",1]"#, r#""abc""#, r#"["a""#] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Shown(#[serde(with = "short")] String);

    #[test]
    fn a_long_text_is_cut_on_sending_and_on_reading() {
        let long = "é".repeat(short::MAX);
        let sent = postcard::to_allocvec(&Shown(long.clone())).unwrap();
        assert!(sent.len() < short::MAX + 8, "{}", sent.len());
        let hostile = postcard::to_allocvec(&long).unwrap();
        let read: Shown = postcard::from_bytes(&hostile).unwrap();
        assert_eq!(read.0.len(), short::MAX);
    }
}
