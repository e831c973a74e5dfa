//! A plugin's compiled code, as workers in processes of their own get it.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};

use super::{Code, HostFunctions, LoadError, Plugin, PluginLoader, Spec};
use crate::isolation::code::CodeFile;
use crate::isolation::wire::setup::Work;
use crate::outcome::Format;
use crate::sandbox::limits::TotalMemory;

/// Compiled code, and what it takes to make a plugin of it again.
#[derive(Debug)]
pub(crate) struct Compiled {
    file: CodeFile,
    counts_fuel: bool,
    is_component: bool,
    call: String,
    functions: HostFunctions,
}

impl Compiled {
    /// That of a plugin that was compiled in this process.
    pub(super) fn of(plugin: &Plugin) -> Result<Self, LoadError> {
        let unfit = |source: wasmtime::Error| LoadError::Invalid {
            path: plugin.name.clone(),
            source: source.into(),
        };
        let (code, is_component, call, functions) = match &plugin.code {
            Code::Core(core) => {
                let (code, call, functions) = core.code().map_err(unfit)?;
                (code, false, call, functions)
            }
            Code::Component(component) => {
                let (code, functions) = component.code().map_err(unfit)?;
                (code, true, PluginLoader::CALL, functions)
            }
        };
        let file = CodeFile::of(&code).map_err(|source| LoadError::Code { source })?;
        let (call, functions) = (call.to_owned(), functions.clone());
        let counts_fuel = plugin.engine.counts_fuel();
        Ok(Self { file, counts_fuel, is_component, call, functions })
    }

    pub(crate) fn counts_fuel(&self) -> bool {
        self.counts_fuel
    }

    pub(crate) fn functions(&self) -> &HostFunctions {
        &self.functions
    }

    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// What a process is told that is to be the worker that `spec` describes.
    pub(crate) fn work(&self, spec: &Spec) -> Work {
        let Spec { grants, limits, pool_memory, watch, .. } = spec;
        let dir = |grant: &crate::DirGrant| {
            (OsString::from(grant.host()), grant.guest().to_owned(), grant.is_writable())
        };
        Work {
            worker: spec.index.get(),
            workers: spec.workers,
            is_component: self.is_component,
            call: self.call.clone(),
            functions: self.functions.numbered(),
            dirs: grants.dirs.iter().map(dir).collect(),
            env: grants.env.clone(),
            net: grants.net.iter().map(ToString::to_string).collect(),
            names: spec.names.all().clone(),
            memory: limits.memory.bytes(),
            result: limits.result.bytes(),
            fuel: limits.fuel.map(crate::Fuel::units),
            asks_for_memory: match pool_memory.limit() {
                TotalMemory::Unlimited => None,
                TotalMemory::AtMost(most) => Some(most.get()),
            },
            // The parent keeps the limit; a child is only to bound what it sends.
            log: spec.voice.limit().bytes().saturating_mul(2),
            has_json_items: spec.item_format == Format::Json,
            passing: spec.passing.to_string(),
            timeout: watch.limits().item,
            init_timeout: watch.limits().start,
        }
    }
}
