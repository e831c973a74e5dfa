//! Compiled code of a plugin: compiled here, or compiled before and taken as it is.
//!
//! To take it as it is means to run it with all that this process may do. All that is unsafe
//! about that is in this file; a [`TrustedCode`] says why it may be done.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use wasmtime::Module;
use wasmtime::component::Component;

use super::wasm_binary::WasmBinary;
use super::{Engine, LoadErrorKind, PluginKind};
use crate::cache::TrustedEntry;
use crate::engine::compile_settings::CompileSettings;

/// Compiled code of which nothing was checked but that it is valid.
#[derive(Clone)]
pub(crate) enum CompiledCode {
    Module(Module),
    Component(Component),
}

/// Compiled code in bytes, which this process may run.
#[derive(Debug)]
pub(crate) enum TrustedCode<'a> {
    /// This process is jailed, and the file is sealed: what is in it may do what the jail allows,
    /// whoever has made it.
    InJail(&'a File),
    /// This process has compiled it, and the file is sealed.
    OfThisProcess(&'a File),
    /// A process of this user's has compiled it.
    Own(&'a TrustedEntry),
    /// Whoever has called `PluginLoader::trust_precompiled` answers for it.
    VouchedFor(&'a [u8]),
}

impl CompiledCode {
    /// Compiles a plugin.
    pub(crate) fn compile(
        settings: &CompileSettings,
        binary: &WasmBinary<'_>,
    ) -> Result<Self, LoadErrorKind> {
        let (engine, bytes) = (settings.engine.wasm(), binary.bytes());
        let compiled = match binary.kind() {
            PluginKind::CoreModule => Module::new(engine, bytes).map(Self::Module),
            PluginKind::Component => Component::new(engine, bytes).map(Self::Component),
        };
        compiled.map_err(|error| settings.not_compiled(binary, error))
    }

    /// Takes code that was compiled before.
    pub(crate) fn take(
        engine: &Engine,
        code: &TrustedCode<'_>,
        kind: PluginKind,
    ) -> wasmtime::Result<Self> {
        match kind {
            PluginKind::CoreModule => take_module(engine, code).map(Self::Module),
            PluginKind::Component => take_component(engine, code).map(Self::Component),
        }
    }

    /// Returns the bytes from which the code can be taken again.
    pub(crate) fn bytes(&self) -> wasmtime::Result<Vec<u8>> {
        match self {
            Self::Module(module) => module.serialize(),
            Self::Component(component) => component.serialize(),
        }
    }
}

/// Takes a core module that was compiled before.
pub(crate) fn take_module(engine: &Engine, code: &TrustedCode<'_>) -> wasmtime::Result<Module> {
    match code {
        TrustedCode::InJail(file) => {
            let module = map_module(engine, file)?;
            // What memories begin with is laid out now: later, the jail does not let it.
            module.initialize_copy_on_write_image()?;
            Ok(module)
        }
        TrustedCode::Own(own) => map_module(engine, own.file())
            // Where a file cannot be mapped to be run, as on a disk that is mounted so.
            .or_else(|_| copy_module(engine, &read(own.file(), own.length())?)),
        TrustedCode::OfThisProcess(file) => map_module(engine, file),
        TrustedCode::VouchedFor(code) => copy_module(engine, code),
    }
}

/// Takes a component that was compiled before.
fn take_component(engine: &Engine, code: &TrustedCode<'_>) -> wasmtime::Result<Component> {
    match code {
        TrustedCode::InJail(file) => {
            // There is no way by a name to it, and a component can be mapped by that alone.
            let length = file.metadata()?.len();
            let component = copy_component(engine, &read(file, length)?)?;
            component.initialize_copy_on_write_image()?;
            Ok(component)
        }
        TrustedCode::Own(own) => map_component(engine, own.file())
            .or_else(|_| copy_component(engine, &read(own.file(), own.length())?)),
        TrustedCode::OfThisProcess(file) => map_component(engine, file),
        TrustedCode::VouchedFor(code) => copy_component(engine, code),
    }
}

/// The code that a file begins with.
fn read(file: &File, length: u64) -> wasmtime::Result<Vec<u8>> {
    let mut code = vec![0; usize::try_from(length)?];
    // Others may read the same file: it has one position.
    file.read_exact_at(&mut code, 0)?;
    Ok(code)
}

#[expect(unsafe_code, reason = "code that was compiled before is run as it is")]
fn map_module(engine: &Engine, file: &File) -> wasmtime::Result<Module> {
    let file = file.try_clone()?;
    // SAFETY: the file comes out of a `TrustedCode`. Either it is sealed, in a process whose jail
    // is what stops the code, or with what this very process has compiled; or it is one of the cache, which was compiled in a process of this
    // user's, and checked by this very descriptor to be as it was put there. Nobody else can
    // write to it; this host changes no file of the cache once it has its name, but replaces it,
    // and what is mapped stays. A program of the same user's that writes there on purpose needs
    // no such way to run what it likes.
    unsafe { Module::deserialize_open_file(engine.wasm(), file) }
}

#[expect(unsafe_code, reason = "code that was compiled before is run as it is")]
fn map_component(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    // The engine opens components by name. This one is the descriptor's: it leads to the file that
    // was checked, and not to what has its name by now.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: as for a module of the cache; a jailed process does not come here.
    unsafe { Component::deserialize_file(engine.wasm(), name) }
}

#[expect(unsafe_code, reason = "code that was compiled before is run as it is")]
fn copy_module(engine: &Engine, code: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: the bytes come out of a `TrustedCode`: of a file as `map_module` describes it, or of the
    // caller of an unsafe function, who answers for them.
    unsafe { Module::deserialize(engine.wasm(), code) }
}

#[expect(unsafe_code, reason = "code that was compiled before is run as it is")]
fn copy_component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: as for a module.
    unsafe { Component::deserialize(engine.wasm(), code) }
}
