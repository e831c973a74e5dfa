//! Positions of the parameters' values in an item.
//!
//! One pass over the item finds the position of each value. The values are read only after this
//! pass, when the pass no longer borrows the item. A text parameter can therefore borrow its value
//! or decode it in place.

use std::{fmt, ops::Range};

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use crate::{Failure, json::describe_mismatch, names::Names};

/// The positions of the values, in the order of the item.
#[derive(Debug)]
pub(super) struct Positions<const N: usize> {
    positions: [Position; N],
    found: usize,
}

/// The position of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) parameter: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<const N: usize> Positions<N> {
    /// Finds the elements of an array, which fill the parameters by position. Elements at the end
    /// may be missing.
    pub(super) fn find_elements(item: &[u8], parameters: &[&str; N]) -> Result<Self, Failure> {
        let mut json = Deserializer::from_slice(item);
        let elements = Elements { item: item.as_ptr().addr(), parameters };
        json.deserialize_seq(elements)
            .and_then(|positions| json.end().map(|()| positions))
            .map_err(|error| bad_item(&error, "array"))
    }

    /// Finds the members of an object, which fill the parameters by name.
    pub(super) fn find_members(item: &[u8], parameters: &[&str; N]) -> Result<Self, Failure> {
        let mut json = Deserializer::from_slice(item);
        let members = Members { item: item.as_ptr().addr(), parameters };
        json.deserialize_map(members)
            .and_then(|positions| json.end().map(|()| positions))
            .map_err(|error| bad_item(&error, "object"))
    }

    pub(super) fn in_order(&self) -> &[Position] {
        &self.positions[..self.found]
    }

    fn empty() -> Self {
        Self { positions: [Position::default(); N], found: 0 }
    }

    fn add(&mut self, parameter: usize, Range { start, end }: Range<usize>) {
        self.positions[self.found] = Position { parameter, start, end };
        self.found += 1;
    }

    fn has(&self, parameter: usize) -> bool {
        self.in_order().iter().any(|position| position.parameter == parameter)
    }
}

fn bad_item(error: &serde_json::Error, needed: &str) -> Failure {
    if error.is_data() {
        return Failure::BadItem(describe_mismatch(error));
    }
    Failure::bad_item(format_args!("not a JSON {needed}: {error}"))
}

/// Returns the position of a value relative to the item, which begins at this address.
fn position_in(value: &RawValue, item: usize) -> Range<usize> {
    let start = value.get().as_ptr().addr() - item;
    start..start + value.get().len()
}

struct Elements<'p, const N: usize> {
    /// The address of the item.
    item: usize,
    parameters: &'p [&'p str; N],
}

impl<'de, const N: usize> Visitor<'de> for Elements<'_, N> {
    type Value = Positions<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of the parameters {}", Names(self.parameters))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut positions = Positions::empty();
        for parameter in 0..N {
            let Some(value) = array.next_element::<&RawValue>()? else {
                return Ok(positions);
            };
            positions.add(parameter, position_in(value, self.item));
        }
        let mut elements = N;
        while array.next_element::<IgnoredAny>()?.is_some() {
            elements += 1;
        }
        if elements == N {
            return Ok(positions);
        }
        Err(A::Error::custom(format_args!(
            "an array of {elements} elements, and the parameters are {}",
            Names(self.parameters)
        )))
    }
}

struct Members<'p, const N: usize> {
    /// The address of the item.
    item: usize,
    parameters: &'p [&'p str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = Positions<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the parameters {}", Names(self.parameters))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut positions = Positions::empty();
        while let Some(parameter) = object.next_key_seed(Name(self.parameters))? {
            if positions.has(parameter) {
                let name = self.parameters[parameter];
                return Err(A::Error::custom(format_args!("parameter `{name}` is given twice")));
            }
            let value = object.next_value::<&RawValue>()?;
            positions.add(parameter, position_in(value, self.item));
        }
        Ok(positions)
    }
}

