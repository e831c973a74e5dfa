//! What a component of any type makes of an item that claims to be JSON.
//!
//! What is taken is JSON, and is written as JSON that says the same: it is taken again, and written
//! as it is. Of strings and of whole numbers, another parser says what they are.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mtl_stream::item;
use mtl_stream::item::format::Format;
use mtl_stream::item::passing::ArgumentPassing;
use serde::de::IgnoredAny;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use self::engine::typed::arguments::Parameters;
use self::engine::typed::shape::Maker;
use self::engine::typed::writer::Writer;
use self::host::engine;

/// The mapping of JSON to types, as the host has it.
#[expect(dead_code, reason = "the host uses more of it")]
#[path = "../../../host/src"]
mod host {
    pub(crate) mod engine {
        pub(crate) mod export_names;

        pub(crate) mod typed {
            pub(crate) mod arguments;
            pub(crate) mod mistake;
            pub(crate) mod named;
            pub(crate) mod reader;
            pub(crate) mod shape;
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
    (func (export "texts") (param "them" (list string))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc)))
    (func (export "numbers") (param "them" (list s64))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc))))"#;

static TEXTS: LazyLock<Taken> = LazyLock::new(|| Taken::by(LISTS.as_bytes(), "texts"));
static NUMBERS: LazyLock<Taken> = LazyLock::new(|| Taken::by(LISTS.as_bytes(), "numbers"));
static EVERYTHING: LazyLock<Taken> =
    LazyLock::new(|| Taken::by(include_bytes!("../../fixtures/typed-echo.wat"), "call"));

/// The parameters of a function of a component.
struct Taken(Parameters);

impl Taken {
    /// What the function of this name takes, which the component or one of its interfaces has.
    fn by(component: &[u8], function: &str) -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, component).expect("it is a component");
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
        let ty = found.expect("it has such a function");
        let mut maker = Maker::default();
        let shapes = ty.params().map(|(name, ty)| {
            let shape = maker.make(&ty).expect("its types are mapped");
            (name.to_owned(), shape)
        });
        Self(Parameters::new(shapes.collect()))
    }

    /// The arguments that an array says, as they are written again; none if they are refused.
    fn again(&self, item: &[u8]) -> Option<String> {
        let args = self.0.of_item(item, Format::Json, ArgumentPassing::Args).ok()?;
        let written = self.0.all().iter().zip(&args).map(|((_, shape), arg)| {
            let mut writer = Writer::new(usize::MAX);
            writer.value(shape, arg).expect("what was read can be written");
            String::from_utf8(writer.into_json()).expect("JSON is text")
        });
        Some(format!("[{}]", written.collect::<Vec<_>>().join(",")))
    }
}

/// The item as it is written again, if it is taken.
fn again(taken: &Taken, item: &[u8]) -> Option<String> {
    let written = taken.again(item)?;
    for json in [item, written.as_bytes()] {
        serde_json::from_slice::<IgnoredAny>(json).expect("what is taken is JSON, and written so");
    }
    assert_eq!(taken.again(written.as_bytes()).as_ref(), Some(&written), "it says the same");
    Some(written)
}

fuzz_target!(|item: &[u8]| {
    again(&EVERYTHING, item);

    let texts = again(&TEXTS, item);
    let others = serde_json::from_slice::<[Vec<String>; 1]>(item).ok();
    let said = texts.map(|texts| serde_json::from_str(&texts).expect("it is written so"));
    assert_eq!(said, others);

    // `-0` is a whole number here.
    let numbers = again(&NUMBERS, item);
    if let Ok(others) = serde_json::from_slice::<[Vec<i64>; 1]>(item) {
        let numbers = numbers.expect("others take it");
        assert_eq!(serde_json::from_str::<[Vec<i64>; 1]>(&numbers).expect("written so"), others);
    }
});
