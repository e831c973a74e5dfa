//! Checks the exports of a core module before any of it runs.

use wasmtime::{ExternType, FuncType, Module, ValType};

use crate::engine::LoadErrorKind;
use crate::engine::export_names::names;

/// Checks that a module has the exports of ABI 1, and that `call` takes items.
pub(crate) fn check(module: &Module, call: &str) -> Result<(), LoadErrorKind> {
    use ValType::{I32, I64};
    check_memory(module)?;
    check_function(module, "mtl_alloc", true, (&[I32], &[I32]))?;
    check_function(module, call, true, (&[I32, I32], &[I64]))?;
    check_function(module, "init", false, (&[I32, I32], &[I64]))?;
    check_function(module, "finish", false, (&[], &[I64]))?;
    check_function(module, "call_batch", false, (&[I32], &[I32]))?;
    check_function(module, "after_restore", false, (&[], &[]))?;
    check_function(module, "mtl_abi_version", false, (&[], &[I32]))?;
    check_function(module, "_initialize", false, (&[], &[]))
}

fn check_memory(module: &Module) -> Result<(), LoadErrorKind> {
    let found = match module.get_export("memory") {
        Some(ExternType::Memory(memory)) if !memory.is_64() && !memory.is_shared() => return Ok(()),
        Some(ExternType::Memory(memory)) if memory.is_64() => "a 64-bit memory",
        Some(ExternType::Memory(_)) => "a shared memory",
        Some(_) => "something else",
        None => return Err(missing(module, "memory")),
    };
    let expected = "an unshared 32-bit memory".into();
    Err(LoadErrorKind::Signature { export: "memory".into(), expected, found: found.into() })
}

/// Checks the type of an exported function. A missing export is an error only if it is required.
pub(crate) fn check_function(
    module: &Module,
    export: &str,
    required: bool,
    (params, results): (&[ValType], &[ValType]),
) -> Result<(), LoadErrorKind> {
    let found = match module.get_export(export) {
        None if required => return Err(missing(module, export)),
        None => return Ok(()),
        Some(ExternType::Func(function)) => {
            let same = |found: &ValType, expected: &ValType| ValType::eq(found, expected);
            let fits = function.params().len() == params.len()
                && function.results().len() == results.len()
                && function.params().zip(params).all(|(found, expected)| same(&found, expected))
                && function.results().zip(results).all(|(found, expected)| same(&found, expected));
            if fits {
                return Ok(());
            }
            format!("`{}`", signature(&function))
        }
        Some(_) => "something other than a function".into(),
    };
    let types = |types: &[ValType]| list(types.iter().map(ToString::to_string));
    let expected = format!("`({}) -> ({})`", types(params), types(results));
    Err(LoadErrorKind::Signature { export: export.to_owned(), expected, found })
}

/// Returns the parameters and results of a function as text.
pub(crate) fn signature(function: &FuncType) -> String {
    let params = list(function.params().map(|param| param.to_string()));
    let results = list(function.results().map(|result| result.to_string()));
    format!("({params}) -> ({results})")
}

fn list(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn missing(module: &Module, missing: &str) -> LoadErrorKind {
    let exports = names(module.exports().map(|export| export.name().to_owned()));
    LoadErrorKind::MissingExport { missing: missing.to_owned(), exports }
}
