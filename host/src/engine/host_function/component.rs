//! Host functions for components, which import them by their component type. The embedder's function borrows its input
//! from the guest's memory.

use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Linker, Type, WasmList};

use super::HostFunctions;
use crate::engine::state::HasCommonState;
use crate::engine::{Engine, LoadErrorKind};

/// The type of a host function for a component, as messages show it.
pub(crate) const TYPE: &str = "func(input: list<u8>) -> result<list<u8>, string>";

/// Checks that the embedder offers each function of an imported interface, and that each imported function has the type
/// of host functions.
pub(crate) fn check(
    engine: &Engine,
    (interface, import): (&str, &ComponentItem),
    functions: &HostFunctions,
) -> Result<(), LoadErrorKind> {
    let ComponentItem::ComponentInstance(instance) = import else {
        let import = interface.to_owned();
        return Err(LoadErrorKind::ImportType { import, expected: TYPE.into() });
    };
    for (name, export) in instance.exports(engine.wasm()) {
        let ComponentItem::ComponentFunc(function) = export.ty else { continue };
        let import = format!("{interface}.{name}");
        if !functions.has(interface, name) {
            return Err(LoadErrorKind::Import { import, offered: functions.names() });
        }
        if !takes_and_gives_bytes(&function) {
            return Err(LoadErrorKind::ImportType { import, expected: TYPE.into() });
        }
    }
    Ok(())
}

fn takes_and_gives_bytes(function: &ComponentFunc) -> bool {
    let (mut params, mut results) = (function.params(), function.results());
    let param = params.next().map(|(_, ty)| ty);
    let result = results.next();
    let is_result = match result {
        Some(Type::Result(result)) => {
            is_bytes(result.ok().as_ref()) && matches!(result.err(), Some(Type::String))
        }
        Some(_) | None => false,
    };
    is_bytes(param.as_ref()) && is_result && params.next().is_none() && results.next().is_none()
}

fn is_bytes(ty: Option<&Type>) -> bool {
    matches!(ty, Some(Type::List(list)) if matches!(list.ty(), Type::U8))
}

/// Adds the functions to a component's linker.
pub(crate) fn add_to_linker<T: HasCommonState>(
    linker: &mut Linker<T>,
    functions: &HostFunctions,
) -> wasmtime::Result<()> {
    for function in &functions.0 {
        let name = &function.name;
        let mut interface = linker.instance(&function.interface)?;
        let function = function.clone();
        interface.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>, (input,): (WasmList<u8>,)| {
                let common = store.data_mut().common();
                let (worker, watch) = (common.index, common.watch.clone());
                Ok((function.answer(worker, &watch, input.as_le_slice(&store))?,))
            },
        )?;
    }
    Ok(())
}
