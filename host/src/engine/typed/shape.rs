//! The types of a component, in the form that the JSON mapping needs.
//!
//! The engine stores types in shared, reference-counted tables. When the host loads a component, it builds a tree of
//! shapes from the component's types. Calls use only this tree. If JSON cannot express a type, the type has no shape.
//! The host then refuses to load the component, and the error names the type.

use wasmtime::component::types::Type;

use super::name_map::NameMap;

/// The largest nesting depth of types. The engine has the same limit. `MAX_DEPTH` restricts the recursion depth in this
/// module. It also keeps the nesting depth of written JSON below 128, at which most JSON parsers fail.
const MAX_DEPTH: usize = 100;

/// The largest number of parts in the types of one function. A long name counts as several parts. Without this limit, a
/// small file whose types share parts could expand to a tree of a million parts.
const MAX_PARTS: usize = 10_000;

/// A type that JSON is mapped to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Int(Int),
    F32,
    F64,
    Char,
    String,
    /// The type `list<u8>`.
    Bytes,
    List(Box<Self>),
    Tuple(Vec<Self>),
    Record(NameMap<Self>),
    Variant(NameMap<Option<Self>>),
    Enum(NameMap<()>),
    Flags(NameMap<()>),
    Option(Box<Self>),
    Result(Option<Box<Self>>, Option<Box<Self>>),
}

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

impl Shape {
    /// Returns the maximum ratio between the bytes that a value occupies in the host and the bytes that the engine
    /// counts for the value. The engine counts one value for each part. It counts neither the memory of the lists that
    /// contain the parts, nor the overhead of allocations.
    pub(crate) fn weight(&self) -> usize {
        let max_weight = |parts: &mut dyn Iterator<Item = &Self>| parts.map(Self::weight).max();
        let (own, parts) = match self {
            Self::Flags(_) => (32, None),
            Self::Record(fields) => (8, max_weight(&mut fields.iter().map(|(_, shape)| shape))),
            Self::Tuple(parts) => (4, max_weight(&mut parts.iter())),
            Self::List(element) => (4, Some(element.weight())),
            Self::Option(inner) => (2, Some(inner.weight())),
            Self::Variant(cases) => {
                (2, max_weight(&mut cases.iter().filter_map(|(_, shape)| shape.as_ref())))
            }
            Self::Result(ok, err) => {
                (2, max_weight(&mut [ok, err].into_iter().flatten().map(|it| &**it)))
            }
            Self::Enum(_) => (2, None),
            _ => (1, None),
        };
        parts.map_or(own, |parts| parts.max(own))
    }

    /// Returns the name of the type in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int(int) => int.name(),
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::Bytes => "list<u8>",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Record(_) => "record",
            Self::Variant(_) => "variant",
            Self::Enum(_) => "enum",
            Self::Flags(_) => "flags",
            Self::Option(_) => "option",
            Self::Result(..) => "result",
        }
    }

    /// Returns a description of the JSON that the type accepts.
    pub(crate) fn json(&self) -> &'static str {
        match self {
            Self::Bool => "`true` or `false`",
            Self::Int(_) => "a whole number",
            Self::F32 | Self::F64 => "a number",
            Self::Char => "a string of one character",
            Self::String => "a string",
            Self::Bytes => "a string of base64, or an array of numbers",
            Self::List(_) | Self::Tuple(_) => "an array",
            Self::Record(_) => "an object",
            Self::Variant(_) => "a string, or an object with one key",
            Self::Enum(_) => "a string",
            Self::Flags(_) => "an array of strings",
            Self::Option(_) => "`null`, or `{\"some\": …}`",
            Self::Result(..) => "`{\"ok\": …}` or `{\"err\": …}`",
        }
    }

    /// Returns whether a value of the type may be omitted.
    pub(crate) const fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

impl Int {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
        }
    }
}

/// A builder of the trees for the types of one function, which counts their parts.
#[derive(Debug, Default)]
pub(crate) struct ShapeBuilder {
    parts: usize,
}

impl ShapeBuilder {
    /// Returns the tree for a type. The error names the part that JSON cannot express.
    pub(crate) fn build(&mut self, ty: &Type) -> Result<Shape, String> {
        self.shape(ty, 0)
    }

    fn shape(&mut self, ty: &Type, depth: usize) -> Result<Shape, String> {
        self.part("")?;
        if depth > MAX_DEPTH {
            return Err(format!("types that nest deeper than {MAX_DEPTH}"));
        }
        let mut inner = |ty: &Type| self.shape(ty, depth + 1);
        Ok(match ty {
            Type::Bool => Shape::Bool,
            Type::S8 => Shape::Int(Int::S8),
            Type::U8 => Shape::Int(Int::U8),
            Type::S16 => Shape::Int(Int::S16),
            Type::U16 => Shape::Int(Int::U16),
            Type::S32 => Shape::Int(Int::S32),
            Type::U32 => Shape::Int(Int::U32),
            Type::S64 => Shape::Int(Int::S64),
            Type::U64 => Shape::Int(Int::U64),
            Type::Float32 => Shape::F32,
            Type::Float64 => Shape::F64,
            Type::Char => Shape::Char,
            Type::String => Shape::String,
            Type::List(list) => match list.ty() {
                Type::U8 => Shape::Bytes,
                element => Shape::List(Box::new(inner(&element)?)),
            },
            Type::Tuple(tuple) => {
                Shape::Tuple(tuple.types().map(|ty| inner(&ty)).collect::<Result<_, _>>()?)
            }
            Type::Record(record) => {
                let fields = record
                    .fields()
                    .map(|field| Ok((self.part(field.name)?, self.shape(&field.ty, depth + 1)?)));
                Shape::Record(NameMap::new(fields.collect::<Result<_, String>>()?))
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| {
                    let payload = case.ty.as_ref().map(|ty| self.shape(ty, depth + 1));
                    Ok((self.part(case.name)?, payload.transpose()?))
                });
                Shape::Variant(NameMap::new(cases.collect::<Result<_, String>>()?))
            }
            Type::Enum(cases) => Shape::Enum(self.names(cases.names())?),
            Type::Flags(flags) => Shape::Flags(self.names(flags.names())?),
            Type::Option(option) => Shape::Option(Box::new(inner(&option.ty())?)),
            Type::Result(result) => {
                let mut side = |ty: Option<Type>| {
                    let shape = ty.as_ref().map(&mut inner).transpose()?;
                    Ok::<_, String>(shape.map(Box::new))
                };
                Shape::Result(side(result.ok())?, side(result.err())?)
            }
            other => return Err(unmapped(other).into()),
        })
    }

    fn names<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<NameMap<()>, String> {
        let names = names.map(|name| Ok((self.part(name)?, ())));
        names.collect::<Result<_, String>>().map(NameMap::new)
    }

    /// Counts one more part, of this name.
    fn part(&mut self, name: &str) -> Result<String, String> {
        self.parts += 1 + name.len() / 16;
        match self.parts > MAX_PARTS {
            true => Err(format!("a type of more than {MAX_PARTS} parts")),
            false => Ok(name.to_owned()),
        }
    }
}

/// Returns the name of a type that JSON cannot express.
fn unmapped(ty: &Type) -> &'static str {
    match ty {
        Type::Own(_) => "a resource",
        Type::Borrow(_) => "a borrowed resource",
        Type::Future(_) => "a future",
        Type::Stream(_) => "a stream",
        Type::ErrorContext => "an error context",
        Type::Map(_) => "a map",
        Type::FixedLengthList(_) => "a list of fixed length",
        _ => "a type that this host does not know",
    }
}
