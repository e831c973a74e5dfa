//! Freezes an instance after its `init`, and starts instances from the snapshot.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use wasmtime::{Instance, Module};

use super::{CoreInstance, CorePlugin};
use crate::cache::TrustedEntry;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::compiled_code::{self, TrustedCode};
use crate::engine::snapshot::{InitRecorder, Instrumented, SnapshotOutcome, Verdict};
use crate::engine::state::{CommonState, InstanceParts, StartedFrom};
use crate::engine::wasm_binary::WasmBinary;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::item::format::Format;
use crate::jail::sealed_file::SealedFile;

/// A snapshot, from which instances start without being initialised.
#[derive(Debug)]
pub(crate) struct SnapshotImage {
    plugin: CorePlugin,
    /// The result format that `init` set.
    format: Format,
    /// The compiled code; `None` if the snapshot comes from a cache.
    code: Option<SealedFile>,
}

impl SnapshotImage {
    /// Loads a snapshot from the cache.
    pub(crate) fn of_cache(
        settings: &CompileSettings,
        code: &TrustedEntry,
        format: Format,
    ) -> Result<Self, SnapshotRefusal> {
        let module = compiled_code::load_module(&settings.engine, &TrustedCode::Cached(code))
            .map_err(|error| not_compiled(&error))?;
        let plugin = CorePlugin::link(settings, &module)
            .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))?;
        Ok(Self { plugin, format, code: None })
    }

    /// Returns the format of results.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Returns the compiled code; empty if the snapshot comes from a cache.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        self.code.as_ref().map_or_else(|| Ok(Vec::new()), SealedFile::read)
    }

    /// Starts an instance from this snapshot.
    pub(crate) fn restore(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError> {
        self.plugin.start_from_snapshot(parts, self.format)
    }
}

/// An instance whose `init` ran under the recorder.
pub(crate) struct RecordedInstance {
    started: CoreInstance,
    instance: Instance,
    verdict: Result<Verdict, SnapshotRefusal>,
}

impl RecordedInstance {
    /// Returns the recorder's verdict: the properties of the snapshot, or the reason for which the
    /// instance cannot be frozen.
    pub(crate) fn verdict(&self) -> Result<Verdict, SnapshotRefusal> {
        self.verdict.clone()
    }

    /// Returns the result format that the plugin set.
    pub(crate) fn format(&self) -> Format {
        self.started.format()
    }

    /// Returns a copy of the module in `source`, with the current memory and globals of this instance as
    /// its initial memory and globals.
    pub(crate) fn freeze(
        &mut self,
        path: &Path,
        source: &[u8],
    ) -> Result<Vec<u8>, SnapshotRefusal> {
        let binary = WasmBinary::from_bytes(path, source);
        let binary = binary.map_err(|error| SnapshotRefusal::Unsupported(error.to_string()))?;
        self.freeze_as(&Instrumented::of(binary.bytes())?)
    }

    fn freeze_as(&mut self, instrumented: &Instrumented<'_>) -> Result<Vec<u8>, SnapshotRefusal> {
        instrumented.freeze(&mut self.started.guest.store, &self.instance)
    }

    /// Returns the instance, for use by a worker.
    pub(crate) fn into_instance(self) -> Box<dyn Executor> {
        Box::new(self.started)
    }
}

impl CorePlugin {
    /// Starts an instance of this plugin, which was compiled from a frozen module.
    pub(super) fn start_from_snapshot(
        &self,
        parts: &InstanceParts,
        format: Format,
    ) -> Result<Box<dyn Executor>, StartError> {
        let started_from = StartedFrom::Snapshot;
        let common = CommonState { started_from, result_format: format, ..CommonState::new(parts) };
        Ok(Box::new(self.start_instance(parts, common)?.0))
    }

