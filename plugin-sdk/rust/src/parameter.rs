//! Types of the parameters of `call`, if the attribute [`worker`](macro@crate::worker) is used.
//!
//! A parameter is filled from the whole item, from an element of a JSON array, or from a member of
//! a JSON object. A text or bytes parameter gets the item unchanged, or the decoded text of a JSON
//! string. Every other parameter is read from a JSON value.

use std::fmt;

use serde::Deserialize;

use crate::{
    Failure, FromItem, Json,
    context::Format,
    item::{decode_in_place, parse_utf8},
    json::describe_mismatch,
};

/// A type that a parameter of `call` can have, if the attribute [`worker`](macro@crate::worker) is
/// used.
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
    note = "a type that serde reads can be a parameter as `Json<…>`"
)]
pub trait FromParameter<'a>: Sized {
    /// Is true if the type accepts any text. For an `Option` of such a type, the item `null` is
    /// text, not `None`.
    const TEXT: bool = false;

    /// Converts the argument to the parameter's type.
    ///
    /// # Errors
    ///
    /// Fails if the argument does not fit the type, normally with [`Failure::BadItem`]. The message
    /// need not name the parameter.
    fn from_argument(argument: Argument<'a>) -> Result<Self, Failure>;

    /// Returns the value of a missing argument, or `None` if the argument is required.
    #[must_use]
    fn missing() -> Option<Self> {
        None
    }
}

/// The argument for a parameter. See [`FromParameter`].
pub struct Argument<'a> {
    bytes: &'a mut [u8],
    kind: ArgumentKind,
}

#[derive(Clone, Copy, Debug)]
enum ArgumentKind {
    /// The whole item of a run whose items have this format.
    Item(Format),
    /// A JSON value inside the item, without surrounding space.
    Value,
}

impl<'a> Argument<'a> {
    pub(crate) fn item(bytes: &'a mut [u8], format: Format) -> Self {
        Self { bytes, kind: ArgumentKind::Item(format) }
    }

    pub(crate) fn value(bytes: &'a mut [u8]) -> Self {
        Self { bytes, kind: ArgumentKind::Value }
    }

    /// Returns the item, or the text of a JSON string.
    ///
    /// # Errors
    ///
    /// Fails if a JSON value inside the item is not a string.
    pub fn bytes(self) -> Result<&'a mut [u8], Failure> {
        match self.kind {
            ArgumentKind::Item(format) => FromItem::from_item(self.bytes, format),
            ArgumentKind::Value => decode_in_place(self.bytes)
                .map_err(|error| Failure::bad_item(describe_mismatch(&error))),
        }
    }

    /// Returns the item, or the text of a JSON string, as text.
    ///
    /// # Errors
    ///
    /// Fails if a JSON value inside the item is not a string, or the item is not UTF-8.
    pub fn text(self) -> Result<&'a str, Failure> {
        parse_utf8(self.bytes()?)
    }

    /// Reads the item, or the value inside it, as JSON.
    ///
    /// # Errors
    ///
    /// Fails if the value does not fit the type.
    pub fn json<T: Deserialize<'a>>(self) -> Result<T, Failure> {
        let kind = self.kind;
        serde_json::from_slice(self.bytes).map_err(|error| match kind {
            ArgumentKind::Item(_) if !error.is_data() => {
                Failure::bad_item(format_args!("not the expected JSON: {error}"))
            }
            ArgumentKind::Item(_) | ArgumentKind::Value => {
                Failure::bad_item(describe_mismatch(&error))
            }
        })
    }

    /// Returns whether the argument is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.bytes.trim_ascii() == b"null"
    }

    /// Returns whether the argument is a whole item of a run whose items are not JSON.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.kind, ArgumentKind::Item(Format::Text))
    }
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.bytes);
        f.debug_struct("Argument").field("kind", &self.kind).field("bytes", &text).finish()
    }
}

/// Implements [`FromParameter`] for `$type`, with or without a lifetime, by a function of
/// [`Argument`].
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
                // `-0` has no fraction, although serde_json reads it as a floating-point number.
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
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a value outside the range is refused below"
        )]
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
