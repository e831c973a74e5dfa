//! Lists the content of a component.

use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentItem};

use super::{Findings, ImportProvider, Lister, MemorySize, wit};
use crate::engine::Engine;
use crate::engine::component::{is_types_only, is_wasi};

/// The size of a memory page, in bytes.
const PAGE: u64 = 64 * 1024;

/// Reads the exports and imports. `provider` takes the name of an interface, and whether the
/// interface belongs to WASI. It returns the provider of the interface.
pub(crate) fn read(
    findings: &mut Findings,
    engine: &Engine,
    component: &Component,
    provider: impl Fn(&str, bool) -> ImportProvider,
) {
    let ty = component.component_type();
    findings.memory = component.resources_required().and_then(|needed| {
        let initial = needed.max_initial_memory_size?.saturating_mul(PAGE);
        Some(MemorySize { initial, maximum: None, memories: needed.num_memories })
    });
    let mut lister = Lister::new(findings);
    for (name, export) in ty.exports(engine.wasm()) {
        for (own, function) in functions(engine, &export.ty) {
            let name = own.map_or_else(|| name.to_owned(), |own| format!("{name}#{own}"));
            lister.export(&name, || signature(&function));
        }
    }
    for (from, import) in ty.imports(engine.wasm()) {
        if is_types_only(engine, &import.ty) {
            continue;
        }
        let names = functions(engine, &import.ty).into_iter().filter_map(|(name, _)| name);
        lister.interface(from, names.collect(), provider(from, is_wasi(from)));
    }
}

/// Returns the functions of an item. If the item is a function, returns it without a name. If the
/// item is an instance, returns the functions of the instance with their names.
fn functions(engine: &Engine, item: &ComponentItem) -> Vec<(Option<String>, ComponentFunc)> {
    match item {
        ComponentItem::ComponentFunc(function) => vec![(None, function.clone())],
        ComponentItem::ComponentInstance(instance) => {
            let exports = instance.exports(engine.wasm());
            let functions = exports.filter_map(|(name, export)| match export.ty {
                ComponentItem::ComponentFunc(function) => Some((Some(name.to_owned()), function)),
                _ => None,
            });
            functions.collect()
        }
        _ => Vec::new(),
    }
}

fn signature(function: &ComponentFunc) -> String {
    let printer = wit::TypePrinter::new();
    let params =
        function.params().map(|(name, ty)| format!("{}: {}", printer.name(name), printer.ty(&ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    match function.results().next() {
        Some(result) => format!("({params}) -> {}", printer.ty(&result)),
        None => format!("({params})"),
    }
}
