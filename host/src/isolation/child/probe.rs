//! A child that tries all layers of the jail, reports which of them hold, and ends.

use super::errors::SetupError;
use super::parent_connection::ParentConnection;
use crate::isolation::wire::layers;
use crate::isolation::wire::setup::ChildSetup;
use crate::jail;
use crate::jail::{JailConfig, Task};

/// Enters the jail of a probe, which tries every layer that a worker may use. Sends the status of
/// each layer.
pub(super) fn probe(parent: &ParentConnection, setup: &ChildSetup) -> Result<(), SetupError> {
    let layers = jail::enter(&JailConfig::without_grants(Task::Probe, setup.jail, setup.data))?;
    jail::seal()?;
    Ok(parent.send(&layers::encode(&layers))?)
}
