//! The host's data for an instance: its settings, its position in the pool, and its WASI context.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::WasiCtxBuilder;

use super::block_on::{block_on, block_on_with};
use super::file_calls::FileRules;
use super::snapshot::{Clock, InitRecorder};
use super::{Engine, trap};
use crate::control::deadline::{Phase, Watch};
use crate::event::Observers;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::executor::Outlet;
use crate::executor::native::WorkerContext;
use crate::item::format::Format;
use crate::item::index::WorkerIndex;
use crate::item::instance_config::InstanceConfig;
use crate::item::instance_failure::InstanceFailure;
use crate::outcome::Outcomes;
use crate::sandbox::disk::Disk;
use crate::sandbox::granted::{OpenGrants, Preopens};
use crate::sandbox::guest_event::GuestStream;
use crate::sandbox::guest_output::GuestOutput;
use crate::sandbox::meter::{Meter, PoolMemory};
use crate::sandbox::network::Names;
use crate::sandbox::output::Capture;

/// The parts from which each instance of one worker is made: its settings, and the resources that it holds.
#[derive(Clone)]
pub(crate) struct InstanceParts {
    pub(crate) config: InstanceConfig,
    pub(crate) index: WorkerIndex,
    pub(crate) workers: u32,
    pub(crate) init: Vec<u8>,
    pub(crate) grants: OpenGrants,
    /// The granted directories. Empty in a parent, because its instances are in its children.
    pub(crate) preopens: Preopens,
    pub(crate) names: Arc<Names>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) pool_memory: Arc<PoolMemory>,
    pub(crate) guest_output: Arc<GuestOutput>,
    pub(crate) observers: Observers,
    pub(crate) watch: Watch,
    pub(crate) clock: Clock,
}

impl InstanceParts {
    /// Returns the properties of the pool that a native worker may read.
    pub(crate) fn context(&self) -> WorkerContext {
        let Self { index: worker, workers, config, .. } = *self;
        let InstanceConfig { item_format, passing, max_result, .. } = config;
        WorkerContext { worker, workers, item_format, passing, max_result }
    }
}

impl fmt::Debug for InstanceParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceParts").field("index", &self.index).finish_non_exhaustive()
    }
}

/// The data that every instance's store holds in addition to WASI.
pub(crate) struct CommonState {
    pub(crate) config: InstanceConfig,
    pub(crate) index: WorkerIndex,
    pub(crate) workers: u32,
    /// The result format that the plugin set.
    pub(crate) result_format: Format,
    pub(crate) guest_output: Arc<GuestOutput>,
    pub(crate) meter: Meter,
    pub(crate) watch: Watch,
    pub(crate) files: FileRules,
    /// True while the instance allocates memory for the answer of a host function.
    pub(crate) is_allocating: bool,
    pub(crate) started_from: StartedFrom,
    /// The outcomes of the current items, if the instance is a core module's.
    pub(crate) current_outcomes: Option<CurrentOutcomes>,
}

/// The outcomes of the items that an instance is working on. The store contains these outcomes, so that the host can
/// hand over finished outcomes while the guest works on a later item.
pub(crate) struct CurrentOutcomes {
    pub(crate) outcomes: Outcomes,
    outlet: Arc<dyn Outlet>,
}

impl CurrentOutcomes {
    pub(crate) fn new(outcomes: Outcomes, outlet: &Arc<dyn Outlet>) -> Self {
        Self { outcomes, outlet: Arc::clone(outlet) }
    }
}

/// The way in which an instance gets ready for its first item.
#[derive(Debug)]
pub(crate) enum StartedFrom {
    /// The instance is initialised.
    Fresh,
    /// The instance is initialised under a recorder, to be frozen.
    Recorded(InitRecorder),
    /// The instance starts from a snapshot, which was initialised.
    Snapshot,
}

/// The data of a store, for every kind of plugin.
pub(crate) trait HasCommonState: Send + 'static {
    fn common(&mut self) -> &mut CommonState;
}

impl CommonState {
    pub(crate) fn new(parts: &InstanceParts) -> Self {
        Self {
            config: parts.config,
            index: parts.index,
            workers: parts.workers,
            result_format: Format::Text,
            guest_output: Arc::clone(&parts.guest_output),
            meter: Meter::new(parts.config.memory, &parts.pool_memory),
            watch: parts.watch.clone(),
            files: FileRules::of(parts),
            is_allocating: false,
            started_from: StartedFrom::Fresh,
            current_outcomes: None,
        }
    }

    /// Returns the outcomes of the items that the instance is working on.
    pub(crate) fn outcomes(&mut self) -> &mut Outcomes {
        let current = self.current_outcomes.as_mut();
        &mut current.expect("an instance runs only while it has items").outcomes
    }

