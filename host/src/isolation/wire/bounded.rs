//! Lists in what a child says, no longer than it can honestly make them.
//!
//! An empty text takes two bytes on the wire and many times that here. So the end of a list is decided by
//! how many elements it has, while they are read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a list of at most `MOST` elements.
///
/// # Errors
///
/// When there are more, or one is none of these.
pub(super) fn list<'de, const MOST: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(Listed::<MOST, T>(PhantomData))
}

struct Listed<const MOST: usize, T>(PhantomData<T>);

impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for Listed<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() == MOST {
                return Err(A::Error::custom("too many elements"));
            }
            list.push(element);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Few(#[serde(deserialize_with = "list::<3, _, _>")] Vec<String>);

    #[test]
    fn a_list_ends_where_it_may_have_no_more() {
        let read = |text: &str| serde_json::from_str::<Few>(text).ok().map(|few| few.0.len());
        assert_eq!(read("[]"), Some(0));
        assert_eq!(read(r#"["a","b","c"]"#), Some(3));
        for refused in [r#"["a","b","c","d"]"#, r#"["a",1]"#, r#""abc""#, r#"["a""#] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
