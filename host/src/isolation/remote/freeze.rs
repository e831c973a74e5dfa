//! Freezing: a child starts an instance and writes a snapshot of it. Other children start from this
//! snapshot.
//!
//! ```text
//! plugin ─▶ jailed compiler: instrumented code ─▶ jailed worker: init ─▶ freezing ─▶ frozen
//!                                                    │ refused               module │ copied
//!                                                    ▼                              ▼
//!                                          an ordinary worker          jailed compiler ─▶ code
//! ```
//!
//! The parent does not trust the snapshot's module, and does not parse it. A jailed compiler
//! compiles the module, and only jailed workers load the compiled code.

use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Remote, Reply, StartError, Wait, start};
use crate::control::deadline::{Overdue, Phase};
use crate::engine::origin::Origin;
use crate::engine::snapshot::SnapshotOutcome;
use crate::engine::{InstanceParts, LoadErrorKind, PluginKind};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::isolation::Processes;
use crate::isolation::child_connection::LinkError;
use crate::isolation::compiler::Compiler;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::isolation::wire::ProtocolError;
use crate::isolation::wire::setup::StartMode;
use crate::isolation::wire::snapshot_reply::{ChildSnapshotReply, decode_snapshot_refusal};
use crate::item::instance_failure::InstanceFailure;
use crate::jail::sealed_file;
use crate::jail::sealed_file::SealedFile;

/// The most bytes of a snapshot's module in addition to the plugin's file and its memories.
const EXTRA_BYTES: u64 = 1024 * 1024;

/// The result of a child that had to freeze an instance.
enum FreezeResult {
    Frozen(ChildSnapshotReply),
    /// The instance has started, and continues as an ordinary worker.
    Refused(SnapshotRefusal),
    /// The instance has started, and its process was lost while it wrote the snapshot.
    Lost(SnapshotRefusal),
}

/// The first reply of a child that is to freeze an instance.
enum FirstReply {
    Initialised,
    Refused(SnapshotRefusal),
}

impl Remote {
    /// Starts an instance in a child and freezes it.
    pub(crate) fn freeze(
        processes: &Processes,
        path: &Path,
        origin: &Origin,
        parts: &InstanceParts,
    ) -> Result<SnapshotOutcome<Arc<RemotePlugin>>, StartError> {
        let refused = |why| Ok(SnapshotOutcome::Refused { why, started: None });
        let Origin { bytes, settings } = origin;
        parts.watch.begin(Phase::Preparing);
        let compiler = Compiler { processes, settings, path, bytes, watch: Some(&parts.watch) };
        let code = match compiler.compile_instrumented() {
            Ok(Ok(code)) => code,
            Ok(Err(refusal)) => return refused(refusal),
            Err(error) => return refused(not_compiled(&error, parts)?),
        };
        let instrumented =
            Arc::new(RemotePlugin::from_file(code, PluginKind::CoreModule, settings));
        let file =
            sealed_file::create_code_file().map_err(|source| StartError::Process { source })?;
        file.write_all_at(bytes, 0).map_err(|source| StartError::Process { source })?;
        let start_mode = StartMode::Freeze { path: path.into(), length: bytes.len() };
        let work = instrumented.work_from(start_mode, parts);
        let mut remote =
            Self::start_child(processes, &instrumented, parts, work, Some(file.as_fd()))?;
        let reply = match remote.wait_for_snapshot(settings.limits.time)? {
            FreezeResult::Frozen(reply) => reply,
            FreezeResult::Refused(why) => {
                return Ok(SnapshotOutcome::Refused { why, started: Some(Box::new(remote)) });
            }
            FreezeResult::Lost(refusal) => return refused(refusal),
        };
        // This ends the child, so no process can write to the file any longer.
        drop(remote);
        let memory = parts.config.memory.bytes();
        let limit =
            (bytes.len() as u64).saturating_add(2 * memory as u64).saturating_add(EXTRA_BYTES);
        if reply.length > limit {
            return refused(SnapshotRefusal::TooLarge { bytes: reply.length, limit });
        }
        let module = SealedFile::copy(&file, reply.length).and_then(|module| module.read());
        drop(file);
        let module = module.map_err(LoadErrorKind::code);
        let compiled =
            module.and_then(|bytes| Compiler { bytes: &bytes, ..compiler }.compile_snapshot());
        match compiled {
            Ok(code) => {
                let bytes = code.length().unwrap_or_default();
                let snapshot = RemotePlugin::from_file(code, PluginKind::CoreModule, settings)
                    .into_snapshot(reply.format);
                let (snapshot, verdict) = (Arc::new(snapshot), reply.verdict);
                Ok(SnapshotOutcome::Frozen { snapshot, bytes, verdict })
            }
            Err(error) => refused(not_compiled(&error, parts)?),
        }
    }

    /// Waits until the instance is frozen or refused. Writing the snapshot may take up to `time`.
    fn wait_for_snapshot(&mut self, time: Duration) -> Result<FreezeResult, StartError> {
        self.watch.begin(Phase::Starting);
        let first = self.serve(Wait::Watched, |received| match received.kind {
            Reply::Freezing => received.payload.end().map(|()| Ok(FirstReply::Initialised)),
            Reply::NotFrozen => {
                decode_snapshot_refusal(received.payload).map(FirstReply::Refused).map(Ok)
            }
            Reply::NotStarted => start::start_error(received.payload).map(Err),
            _ => Err(ProtocolError("an unexpected reply (expected: freezing)")),
        });
        let refusal = match first.map_err(|error| self.map_start_error(error))?? {
            FirstReply::Refused(refusal) => refusal,
            FirstReply::Initialised => {
                self.watch.begin(Phase::Preparing);
                let written = self.serve(Wait::For(time), |received| match received.kind {
                    Reply::Frozen => ChildSnapshotReply::decode(received.payload).map(Ok),
                    Reply::NotFrozen => decode_snapshot_refusal(received.payload).map(Err),
                    _ => Err(ProtocolError("an unexpected reply (expected: frozen)")),
                });
                match written {
                    Ok(Ok(reply)) => return Ok(FreezeResult::Frozen(reply)),
                    Ok(Err(refusal)) => refusal,
                    Err(error) => return self.map_refusal(error).map(FreezeResult::Lost),
                }
            }
        };
        self.wait_for_start()?;
        Ok(FreezeResult::Refused(refusal))
    }
}

impl Remote {
    /// Maps a lost connection to a refusal of the snapshot. Fails if the worker is no longer
    /// needed.
    fn map_refusal(&mut self, error: LinkError) -> Result<SnapshotRefusal, StartError> {
        let InstanceFailure { message, .. } = self.map_failure(error, None);
        let overdue = |overdue: Overdue| StartError::Timeout { message: overdue.to_string() };
        self.watch.check().map_err(overdue)?;
        Ok(SnapshotRefusal::Unsupported(message))
    }
}

/// Maps an error of compiling to the refusal of the snapshot. Fails if the worker is no longer
/// needed.
fn not_compiled(
    error: &LoadErrorKind,
    parts: &InstanceParts,
) -> Result<SnapshotRefusal, StartError> {
    let message = |overdue: Overdue| overdue.to_string();
    parts.watch.check().map_err(|overdue| StartError::Timeout { message: message(overdue) })?;
    Ok(SnapshotRefusal::NotCompiled(error.to_string()))
}
