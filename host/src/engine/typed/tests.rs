//! Tests of the mapping, type by type: accepted JSON, written JSON, and errors.

mod generated;
mod parameters;
mod values;

use wasmtime::component::Val;

use super::name_map::NameMap;
use super::reader::Reader;
use super::shape::{Int, Shape};
use super::value_error::ValueError;
use super::writer::{WriteError, Writer};

const U8: Shape = Shape::Int(Int::U8);
const S32: Shape = Shape::Int(Int::S32);

fn record<const N: usize>(fields: [(&str, Shape); N]) -> Shape {
    Shape::Record(NameMap::new(fields.map(|(name, shape)| (name.into(), shape)).into()))
}

fn variant<const N: usize>(cases: [(&str, Option<Shape>); N]) -> Shape {
    Shape::Variant(NameMap::new(cases.map(|(name, shape)| (name.into(), shape)).into()))
}

fn list(element: Shape) -> Shape {
    Shape::List(Box::new(element))
}

fn option(inner: Shape) -> Shape {
    Shape::Option(Box::new(inner))
}

fn result(ok: Option<Shape>, err: Option<Shape>) -> Shape {
    Shape::Result(ok.map(Box::new), err.map(Box::new))
}

fn names<const N: usize>(names: [&str; N]) -> NameMap<()> {
    NameMap::new(names.map(|name| (name.into(), ())).into())
}

fn read(shape: &Shape, json: &str) -> Result<Val, ValueError> {
    let mut reader = Reader::new(json);
    let value = reader.value(shape)?;
    reader.end()?;
    Ok(value)
}

fn written(shape: &Shape, value: &Val) -> Result<String, WriteError> {
    let mut writer = Writer::new(usize::MAX);
    writer.value(shape, value)?;
    Ok(String::from_utf8(writer.into_json()).unwrap())
}
