//! The main loop of a child: it reads the setup and does its task.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::{fmt, panic};

use rustix::process::Pid;
use tokio::runtime::EnterGuard;

use super::buffers::Buffers;
use super::errors::{SetupError, last_cause};
use super::freeze::{self, StartResult};
use super::parent_connection::{Files, ParentConnection, Received};
use super::{compile, probe, threads};
use crate::control::cancel::{Cancel, EndTime};
use crate::control::deadline::Watch;
use crate::control::sched_stat::SchedStat;
use crate::control::watchdog::Ticks;
use crate::engine::compile_settings::CompileSettings;
use crate::engine::compiled_code::TrustedCode;
use crate::engine::snapshot::Clock;
use crate::engine::{
    Engine, HostAnswer, HostFunctions, InstanceParts, LinkedPlugin, link_compiled,
};
use crate::event::Observers;
use crate::executor::native::OpenNative;
use crate::executor::{ClaimCursor, Executor, Outlet, SharedOutcomes};
use crate::isolation::claim_page::ClaimPage;
use crate::isolation::wire::setup::{ChildSetup, StartMode, Task, WorkOrder};
use crate::isolation::wire::start::{self, Started};
use crate::isolation::wire::{
    Frame, Order, Payload, ProtocolError, Reply, finish_reply, guest_event, run_reply,
};
use crate::item::index::WorkerIndex;
use crate::item::limits::TotalMemory;
use crate::jail;
use crate::jail::{Access, JailConfig, JailError, JailLayers, LayerNeed, sealed_file};
use crate::outcome::Outcomes;
use crate::sandbox::capabilities::DirGrant;
use crate::sandbox::disk::{self, Disk};
use crate::sandbox::granted::{GrantedDir, OpenDir, OpenGrants, Preopens};
use crate::sandbox::guest_event::GuestSink;
use crate::sandbox::guest_output::{GuestOutput, PoolRateLimiter};
use crate::sandbox::meter::{PoolMemory, RequestMemory};
use crate::sandbox::net_grant::NetGrant;
use crate::sandbox::network::Names;

/// Serves the parent until the parent closes the socket. Returns the exit code of the process.
///
/// `replacement` is native code that runs instead of the plugin, in tests.
pub(super) fn serve(parent_pid: Pid, replacement: Option<OpenNative>) -> i32 {
    panic::set_hook(Box::new(|panic| print_last_line(panic)));
    let started = jail::begin(parent_pid).map_err(SetupError::from);
    let parent = started.and_then(|()| Ok(Arc::new(ParentConnection::of_standard_input()?)));
    let parent = match parent {
        Ok(parent) => parent,
        Err(error) => return report_on_stderr(&error),
    };
    match run_task(&parent, replacement) {
        Ok(()) => 0,
        Err(SetupError::Jail(error)) => {
            let is_missing_layer =
                matches!(error, JailError::MissingLayer(_) | JailError::MissingStrictLayer { .. });
            let frame = Frame::reply(Reply::Unjailed).byte(u8::from(is_missing_layer));
            let frame = frame.rest(last_cause(&error).as_bytes());
            // If the parent cannot receive this, it learns that the process has ended.
            let _ = parent.send(&frame.seal());
            1
        }
        Err(error) => report_on_stderr(&error),
    }
}

fn report_on_stderr(error: &SetupError) -> i32 {
    print_last_line(error);
    1
}

/// Prints the last line of this process. The parent shows it when the process has ended.
#[expect(clippy::print_stderr, reason = "standard error is a pipe to the parent")]
fn print_last_line(message: &dyn fmt::Display) {
    eprintln!("{}", message.to_string().replace('\n', " "));
}

fn run_task(
    parent: &Arc<ParentConnection>,
    replacement: Option<OpenNative>,
) -> Result<(), SetupError> {
    let Files { task_files, snapshot_file, dirs } = parent.receive_files()?;
    let received = parent.receive(Vec::new())?;
    let Some(received) = received.filter(|received| received.order == Order::Setup) else {
        return Err(ProtocolError("no setup").into());
    };
    let (setup, init) = ChildSetup::decode(received.payload())?.map_err(SetupError::Version)?;
    match &setup.task {
        Task::Probe => probe::probe(parent, &setup),
        Task::Compile(job) => compile::compile(parent, &setup, job, task_files),
        Task::Work(work) => {
            let worker = Worker::make(parent, &setup, work, task_files, dirs)?;
            worker.serve(&work.start_mode, init, snapshot_file.map(File::from), replacement)
        }
    }
}

/// Returns the ready reply, which names the required layers that the jail of this process lacks.
pub(super) fn ready(layers: &JailLayers) -> Vec<u8> {
    let missing = layers.missing(LayerNeed::Required);
    let missing: Vec<_> = missing.map(|layer| layer.to_string()).collect();
    Frame::reply(Reply::Ready).rest(missing.join(", ").as_bytes()).seal()
}