/// Converts a key to the index of the parameter that it names.
struct Name<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<usize, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a parameter")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<usize, E> {
        self.0.iter().position(|name| is_named(name, key)).ok_or_else(|| {
            E::custom(format_args!(
                "unknown parameter `{}`; the parameters are {}",
                key.escape_debug(),
                Names(self.0)
            ))
        })
    }
}

/// Returns whether the key equals the name. In the key, `-` may replace `_`.
fn is_named(name: &str, key: &str) -> bool {
    let same = |(name, key): (u8, u8)| name == key || (name == b'_' && key == b'-');
    name.len() == key.len() && name.bytes().zip(key.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(parameter: usize, start: usize, end: usize) -> Position {
        Position { parameter, start, end }
    }

    #[test]
    fn values_are_found_at_their_positions() {
        let elements =
            |item: &str| Positions::find_elements(item.as_bytes(), &["a", "b_c"]).unwrap();
        assert_eq!(elements(r#"[1,"x"]"#).in_order(), [position(0, 1, 2), position(1, 3, 6)]);
        assert_eq!(elements(" [ {} , [] ] ").in_order(), [position(0, 3, 5), position(1, 8, 10)]);
        assert_eq!(elements("[null]").in_order(), [position(0, 1, 5)]);
        assert_eq!(elements("[]").in_order(), []);

        let members = |item: &str| Positions::find_members(item.as_bytes(), &["a", "b_c"]).unwrap();
        assert_eq!(
            members(r#"{"a":1,"b_c":2}"#).in_order(),
            [position(0, 5, 6), position(1, 13, 14)]
        );
        assert_eq!(
            members(r#"{"b-c":2, "\u0061":[1]}"#).in_order(),
            [position(1, 7, 8), position(0, 19, 22)]
        );
        assert_eq!(members("{}").in_order(), []);
    }

    #[test]
    fn an_item_that_does_not_fit_has_a_message() {
        let find_elements = |item: &[u8]| Positions::find_elements(item, &["a", "b_c"]).map(|_| ());
        let find_members = |item: &[u8]| Positions::find_members(item, &["a", "b_c"]).map(|_| ());
        type Find = fn(&[u8]) -> Result<(), Failure>;
        #[rustfmt::skip]
        let cases: [(Find, &[u8], &str); 14] = [
            (find_elements, b"5",       "invalid type: integer `5`, expected an array of the parameters `a` and `b_c`"),
            (find_elements, b"{}",      "invalid type: map, expected an array of the parameters `a` and `b_c`"),
            (find_elements, b"[1,2,3]", "an array of 3 elements, and the parameters are `a` and `b_c`"),
            (find_elements, b"[1,2",    "not a JSON array: EOF while parsing a list at line 1 column 4"),
            (find_elements, b"",        "not a JSON array: EOF while parsing a value at line 1 column 0"),
            (find_elements, b"[1] 2",   "not a JSON array: trailing characters at line 1 column 5"),
            (find_elements, b"[\"\xff\"]", "not a JSON array: invalid unicode code point at line 1 column 3"),
            (find_members,  b"[1,2]",   "invalid type: sequence, expected an object with the parameters `a` and `b_c`"),
            (find_members,  br#"{"a":1,"c":2}"#,          "unknown parameter `c`; the parameters are `a` and `b_c`"),
            (find_members,  br#"{"a":1,"\n":2}"#,         "unknown parameter `\\n`; the parameters are `a` and `b_c`"),
            (find_members,  br#"{"A":1}"#,                "unknown parameter `A`; the parameters are `a` and `b_c`"),
            (find_members,  br#"{"a":1,"a":1}"#,          "parameter `a` is given twice"),
            (find_members,  br#"{"b_c":1,"a":0,"b-c":1}"#, "parameter `b_c` is given twice"),
            (find_members,  br#"{"a" 1}"#,                "not a JSON object: expected `:` at line 1 column 6"),
        ];
        for (find, item, message) in cases {
            assert_eq!(find(item), Err(Failure::bad_item(message)), "{}", item.escape_ascii());
        }
    }
}
