//! Items, arguments and results in JSON.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, Failure, FromArgs, FromItem, IntoOutput, context::Format};

/// A value that is read from JSON or written as JSON.
///
/// The SDK parses items and arguments, and writes results. A value may borrow from the bytes of its
/// item, as in `Json<&'a str>`.
///
/// ```
/// use mtl_plugin::{Error, Failure, Json, Worker};
///
/// #[derive(serde::Deserialize)]
/// struct Scale {
///     by: f64,
/// }
///
/// impl Worker for Scale {
///     type Init = Json<Self>;
///     type Item<'a> = Json<(f64, f64)>;
///     type Output<'a> = Json<[f64; 2]>;
///
///     fn init(Json(scale): Json<Self>) -> Result<Self, Error> {
///         Ok(scale)
///     }
///
///     fn call(&mut self, Json((x, y)): Json<(f64, f64)>) -> Result<Json<[f64; 2]>, Failure> {
///         Ok(Json([x * self.by, y * self.by]))
///     }
/// }
/// # let mut scale = mtl_plugin::testing::Instance::<Scale>::start(r#"{"by": 2}"#).unwrap();
/// # assert_eq!(scale.call("[1, 2.5]"), Ok(Some(b"[2.0,5.0]".to_vec())));
/// # assert!(matches!(scale.call("[1]"), Err(Failure::BadItem(_))));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Json<T>(pub T);

impl<'a, T: Deserialize<'a>> FromItem<'a> for Json<T> {
    fn from_item(item: &'a mut [u8], _: Format) -> Result<Self, Failure> {
        serde_json::from_slice(item)
            .map(Self)
            .map_err(|error| Failure::bad_item(format_args!("not the expected JSON: {error}")))
    }
}

impl<T: DeserializeOwned> FromArgs for Json<T> {
    fn from_args(args: &[u8]) -> Result<Self, Error> {
        if args.is_empty() {
            return Err(Error::new("this worker needs arguments, as JSON"));
        }
        serde_json::from_slice(args).map(Self).map_err(|error| {
            Error::new(format_args!("the arguments are not the expected JSON: {error}"))
        })
    }
}

impl<T: Serialize> IntoOutput for Json<T> {
    const FORMAT: Format = Format::Json;

    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        buffer.clear();
        serde_json::to_writer(&mut *buffer, &self.0)?;
        Ok(Some(buffer))
    }
}

/// Describes a JSON value that does not fit the type. The description omits the line and column,
/// because they are relative to the value, not to the item.
pub(crate) fn describe_mismatch(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(mismatch) => mismatch.to_owned(),
        None => text,
    }
}
