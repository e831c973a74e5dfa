//! Positions of the parameters' values in an item.
//!
//! A value is first found as a position and read later. So a text parameter can borrow its value,
//! or decode it in place.

use std::{fmt, ops::Range};

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use crate::{Failure, json::problem, names::Names};

/// The positions of the values, in the order of the item.
#[derive(Debug)]
pub(super) struct Places<const N: usize> {
    places: [Place; N],
    found: usize,
}

/// The position of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) parameter: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<const N: usize> Places<N> {
    /// Finds the elements of an array, which are the parameters by position. Elements at the end
    /// may be missing.
    pub(super) fn of_elements(item: &[u8], parameters: &[&str; N]) -> Result<Self, Failure> {
        let mut json = Deserializer::from_slice(item);
        let elements = Elements { item: item.as_ptr().addr(), parameters };
        json.deserialize_seq(elements)
            .and_then(|places| json.end().map(|()| places))
            .map_err(|error| bad_item(&error, "array"))
    }

    /// Finds the members of an object, which are the parameters by name.
    pub(super) fn of_members(item: &[u8], parameters: &[&str; N]) -> Result<Self, Failure> {
        let mut json = Deserializer::from_slice(item);
        let members = Members { item: item.as_ptr().addr(), parameters };
        json.deserialize_map(members)
            .and_then(|places| json.end().map(|()| places))
            .map_err(|error| bad_item(&error, "object"))
    }

    pub(super) fn in_order(&self) -> &[Place] {
        &self.places[..self.found]
    }

    fn none() -> Self {
        Self { places: [Place::default(); N], found: 0 }
    }

    fn add(&mut self, parameter: usize, Range { start, end }: Range<usize>) {
        self.places[self.found] = Place { parameter, start, end };
        self.found += 1;
    }

    fn has(&self, parameter: usize) -> bool {
        self.in_order().iter().any(|place| place.parameter == parameter)
    }
}

fn bad_item(error: &serde_json::Error, needed: &str) -> Failure {
    if error.is_data() {
        return Failure::BadItem(problem(error));
    }
    Failure::bad_item(format_args!("not a JSON {needed}: {error}"))
}

/// Returns the position of a value in its item, by the item's address.
fn place_of(value: &RawValue, item: usize) -> Range<usize> {
    let start = value.get().as_ptr().addr() - item;
    start..start + value.get().len()
}

struct Elements<'p, const N: usize> {
    /// The address of the item.
    item: usize,
    parameters: &'p [&'p str; N],
}

impl<'de, const N: usize> Visitor<'de> for Elements<'_, N> {
    type Value = Places<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of the parameters {}", Names(self.parameters))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut places = Places::none();
        for parameter in 0..N {
            let Some(value) = array.next_element::<&RawValue>()? else {
                return Ok(places);
            };
            places.add(parameter, place_of(value, self.item));
        }
        let mut elements = N;
        while array.next_element::<IgnoredAny>()?.is_some() {
            elements += 1;
        }
        if elements == N {
            return Ok(places);
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
    type Value = Places<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the parameters {}", Names(self.parameters))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut places = Places::none();
        while let Some(parameter) = object.next_key_seed(Name(self.parameters))? {
            if places.has(parameter) {
                let name = self.parameters[parameter];
                return Err(A::Error::custom(format_args!("parameter `{name}` is given twice")));
            }
            let value = object.next_value::<&RawValue>()?;
            places.add(parameter, place_of(value, self.item));
        }
        Ok(places)
    }
}

/// Reads a key as the number of the parameter that it names.
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

/// Returns whether the key is the name, in which `-` may replace `_`.
fn is_named(name: &str, key: &str) -> bool {
    let same = |(name, key): (u8, u8)| name == key || (name == b'_' && key == b'-');
    name.len() == key.len() && name.bytes().zip(key.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(parameter: usize, start: usize, end: usize) -> Place {
        Place { parameter, start, end }
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let elements = |item: &str| Places::of_elements(item.as_bytes(), &["a", "b_c"]).unwrap();
        assert_eq!(elements(r#"[1,"x"]"#).in_order(), [place(0, 1, 2), place(1, 3, 6)]);
        assert_eq!(elements(" [ {} , [] ] ").in_order(), [place(0, 3, 5), place(1, 8, 10)]);
        assert_eq!(elements("[null]").in_order(), [place(0, 1, 5)]);
        assert_eq!(elements("[]").in_order(), []);

        let members = |item: &str| Places::of_members(item.as_bytes(), &["a", "b_c"]).unwrap();
        assert_eq!(members(r#"{"a":1,"b_c":2}"#).in_order(), [place(0, 5, 6), place(1, 13, 14)]);
        assert_eq!(
            members(r#"{"b-c":2, "\u0061":[1]}"#).in_order(),
            [place(1, 7, 8), place(0, 19, 22)]
        );
        assert_eq!(members("{}").in_order(), []);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let of_elements = |item: &[u8]| Places::of_elements(item, &["a", "b_c"]).map(|_| ());
        let of_members = |item: &[u8]| Places::of_members(item, &["a", "b_c"]).map(|_| ());
        type Of = fn(&[u8]) -> Result<(), Failure>;
        #[rustfmt::skip]
        let cases: [(Of, &[u8], &str); 14] = [
            (of_elements, b"5",       "invalid type: integer `5`, expected an array of the parameters `a` and `b_c`"),
            (of_elements, b"{}",      "invalid type: map, expected an array of the parameters `a` and `b_c`"),
            (of_elements, b"[1,2,3]", "an array of 3 elements, and the parameters are `a` and `b_c`"),
            (of_elements, b"[1,2",    "not a JSON array: EOF while parsing a list at line 1 column 4"),
            (of_elements, b"",        "not a JSON array: EOF while parsing a value at line 1 column 0"),
            (of_elements, b"[1] 2",   "not a JSON array: trailing characters at line 1 column 5"),
            (of_elements, b"[\"\xff\"]", "not a JSON array: invalid unicode code point at line 1 column 3"),
            (of_members,  b"[1,2]",   "invalid type: sequence, expected an object with the parameters `a` and `b_c`"),
            (of_members,  br#"{"a":1,"c":2}"#,          "unknown parameter `c`; the parameters are `a` and `b_c`"),
            (of_members,  br#"{"a":1,"\n":2}"#,         "unknown parameter `\\n`; the parameters are `a` and `b_c`"),
            (of_members,  br#"{"A":1}"#,                "unknown parameter `A`; the parameters are `a` and `b_c`"),
            (of_members,  br#"{"a":1,"a":1}"#,          "parameter `a` is given twice"),
            (of_members,  br#"{"b_c":1,"a":0,"b-c":1}"#, "parameter `b_c` is given twice"),
            (of_members,  br#"{"a" 1}"#,                "not a JSON object: expected `:` at line 1 column 6"),
        ];
        for (of, item, message) in cases {
            assert_eq!(of(item), Err(Failure::bad_item(message)), "{}", item.escape_ascii());
        }
    }
}
