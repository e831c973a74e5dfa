//! The values in a configuration file.

use mtl_host::load::WasmFeatures;
use serde_json::json;
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeValue};

use super::error::Mismatch;
use super::relative::ValueKind;

/// A value for a flag or a plugin.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

/// The choice between a key that takes several values and a key that takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Many {
    Yes,
    No,
}

impl Value {
    pub(super) fn of(value: &DeValue<'_>) -> Result<Self, String> {
        Ok(match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => Self::Integer(integer(number)?),
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) if f64::is_finite(number) => Self::Float(number),
                _ => return Err(format!("`{}` is not a number", number.as_str())),
            },
            DeValue::Boolean(value) => Self::Bool(*value),
            DeValue::Datetime(time) => Self::Text(time.to_string()),
            DeValue::Array(values) => {
                let values = values.iter().map(|value| Self::of(value.get_ref()));
                Self::List(values.collect::<Result<_, _>>()?)
            }
            DeValue::Table(entries) => {
                let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
                    Ok((key.get_ref().clone().into_owned(), Self::of(value.get_ref())?))
                };
                Self::Table(entries.iter().map(entry).collect::<Result<_, String>>()?)
            }
        })
    }

    /// Returns the value in the form of flags: one text, or several.
    pub(super) fn texts(self, kind: ValueKind, many: Many) -> Result<Vec<String>, Mismatch> {
        match (self, kind, many) {
            (Self::Table(entries), ValueKind::Env, _) => {
                let entries = entries.into_iter();
                entries.map(|(name, value)| Ok(format!("{name}={}", value.text()?))).collect()
            }
            (Self::List(values), ValueKind::Init, Many::Yes) => {
                values.into_iter().map(Self::init).collect()
            }
            (value, ValueKind::Init, _) => Ok(vec![value.init()?]),
            (Self::List(values), ValueKind::Kinds, _) if values.is_empty() => {
                Err(Mismatch { expected: "at least one kind of fault", found: "an empty array" })
            }
            (Self::List(values), ValueKind::Features, _) if values.is_empty() => {
                Ok(vec![WasmFeatures::NONE.to_string()])
            }
            (Self::List(values), ValueKind::Kinds | ValueKind::Features, _) => {
                let kinds = values.into_iter().map(Self::text).collect::<Result<Vec<_>, _>>()?;
                Ok(vec![kinds.join(",")])
            }
            (Self::List(values), _, Many::Yes) => values.into_iter().map(Self::text).collect(),
            (value, _, _) => Ok(vec![value.text()?]),
        }
    }

    pub(super) fn bool(&self) -> Result<bool, Mismatch> {
        match self {
            Self::Bool(value) => Ok(*value),
            other => Err(Mismatch { expected: "true or false", found: other.name() }),
        }
    }

    /// Returns the value as arguments for a plugin: text unchanged, arrays and tables as JSON.
    fn init(self) -> Result<String, Mismatch> {
        match self {
            Self::List(_) | Self::Table(_) => Ok(self.json().to_string()),
            other => other.text(),
        }
    }

    fn text(self) -> Result<String, Mismatch> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Integer(number) => Ok(number.to_string()),
            Self::Float(number) => Ok(number.to_string()),
            Self::Bool(_) | Self::List(_) | Self::Table(_) => {
                Err(Mismatch { expected: "text or a number", found: self.name() })
            }
        }
    }

    fn json(self) -> serde_json::Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Float(number) => json!(number),
            Self::Bool(value) => json!(value),
            Self::List(values) => values.into_iter().map(Self::json).collect(),
            Self::Table(entries) => {
                entries.into_iter().map(|(key, value)| (key, value.json())).collect()
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

fn integer(number: &DeInteger<'_>) -> Result<i64, String> {
    let value = i64::from_str_radix(number.as_str(), number.radix());
    value.map_err(|_| format!("the number `{number}` is too large"))
}
