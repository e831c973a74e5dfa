//! What is in a core module.

use wasmtime::{ExternType, MemoryType, Module};

use super::{Export, Findings, Import, MemorySize, Provider};
use crate::plugin::core_abi::signature;

/// Reads what is exported and imported. `provider` says whose a module is; and whether it is
/// WASI is told to it.
pub(super) fn read(
    found: &mut Findings,
    module: &Module,
    provider: impl Fn(&str, bool) -> Provider,
) {
    for export in module.exports() {
        let (name, signature) = (export.name().to_owned(), shown(&export.ty()));
        found.exports.push(Export { name, signature });
        if let ExternType::Memory(memory) = export.ty() {
            found.memory = Some(size(&memory, module));
        }
    }
    for import in module.imports() {
        let (from, name) = (import.module(), import.name().to_owned());
        match found.imports.iter_mut().find(|other| other.from == from) {
            Some(other) => other.names.push(name),
            None => {
                let provider = provider(from, from == "wasi_snapshot_preview1");
                found.imports.push(Import { from: from.to_owned(), provider, names: vec![name] });
            }
        }
    }
}

fn shown(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(function) => signature(function),
        ExternType::Global(global) => format!("global {}", global.content()),
        ExternType::Table(_) => "table".into(),
        ExternType::Memory(_) => "memory".into(),
        ExternType::Tag(_) => "tag".into(),
    }
}

fn size(memory: &MemoryType, module: &Module) -> MemorySize {
    let bytes = |pages: u64| pages.saturating_mul(memory.page_size());
    MemorySize {
        initial: bytes(memory.minimum()),
        maximum: memory.maximum().map(bytes),
        memories: module.resources_required().num_memories,
    }
}
