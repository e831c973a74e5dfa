//! Fills the parameters of a function from an item, or from the arguments of `init`.

use wasmtime::component::Val;

use super::name_map::NameMap;
use super::reader::Reader;
use super::shape::Shape;
use super::value_error::ValueError;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::format::Format;

/// The parameters of a function: their names and types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameters(NameMap<Shape>);

impl Parameters {
    pub(crate) fn new(parameters: Vec<(String, Shape)>) -> Self {
        Self(NameMap::new(parameters))
    }

    pub(crate) fn all(&self) -> &[(String, Shape)] {
        &self.0
    }

    /// Returns the reason for which items cannot be passed in this way, if there is one.
    pub(crate) fn refusal(&self, call: &str, passing: ArgumentPassing) -> Option<String> {
        match (passing, &*self.0) {
            (ArgumentPassing::Single, []) => Some(format!("`{call}` has no parameter for an item")),
            (ArgumentPassing::Single, [_, _, ..]) => {
                let names = super::value_error::listed(self.0.names());
                Some(format!(
                    "`{call}` has {} parameters ({names}), but an item is a single value",
                    self.0.len()
                ))
            }
            _ => None,
        }
    }

    /// Reads the arguments from an item.
    pub(crate) fn read_item(
        &self,
        item: &[u8],
        format: Format,
        passing: ArgumentPassing,
    ) -> Result<Vec<Val>, ValueError> {
        match (passing, &*self.0) {
            (ArgumentPassing::Args, _) => self.by_position(&mut Reader::new(text(item)?)),
            (ArgumentPassing::Kwargs, _) => self.by_name(&mut Reader::new(text(item)?)),
            (ArgumentPassing::Single, [(_, shape)]) => Ok(vec![single(item, shape, format)?]),
            (ArgumentPassing::Single, _) => {
                Err(ValueError::new("the function does not have one parameter"))
            }
        }
    }

    /// Reads the arguments of `init`. If `init` has one parameter, the parameter receives the whole text. If `init` has
    /// several parameters, the text must be a JSON array or a JSON object. The first character shows which of the two
    /// the text is.
    pub(crate) fn read_init(&self, init: &[u8]) -> Result<Vec<Val>, ValueError> {
        match &*self.0 {
            all if init.is_empty() && all.iter().all(|(_, shape)| shape.is_option()) => {
                Ok(vec![Val::Option(None); all.len()])
            }
            [] => Err(ValueError::new("it takes no arguments")),
            [(_, shape)] => Ok(vec![single(init, shape, Format::Text)?]),
            _ => {
                let mut reader = Reader::new(text(init)?);
                match reader.peek() {
                    Some(b'[') => self.by_position(&mut reader),
                    Some(b'{') => self.by_name(&mut reader),
                    _ => {
                        Err(reader
                            .mismatch("an array of the parameters, or an object by their names"))
                    }
                }
            }
        }
    }

    fn by_position(&self, reader: &mut Reader<'_>) -> Result<Vec<Val>, ValueError> {
        let mut values = Vec::with_capacity(self.0.len());
        reader.array("an array of the parameters", |reader, index| {
            let (name, shape) = self.0.get(index).ok_or_else(|| self.too_many())?;
            values.push(reader.value(shape).map_err(|error| error.of_parameter(name))?);
            Ok(())
        })?;
        reader.end()?;
        for (index, (name, shape)) in self.0.iter().enumerate().skip(values.len()) {
            if !shape.is_option() {
                return Err(ValueError::new("is missing").in_index(index).of_parameter(name));
            }
            values.push(Val::Option(None));
        }
        Ok(values)
    }

    fn too_many(&self) -> ValueError {
        match self.0.len() {
            1 => ValueError::new("more than the 1 parameter"),
            more => ValueError::new(format!("more than the {more} parameters")),
        }
    }

    fn by_name(&self, reader: &mut Reader<'_>) -> Result<Vec<Val>, ValueError> {
        let values = reader.fields(&self.0, "an object of the parameters", "parameter")?;
        reader.end()?;
        Ok(values)
    }
}

/// Reads the argument of a single parameter. If the parameter is a string or a byte list, it receives the bytes of the
/// item unchanged. There is one exception: if items are JSON and the item is a JSON string, the parameter receives the
/// content of the string.
fn single(item: &[u8], shape: &Shape, format: Format) -> Result<Val, ValueError> {
    let inner = match shape {
        Shape::Option(inner) => inner,
        other => other,
    };
    if !matches!(inner, Shape::String | Shape::Bytes) {
        let mut reader = Reader::new(text(item)?);
        let value = reader.value(shape)?;
        reader.end()?;
        return Ok(value);
    }
    let raw = match format {
        Format::Text => None,
        Format::Json => {
            let mut reader = Reader::new(text(item)?);
            if shape.is_option() && reader.skip_null() {
                reader.end()?;
                return Ok(Val::Option(None));
            }
            let string = reader.read_optional_string()?;
            if string.is_some() {
                reader.end()?;
            }
            string.map(String::into_bytes)
        }
    };
    let raw = raw.as_deref().unwrap_or(item);
    let value = match inner {
        Shape::Bytes => Reader::raw_bytes(raw)?,
        _ => Val::String(text(raw)?.to_owned()),
    };
    Ok(if shape.is_option() { Val::Option(Some(Box::new(value))) } else { value })
}

fn text(bytes: &[u8]) -> Result<&str, ValueError> {
    std::str::from_utf8(bytes).map_err(|error| {
        ValueError::new(format!("it is not UTF-8 after byte {}", error.valid_up_to()))
    })
}
