//! The interface of a linked plugin to the layers above, for every kind of plugin.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use super::compiled_code::CompiledCode;
use super::core_abi::{RecordedInstance, SnapshotImage};
use super::metadata::Metadata;
use super::snapshot::SnapshotOutcome;
use super::{HostFunctions, InstanceParts, TypedCall};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::item::format::Format;

/// A plugin with checked imports and exports, whose instances can be started in this process.
pub(crate) type LinkedPlugin = Arc<dyn PluginCode>;

/// The linked code of a plugin.
///
/// If a kind of plugin does not support snapshots, it implements only the methods without a default body.
pub(crate) trait PluginCode: Debug + Send + Sync {
    /// Returns the facts that the layers above need before they start an instance.
    fn metadata(&self) -> Metadata;

    /// Returns the compiled code, which is cheap to clone.
    fn code(&self) -> CompiledCode;

    /// Returns the name of the export that takes items, and the offered host functions.
    fn calls(&self) -> (&str, &HostFunctions);

    /// Starts an instance, and initialises it.
    fn start(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError>;

    /// Returns whether instances can make calls that block, for example on files, timers or the network.
    fn can_block(&self) -> bool {
        true
    }

    /// Describes the function that takes items as JSON, if the plugin has one.
    fn typed(&self) -> Option<TypedCall> {
        None
    }

    /// Starts an instance of the plugin in `origin`, initialises it, and freezes it.
    fn freeze(
        &self,
        _path: &Path,
        _origin: &[u8],
        _parts: &InstanceParts,
    ) -> Result<SnapshotOutcome<Arc<SnapshotImage>>, StartError> {
        Ok(SnapshotOutcome::Refused { why: SnapshotRefusal::Component, started: None })
    }

    /// Starts an instance of an instrumented plugin, and records its `init`.
    fn start_recorded(&self, _parts: &InstanceParts) -> Result<RecordedInstance, StartError> {
        Err(cannot_be_frozen())
    }

    /// Starts an instance of a plugin that was compiled from a frozen module. `format` is the result format that `init`
    /// set.
    fn restore(
        &self,
        _parts: &InstanceParts,
        _format: Format,
    ) -> Result<Box<dyn Executor>, StartError> {
        Err(cannot_be_frozen())
    }
}

fn cannot_be_frozen() -> StartError {
    StartError::Instantiate { message: "a component cannot be frozen".into() }
}
