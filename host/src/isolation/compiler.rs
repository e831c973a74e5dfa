//! The parent's end of a compiler: a jailed child that compiles one plugin, or looks into it, and
//! ends.
//!
//! ```text
//! file of the plugin, sealed ──▶ child ──▶ compiled code, in a file that cannot grow
//!                                  │                     │ copied and sealed, never loaded here
//!                                  └─ facts, or why not  └──▶ workers' processes
//! ```
//!
//! What comes back is decoded by `wire/compiled` and `wire/refused`, and is worth as much as the
//! plugin: a plugin that has taken its compiler over can say anything about itself, and its code
//! runs in jails.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Processes;
use super::eventfd::Bell;
use super::link::{Gone, Link, Patience, Received};
use super::process::{Child, TO_BE_READY, TO_END};
use super::wire::compiled::{CompiledThere, MOST_FOUND, findings};
use super::wire::frozen::refusal as not_frozen;
use super::wire::refused::{MOST_REFUSED, refusal};
use super::wire::setup::{ChildSetup, Compile, Task, Wanted};
use super::wire::{BadFrame, Reply};
use crate::control::deadline::{Overdue, Watch};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{CompilerError, Findings, LoadErrorKind, Metadata};
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::jail::sealed_file;
use crate::jail::sealed_file::SealedFile;

/// The most bytes of a child's answer about compiling.
const MOST_SAID: usize = MOST_REFUSED;

/// What a jail lacks, as the kernel does not have it.
type Lacks = Option<String>;

/// A plugin that is to be compiled, or looked into.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    pub(crate) processes: &'a Processes,
    pub(crate) settings: &'a CompileSettings,
    pub(crate) path: &'a Path,
    pub(crate) bytes: &'a [u8],
    /// Whose worker waits for it, if it is one's alone.
    pub(crate) watch: Option<&'a Watch>,
}

