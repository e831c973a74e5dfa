//! What a parameter of `call` can be, under [`worker`](macro@crate::worker).
//!
//! A parameter is filled from the whole item, from an element of a JSON array, or from a member of a JSON
//! object. A text or bytes parameter takes an item as it is, and otherwise a JSON string; every other one takes
//! a JSON value.

use std::fmt;

use serde::Deserialize;

use crate::{
    Failure, FromItem, Json,
    context::Format,
    item::{decoded, text},
    json::problem,
};

/// A type that a parameter of `call` can have, under [`worker`](macro@crate::worker).
///
/// ```
/// use mtl_plugin::{Argument, Failure, FromParameter};
///
/// #[derive(Default)]
/// struct Thermometer;
///
/// struct Degrees(f64);
///
/// impl<'a> FromParameter<'a> for Degrees {
///     fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
///         let text = argument.text()?;
///         text.trim_end_matches("°").parse().map(Self).map_err(Failure::bad_item)
///     }
/// }
///
/// #[mtl_plugin::worker]
/// impl Thermometer {
///     fn call(&mut self, Degrees(measured): Degrees) -> bool {
///         measured > 100.0
///     }
/// }
/// # let mut thermometer = mtl_plugin::testing::Instance::<Thermometer>::start("").unwrap();
/// # assert_eq!(thermometer.call("21.5°"), Ok(Some(b"false".to_vec())));
/// # let bad = Failure::bad_item("parameter `measured`: invalid float literal");
/// # assert_eq!(thermometer.call("hot"), Err(bad));
/// ```
#[diagnostic::on_unimplemented(
    message = "a parameter of `call` cannot have the type `{Self}`",
    note = "what serde reads can be a parameter as `Json<…>`"
)]
pub trait FromParameter<'a>: Sized {
    /// Whether the type takes any text, so that the item `null` is text too and not a missing
    /// `Option`.
    const TEXT: bool = false;

    /// Reads what was given for the parameter.
    ///
    /// # Errors
    ///
    /// When that is not what the type needs: a [`Failure::BadItem`], as a rule. The message need
    /// not name the parameter.
    fn from_argument(argument: Argument<'a>) -> Result<Self, Failure>;

    /// The value where nothing was given. `None`: something has to be.
    #[must_use]
    fn missing() -> Option<Self> {
        None
    }
}

/// What was given for a parameter. See [`FromParameter`].
pub struct Argument<'a> {
    bytes: &'a mut [u8],
    given: Given,
}

#[derive(Clone, Copy, Debug)]
enum Given {
    /// The whole item, which is of this format.
    Item(Format),
    /// A JSON value inside the item, without space around it.
    Value,
}

impl<'a> Argument<'a> {
    pub(crate) fn item(bytes: &'a mut [u8], format: Format) -> Self {
        Self { bytes, given: Given::Item(format) }
    }

    pub(crate) fn value(bytes: &'a mut [u8]) -> Self {
        Self { bytes, given: Given::Value }
    }

    /// The item, or what a JSON string says.
    ///
    /// # Errors
    ///
    /// When a JSON value inside the item is not a string.
    pub fn bytes(self) -> Result<&'a mut [u8], Failure> {
        match self.given {
            Given::Item(format) => FromItem::from_item(self.bytes, format),
            Given::Value => decoded(self.bytes).map_err(|error| Failure::bad_item(problem(&error))),
        }
    }

    /// The item, or what a JSON string says, as text.
    ///
    /// # Errors
    ///
    /// When a JSON value inside the item is not a string, or the item is not UTF-8.
    pub fn text(self) -> Result<&'a str, Failure> {
        text(self.bytes()?)
    }

    /// The item, or the value inside it, read as JSON.
    ///
    /// # Errors
    ///
    /// When it does not fit the type.
    pub fn json<T: Deserialize<'a>>(self) -> Result<T, Failure> {
        let given = self.given;
        serde_json::from_slice(self.bytes).map_err(|error| match given {
            Given::Item(_) if !error.is_data() => {
                Failure::bad_item(format_args!("not the JSON that is needed: {error}"))
            }
            Given::Item(_) | Given::Value => Failure::bad_item(problem(&error)),
        })
    }

    /// Whether it reads `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.bytes.trim_ascii() == b"null"
    }

    /// Whether it is an item that the run does not say is JSON.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.given, Given::Item(Format::Text))
    }
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.bytes);
        f.debug_struct("Argument").field("given", &self.given).field("bytes", &text).finish()
    }
}

/// Of `$type`, with or without a lifetime, by a function of [`Argument`].
macro_rules! text_parameters {
    ($($type:ty: $read:expr,)*) => {$(
        impl<'a> FromParameter<'a> for $type {
            const TEXT: bool = true;

            fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
                $read(argument)
            }
        }
    )*};
}

text_parameters! {
    &'a mut [u8]: Argument::bytes,
    &'a [u8]: |argument: Argument<'a>| argument.bytes().map(|bytes| &*bytes),
    Vec<u8>: |argument: Argument<'a>| argument.bytes().map(|bytes| bytes.to_vec()),
    &'a str: Argument::text,
    String: |argument: Argument<'a>| argument.text().map(str::to_owned),
}

macro_rules! json_parameters {
    ($($type:ty)*) => {$(
        impl<'a> FromParameter<'a> for $type {
            fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
                argument.json()
            }
        }
    )*};
}

json_parameters! { bool f64 }

macro_rules! integer_parameters {
    ($($type:ty)*) => {$(
        impl<'a> FromParameter<'a> for $type {
            fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
                // It has no fraction, although serde_json reads it as one that has.
                if argument.bytes.trim_ascii() == b"-0" {
                    return Ok(0);
                }
                argument.json()
            }
        }
    )*};
}

integer_parameters! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl<'a> FromParameter<'a> for f32 {
    fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
        let exact: f64 = argument.json()?;
        #[expect(clippy::cast_possible_truncation, reason = "what lies outside is refused below")]
        let near = exact as Self;
        if near.is_finite() {
            Ok(near)
        } else {
            Err(Failure::bad_item(format_args!(
                "invalid value: floating point `{exact:e}`, expected f32"
            )))
        }
    }
}

impl<'a, T: Deserialize<'a>> FromParameter<'a> for Json<T> {
    fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
        argument.json().map(Self)
    }
}

impl<'a, T: FromParameter<'a>> FromParameter<'a> for Option<T> {
    const TEXT: bool = T::TEXT;

    fn from_argument(argument: Argument<'a>) -> Result<Self, Failure> {
        let is_any_text = T::TEXT && argument.is_text();
        if argument.is_null() && !is_any_text {
            return Ok(None);
        }
        T::from_argument(argument).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

#[cfg(test)]
mod tests;
