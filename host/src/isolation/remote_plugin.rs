//! A plugin's compiled code, in the form in which children receive it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use crate::engine::compile_settings::CompileSettings;
use crate::engine::{
    Engine, EngineOptions, HostFunctions, InstanceParts, LoadErrorKind, PluginCode, PluginKind,
};
use crate::isolation::wire::setup::{StartMode, WorkOrder};
use crate::item::format::Format;
use crate::jail::sealed_file::SealedFile;
use crate::sandbox::granted::GrantedDir;

/// The compiled code of a plugin, and the facts that a child needs to link it.
#[derive(Debug)]
pub(crate) struct RemotePlugin {
    file: SealedFile,
    options: EngineOptions,
    kind: PluginKind,
    call: String,
    functions: HostFunctions,
    /// The format of results that `init` has chosen, if the code is a snapshot.
    snapshot_format: Option<Format>,
}

impl RemotePlugin {
    /// Takes the code of a plugin that this process has compiled.
    pub(crate) fn from_plugin(
        plugin: &dyn PluginCode,
        engine: &Engine,
    ) -> Result<Self, LoadErrorKind> {
        let file =
            SealedFile::from_bytes(&plugin.code().serialize().map_err(LoadErrorKind::invalid)?);
        let file = file.map_err(LoadErrorKind::code)?;
        let (call, functions) = plugin.calls();
        let kind = plugin.metadata().kind;
        Ok(Self {
            file,
            options: engine.options(),
            kind,
            call: call.to_owned(),
            functions: functions.clone(),
            snapshot_format: None,
        })
    }

    /// Takes the code of a plugin that a jailed process has compiled for `settings`.
    pub(crate) fn from_file(
        file: SealedFile,
        kind: PluginKind,
        settings: &CompileSettings,
    ) -> Self {
        Self {
            file,
            options: settings.engine.options(),
            kind,
            call: settings.call_export.clone(),
            functions: settings.host_functions.clone(),
            snapshot_format: None,
        }
    }

    /// Marks the code as a snapshot whose results have this format.
    pub(crate) fn into_snapshot(self, format: Format) -> Self {
        Self { snapshot_format: Some(format), ..self }
    }

    /// Returns the format of results, if the code is a snapshot.
    pub(crate) fn snapshot_format(&self) -> Option<Format> {
        self.snapshot_format
    }

    /// Returns the options of the engine that runs the code.
    pub(crate) fn options(&self) -> EngineOptions {
        self.options
    }

    pub(crate) fn functions(&self) -> &HostFunctions {
        &self.functions
    }

    /// Reads the code.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        self.file.read()
    }

    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Returns the order for a process that becomes the worker with these parts.
    pub(crate) fn work_order(&self, parts: &InstanceParts) -> WorkOrder {
        let start_mode = match self.snapshot_format {
            None => StartMode::Init,
            Some(results) => StartMode::Snapshot { results },
        };
        self.work_from(start_mode, parts)
    }

    /// Returns the same order for a worker with the given start mode.
    pub(crate) fn work_from(&self, start_mode: StartMode, parts: &InstanceParts) -> WorkOrder {
        let InstanceParts { config, index, workers, grants, pool_memory, guest_output, .. } = parts;
        let dir = |GrantedDir { grant, .. }: &GrantedDir| {
            (OsString::from(grant.host()), grant.guest().to_owned(), grant.access())
        };
        WorkOrder {
            config: *config,
            worker: index.get(),
            workers: *workers,
            kind: self.kind,
            call: self.call.clone(),
            functions: self.functions.numbered(),
            dirs: grants.dirs.iter().map(dir).collect(),
            env: grants.env.clone(),
            net: grants.net.iter().map(ToString::to_string).collect(),
            names: parts.names.all().clone(),
            total_memory: pool_memory.limit(),
            // The parent enforces the limit; the child only bounds what it sends.
            log: guest_output.limit().doubled(),
            clock: parts.clock.elapsed(),
            start_mode,
        }
    }
}