impl Compiler<'_> {
    /// Has it compiled.
    pub(crate) fn code(&self) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        self.compiled(Wanted::Code)
    }

    /// Has compiled what was frozen.
    pub(crate) fn snapshot(&self) -> Result<SealedFile, LoadErrorKind> {
        self.compiled(Wanted::Snapshot).map(|(_, code)| code)
    }

    fn compiled(&self, wanted: Wanted) -> Result<(Metadata, SealedFile), LoadErrorKind> {
        let code = sealed_file::place().map_err(LoadErrorKind::code)?;
        // What the jail lacks, each worker will say.
        let (there, _) = self.ask(wanted, &code, |Received { kind, payload }| match kind {
            Reply::Compiled => CompiledThere::decode(payload).map(Ok),
            Reply::NotCompiled => refusal(payload, self.settings).map(Err),
            _ => Err(BadFrame("something else than that it is compiled")),
        })?;
        Ok((there.metadata, copied(&code, there)?))
    }

    /// Has it compiled so that its instances can be frozen.
    pub(crate) fn instrumented(
        &self,
    ) -> Result<Result<SealedFile, SnapshotRefusal>, LoadErrorKind> {
        let code = sealed_file::place().map_err(LoadErrorKind::code)?;
        let (there, _) =
            self.ask(Wanted::Instrumented, &code, |Received { kind, payload }| match kind {
                Reply::Compiled => CompiledThere::decode(payload).map(Ok).map(Ok),
                Reply::NotFrozen => not_frozen(payload).map(Err).map(Ok),
                Reply::NotCompiled => refusal(payload, self.settings).map(Err),
                _ => Err(BadFrame("something else than that it is compiled")),
            })?;
        match there {
            Ok(there) => copied(&code, there).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Has it looked into. Gives also what the jail lacks in which that was done.
    pub(crate) fn findings(&self) -> Result<(Findings, Lacks), LoadErrorKind> {
        let code = sealed_file::place().map_err(LoadErrorKind::code)?;
        self.ask(Wanted::Inspection, &code, |Received { kind, payload }| match kind {
            Reply::Inspected => findings(payload, self.settings).map(Ok),
            Reply::NotCompiled => refusal(payload, self.settings).map(Err),
            _ => Err(BadFrame("something else than what it has found")),
        })
    }

    /// Starts a child, and waits for what it says at last.
    fn ask<T>(
        &self,
        wants: Wanted,
        code: &File,
        answer: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, BadFrame>,
    ) -> Result<(T, Lacks), LoadErrorKind> {
        let (mut child, plugin) = self.start()?;
        let handed_over = child.hand_over(&[plugin.as_fd(), code.as_fd()], &[]);
        let said = handed_over.and_then(|()| self.converse(&mut child.link, wants, answer));
        said.unwrap_or_else(|gone| Err(self.lost(&mut child, gone)))
    }

    /// A child, and the file that it is to get.
    fn start(&self) -> Result<(Child, SealedFile), LoadErrorKind> {
        if self.processes.find_program().is_none() {
            return Err(CompilerError::NoProgram.into());
        }
        let start = || {
            let (plugin, bell) = (SealedFile::of(self.bytes)?, Arc::new(Bell::new()?));
            if let Some(watch) = self.watch {
                watch.rings(&bell);
            }
            Ok((Child::start(self.processes, &bell)?, plugin))
        };
        start().map_err(|source: io::Error| CompilerError::Process { source }.into())
    }

    /// What is said to a child, and what it says.
    fn converse<T>(
        &self,
        link: &mut Link,
        wants: Wanted,
        answer: impl FnOnce(Received<'_>) -> Result<Result<T, LoadErrorKind>, BadFrame>,
    ) -> Result<Result<(T, Lacks), LoadErrorKind>, Gone> {
        let mut until = Until::now_and(TO_BE_READY, self.watch);
        link.send(&self.set_up(wants).encode(&[]), &mut until)?;
        let Received { kind, mut payload } = link.receive(MOST_SAID, &mut until)?;
        let most = if wants == Wanted::Inspection { MOST_FOUND } else { MOST_SAID };
        let lacks = match kind {
            Reply::Ready => Some(payload.message()).filter(|lacks| !lacks.is_empty()),
            Reply::Unjailed => {
                let is_lack = payload.byte()? != 0;
                let message = payload.message();
                return Ok(Err(CompilerError::Jail { is_lack, message }.into()));
            }
            _ => return Err(BadFrame("something else than that it is ready").into()),
        };
        let mut until = Until::now_and(self.settings.limits.time, self.watch);
        let answer = answer(link.receive(most, &mut until)?)?;
        Ok(answer.map(|answer| (answer, lacks)))
    }

    fn set_up(&self, wants: Wanted) -> ChildSetup {
        let Self { processes, settings, path, bytes, .. } = self;
        ChildSetup {
            jail: processes.required_layers(),
            engine: settings.engine.options(),
            data: settings.limits.memory.bytes() as u64,
            task: Task::Compile(Compile {
                path: path.into(),
                length: bytes.len(),
                call: settings.call.clone(),
                functions: settings.functions.numbered(),
                max_functions: settings.max_functions.get(),
                wants,
            }),
        }
    }

    /// What it means that nothing more comes.
    fn lost(&self, child: &mut Child, gone: Gone) -> LoadErrorKind {
        let limits = self.settings.limits;
        let message = match gone {
            Gone::Overdue(Overdue::Limit(limit)) if limit == limits.time => {
                return CompilerError::Timeout { limit }.into();
            }
            Gone::Ended => {
                let time = TO_END.min(limits.time);
                let death = child.wait(&mut Until::now_and(time, self.watch));
                if death.is_for_memory() {
                    return CompilerError::Memory { limit: limits.memory }.into();
                }
                death.to_string()
            }
            Gone::Overdue(overdue) => format!("its process {overdue}, and was killed"),
            Gone::Bad(why) => format!("its process was killed, as {why}"),
            Gone::Io(error) => format!("the socket to its process failed: {error}"),
        };
        CompilerError::Died { message }.into()
    }
}

/// The code that a child has put into its place. The child has ended: nobody writes there any more.
fn copied(place: &File, there: CompiledThere) -> Result<SealedFile, LoadErrorKind> {
    SealedFile::copy(place, there.length).map_err(LoadErrorKind::code)
}

/// A fixed time, or until a worker is not wanted any more.
pub(super) struct Until<'a> {
    end: Option<Instant>,
    time: Duration,
    watch: Option<&'a Watch>,
}

impl<'a> Until<'a> {
    pub(super) fn now_and(time: Duration, watch: Option<&'a Watch>) -> Self {
        Self { end: Instant::now().checked_add(time), time, watch }
    }
}

impl Patience for Until<'_> {
    fn go_on(&mut self) -> Result<Option<Instant>, Overdue> {
        self.watch.map_or(Ok(()), Watch::check)?;
        match self.end {
            Some(end) if end <= Instant::now() => Err(Overdue::Limit(self.time)),
            end => Ok(end),
        }
    }
}
