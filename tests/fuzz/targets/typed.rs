//! Fuzzes the conversion of JSON items to the parameter types of a component.
//!
//! An accepted item must be JSON. The host must write the item as equivalent JSON: if the host reads and writes this
//! JSON again, the text must not change. For strings and integers, a second parser must return the same value.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mtl_stream::item;
use mtl_stream::item::argument_passing::ArgumentPassing;
use mtl_stream::item::format::Format;
use serde::de::IgnoredAny;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use self::engine::typed::arguments::Parameters;
use self::engine::typed::shape::ShapeBuilder;
use self::engine::typed::writer::Writer;
use self::host::engine;

/// The host's mapping of JSON to types.
#[expect(dead_code, reason = "only the host uses all of it")]
#[path = "../../../host/src"]
mod host {
    pub(crate) mod engine {
        pub(crate) mod export_names;

        pub(crate) mod typed {
            pub(crate) mod arguments;
            pub(crate) mod name_map;
            pub(crate) mod reader;
            pub(crate) mod shape;
            pub(crate) mod value_error;
            pub(crate) mod writer;
        }
    }
}

const LISTS: &str = r#"(component
    (core module $code
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
        (func (export "call") (param i32 i32)))
    (core instance $code (instantiate $code))
    (alias core export $code "memory" (core memory $memory))
    (alias core export $code "realloc" (core func $realloc))
    (func (export "texts") (param "values" (list string))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc)))
    (func (export "numbers") (param "values" (list s64))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc))))"#;

static TEXTS: LazyLock<FunctionInput> =
    LazyLock::new(|| FunctionInput::of_export(LISTS.as_bytes(), "texts"));
static NUMBERS: LazyLock<FunctionInput> =
    LazyLock::new(|| FunctionInput::of_export(LISTS.as_bytes(), "numbers"));
static EVERYTHING: LazyLock<FunctionInput> = LazyLock::new(|| {
    FunctionInput::of_export(include_bytes!("../../fixtures/typed-echo.wat"), "call")
});

/// The parameters of a component's function.
struct FunctionInput(Parameters);

impl FunctionInput {
    /// Returns the parameters of the function, which the component or one of its instances exports.
    fn of_export(component: &[u8], function: &str) -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, component).expect("the text is a component");
        let ty = component.component_type();
        let found = ty.exports(&engine).find_map(|(name, export)| match export.ty {
            ComponentItem::ComponentFunc(ty) => (name == function).then_some(ty),
            ComponentItem::ComponentInstance(instance) => {
                match instance.get_export(&engine, function).map(|export| export.ty) {
                    Some(ComponentItem::ComponentFunc(ty)) => Some(ty),
                    _ => None,
                }
            }
            _ => None,
        });
        let ty = found.expect("the component has the function");
        let mut builder = ShapeBuilder::default();
        let shapes = ty.params().map(|(name, ty)| {
            let shape = builder.build(&ty).expect("the types have a mapping");
            (name.to_owned(), shape)
        });
        Self(Parameters::new(shapes.collect()))
    }

    /// Reads the arguments from an array, and writes them as an array. Returns `None` if they are refused.
    fn rewrite(&self, item: &[u8]) -> Option<String> {
        let args = self.0.read_item(item, Format::Json, ArgumentPassing::Args).ok()?;
        let written = self.0.all().iter().zip(&args).map(|((_, shape), arg)| {
            let mut writer = Writer::new(usize::MAX);
            writer.value(shape, arg).expect("each value that was read can be written");
            String::from_utf8(writer.into_json()).expect("JSON is text")
        });
        Some(format!("[{}]", written.collect::<Vec<_>>().join(",")))
    }
}

/// Rewrites an accepted item, and checks that rewriting the result does not change it.
fn check_rewrite(input: &FunctionInput, item: &[u8]) -> Option<String> {
    let written = input.rewrite(item)?;
    for json in [item, written.as_bytes()] {
        serde_json::from_slice::<IgnoredAny>(json)
            .expect("accepted items and written values are JSON");
    }
    assert_eq!(
        input.rewrite(written.as_bytes()).as_ref(),
        Some(&written),
        "the written item has another meaning"
    );
    Some(written)
}

fuzz_target!(|item: &[u8]| {
    check_rewrite(&EVERYTHING, item);

    let texts = check_rewrite(&TEXTS, item);
    let others = serde_json::from_slice::<[Vec<String>; 1]>(item).ok();
    let read = texts
        .map(|texts| serde_json::from_str(&texts).expect("the written item is a list of strings"));
    assert_eq!(read, others);

    // Unlike `serde_json`, the host reads `-0` as a whole number.
    let numbers = check_rewrite(&NUMBERS, item);
    if let Ok(others) = serde_json::from_slice::<[Vec<i64>; 1]>(item) {
        let numbers = numbers.expect("an item that `serde_json` accepts is accepted");
        assert_eq!(
            serde_json::from_str::<[Vec<i64>; 1]>(&numbers)
                .expect("the written item is a list of numbers"),
            others
        );
    }
});
