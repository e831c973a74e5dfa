//! Writes values of a type as JSON, on one line and without white space.

use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use wasmtime::component::Val;

use super::name_map::NameMap;
use super::shape::Shape;
use super::value_error::ValueError;

/// The reasons for which a value cannot be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// The JSON would be longer than the limit.
    TooLong,
    /// The value contains something that JSON cannot express.
    Value(ValueError),
}

type Written = Result<(), WriteError>;

/// A buffer of JSON with a size limit.
#[derive(Debug)]
pub(crate) struct Writer {
    json: Vec<u8>,
    /// The size limit, in bytes.
    limit: usize,
}

impl Writer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { json: Vec::new(), limit }
    }

    /// Returns the written JSON.
    pub(crate) fn into_json(self) -> Vec<u8> {
        self.json
    }

    pub(crate) fn value(&mut self, shape: &Shape, value: &Val) -> Written {
        match (shape, value) {
            (Shape::Bool, Val::Bool(it)) => self.plain(it),
            (Shape::Int(_), Val::S8(it)) => self.plain(it),
            (Shape::Int(_), Val::U8(it)) => self.plain(it),
            (Shape::Int(_), Val::S16(it)) => self.plain(it),
            (Shape::Int(_), Val::U16(it)) => self.plain(it),
            (Shape::Int(_), Val::S32(it)) => self.plain(it),
            (Shape::Int(_), Val::U32(it)) => self.plain(it),
            (Shape::Int(_), Val::S64(it)) => self.plain(it),
            (Shape::Int(_), Val::U64(it)) => self.plain(it),
            (Shape::F32, Val::Float32(it)) if it.is_finite() => self.plain(it),
            (Shape::F64, Val::Float64(it)) if it.is_finite() => self.plain(it),
            (Shape::F32, Val::Float32(it)) => Err(not_finite(f64::from(*it))),
            (Shape::F64, Val::Float64(it)) => Err(not_finite(*it)),
            (Shape::Char, Val::Char(it)) => self.plain(it),
            (Shape::String, Val::String(it)) | (Shape::Enum(_), Val::Enum(it)) => self.plain(it),
            (Shape::Bytes, Val::List(it)) => self.bytes(it),
            (Shape::List(element), Val::List(values)) => {
                self.array(values.iter().map(|value| (&**element, value)))
            }
            (Shape::Tuple(parts), Val::Tuple(values)) => self.array(parts.iter().zip(values)),
            (Shape::Record(fields), Val::Record(values)) => self.record(fields, values),
            (Shape::Variant(cases), Val::Variant(name, value)) => {
                let payload = cases.find(name).and_then(|case| cases[case].1.as_ref());
                match (payload, value) {
                    (Some(payload), Some(value)) => self.member(name, Some((payload, value))),
                    _ => self.plain(name),
                }
            }
            (Shape::Flags(_), Val::Flags(names)) => self.plain(names),
            (Shape::Option(_), Val::Option(None)) => self.raw(b"null"),
            (Shape::Option(inner), Val::Option(Some(value))) if inner.is_option() => {
                self.member("some", Some((&**inner, &**value)))
            }
            (Shape::Option(inner), Val::Option(Some(value))) => self.value(inner, value),
            (Shape::Result(ok, _), Val::Result(Ok(value))) => {
                self.member("ok", ok.as_deref().zip(value.as_deref()))
            }
            (Shape::Result(_, err), Val::Result(Err(value))) => {
                self.member("err", err.as_deref().zip(value.as_deref()))
            }
            _ => Err(WriteError::Value(ValueError::new("a value of the wrong type"))),
        }
    }

    fn array<'a>(&mut self, values: impl Iterator<Item = (&'a Shape, &'a Val)>) -> Written {
        self.raw(b"[")?;
        for (index, (shape, value)) in values.enumerate() {
            if index > 0 {
                self.raw(b",")?;
            }
            self.value(shape, value).map_err(|error| error.inside(|it| it.in_index(index)))?;
        }
        self.raw(b"]")
    }

    fn record(&mut self, fields: &NameMap<Shape>, values: &[(String, Val)]) -> Written {
        self.raw(b"{")?;
        for (index, ((name, shape), (_, value))) in fields.iter().zip(values).enumerate() {
            if index > 0 {
                self.raw(b",")?;
            }
            self.key(name)?;
            self.value(shape, value).map_err(|error| error.inside(|it| it.in_key(name)))?;
        }
        self.raw(b"}")
    }

    /// Writes an object with one member. The member is `null` if `value` is `None`.
    fn member(&mut self, name: &str, value: Option<(&Shape, &Val)>) -> Written {
        self.raw(b"{")?;
        self.key(name)?;
        match value {
            None => self.raw(b"null")?,
            Some((shape, value)) => {
                self.value(shape, value).map_err(|error| error.inside(|it| it.in_key(name)))?;
            }
        }
        self.raw(b"}")
    }

    fn key(&mut self, name: &str) -> Written {
        self.plain(name)?;
        self.raw(b":")
    }

    fn bytes(&mut self, values: &[Val]) -> Written {
        let bytes = bytes(values);
        // The length must be checked before the base64 writer begins.
        let length = base64::encoded_len(bytes.len(), true).unwrap_or(usize::MAX);
        if length.saturating_add(self.json.len()) > self.limit {
            return Err(WriteError::TooLong);
        }
        write!(self, "\"{}\"", Base64Display::new(&bytes, &STANDARD))
            .map_err(|_| WriteError::TooLong)
    }

    /// Writes a value in the JSON library's own form.
    fn plain(&mut self, value: &(impl serde::Serialize + ?Sized)) -> Written {
        serde_json::to_writer(self, value).map_err(|_| WriteError::TooLong)
    }

    fn raw(&mut self, json: &[u8]) -> Written {
        self.write_all(json).map_err(|_| WriteError::TooLong)
    }
}

/// Accepts the pieces that the JSON library writes, and refuses a piece beyond the limit.
impl Write for Writer {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() > self.limit - self.json.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.json.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteError {
    fn inside(self, step: impl FnOnce(ValueError) -> ValueError) -> Self {
        match self {
            Self::TooLong => self,
            Self::Value(error) => Self::Value(step(error)),
        }
    }
}

fn not_finite(value: f64) -> WriteError {
    let name = match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "infinity",
        _ => "-infinity",
    };
    WriteError::Value(ValueError::new(format!("{name}, which JSON does not have")))
}

/// Returns the bytes of a `list<u8>`.
pub(crate) fn bytes(values: &[Val]) -> Vec<u8> {
    let byte = |value: &Val| match value {
        Val::U8(byte) => *byte,
        _ => unreachable!("the engine only makes values of the declared type"),
    };
    values.iter().map(byte).collect()
}