    /// Starts an instance of this instrumented plugin, and records its `init`.
    pub(super) fn start_with_recorder(
        &self,
        parts: &InstanceParts,
    ) -> Result<RecordedInstance, StartError> {
        let started_from = StartedFrom::Recorded(InitRecorder::default());
        let common = CommonState { started_from, ..CommonState::new(parts) };
        let (mut started, instance) = self.start_instance(parts, common)?;
        let common = &mut started.guest.store.data_mut().common;
        let StartedFrom::Recorded(recorder) =
            std::mem::replace(&mut common.started_from, StartedFrom::Fresh)
        else {
            unreachable!("the instance is recorded from its start");
        };
        Ok(RecordedInstance { started, instance, verdict: recorder.verdict() })
    }

    /// Starts an instance of the plugin in `source`, initialises it, and freezes it.
    pub(super) fn freeze_source(
        &self,
        path: &Path,
        source: &[u8],
        parts: &InstanceParts,
    ) -> Result<SnapshotOutcome<Arc<SnapshotImage>>, StartError> {
        let refused = |why| Ok(SnapshotOutcome::Refused { why, started: None });
        let binary = WasmBinary::from_bytes(path, source);
        let binary = binary.expect("the plugin was loaded from the same bytes");
        let instrumented = match Instrumented::of(binary.bytes()) {
            Ok(instrumented) => instrumented,
            Err(why) => return refused(why),
        };
        let recorded = match self.link_module(instrumented.module()) {
            Ok(plugin) => plugin.start_with_recorder(parts)?,
            Err(why) => return refused(why),
        };
        Ok(self.freeze_recorded(&instrumented, recorded))
    }

    fn freeze_recorded(
        &self,
        instrumented: &Instrumented<'_>,
        mut recorded: RecordedInstance,
    ) -> SnapshotOutcome<Arc<SnapshotImage>> {
        let format = recorded.format();
        let outcome = recorded.verdict().and_then(|verdict| {
            let module = recorded.freeze_as(instrumented)?;
            let (plugin, code, bytes) = self.compile_frozen(&module)?;
            let snapshot = Arc::new(SnapshotImage { plugin, format, code: Some(code) });
            Ok(SnapshotOutcome::Frozen { snapshot, bytes, verdict })
        });
        outcome.unwrap_or_else(|why| SnapshotOutcome::Refused {
            why,
            started: Some(recorded.into_instance()),
        })
    }

    /// Compiles and links another module with the settings of this one.
    fn link_module(&self, module: &[u8]) -> Result<Self, SnapshotRefusal> {
        let module =
            Module::new(self.engine.wasm(), module).map_err(|error| not_compiled(&error))?;
        Self::link(&self.settings(), &module)
            .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))
    }

    /// Compiles and links a frozen module. Its instances share its memory until they write to it.
    fn compile_frozen(&self, module: &[u8]) -> Result<(Self, SealedFile, u64), SnapshotRefusal> {
        let code = self.engine.compile_snapshot(module).map_err(|error| not_compiled(&error))?;
        let not_sealed = |error: io::Error| SnapshotRefusal::NotCompiled(error.to_string());
        let sealed = SealedFile::from_bytes(&code).map_err(not_sealed)?;
        let file = File::from(sealed.as_fd().try_clone_to_owned().map_err(not_sealed)?);
        let module = compiled_code::load_module(&self.engine, &TrustedCode::OfThisProcess(&file))
            .map_err(|error| not_compiled(&error))?;
        module.initialize_copy_on_write_image().map_err(|error| not_compiled(&error))?;
        let plugin = Self::link(&self.settings(), &module)
            .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))?;
        Ok((plugin, sealed, code.len() as u64))
    }

    fn settings(&self) -> CompileSettings {
        CompileSettings::of_child(&self.engine, &self.call, self.functions.clone())
    }
}

fn not_compiled(error: &wasmtime::Error) -> SnapshotRefusal {
    SnapshotRefusal::NotCompiled(format!("{error:#}"))
}
