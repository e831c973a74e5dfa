//! A worker's process that starts an instance and writes a snapshot of it. Other workers start from
//! this snapshot. If the instance cannot be frozen, the process continues as an ordinary worker.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::errors::SetupError;
use super::parent_connection::ParentConnection;
use crate::engine::{InstanceParts, PluginCode, RecordedInstance};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::isolation::wire::snapshot_reply::{ChildSnapshotReply, encode_snapshot_refusal};
use crate::isolation::wire::{Frame, Reply};
use crate::jail::sealed_file;

/// An instance that is ready for items, or the error of its start.
pub(super) type StartResult = Result<Box<dyn Executor>, StartError>;

/// Starts an instance and writes its snapshot to `file`. Before the call, `file` contains the
/// plugin's module of `length` bytes. If the instance cannot be frozen, this returns the instance.
pub(super) fn freeze(
    parent: &ParentConnection,
    plugin: &dyn PluginCode,
    parts: &InstanceParts,
    file: &File,
    (path, length): (&OsStr, usize),
) -> Result<Option<StartResult>, SetupError> {
    let mut source = vec![0; length];
    file.read_exact_at(&mut source, 0)?;
    let mut recorded = match plugin.start_recorded(parts) {
        Ok(recorded) => recorded,
        Err(error) => return Ok(Some(Err(error))),
    };
    parts.guest_output.report_dropped();
    let refusal = match recorded.verdict() {
        Err(refusal) => refusal,
        Ok(verdict) => {
            parent.send(&Frame::reply(Reply::Freezing).seal())?;
            match write_snapshot(&mut recorded, Path::new(path), &source, file) {
                Err(refusal) => refusal,
                Ok(length) => {
                    let format = recorded.format();
                    parent.send(&ChildSnapshotReply { length, format, verdict }.encode())?;
                    return Ok(None);
                }
            }
        }
    };
    parent.send(&encode_snapshot_refusal(&refusal))?;
    Ok(Some(Ok(recorded.into_instance())))
}

/// Writes the snapshot's module to `file`, and returns its length in bytes.
fn write_snapshot(
    recorded: &mut RecordedInstance,
    path: &Path,
    source: &[u8],
    file: &File,
) -> Result<u64, SnapshotRefusal> {
    let module = recorded.freeze(path, source)?;
    sealed_file::write_code(file, &module)
        .map_err(|error| SnapshotRefusal::NotCompiled(error.to_string()))
}
