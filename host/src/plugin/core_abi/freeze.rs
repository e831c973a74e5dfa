//! Freezes an instance after its `init`, and makes instances of what was frozen.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use wasmtime::Module;

use super::CorePlugin;
use crate::isolation::code::CodeFile;
use crate::outcome::Format;
use crate::plugin::artifact::{Artifact, Kind};
use crate::plugin::code::{MachineCode, Runnable};
use crate::plugin::snapshot::{Freezing, Instrumented, SnapshotRefusal, Witness};
use crate::plugin::state::{Common, Origin, Spec};
use crate::plugin::{PluginLoader, StartError};
use crate::worker::executor::Executor;

/// What instances start from in place of being initialised.
#[derive(Debug)]
pub(crate) struct Frozen {
    plugin: CorePlugin,
    /// What `init` has said that results are.
    format: Format,
}

impl Frozen {
    /// An instance that has what was frozen.
    pub(crate) fn restore(&self, spec: &Spec) -> Result<Box<dyn Executor>, StartError> {
        let common =
            Common { origin: Origin::Snapshot, result_format: self.format, ..Common::new(spec) };
        let (instance, _) = self.plugin.bring_up(spec, common)?;
        Ok(Box::new(instance))
    }
}

impl CorePlugin {
    /// Initialises an instance of the plugin that is in `source`, and freezes it.
    pub(in crate::plugin) fn freeze(
        &self,
        path: &Path,
        source: &[u8],
        spec: &Spec,
    ) -> Result<Freezing<Arc<Frozen>>, StartError> {
        let refused = |why| Ok(Freezing::Refused { why, started: None });
        let artifact = Artifact::from_bytes(path, source.to_vec());
        let artifact = artifact.expect("it was loaded from the same bytes");
        let instrumented = match Instrumented::of(artifact.bytes()) {
            Ok(instrumented) => instrumented,
            Err(why) => return refused(why),
        };
        let witnessed = match self.linked(path, instrumented.module()) {
            Ok(witnessed) => witnessed,
            Err(why) => return refused(why),
        };
        let origin = Origin::Witnessed(Witness::default());
        let common = Common { origin, ..Common::new(spec) };
        let (mut started, instance) = witnessed.bring_up(spec, common)?;
        let common = &mut started.guest.store.data_mut().common;
        let format = common.result_format;
        let Origin::Witnessed(witness) = std::mem::replace(&mut common.origin, Origin::Fresh)
        else {
            unreachable!("it is witnessed from its start on");
        };
        let frozen = witness.verdict().and_then(|has_random| {
            let module = instrumented.freeze(&mut started.guest.store, &instance)?;
            let (plugin, bytes) = self.compiled(path, &module)?;
            let snapshot = Arc::new(Frozen { plugin, format });
            Ok(Freezing::Frozen { snapshot, bytes, has_random })
        });
        Ok(frozen.unwrap_or_else(|why| Freezing::Refused { why, started: Some(Box::new(started)) }))
    }

    /// Another module, with the imports and exports of this one.
    fn linked(&self, path: &Path, module: &[u8]) -> Result<Self, SnapshotRefusal> {
        let module =
            Module::new(self.engine.wasm(), module).map_err(|error| not_compiled(&error))?;
        Self::link(&self.loader(), path, &module)
            .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))
    }

    /// A module that was frozen. Its instances share its memory as long as they do not write there.
    fn compiled(&self, path: &Path, module: &[u8]) -> Result<(Self, u64), SnapshotRefusal> {
        let code = self.engine.compile_snapshot(module).map_err(|error| not_compiled(&error))?;
        let file = CodeFile::of(&code);
        let file = file.and_then(|file| Ok(File::from(file.as_fd().try_clone_to_owned()?)));
        let file = file.map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))?;
        let module = MachineCode::take(&self.engine, &Runnable::OfThisProcess(&file), Kind::Core);
        let MachineCode::Core(module) = module.map_err(|error| not_compiled(&error))? else {
            unreachable!("a core module was asked for");
        };
        module.initialize_copy_on_write_image().map_err(|error| not_compiled(&error))?;
        let plugin = Self::link(&self.loader(), path, &module)
            .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))?;
        Ok((plugin, code.len() as u64))
    }

    fn loader(&self) -> PluginLoader {
        PluginLoader::of_child(&self.engine, &self.call, self.functions.clone())
    }
}

fn not_compiled(error: &wasmtime::Error) -> SnapshotRefusal {
    SnapshotRefusal::NotCompiled(format!("{error:#}"))
}
