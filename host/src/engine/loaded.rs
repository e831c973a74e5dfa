//! A plugin whose compiled code this process has loaded: its instances can be made here.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::artifact::Kind;
use super::code::{MachineCode, Runnable};
use super::component::{ComponentPlugin, Exports};
use super::core_abi::{CorePlugin, Frozen, Witnessed};
use super::snapshot::Freezing;
use super::typed::TypedPlugin;
use super::{Findings, HostFunctions, LoadErrorKind, Spec, TypedCall, waiting};
use crate::engine::compile_settings::CompileSettings;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::item::format::Format;

/// A plugin, compiled and checked.
#[derive(Clone, Debug)]
pub(crate) struct Loaded(Code);

#[derive(Clone, Debug)]
enum Code {
    Core(Arc<CorePlugin>),
    Component(Arc<ComponentPlugin>),
    Typed(Arc<TypedPlugin>),
}

/// What is to be known of a plugin to run it, beside its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Facts {
    pub(crate) is_component: bool,
    pub(crate) has_init: bool,
    pub(crate) asks_for_passing: bool,
    pub(crate) can_connect: bool,
}

impl Facts {
    /// Those of what was frozen, which are never asked for: the plugin has its own.
    pub(crate) const OF_A_SNAPSHOT: Self =
        Self { is_component: false, has_init: true, asks_for_passing: false, can_connect: false };
}

impl Loaded {
    /// Checks what code exports, and finds what it imports.
    pub(crate) fn link(
        settings: &CompileSettings,
        code: &MachineCode,
    ) -> Result<Self, LoadErrorKind> {
        Ok(Self(match code {
            MachineCode::Core(module) => Code::Core(Arc::new(CorePlugin::link(settings, module)?)),
            MachineCode::Component(component) => match Exports::find(component) {
                Some(exports) if settings.call == CompileSettings::CALL => {
                    let plugin = ComponentPlugin::link(settings, component, exports)?;
                    Code::Component(Arc::new(plugin))
                }
                // It is of another world, or another function is named.
                _ => Code::Typed(Arc::new(TypedPlugin::link(settings, component)?)),
            },
        }))
    }

    /// The plugin whose compiled code is in a file that is sealed, for a process that is jailed.
    pub(crate) fn in_jail(
        settings: &CompileSettings,
        file: &File,
        is_component: bool,
    ) -> Result<Self, LoadErrorKind> {
        let kind = if is_component { Kind::Component } else { Kind::Core };
        let code = MachineCode::take(&settings.engine, &Runnable::InJail(file), kind);
        Self::link(settings, &code.map_err(LoadErrorKind::invalid)?)
    }

    pub(crate) fn facts(&self) -> Facts {
        match &self.0 {
            Code::Core(plugin) => Facts {
                is_component: false,
                has_init: plugin.has_init(),
                asks_for_passing: plugin.asks_for_passing(),
                // The WASI of core modules has no way.
                can_connect: false,
            },
            Code::Component(plugin) => Facts {
                is_component: true,
                has_init: true,
                asks_for_passing: plugin.linked().asks_for_passing(),
                can_connect: plugin.linked().can_connect(),
            },
            Code::Typed(plugin) => Facts {
                is_component: true,
                has_init: plugin.has_init(),
                // It is the host that spreads an item over its parameters.
                asks_for_passing: true,
                can_connect: plugin.linked().can_connect(),
            },
        }
    }

    /// Returns whether its instances can call what waits: for a file, for time, for the network.
    pub(crate) fn can_wait(&self) -> bool {
        match &self.0 {
            Code::Core(plugin) => {
                plugin.as_module().imports().any(|import| import.module() == waiting::MODULE)
            }
            Code::Component(_) | Code::Typed(_) => true,
        }
    }

    /// How it is called with JSON, if it is.
    pub(crate) fn typed(&self) -> Option<TypedCall> {
        match &self.0 {
            Code::Typed(plugin) => Some(plugin.told()),
            Code::Core(_) | Code::Component(_) => None,
        }
    }

    /// What is in it.
    pub(crate) fn findings(&self, settings: &CompileSettings) -> Findings {
        match &self.0 {
            Code::Core(plugin) => Findings::of_module(settings, plugin.as_module()),
            Code::Component(plugin) => {
                Findings::of_component(settings, plugin.linked().component())
            }
            Code::Typed(plugin) => {
                let found = Findings::of_component(settings, plugin.linked().component());
                Findings { typed: Some(plugin.told()), ..found }
            }
        }
    }

    /// Its compiled code, for other processes.
    pub(crate) fn code(&self) -> Result<Vec<u8>, LoadErrorKind> {
        let code = match &self.0 {
            Code::Core(plugin) => plugin.code(),
            Code::Component(plugin) => plugin.linked().code(),
            Code::Typed(plugin) => plugin.linked().code(),
        };
        code.map_err(LoadErrorKind::invalid)
    }

    /// The export that takes items, and the host functions that it was offered.
    pub(crate) fn calls(&self) -> (&str, &HostFunctions) {
        match &self.0 {
            Code::Core(plugin) => plugin.calls(),
            Code::Component(plugin) => (CompileSettings::CALL, plugin.linked().functions()),
            Code::Typed(plugin) => (plugin.call_export(), plugin.linked().functions()),
        }
    }

    /// A fresh instance of the plugin that is in `source`, initialised, and frozen.
    pub(crate) fn freeze(
        &self,
        path: &Path,
        source: &[u8],
        spec: &Spec,
    ) -> Result<Freezing<Arc<Frozen>>, StartError> {
        match &self.0 {
            Code::Core(plugin) => plugin.freeze(path, source, spec),
            Code::Component(_) | Code::Typed(_) => {
                Ok(Freezing::Refused { why: SnapshotRefusal::Component, started: None })
            }
        }
    }

    /// A fresh instance of a plugin that is instrumented, initialised.
    pub(crate) fn witnessed(&self, spec: &Spec) -> Result<Witnessed, StartError> {
        self.core()?.witnessed(spec)
    }

    /// A fresh instance of a plugin that was frozen after its `init`, which has said what results
    /// are.
    pub(crate) fn restore(
        &self,
        spec: &Spec,
        format: Format,
    ) -> Result<Box<dyn Executor>, StartError> {
        Ok(Box::new(self.core()?.restore(spec, format)?))
    }

    fn core(&self) -> Result<&CorePlugin, StartError> {
        match &self.0 {
            Code::Core(plugin) => Ok(plugin),
            Code::Component(_) | Code::Typed(_) => {
                let message = "a component cannot be frozen".into();
                Err(StartError::Instantiate { message })
            }
        }
    }

    /// A fresh instance, initialised.
    pub(crate) fn start(&self, spec: &Spec) -> Result<Box<dyn Executor>, StartError> {
        match &self.0 {
            Code::Core(plugin) => Ok(Box::new(plugin.start(spec)?)),
            Code::Component(plugin) => Ok(Box::new(plugin.start(spec)?)),
            Code::Typed(plugin) => Ok(Box::new(plugin.start(spec)?)),
        }
    }
}