    /// Hands over the finished outcomes, because the guest may take long. Returns whether all were handed over.
    pub(crate) fn hand_over(&mut self) -> bool {
        match &mut self.current_outcomes {
            Some(CurrentOutcomes { outcomes, outlet }) => outlet.hand_over(outcomes),
            None => true,
        }
    }

    /// Returns the recorder, if `init` runs under one.
    pub(crate) fn recorder(&mut self) -> Option<&mut InitRecorder> {
        match &mut self.started_from {
            StartedFrom::Recorded(recorder) => Some(recorder),
            StartedFrom::Fresh | StartedFrom::Snapshot => None,
        }
    }

    /// Records that the instance did something that a snapshot cannot preserve.
    pub(crate) fn refuse_snapshot(&mut self, reason: SnapshotRefusal) {
        if let Some(recorder) = self.recorder() {
            recorder.refuse(reason);
        }
    }
}

/// Returns a store that enforces the limits of its instance. The watchdog can stop the instance.
pub(crate) fn store<T: HasCommonState>(
    engine: &Engine,
    parts: &InstanceParts,
    data: T,
) -> Store<T> {
    let mut store = Store::new(engine.wasm(), data);
    store.limiter(|data| &mut data.common().meter);
    if engine.counts_fuel() && parts.config.fuel.is_none() {
        store.set_fuel(u64::MAX).expect("the engine counts fuel");
    }
    begin_phase(&mut store, Phase::Starting);
    let watch = parts.watch.clone();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        watch.check()?;
        Ok(UpdateDeadline::Continue(1))
    });
    store
}

/// Begins a phase, for which the guest has a new time limit and new fuel.
pub(crate) fn begin_phase<T: HasCommonState>(store: &mut Store<T>, phase: Phase) {
    let common = store.data_mut().common();
    common.watch.begin(phase);
    if let Some(fuel) = common.config.fuel {
        store.set_fuel(fuel.units()).expect("checked when the pool was built");
    }
}

/// Runs the guest. If it stops early, the reason is returned as an instance failure.
pub(crate) fn run_guest<T: HasCommonState, R>(
    store: &mut Store<T>,
    guest: impl FnOnce(&mut Store<T>) -> wasmtime::Result<R>,
) -> Result<R, InstanceFailure> {
    store.data_mut().common().meter.begin_call();
    guest(store).map_err(|error| trap::instance_failure(&error, store.data_mut().common()))
}

/// Runs a guest on this thread. The guest may sleep in calls of host functions. If the guest must stop early, returns
/// the reason as an instance failure.
pub(crate) fn run_guest_async<T: HasCommonState, R>(
    store: &mut Store<T>,
    guest: impl AsyncFnOnce(&mut Store<T>) -> wasmtime::Result<R>,
) -> Result<R, InstanceFailure> {
    let watch = store.data_mut().common().watch.clone();
    run_guest(store, |store| block_on(&watch, guest(store))?)
}

/// Runs a guest like [`run_guest_async`], and calls `meanwhile` as [`block_on_with`] does.
pub(crate) fn run_guest_with<T: HasCommonState, R>(
    store: &mut Store<T>,
    guest: impl AsyncFnOnce(&mut Store<T>) -> wasmtime::Result<R>,
    meanwhile: impl FnMut() -> bool,
) -> Result<R, InstanceFailure> {
    let watch = store.data_mut().common().watch.clone();
    run_guest(store, |store| block_on_with(&watch, guest(store), meanwhile)?)
}

/// Makes a computing guest yield at each tick, so that its thread can do other work.
pub(crate) fn yield_at_ticks<T: HasCommonState>(store: &mut Store<T>) {
    let watch = store.data_mut().common().watch.clone();
    store.epoch_deadline_callback(move |_| {
        watch.check()?;
        Ok(UpdateDeadline::Yield(1))
    });
}

/// The largest number of files, streams, sockets and other resources that an instance may have open. A well-behaved
/// plugin needs only a fraction of this number. The number is a quarter of a process's usual descriptor limit, so that
/// one plugin cannot use up the descriptors of the whole run.
pub(crate) const MAX_OPEN: usize = 256;

/// Limits the number of open resources of an instance.
pub(crate) fn limit_open(table: &mut ResourceTable) {
    table.set_max_capacity(MAX_OPEN);
}

/// Returns a WASI builder with empty input, captured output, the granted environment variables, and no network. The
/// caller adds the granted directories to the built context.
pub(crate) fn wasi(parts: &InstanceParts) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    let capture = |stream| Capture::new(stream, &parts.guest_output);
    builder
        .stdout(capture(GuestStream::Stdout))
        .stderr(capture(GuestStream::Stderr))
        .allow_tcp(false)
        .allow_udp(false)
        .monotonic_clock(parts.clock.clone())
        .envs(&parts.grants.env);
    builder
}
