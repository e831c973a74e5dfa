//! Starts an instance of a worker, by `init` or from the snapshot of its group.

use std::sync::Arc;

use crate::engine::snapshot::SnapshotOutcome;
use crate::engine::{InstanceParts, LinkedPlugin};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::isolation::Processes;
use crate::isolation::remote::Remote;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::plugin::Plugin;
use crate::plugin::cached_snapshot::{SnapshotScope, load_or_freeze};
use crate::plugin::snapshot_group::{Group, GroupStart, Snapshot};

/// Starts an instance in this process.
pub(super) fn start_local(
    group: Option<&Group>,
    plugin: &Plugin,
    linked: &LinkedPlugin,
    parts: &InstanceParts,
) -> Result<Box<dyn Executor>, StartError> {
    let Some(group) = group else { return linked.start(parts) };
    let freeze = || match plugin.origin() {
        Some(origin) => {
            Ok(linked.freeze(plugin.name(), &origin.bytes, parts)?.map(Snapshot::Local))
        }
        None => Ok(SnapshotOutcome::Refused { why: SnapshotRefusal::Precompiled, started: None }),
    };
    let freeze = || load_or_freeze(group.cache(), plugin, parts, SnapshotScope::Local, freeze);
    match group.start(plugin, parts, freeze)? {
        GroupStart::Snapshot(Snapshot::Local(frozen)) => frozen.restore(parts),
        GroupStart::Started(started) => Ok(started),
        GroupStart::Snapshot(Snapshot::Remote(_)) | GroupStart::Nothing => linked.start(parts),
    }
}

/// Starts an instance in a child process.
pub(super) fn start_remote(
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
            Ok(frozen.map(Snapshot::Remote))
        }
        None => Ok(SnapshotOutcome::Refused { why: SnapshotRefusal::Precompiled, started: None }),
    };
    let freeze = || load_or_freeze(group.cache(), plugin, parts, SnapshotScope::Jailed, freeze);
    match group.start(plugin, parts, freeze)? {
        GroupStart::Snapshot(Snapshot::Remote(snapshot)) => start(&snapshot),
        GroupStart::Started(started) => Ok(started),
        GroupStart::Snapshot(Snapshot::Local(_)) | GroupStart::Nothing => start(remote),
    }
}
