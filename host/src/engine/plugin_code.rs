//! The interface of a linked plugin to the layers above, whatever its kind.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use super::compiled_code::CompiledCode;
use super::core_abi::{Frozen, Recorded};
use super::metadata::Metadata;
use super::snapshot::Freezing;
use super::{HostFunctions, InstanceParts, TypedCall};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::item::format::Format;

/// A plugin whose imports and exports were checked, and whose instances can be made in this process.
pub(crate) type LinkedPlugin = Arc<dyn PluginCode>;

/// A kind of plugin, once its code is linked.
///
/// A kind that cannot be frozen implements the methods without a body alone.
pub(crate) trait PluginCode: Debug + Send + Sync {
    /// Returns what the layers above need to know before they start an instance.
    fn metadata(&self) -> Metadata;

    /// Returns the compiled code, which is cheap to clone.
    fn code(&self) -> CompiledCode;

    /// Returns the export that takes items, and the host functions that the plugin was offered.
    fn calls(&self) -> (&str, &HostFunctions);

    /// Starts an instance, and initialises it.
    fn start(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError>;

    /// Returns whether its instances can call what waits: for a file, for time, for the network.
    fn can_wait(&self) -> bool {
        true
    }

    /// Describes the function that takes items as JSON, if there is one.
    fn typed(&self) -> Option<TypedCall> {
        None
    }

    /// Starts an instance of the plugin that is in `source`, initialises it, and freezes it.
    fn freeze(
        &self,
        _path: &Path,
        _origin: &[u8],
        _parts: &InstanceParts,
    ) -> Result<Freezing<Arc<Frozen>>, StartError> {
        Ok(Freezing::Refused { why: SnapshotRefusal::Component, started: None })
    }

    /// Starts an instance of a plugin that is instrumented, and watches it while it is initialised.
    fn start_recorded(&self, _parts: &InstanceParts) -> Result<Recorded, StartError> {
        Err(cannot_be_frozen())
    }

    /// Starts an instance of a plugin that was frozen after its `init`, which has set the format of its results.
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
