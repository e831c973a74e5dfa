//! The parent's end of a compiler: a jailed child that compiles or inspects one plugin, and ends.
//!
//! ```text
//! file of the plugin, sealed ──▶ child ──▶ compiled code, in a file that cannot grow
//!                                  │                     │ copied and sealed, never loaded here
//!                                  └─ metadata or error  └──▶ workers' processes
//! ```
//!
//! `wire/compiled` and `wire/refused` decode the replies. The parent trusts a reply no more than
//! the plugin: a plugin that has taken over its compiler can report anything about itself, and its
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
use super::wire::compile_reply::{ChildCompileReply, MAX_FINDINGS_BYTES, findings};
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
type Lacks = Option<String>;

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
        self.compiled(CompileOutput::Code)
    }

    /// Compiles the module of a snapshot in a child.
    pub(crate) fn compile_snapshot(&self) -> Result<SealedFile, LoadErrorKind> {
        self.compiled(CompileOutput::Snapshot).map(|(_, code)| code)
    }

    fn compiled(&self, wanted: CompileOutput) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        // This drops the missing layers: each worker reports them.
        let (there, _) = self.ask(wanted, &code, |Received { kind, payload }| match kind {
            Reply::Compiled => ChildCompileReply::decode(payload).map(Ok),
            Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
            _ => Err(ProtocolError("an unexpected reply (expected: compiled)")),
        })?;
        Ok((there.metadata, copied(&code, there)?))
    }

    /// Compiles the plugin in a child, so that its instances can be frozen.
    pub(crate) fn compile_instrumented(
        &self,
    ) -> Result<Result<SealedFile, SnapshotRefusal>, LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        let (there, _) = self.ask(
            CompileOutput::Instrumented,
            &code,
            |Received { kind, payload }| match kind {
                Reply::Compiled => ChildCompileReply::decode(payload).map(Ok).map(Ok),
                Reply::NotFrozen => decode_snapshot_refusal(payload).map(Err).map(Ok),
                Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
                _ => Err(ProtocolError("an unexpected reply (expected: compiled)")),
            },
        )?;
        match there {
            Ok(there) => copied(&code, there).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Inspects the plugin in a child. Returns the findings, and the missing layers of that child's
    /// jail.
    pub(crate) fn inspect(&self) -> Result<(Findings, Lacks), LoadErrorKind> {
        let code = sealed_file::create_code_file().map_err(LoadErrorKind::code)?;
        self.ask(CompileOutput::Inspection, &code, |Received { kind, payload }| match kind {
            Reply::Inspected => findings(payload, self.settings).map(Ok),
            Reply::NotCompiled => decode_refusal(payload, self.settings).map(Err),
            _ => Err(ProtocolError("an unexpected reply (expected: inspected)")),
        })
    }

    /// Starts a child, and waits for its final reply.
    fn ask<T>(
        &self,
        wants: CompileOutput,
        code: &File,
        answer: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, ProtocolError>,
    ) -> Result<(T, Lacks), LoadErrorKind> {
        let (mut child, plugin) = self.start()?;
        let handed_over = child.hand_over(&[plugin.as_fd(), code.as_fd()], &[]);
        let said = handed_over.and_then(|()| self.converse(&mut child.link, wants, answer));
        said.unwrap_or_else(|gone| Err(self.to_error(&mut child, gone)))
    }

    /// Starts a child, and makes the sealed file of the plugin for it.
    fn start(&self) -> Result<(Child, SealedFile), LoadErrorKind> {
        if self.processes.find_program().is_none() {
            return Err(CompilerError::NoProgram.into());
        }
        let start = || {
            let (plugin, bell) = (SealedFile::from_bytes(self.bytes)?, Arc::new(EventFd::new()?));
            if let Some(watch) = self.watch {
                watch.add_alarm(&bell);
            }
            Ok((Child::start(self.processes, &bell)?, plugin))
        };
        start().map_err(|source: io::Error| CompilerError::Process { source }.into())
    }

    /// Sends the setup to a child, and reads its replies.
    fn converse<T>(
        &self,
        link: &mut ChildConnection,
        wants: CompileOutput,
        answer: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, ProtocolError>,
    ) -> Result<Result<(T, Lacks), LoadErrorKind>, LinkError> {
        let mut until = TimeLimit::now_and(READY_TIMEOUT, self.watch);
        link.send(&self.set_up(wants).encode(&[]), &mut until)?;
        let Received { kind, mut payload } = link.receive(MAX_MESSAGE, &mut until)?;
        let most =
            if wants == CompileOutput::Inspection { MAX_FINDINGS_BYTES } else { MAX_MESSAGE };
        let lacks = match kind {
            Reply::Ready => Some(payload.message()).filter(|lacks| !lacks.is_empty()),
            Reply::Unjailed => {
                let is_lack = payload.byte()? != 0;
                let message = payload.message();
                return Ok(Err(CompilerError::Jail { is_missing_layer: is_lack, message }.into()));
            }
            _ => return Err(ProtocolError("an unexpected reply (expected: ready)").into()),
        };
        let mut until = TimeLimit::now_and(self.settings.limits.time, self.watch);
        let answer = answer(link.receive(most, &mut until)?)?;
        Ok(answer.map(|answer| (answer, lacks)))
    }

    fn set_up(&self, wants: CompileOutput) -> ChildSetup {
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
                output: wants,
            }),
        }
    }

    /// Maps a lost connection to the error of the compiler.
    fn to_error(&self, child: &mut Child, gone: LinkError) -> LoadErrorKind {
        let limits = self.settings.limits;
        let message = match gone {
            LinkError::Overdue(Overdue::Limit(limit)) if limit == limits.time => {
                return CompilerError::Timeout { limit }.into();
            }
            LinkError::Ended => {
                let time = EXIT_TIMEOUT.min(limits.time);
                let death = child.wait(&mut TimeLimit::now_and(time, self.watch));
                if death.is_out_of_memory() {
                    return CompilerError::Memory { limit: limits.memory }.into();
                }
                death.to_string()
            }
            LinkError::Overdue(overdue) => format!("its process {overdue}, and was killed"),
            LinkError::Protocol(why) => format!("its process was killed because {why}"),
            LinkError::Io(error) => format!("the socket to its process failed: {error}"),
        };
        CompilerError::Died { message }.into()
    }
}

/// Copies the code that a child has written. The child has ended, so no process can write to the
/// file any longer.
fn copied(place: &File, there: ChildCompileReply) -> Result<SealedFile, LoadErrorKind> {
    SealedFile::copy(place, there.length).map_err(LoadErrorKind::code)
}

/// A wait until a fixed time, or until the worker is no longer needed.
pub(super) struct TimeLimit<'a> {
    end: Option<Instant>,
    time: Duration,
    watch: Option<&'a Watch>,
}

impl<'a> TimeLimit<'a> {
    pub(super) fn now_and(time: Duration, watch: Option<&'a Watch>) -> Self {
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
