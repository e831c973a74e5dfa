//! The parent's end of a compiler: a jailed child that compiles or inspects one plugin, and then
//! exits.
//!
//! ```text
//! file of the plugin, sealed ──▶ child ──▶ compiled code, in a file that cannot grow
//!                                  │                     │ copied and sealed, never loaded here
//!                                  └─ metadata or error  └──▶ workers' processes
//! ```
//!
//! `wire/compile_reply` and `wire/refused` decode the replies. The parent does not trust the
//! replies, because a plugin that has taken over its compiler can send false replies. The compiled
//! code runs only in jails.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Processes;
use super::child_connection::{ChildConnection, LinkError, Received, WaitPolicy};
use super::eventfd::EventFd;
use super::process::{Child, EXIT_TIMEOUT, READY_TIMEOUT};
use super::wire::compile_reply::{ChildCompileReply, MAX_FINDINGS_BYTES, decode_findings};
use super::wire::refused::{MAX_REFUSAL_BYTES, decode_refusal};
use super::wire::setup::{ChildSetup, Compile, CompileOutput, Task};
use super::wire::snapshot_reply::decode_snapshot_refusal;
use super::wire::{ProtocolError, Reply};
use crate::control::deadline::{Overdue, Watch};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, Findings, LoadErrorKind, Metadata};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::jail::sealed_file;
use crate::jail::sealed_file::SealedFile;

/// The most bytes of a reply about compiling.
const MAX_MESSAGE: usize = MAX_REFUSAL_BYTES;

/// The required layers that the jail lacks, because the kernel has no support for them.
type MissingLayers = Option<String>;

/// The task to compile or inspect a plugin in a child.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    pub(crate) processes: &'a Processes,
    pub(crate) settings: &'a CompileSettings,
    pub(crate) path: &'a Path,
    pub(crate) bytes: &'a [u8],
    /// The watch of the worker that waits for the result, if only one worker needs it.
    pub(crate) watch: Option<&'a Watch>,
}