/// A worker, before its instance has started.
struct Worker {
    parent: Arc<ParentConnection>,
    engine: Engine,
    plugin: LinkedPlugin,
    page: ClaimPage,
    parts: InstanceParts,
    /// The end of the run. Only the parent knows it, so it never ends a call in this process.
    end: EndTime,
    /// The guard that keeps the asynchronous runtime entered. The plugin's waits run on it.
    _runtime: Option<EnterGuard<'static>>,
}

impl Worker {
    /// Enters the jail, loads the code, starts all threads and seals the jail.
    fn make(
        parent: &Arc<ParentConnection>,
        setup: &ChildSetup,
        work: &WorkOrder,
        [page, code]: [OwnedFd; 2],
        dirs: Vec<OwnedFd>,
    ) -> Result<Self, SetupError> {
        let page = ClaimPage::open(&page)?;
        let mut grants = grants(work, dirs)?;
        // The jail may hide `/proc`, from which this reads.
        let preopens = Preopens::of(&grants.dirs)?;
        // The scheduling statistics extend the deadlines of this thread. Their file is in `/proc`.
        let schedule = work.config.has_deadlines().then(SchedStat::of_this_thread).flatten();
        let ports: Vec<_> = grants.net.iter().map(NetGrant::port).collect();
        let dirs: Vec<_> = grants.dirs.iter().map(GrantedDir::allowed).collect();
        let layers = jail::enter(&JailConfig {
            dirs: &dirs,
            ports: &ports,
            // The kernel applies this limit to files in memory, so a file with code must fit.
            max_file_size: work
                .config
                .disk
                .map(|limit| (limit.bytes() as u64).max(sealed_file::MAX_CODE_BYTES)),
            ..JailConfig::without_grants(jail::Task::Work, setup.jail, setup.data)
        })?;
        // WASI has its own descriptors of the directories, and the plugin may need these numbers for its files.
        drop(dirs);
        grants.close_dirs();
        let engine = Engine::in_jail(setup.engine, schedule)?;
        let connection = Arc::clone(parent);
        let functions = HostFunctions::remote(work.functions.clone(), move |number, input| {
            call(&connection, number, input)
        });
        let settings = CompileSettings::of_child(&engine, &work.call, functions);
        let code = File::from(code);
        let plugin = link_compiled(&settings, &TrustedCode::InJail(&code), work.kind)?;
        let runtime = threads::start_working(&engine, &*plugin, grants.has_dirs());
        let runtime = runtime.map_err(SetupError::Thread)?;
        jail::seal()?;
        parent.send(&ready(&layers))?;
        let parts = parts(parent, work, grants, preopens, engine.watchdog().ticks());
        Ok(Self {
            parent: Arc::clone(parent),
            engine,
            plugin,
            page,
            parts,
            end: EndTime::default(),
            _runtime: runtime,
        })
    }

    /// Starts the instance, and obeys the parent's orders until it closes the socket.
    fn serve(
        mut self,
        start_mode: &StartMode,
        init: &[u8],
        snapshot_file: Option<File>,
        replacement: Option<OpenNative>,
    ) -> Result<(), SetupError> {
        self.parts.init = init.to_vec();
        let started = match replacement {
            None => self.begin(start_mode, snapshot_file)?,
            Some(mut open) => Some(open(&self.parts.context())),
        };
        let Some(started) = started else { return Ok(()) };
        let mut instance = match started {
            Ok(instance) => instance,
            Err(error) => return Ok(self.parent.send(&start::encode_start_error(&error))?),
        };
        let (format, has_report) = (instance.format(), instance.has_finish_report());
        self.parent.send(&Started { format, has_report }.encode())?;
        let mut buffers = Buffers::default();
        while let Some(Received { order, frame }) = self.parent.receive(buffers.take_frame())? {
            match order {
                Order::Run => self.run(&mut *instance, frame, &mut buffers)?,
                Order::Finish => self.finish(&mut *instance)?,
                _ => return Err(ProtocolError("an answer without a question").into()),
            }
        }
        Ok(())
    }

    /// Starts the instance. Returns `None` if it was frozen and the process has no work left.
    fn begin(
        &self,
        start_mode: &StartMode,
        snapshot_file: Option<File>,
    ) -> Result<Option<StartResult>, SetupError> {
        match (start_mode, snapshot_file) {
            (StartMode::Init, _) => Ok(Some(self.plugin.start(&self.parts))),
            (StartMode::Snapshot { results }, _) => {
                Ok(Some(self.plugin.restore(&self.parts, *results)))
            }
            (StartMode::Freeze { path, length }, Some(snapshot_file)) => {
                let Self { parent, plugin, parts, .. } = self;
                freeze::freeze(parent, &**plugin, parts, &snapshot_file, (path, *length))
            }
            (StartMode::Freeze { .. }, None) => Err(ProtocolError("no file for a snapshot").into()),
        }
    }

