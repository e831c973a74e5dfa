//! Types of components, as WIT writes them; those that have names there are written out, since
//! a component does not keep the names.

use std::cell::Cell;

use wasmtime::component::Type;

/// How deep types are shown. A component may nest them as deep as it likes, and share them, so that
/// what is written out would be far larger than the component.
const DEEPEST: usize = 4;
/// How many fields or cases of a type are shown.
const MOST: usize = 32;
/// How many bytes the names of a function's types may have together, roughly.
const LONGEST: usize = 10_000;

/// The types of one function, as text: no more of them than people read.
#[derive(Debug)]
pub(crate) struct Shown {
    /// How many bytes are left.
    left: Cell<usize>,
}

impl Shown {
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(LONGEST) }
    }

    /// A name, as far as there is room.
    pub(crate) fn name(&self, name: &str) -> String {
        let kept = name.floor_char_boundary(self.left.get());
        // Also one without letters takes some.
        self.left.set(self.left.get().saturating_sub(name.len() + 1));
        if kept == name.len() { name.into() } else { format!("{}…", &name[..kept]) }
    }

    /// The type as text.
    pub(crate) fn ty(&self, ty: &Type) -> String {
        self.nested(ty, 0)
    }

    fn nested(&self, ty: &Type, depth: usize) -> String {
        if let Some(name) = plain(ty) {
            return self.name(name);
        }
        if depth == DEEPEST || self.left.get() == 0 {
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

/// The name of a type that has nothing within.
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

/// The first of many parts.
fn bounded(mut parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<_> = parts.by_ref().take(MOST).collect();
    if parts.next().is_some() {
        shown.push("…".into());
    }
    shown
}
