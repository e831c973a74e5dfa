//! Lists the content of a core module.

use wasmtime::{ExternType, MemoryType, Module};

use super::{Findings, ImportProvider, Lister, MemorySize};
use crate::engine::core_abi::signature;

/// Reads the exports and imports. `provider` takes the name of a module, and whether the module
/// belongs to WASI. It returns the provider of the module.
pub(crate) fn read(
    findings: &mut Findings,
    module: &Module,
    provider: impl Fn(&str, bool) -> ImportProvider,
) {
    let memories = module.exports().filter_map(|export| match export.ty() {
        ExternType::Memory(memory) => Some(memory),
        _ => None,
    });
    findings.memory = memories.last().map(|memory| size(&memory, module));
    let mut lister = Lister::new(findings);
    for export in module.exports() {
        lister.export(export.name(), || type_text(&export.ty()));
    }
    for import in module.imports() {
        let from = import.module();
        let provider = || provider(from, from == "wasi_snapshot_preview1");
        lister.import(from, import.name(), provider);
    }
}

fn type_text(ty: &ExternType) -> String {
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