    fn run(
        &self,
        instance: &mut dyn Executor,
        frame: Vec<u8>,
        buffers: &mut Buffers,
    ) -> Result<(), SetupError> {
        self.page.set_begun(true);
        let outcomes = buffers.outcomes(frame, self.parts.index)?;
        let mut outcomes = outcomes.retrying(self.parts.config.retry_on);
        let ticks = self.engine.watchdog().ticks();
        let outlet: Arc<dyn Outlet> = Arc::<ParentConnection>::clone(&self.parent);
        let cursor = ClaimCursor::borrowed(self.page.progress(), &ticks, &self.end, &outlet);
        let until = outcomes.span().len();
        let end = instance.run(&mut outcomes, until, &cursor);
        self.parts.guest_output.report_dropped();
        let reply = |memory| run_reply::reply(memory, &end, instance.format(), &outcomes);
        self.parent.send_made(reply, outcomes.record_bytes())?;
        buffers.keep(outcomes);
        Ok(())
    }

    fn finish(&self, instance: &mut dyn Executor) -> Result<(), SetupError> {
        let finished = instance.finish();
        self.parts.guest_output.report_dropped();
        Ok(self.parent.send(&finish_reply::encode(&finished))?)
    }
}

/// Makes the grants from the parent's description and the open directories.
fn grants(work: &WorkOrder, dirs: Vec<OwnedFd>) -> Result<OpenGrants, SetupError> {
    if dirs.len() != work.dirs.len() {
        return Err(ProtocolError("a wrong number of directories").into());
    }
    let dir = |((host, guest, access), dir): (&(OsString, String, Access), OwnedFd)| {
        let grant = DirGrant::new(host.into(), guest.clone(), *access);
        Ok(GrantedDir { grant, dir: OpenDir::from_fd(dir)? })
    };
    let net = work.net.iter().map(|grant| grant.parse());
    Ok(OpenGrants {
        dirs: work.dirs.iter().zip(dirs).map(dir).collect::<Result<_, SetupError>>()?,
        env: work.env.clone(),
        net: net.collect::<Result<_, _>>().map_err(|_| ProtocolError("an invalid grant"))?,
        closed: Vec::new(),
    })
}

/// Builds the parts of the instance. Nothing in this process cancels it.
fn parts(
    parent: &Arc<ParentConnection>,
    work: &WorkOrder,
    grants: OpenGrants,
    preopens: Preopens,
    ticks: Ticks,
) -> InstanceParts {
    let WorkOrder { config, workers, log, .. } = *work;
    let disk = match config.disk {
        None => Disk::new(None),
        Some(limit) => {
            let connection = Arc::clone(parent);
            let request = disk::RequestBytes(Box::new(move |bytes| {
                request_grant(&connection, Frame::reply(Reply::TakeDisk).long(bytes))
            }));
            Disk::with_request(limit, request)
        }
    };
    let pool_memory = match work.total_memory {
        TotalMemory::Unlimited => PoolMemory::new(TotalMemory::Unlimited),
        limit @ TotalMemory::AtMost(_) => {
            let connection = Arc::clone(parent);
            let request = RequestMemory(Box::new(move |bytes| {
                request_grant(&connection, Frame::reply(Reply::Take).long(bytes as u64))
            }));
            PoolMemory::with_request(limit, request)
        }
    };
    let connection = Arc::clone(parent);
    let sink = GuestSink::new(move |event| {
        // If this fails, the parent has ended, and receiving the next order fails.
        let _ = connection.send(&guest_event::encode(event));
    });
    InstanceParts {
        config,
        index: WorkerIndex::new(work.worker),
        workers,
        init: Vec::new(),
        grants,
        preopens,
        names: Arc::new(Names::known(work.names.clone())),
        disk: Arc::new(disk),
        pool_memory: Arc::new(pool_memory),
        guest_output: Arc::new(GuestOutput::new(log, PoolRateLimiter::new(log), sink)),
        observers: Observers::default(),
        watch: Watch::new(config, Cancel::default(), ticks),
        clock: Clock::resumed_at(work.clock),
    }
}

impl Outlet for ParentConnection {
    fn hand_over(&self, outcomes: &mut Outcomes) -> bool {
        if outcomes.len_not_handed_over() > 0 {
            // If this fails, the parent has ended, and receiving the next order fails.
            let _ =
                self.send_made(|memory| run_reply::part(memory, outcomes), outcomes.record_bytes());
            outcomes.forget();
        }
        true
    }

    fn offer(&self, _outcomes: &Arc<SharedOutcomes>) {
        // Only native code offers outcomes, and only tests run native code in a process.
    }
}

/// Requests more of a limited resource from the parent.
fn request_grant(parent: &ParentConnection, question: Frame) -> bool {
    parent.ask(&question.seal()).is_ok_and(|answer| answer.order == Order::Granted)
}

/// Calls a host function, which runs in the parent.
fn call(parent: &ParentConnection, number: usize, input: &[u8]) -> HostAnswer {
    if input.len() > crate::engine::MAX_ANSWER {
        return Err(wasmtime::format_err!("the argument of a host function is too large"));
    }
    let question = Frame::reply(Reply::Call).number(number).rest(input).seal();
    let answer = parent.ask(&question)?;
    let mut answer = Payload(answer.payload());
    let kind = answer.byte()?;
    let text = || String::from_utf8_lossy(answer.rest()).into_owned();
    match kind {
        0 => Ok(Ok(answer.rest().to_vec())),
        1 => Ok(Err(text())),
        _ => Err(wasmtime::Error::msg(text())),
    }
}
