//! Host functions for core modules, with a handwritten canonical lowering.
//!
//! ```text
//! (ptr, len, ret) ─▶ checked ─▶ answer ─▶ cabi_realloc ─▶ checked again ─▶ written
//!                                           │ the guest runs: its memory may grow
//! at ret:  0  u8   0: an answer, 1: an error message
//!          4  u32  the address of its bytes
//!          8  u32  the length of its bytes
//! ```

use wasmtime::{Caller, Extern, ExternType, FuncType, Linker, Memory, Module, ValType};

use super::{HostFunction, HostFunctions};
use crate::engine::LoadErrorKind;
use crate::engine::core_abi::{check_function, guest_memory};
use crate::engine::state::HasCommonState;
use crate::event::snapshot_refusal::SnapshotRefusal;

/// The type of a host function for a core module, as messages show it.
pub(crate) const TYPE: &str = "(i32, i32, i32) -> ()";

/// The guest's allocator, which allocates memory for answers.
const REALLOC: &str = "cabi_realloc";

/// The size and the alignment of an answer's description at `ret`, in bytes.
const ANSWER: u32 = 12;
const ALIGN: u32 = 4;

/// Checks that a module can call the host functions that it imports.
pub(crate) fn check(module: &Module, functions: &HostFunctions) -> Result<(), LoadErrorKind> {
    use ValType::I32;
    let mut imports_any = false;
    for import in module.imports() {
        if !functions.has(import.module(), import.name()) {
            continue;
        }
        imports_any = true;
        if !matches!(import.ty(), ExternType::Func(function) if is_lowered(&function)) {
            let import = format!("{}.{}", import.module(), import.name());
            return Err(LoadErrorKind::ImportType { import, expected: TYPE.into() });
        }
    }
    if imports_any {
        check_function(module, REALLOC, true, (&[I32, I32, I32, I32], &[I32]))?;
    }
    Ok(())
}

fn is_lowered(function: &FuncType) -> bool {
    function.params().len() == 3
        && function.params().all(|param| matches!(param, ValType::I32))
        && function.results().len() == 0
}

/// Adds the functions to a core module's linker.
pub(crate) fn add_to_linker<T: HasCommonState>(
    linker: &mut Linker<T>,
    functions: &HostFunctions,
) -> wasmtime::Result<()> {
    for function in &functions.0 {
        let HostFunction { interface, name, .. } = function;
        let function = function.clone();
        let serve = move |guest: Caller<'_, T>, ptr: u32, len: u32, ret: u32| {
            serve(&function, guest, (ptr, len), ret)
        };
        linker.func_wrap(interface, name, serve)?;
    }
    Ok(())
}

fn serve<T: HasCommonState>(
    function: &HostFunction,
    mut guest: Caller<'_, T>,
    (ptr, len): (u32, u32),
    ret: u32,
) -> wasmtime::Result<()> {
    let common = guest.data_mut().common();
    common.refuse_snapshot(SnapshotRefusal::HostFunction);
    // Each level of such a recursion would keep another answer in the host's memory.
    if common.is_allocating {
        return Err(function.trap(format_args!("was called by `{REALLOC}`")));
    }
    let (worker, watch) = (common.index, common.watch.clone());
    let memory = guest.get_export("memory").and_then(Extern::into_memory);
    let memory = memory.ok_or_else(|| function.trap(format_args!("found no memory")))?;
    let bytes = memory.data(&guest);
    let input = guest_memory::bytes(bytes, ptr, len)
        .ok_or_else(|| outside(function, "was given", (ptr, len), bytes.len()))?;
    if !ret.is_multiple_of(ALIGN) {
        return Err(function.trap(format_args!("must answer at {ret}, which is not aligned")));
    }
    if guest_memory::bytes(bytes, ret, ANSWER).is_none() {
        return Err(outside(function, "must answer in", (ret, ANSWER), bytes.len()));
    }
    let answer = function.answer(worker, &watch, input)?;
    let (tag, answer) = match &answer {
        Ok(bytes) => (0, bytes.as_slice()),
        Err(text) => (1, text.as_bytes()),
    };
    let (at, len) = allocate(function, &mut guest, answer.len())?;
    write(function, &mut guest, memory, (at, answer))?;
    write(function, &mut guest, memory, (ret, &[tag]))?;
    let mut location = [0; 8];
    location[..4].copy_from_slice(&at.to_le_bytes());
    location[4..].copy_from_slice(&len.to_le_bytes());
    write(function, &mut guest, memory, (ret + 4, &location))
}

/// Allocates memory for an answer with the guest's allocator. The caller must check the address.
fn allocate<T: HasCommonState>(
    function: &HostFunction,
    guest: &mut Caller<'_, T>,
    len: usize,
) -> wasmtime::Result<(u32, u32)> {
    let no_memory = || function.trap(format_args!("found no memory for an answer of {len} bytes"));
    let len = u32::try_from(len).map_err(|_| no_memory())?;
    let realloc = guest.get_export(REALLOC).and_then(Extern::into_func);
    let realloc = realloc.ok_or_else(|| function.trap(format_args!("found no `{REALLOC}`")))?;
    let realloc = realloc.typed::<(u32, u32, u32, u32), u32>(&*guest)?;
    guest.data_mut().common().is_allocating = true;
    let allocated = realloc.call(&mut *guest, (0, 0, 1, len));
    guest.data_mut().common().is_allocating = false;
    match allocated? {
        0 if len > 0 => Err(no_memory()),
        at => Ok((at, len)),
    }
}

fn write<T>(
    function: &HostFunction,
    guest: &mut Caller<'_, T>,
    memory: Memory,
    (at, bytes): (u32, &[u8]),
) -> wasmtime::Result<()> {
    let memory = memory.data_mut(guest);
    let size = memory.len();
    let len = u32::try_from(bytes.len())?;
    let target = guest_memory::range(at, len).and_then(|range| memory.get_mut(range));
    let target = target.ok_or_else(|| outside(function, "must write", (at, len), size))?;
    target.copy_from_slice(bytes);
    Ok(())
}

fn outside(
    function: &HostFunction,
    does: &str,
    (at, len): (u32, u32),
    size: usize,
) -> wasmtime::Error {
    function.trap(format_args!("{does} {len} bytes at {at}, but the memory ends at {size}"))
}
