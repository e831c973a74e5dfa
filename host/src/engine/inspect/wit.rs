//! Prints component types in WIT syntax. A component does not contain the names of its types, so
//! the output spells out every named type in full.

use std::cell::Cell;

use wasmtime::component::Type;

/// The largest nesting depth that is printed. A component can nest and share types without limit,
/// so the full text could be far larger than the component.
const MAX_DEPTH: usize = 4;
/// The largest number of fields or cases of a type that is printed.
const MAX_PARTS: usize = 32;
/// The approximate size limit of all types of one function, in bytes.
const MAX_BYTES: usize = 10_000;

/// A printer for the types of one function, with a size limit.
#[derive(Debug)]
pub(crate) struct TypePrinter {
    /// The number of bytes that are left.
    left: Cell<usize>,
}

impl TypePrinter {
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(MAX_BYTES) }
    }

    /// Returns a name, shortened to the bytes that are left.
    pub(crate) fn name(&self, name: &str) -> String {
        let end = name.floor_char_boundary(self.left.get());
        // An empty name takes one byte, so that the output always ends.
        self.left.set(self.left.get().saturating_sub(name.len() + 1));
        if end == name.len() { name.into() } else { format!("{}…", &name[..end]) }
    }

    /// Returns the type as text.
    pub(crate) fn ty(&self, ty: &Type) -> String {
        self.nested(ty, 0)
    }

    fn nested(&self, ty: &Type, depth: usize) -> String {
        if let Some(name) = plain(ty) {
            return self.name(name);
        }
        if depth == MAX_DEPTH || self.left.get() == 0 {
            return "…".into();
        }
        let inner = |ty: &Type| self.nested(ty, depth + 1);
        let or_none = |ty: Option<Type>| ty.as_ref().map_or_else(|| "_".into(), inner);
        let of = |name: &str, types: Vec<String>| format!("{name}<{}>", types.join(", "));
        match ty {
            Type::List(list) => of("list", vec![inner(&list.ty())]),
            Type::FixedLengthList(list) => {
                of("list", vec![inner(&list.ty()), list.len().to_string()])
            }
            Type::Map(map) => of("map", vec![inner(&map.key()), inner(&map.value())]),
            Type::Tuple(tuple) => of("tuple", bounded(tuple.types().map(|ty| inner(&ty)))),
            Type::Option(option) => of("option", vec![inner(&option.ty())]),
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => "result".into(),
                (ok, None) => of("result", vec![or_none(ok)]),
                (ok, err) => of("result", vec![or_none(ok), or_none(err)]),
            },
            Type::Record(record) => {
                let fields = record.fields();
                block(
                    "record",
                    fields.map(|field| format!("{}: {}", self.name(field.name), inner(&field.ty))),
                )
            }
            Type::Variant(variant) => block(
                "variant",
                variant.cases().map(|case| match &case.ty {
                    Some(ty) => format!("{}({})", self.name(case.name), inner(ty)),
                    None => self.name(case.name),
                }),
            ),
            Type::Enum(cases) => block("enum", cases.names().map(|name| self.name(name))),
            Type::Flags(flags) => block("flags", flags.names().map(|name| self.name(name))),
            Type::Future(future) => of("future", vec![or_none(future.ty())]),
            Type::Stream(stream) => of("stream", vec![or_none(stream.ty())]),
            _ => "…".into(),
        }
    }
}

/// Returns the name of a type without inner types.
fn plain(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::Own(_) => "resource",
        Type::Borrow(_) => "borrow<resource>",
        Type::ErrorContext => "error-context",
        _ => return None,
    })
}

fn block(kind: &str, parts: impl Iterator<Item = String>) -> String {
    format!("{kind} {{ {} }}", bounded(parts).join(", "))
}

/// Returns the first parts, with `…` in place of the rest.
fn bounded(mut parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<_> = parts.by_ref().take(MAX_PARTS).collect();
    if parts.next().is_some() {
        shown.push("…".into());
    }
    shown
}
