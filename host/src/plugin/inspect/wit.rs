//! Types of components, as WIT writes them; those that have names there are written out, since
//! a component does not keep the names.

use wasmtime::component::Type;

/// How deep types are shown. A component may nest them as deep as it likes, and share them, so that
/// what is written out would be far larger than the component.
const DEEPEST: usize = 4;

/// The type as text.
pub(super) fn shown(ty: &Type) -> String {
    nested(ty, 0)
}

fn nested(ty: &Type, depth: usize) -> String {
    if let Some(name) = plain(ty) {
        return name.into();
    }
    if depth == DEEPEST {
        return "…".into();
    }
    let inner = |ty: &Type| nested(ty, depth + 1);
    let or_none = |ty: Option<Type>| ty.as_ref().map_or_else(|| "_".into(), inner);
    let of = |name: &str, types: Vec<String>| format!("{name}<{}>", types.join(", "));
    match ty {
        Type::List(list) => of("list", vec![inner(&list.ty())]),
        Type::FixedLengthList(list) => of("list", vec![inner(&list.ty()), list.len().to_string()]),
        Type::Map(map) => of("map", vec![inner(&map.key()), inner(&map.value())]),
        Type::Tuple(tuple) => of("tuple", tuple.types().map(|ty| inner(&ty)).collect()),
        Type::Option(option) => of("option", vec![inner(&option.ty())]),
        Type::Result(result) => match (result.ok(), result.err()) {
            (None, None) => "result".into(),
            (ok, None) => of("result", vec![or_none(ok)]),
            (ok, err) => of("result", vec![or_none(ok), or_none(err)]),
        },
        Type::Record(record) => {
            let fields = record.fields();
            block("record", fields.map(|field| format!("{}: {}", field.name, inner(&field.ty))))
        }
        Type::Variant(variant) => block(
            "variant",
            variant.cases().map(|case| match &case.ty {
                Some(ty) => format!("{}({})", case.name, inner(ty)),
                None => case.name.to_owned(),
            }),
        ),
        Type::Enum(cases) => block("enum", cases.names().map(str::to_owned)),
        Type::Flags(flags) => block("flags", flags.names().map(str::to_owned)),
        Type::Future(future) => of("future", vec![or_none(future.ty())]),
        Type::Stream(stream) => of("stream", vec![or_none(stream.ty())]),
        _ => "…".into(),
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
    /// How many fields or cases are shown.
    const MOST: usize = 32;
    let mut parts = parts;
    let mut shown: Vec<_> = parts.by_ref().take(MOST).collect();
    if parts.next().is_some() {
        shown.push("…".into());
    }
    format!("{kind} {{ {} }}", shown.join(", "))
}
