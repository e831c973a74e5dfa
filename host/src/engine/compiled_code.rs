//! The compiled code of a plugin: compiled in this process, or compiled earlier and loaded from bytes.
//!
//! Loaded code runs with all rights of this process. All `unsafe` code that loads compiled code is in this file. Each
//! [`TrustedCode`] names the reason why its bytes may run.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use wasmtime::Module;
use wasmtime::component::Component;

use super::wasm_binary::WasmBinary;
use super::{Engine, LoadErrorKind, PluginKind};
use crate::cache::TrustedEntry;
use crate::engine::compile_settings::CompileSettings;

/// Compiled code that is valid WebAssembly. Its imports and exports are not checked yet.
#[derive(Clone)]
pub(crate) enum CompiledCode {
    Module(Module),
    Component(Component),
}

/// Bytes of compiled code that this process may run.
#[derive(Debug)]
pub(crate) enum TrustedCode<'a> {
    /// A sealed file in a jailed process: the jail limits the code, whoever compiled it.
    InJail(&'a File),
    /// A sealed file with code that this process compiled.
    OfThisProcess(&'a File),
    /// A cache entry that a process of this user compiled.
    Cached(&'a TrustedEntry),
    /// Bytes for which the caller of `PluginLoader::trust_precompiled` vouches.
    VouchedFor(&'a [u8]),
}

impl CompiledCode {
    pub(crate) fn compile(
        settings: &CompileSettings,
        binary: &WasmBinary<'_>,
    ) -> Result<Self, LoadErrorKind> {
        let (engine, bytes) = (settings.engine.wasm(), binary.bytes());
        let compiled = match binary.kind() {
            PluginKind::CoreModule => Module::new(engine, bytes).map(Self::Module),
            PluginKind::Component => Component::new(engine, bytes).map(Self::Component),
        };
        compiled.map_err(|error| settings.compile_error(binary, error))
    }

    /// Loads code that was compiled earlier.
    pub(crate) fn load(
        engine: &Engine,
        code: &TrustedCode<'_>,
        kind: PluginKind,
    ) -> wasmtime::Result<Self> {
        match kind {
            PluginKind::CoreModule => load_module(engine, code).map(Self::Module),
            PluginKind::Component => load_component(engine, code).map(Self::Component),
        }
    }

    /// Returns the bytes from which [`load`](Self::load) loads the code again.
    pub(crate) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        match self {
            Self::Module(module) => module.serialize(),
            Self::Component(component) => component.serialize(),
        }
    }
}

/// Loads a core module that was compiled earlier.
pub(crate) fn load_module(engine: &Engine, code: &TrustedCode<'_>) -> wasmtime::Result<Module> {
    match code {
        TrustedCode::InJail(file) => {
            let module = map_module(engine, file)?;
            // Prepare the initial memory now: the jail, which the process enters later, would prevent it.
            module.initialize_copy_on_write_image()?;
            Ok(module)
        }
        TrustedCode::Cached(entry) => map_module(engine, entry.file())
            // Some file systems, such as those mounted `noexec`, do not allow executable mappings.
            .or_else(|_| copy_module(engine, &read(entry.file(), entry.length())?)),
        TrustedCode::OfThisProcess(file) => map_module(engine, file),
        TrustedCode::VouchedFor(code) => copy_module(engine, code),
    }
}

/// Loads a component that was compiled earlier.
fn load_component(engine: &Engine, code: &TrustedCode<'_>) -> wasmtime::Result<Component> {
    match code {
        TrustedCode::InJail(file) => {
            // The engine maps components only by path, and a jailed process has no path to this file.
            let length = file.metadata()?.len();
            let component = copy_component(engine, &read(file, length)?)?;
            component.initialize_copy_on_write_image()?;
            Ok(component)
        }
        TrustedCode::Cached(entry) => map_component(engine, entry.file())
            .or_else(|_| copy_component(engine, &read(entry.file(), entry.length())?)),
        TrustedCode::OfThisProcess(file) => map_component(engine, file),
        TrustedCode::VouchedFor(code) => copy_component(engine, code),
    }
}

/// Reads the code at the start of a file.
fn read(file: &File, length: u64) -> wasmtime::Result<Vec<u8>> {
    let mut code = vec![0; usize::try_from(length)?];
    // Others may read the same open file and move its position, so read at an explicit offset.
    file.read_exact_at(&mut code, 0)?;
    Ok(code)
}

#[expect(unsafe_code, reason = "the engine runs loaded code unchecked")]
fn map_module(engine: &Engine, file: &File) -> wasmtime::Result<Module> {
    let file = file.try_clone()?;
    // SAFETY: the engine runs loaded code unchecked. Therefore the code must be unmodified output of the engine, or
    // this process must run in a jail that confines the code. The file is from a `TrustedCode` of one of these
    // variants:
    // - `InJail`: the file is sealed, and the jail of this process confines the code.
    // - `OfThisProcess`: the file is sealed, and this process compiled the code.
    // - `Cached`: a process of this user compiled the code, and the host checked the content through this file
    //   descriptor. No other user can write to the file. The host replaces cache files and never writes to an existing
    //   one, so the mapped content does not change. Another program of this user could write to the file. The program
    //   gains no rights by doing so, because it can already run any code as this user.
    unsafe { Module::deserialize_open_file(engine.wasm(), file) }
}

#[expect(unsafe_code, reason = "the engine runs loaded code unchecked")]
fn map_component(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    // The engine opens components by path. The path of the file descriptor leads to the checked file, even if another
    // file now has the name of the checked file.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the file is unmodified output of the engine, for the reasons in `map_module`. The variant `InJail` does
    // not occur, because jailed processes do not call this function.
    unsafe { Component::deserialize_file(engine.wasm(), name) }
}

#[expect(unsafe_code, reason = "the engine runs loaded code unchecked")]
fn copy_module(engine: &Engine, code: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: the bytes are unmodified output of the engine: they come from a file as in `map_module`, or from the
    // caller of an unsafe function, who vouches for them.
    unsafe { Module::deserialize(engine.wasm(), code) }
}

#[expect(unsafe_code, reason = "the engine runs loaded code unchecked")]
fn copy_component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are unmodified output of the engine, as in `copy_module`.
    unsafe { Component::deserialize(engine.wasm(), code) }
}
