//! Examples of items and init arguments, for people who want to call a function.

use serde_json::{Map, Value, json};

use super::arguments::Parameters;
use super::shape::Shape;
use crate::item::argument_passing::ArgumentPassing;

impl Parameters {
    /// Returns an example item for each possible way of passing it.
    pub(crate) fn items(&self) -> Vec<(ArgumentPassing, String)> {
        use ArgumentPassing::{Args, Kwargs, Single};
        let all = [Single, Args, Kwargs].into_iter();
        let possible = all.filter(|passing| self.refusal("", *passing).is_none());
        possible.map(|passing| (passing, self.item(passing))).collect()
    }

    /// Returns an example of the arguments of `init`.
    pub(crate) fn init(&self) -> Option<String> {
        match self.all() {
            [] => None,
            [_] => Some(self.item(ArgumentPassing::Single)),
            _ => Some(self.item(ArgumentPassing::Kwargs)),
        }
    }

    fn item(&self, passing: ArgumentPassing) -> String {
        let values = self.all().iter().map(|(name, shape)| (name.clone(), value(shape)));
        let item = match passing {
            ArgumentPassing::Args => values.map(|(_, value)| value).collect::<Value>(),
            ArgumentPassing::Kwargs => Value::Object(values.collect()),
            ArgumentPassing::Single => match self.all() {
                [(_, shape)] if is_raw(shape) => return "any text".into(),
                [(_, shape)] => value(shape),
                _ => Value::Null,
            },
        };
        item.to_string()
    }
}

/// Returns whether a single parameter of this type takes an item unchanged.
fn is_raw(shape: &Shape) -> bool {
    match shape {
        Shape::String | Shape::Bytes => true,
        Shape::Option(inner) => matches!(**inner, Shape::String | Shape::Bytes),
        _ => false,
    }
}

fn value(shape: &Shape) -> Value {
    let member = |name: &str, shape: Option<&Shape>| {
        Value::Object(Map::from_iter([(name.to_owned(), shape.map_or(Value::Null, value))]))
    };
    match shape {
        Shape::Bool => json!(true),
        Shape::Int(_) => json!(1),
        Shape::F32 | Shape::F64 => json!(1.5),
        Shape::Char => json!("a"),
        Shape::String => json!("text"),
        Shape::Bytes => json!("Ynl0ZXM="),
        Shape::List(element) => json!([value(element)]),
        Shape::Tuple(parts) => parts.iter().map(value).collect(),
        Shape::Record(fields) => {
            fields.iter().map(|(name, shape)| (name.clone(), value(shape))).collect()
        }
        Shape::Variant(cases) => match cases.first() {
            Some((name, Some(payload))) => member(name, Some(payload)),
            Some((name, None)) => json!(name),
            None => Value::Null,
        },
        Shape::Enum(names) => json!(names.names().next()),
        Shape::Flags(names) => names.names().take(2).collect(),
        Shape::Option(inner) if inner.is_option() => member("some", Some(inner)),
        Shape::Option(inner) => value(inner),
        Shape::Result(ok, _) => member("ok", ok.as_deref()),
    }
}
