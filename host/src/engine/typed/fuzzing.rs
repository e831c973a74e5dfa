//! What a fuzz target sees of the mapping of JSON to types.

use wasmtime::component::Component;

use super::arguments::Parameters;
use super::function::Finder;
use super::writer::Writer;
use crate::engine::Engine;
use crate::item::format::Format;
use crate::item::passing::ArgumentPassing;

/// What a function of a component takes.
#[derive(Debug)]
pub struct Taken(Parameters);

impl Taken {
    /// What the function of this name takes.
    ///
    /// # Panics
    ///
    /// If the component has none, or it takes what is not mapped.
    #[must_use]
    pub fn by(component: &[u8], function: &str) -> Self {
        let engine = Engine::new().expect("it starts");
        let component = Component::new(engine.wasm(), component).expect("it is a component");
        let finder = Finder { engine: &engine, component: &component };
        let found = finder.functions(function).expect("its types are mapped");
        Self(found.expect("it has such a function").call.parameters)
    }

    /// The arguments that an array says, as they are written again; none if they are refused.
    ///
    /// # Panics
    ///
    /// If what was read cannot be written.
    #[must_use]
    pub fn again(&self, item: &[u8]) -> Option<String> {
        let args = self.0.of_item(item, Format::Json, ArgumentPassing::Args).ok()?;
        let written = self.0.all().iter().zip(&args).map(|((_, shape), arg)| {
            let mut writer = Writer::new(usize::MAX);
            writer.value(shape, arg).expect("what was read can be written");
            String::from_utf8(writer.into_json()).expect("JSON is text")
        });
        Some(format!("[{}]", written.collect::<Vec<_>>().join(",")))
    }
}
