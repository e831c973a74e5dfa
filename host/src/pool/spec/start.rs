//! Starts an instance of a worker, by `init` or from the snapshot of its group.

use std::sync::Arc;

use crate::engine::snapshot::Freezing;
use crate::engine::{InstanceParts, LinkedPlugin};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::isolation::Processes;
use crate::isolation::remote::Remote;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::plugin::Plugin;
use crate::plugin::cached_snapshot::{Where, recall_or};
use crate::plugin::snapshot_group::{Group, Snapshot, Taken};

/// Starts an instance in this process.
pub(super) fn here(
    group: Option<&Group>,
    plugin: &Plugin,
    linked: &LinkedPlugin,
    parts: &InstanceParts,
) -> Result<Box<dyn Executor>, StartError> {
    let Some(group) = group else { return linked.start(parts) };
    let freeze = || match plugin.origin() {
        Some(origin) => Ok(linked.freeze(plugin.name(), &origin.bytes, parts)?.map(Snapshot::Here)),
        None => Ok(Freezing::Refused { why: SnapshotRefusal::Precompiled, started: None }),
    };
    let freeze = || recall_or(group.cache(), plugin, parts, Where::Here, freeze);
    match group.take(plugin, parts, freeze)? {
        Taken::Snapshot(Snapshot::Here(frozen)) => frozen.restore(parts),
        Taken::Started(started) => Ok(started),
        Taken::Snapshot(Snapshot::Elsewhere(_)) | Taken::Nothing => linked.start(parts),
    }
}

/// Starts an instance in a child process.
pub(super) fn elsewhere(
    group: Option<&Group>,
    plugin: &Plugin,
    (processes, remote): (&Processes, &Arc<RemotePlugin>),
    parts: &InstanceParts,
) -> Result<Box<dyn Executor>, StartError> {
    let start = |remote| Ok(Box::new(Remote::start(processes, remote, parts)?) as Box<_>);
    let Some(group) = group else { return start(remote) };
    let freeze = || match plugin.origin() {
        Some(origin) => {
            let frozen = Remote::freeze(processes, plugin.name(), origin, parts)?;
            Ok(frozen.map(Snapshot::Elsewhere))
        }
        None => Ok(Freezing::Refused { why: SnapshotRefusal::Precompiled, started: None }),
    };
    let freeze = || recall_or(group.cache(), plugin, parts, Where::InJails, freeze);
    match group.take(plugin, parts, freeze)? {
        Taken::Snapshot(Snapshot::Elsewhere(snapshot)) => start(&snapshot),
        Taken::Started(started) => Ok(started),
        Taken::Snapshot(Snapshot::Here(_)) | Taken::Nothing => start(remote),
    }
}
