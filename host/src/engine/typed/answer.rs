//! The answer of a function: a record, no record, or a refusal.

use wasmtime::component::Val;
use wasmtime::component::types::Type;

use super::shape::{Shape, ShapeBuilder};
use super::writer::{WriteError, Writer, bytes};
use crate::item::format::Format;

/// The result type of a function in parts: `result<option<T>, E>`, where each part may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReturnType {
    /// The error type. The outer option is `None` if the function cannot return an error. The inner
    /// option is `None` if the error has no value.
    error: Option<Option<Shape>>,
    /// True if the function may return no value.
    is_optional: bool,
    value: Option<Shape>,
}

/// The answer to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypedAnswer {
    Record(Vec<u8>),
    NoRecord,
    Refused(String),
}

impl ReturnType {
    /// Takes a result type apart. The error names the part that JSON cannot express.
    pub(crate) fn of(ty: Option<&Type>, builder: &mut ShapeBuilder) -> Result<Self, String> {
        ty.map_or(Ok(Self::default()), |ty| builder.build(ty).map(Self::shaped))
    }

    pub(crate) fn shaped(shape: Shape) -> Self {
        let (error, value) = match shape {
            Shape::Result(ok, err) => (Some(err.map(|err| *err)), ok.map(|ok| *ok)),
            other => (None, Some(other)),
        };
        let (is_optional, value) = match value {
            Some(Shape::Option(inner)) => (true, Some(*inner)),
            other => (false, other),
        };
        Self { error, is_optional, value }
    }

    /// Returns the maximum ratio between the bytes that a value occupies in the host and the bytes
    /// that the engine counts for the value.
    pub(crate) fn weight(&self) -> usize {
        let parts = self.error.iter().flatten().chain(&self.value);
        parts.map(Shape::weight).max().unwrap_or(1)
    }

    /// Returns the format of records.
    pub(crate) fn format(&self) -> Format {
        match self.value {
            None | Some(Shape::String | Shape::Bytes) => Format::Text,
            Some(_) => Format::Json,
        }
    }

    /// Translates a returned value into an answer. A record is at most `limit` bytes long.
    pub(crate) fn answer(&self, val: Option<Val>, limit: usize) -> Result<TypedAnswer, WriteError> {
        let val = match (&self.error, val) {
            (Some(err), Some(Val::Result(Err(val)))) => {
                return Ok(TypedAnswer::Refused(refusal(err.as_ref(), val.map(|val| *val), limit)));
            }
            (Some(_), Some(Val::Result(Ok(val)))) => val.map(|val| *val),
            (_, val) => val,
        };
        let val = match val {
            Some(Val::Option(val)) if self.is_optional => val.map(|val| *val),
            other => other,
        };
        match (&self.value, val) {
            (Some(shape), Some(val)) => record(shape, val, limit).map(TypedAnswer::Record),
            _ => Ok(TypedAnswer::NoRecord),
        }
    }
}

fn record(shape: &Shape, val: Val, limit: usize) -> Result<Vec<u8>, WriteError> {
    let raw = match val {
        Val::String(text) => text.into_bytes(),
        Val::List(values) if *shape == Shape::Bytes => bytes(&values),
        val => {
            let mut writer = Writer::new(limit);
            writer.value(shape, &val)?;
            return Ok(writer.into_json());
        }
    };
    if raw.len() > limit { Err(WriteError::TooLong) } else { Ok(raw) }
}

/// Returns the reason of a refusal, as far as it can be written.
fn refusal(err: Option<&Shape>, val: Option<Val>, limit: usize) -> String {
    let (shape, val) = match err.zip(val) {
        None => return "it gives no reason".into(),
        Some((_, Val::String(text))) => return text,
        Some(reason) => reason,
    };
    let mut writer = Writer::new(limit);
    match writer.value(shape, &val) {
        Ok(()) => String::from_utf8_lossy(&writer.into_json()).into_owned(),
        Err(WriteError::TooLong) => "its reason is larger than the limit of `max_result`".into(),
        Err(WriteError::Value(error)) => {
            format!("its reason cannot be written as JSON: {error}")
        }
    }
}