impl Compiler<'_> {
    /// Compiles the plugin in a child.
    pub(crate) fn compile(&self) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        self.compile_to(CompileOutput::Code)
    }

    /// Compiles the module of a snapshot in a child.
    pub(crate) fn compile_snapshot(&self) -> Result<SealedFile, LoadErrorKind> {
        self.compile_to(CompileOutput::Snapshot).map(|(_, code)| code)
    }

    fn compile_to(&self, output: CompileOutput) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        // This drops the missing layers: each worker reports them.
        let (reply, _) =
            self.run_child(output, &code, |Received { kind, payload }| match kind {
                Reply::Compiled => ChildCompileReply::decode(payload).map(Ok),
                Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
                _ => Err(ProtocolError("an unexpected reply (expected: compiled)")),
            })?;
        Ok((reply.metadata, copy_code(&code, reply)?))
    }

    /// Compiles the plugin in a child, so that its instances can be frozen.
    pub(crate) fn compile_instrumented(
        &self,
    ) -> Result<Result<SealedFile, SnapshotRefusal>, LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        let (reply, _) =
            self.run_child(CompileOutput::Instrumented, &code, |Received { kind, payload }| {
                match kind {
                    Reply::Compiled => ChildCompileReply::decode(payload).map(Ok).map(Ok),
                    Reply::NotFrozen => decode_snapshot_refusal(payload).map(Err).map(Ok),
                    Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
                    _ => Err(ProtocolError("an unexpected reply (expected: compiled)")),
                }
            })?;
        match reply {
            Ok(reply) => copy_code(&code, reply).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Inspects the plugin in a child. Returns the findings, and the layers that the child's jail
    /// lacks.
    pub(crate) fn inspect(&self) -> Result<(Findings, MissingLayers), LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        self.run_child(CompileOutput::Inspection, &code, |Received { kind, payload }| match kind {
            Reply::Inspected => decode_findings(payload, self.settings).map(Ok),
            Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
            _ => Err(ProtocolError("an unexpected reply (expected: inspected)")),
        })
    }

    /// Starts a child, and waits for its final reply, which `decode` reads.
    fn run_child<T>(
        &self,
        output: CompileOutput,
        code: &File,
        decode: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, ProtocolError>,
    ) -> Result<(T, MissingLayers), LoadErrorKind> {
        let (mut child, plugin) = self.start()?;
        let handed_over = child.hand_over(&[plugin.as_fd(), code.as_fd()], &[]);
        let result =
            handed_over.and_then(|()| self.exchange(&mut child.connection, output, decode));
        result.unwrap_or_else(|error| Err(self.to_error(&mut child, error)))
    }

    /// Starts a child, and makes the sealed file of the plugin for it.
    fn start(&self) -> Result<(Child, SealedFile), LoadErrorKind> {
        if self.processes.find_program().is_none() {
            return Err(CompilerError::NoProgram.into());
        }
        let start = || {
            let (plugin, event_fd) =
                (SealedFile::from_bytes(self.bytes)?, Arc::new(EventFd::new()?));
            if let Some(watch) = self.watch {
                watch.add_alarm(&event_fd);
            }
            Ok((Child::start(self.processes, &event_fd)?, plugin))
        };
        start().map_err(|source: io::Error| CompilerError::Process { source }.into())
    }

    /// Sends the setup to a child, and reads its replies.
    fn exchange<T>(
        &self,
        connection: &mut ChildConnection,
        output: CompileOutput,
        decode: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, ProtocolError>,
    ) -> Result<Result<(T, MissingLayers), LoadErrorKind>, LinkError> {
        let mut limit = TimeLimit::from_now(READY_TIMEOUT, self.watch);
        connection.send(&self.set_up(output).encode(&[]), &mut limit)?;
        let Received { kind, mut payload } = connection.receive(MAX_MESSAGE, &mut limit)?;
        let most =
            if output == CompileOutput::Inspection { MAX_FINDINGS_BYTES } else { MAX_MESSAGE };
        let missing = match kind {
            Reply::Ready => Some(payload.message()).filter(|missing| !missing.is_empty()),
            Reply::Unjailed => {
                let is_missing_layer = payload.byte()? != 0;
                let message = payload.message();
                return Ok(Err(CompilerError::Jail { is_missing_layer, message }.into()));
            }
            _ => return Err(ProtocolError("an unexpected reply (expected: ready)").into()),
        };
        let mut limit = TimeLimit::from_now(self.settings.limits.time, self.watch);
        let reply = decode(connection.receive(most, &mut limit)?)?;
        Ok(reply.map(|reply| (reply, missing)))
    }

    fn set_up(&self, output: CompileOutput) -> ChildSetup {
        let Self { processes, settings, path, bytes, .. } = self;
        ChildSetup {
            jail: processes.jail_requirement(),
            engine: settings.engine.options(),
            data: settings.limits.memory.bytes() as u64,
            task: Task::Compile(Compile {
                path: path.into(),
                length: bytes.len(),
                call: settings.call_export.clone(),
                functions: settings.host_functions.numbered(),
                max_functions: settings.max_functions.get(),
                output,
            }),
        }
    }

    /// Maps a lost connection to the error of the compiler.
    fn to_error(&self, child: &mut Child, error: LinkError) -> LoadErrorKind {
        let limits = self.settings.limits;
        let message = match error {
            LinkError::Overdue(Overdue::Limit(limit)) if limit == limits.time => {
                return CompilerError::Timeout { limit }.into();
            }
            LinkError::Ended => {
                let time = EXIT_TIMEOUT.min(limits.time);
                let exit = child.wait(&mut TimeLimit::from_now(time, self.watch));
                if exit.is_out_of_memory() {
                    return CompilerError::Memory { limit: limits.memory }.into();
                }
                exit.to_string()
            }
            LinkError::Overdue(overdue) => format!("its process {overdue}, and was killed"),
            LinkError::Protocol(error) => format!("its process was killed because {error}"),
            LinkError::Io(error) => format!("the socket to its process failed: {error}"),
        };
        CompilerError::Died { message }.into()
    }
}

/// Copies the code that a child has written. The child has ended, so no other process can write to
/// the file.
fn copy_code(file: &File, reply: ChildCompileReply) -> Result<SealedFile, LoadErrorKind> {
    SealedFile::copy(file, reply.length).map_err(LoadErrorKind::code)
}

/// A wait until a fixed time, or until the worker is no longer needed.
pub(super) struct TimeLimit<'a> {
    end: Option<Instant>,
    time: Duration,
    watch: Option<&'a Watch>,
}

impl<'a> TimeLimit<'a> {
    pub(super) fn from_now(time: Duration, watch: Option<&'a Watch>) -> Self {
        Self { end: Instant::now().checked_add(time), time, watch }
    }
}

impl WaitPolicy for TimeLimit<'_> {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        self.watch.map_or(Ok(()), Watch::check)?;
        match self.end {
            Some(end) if end <= Instant::now() => Err(Overdue::Limit(self.time)),
            end => Ok(end),
        }
    }
}
