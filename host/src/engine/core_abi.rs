//! Core modules that implement ABI 1: the host passes an item in a buffer, and the plugin packs the address and length
//! of its answer into one word.
//!
//! The host does not trust the plugin. It checks every address and length from the plugin against the current memory.
//! If an address or length is invalid, the item gets a fault, and the host replaces the instance.

use std::path::Path;
use std::sync::Arc;

use wasmtime::{Instance, InstancePre, Linker, Module, Store, TypedFunc, UnknownImportError};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p1::{self, WasiP1Ctx};

use super::compiled_code::CompiledCode;
use super::host_function::HostFunctions;
use super::kinds::{self, Recognized};
use super::metadata::Metadata;
use super::plugin_code::PluginCode;
use super::snapshot::SnapshotOutcome;
use super::state::{
    CommonState, CurrentOutcomes, HasCommonState, InstanceParts, begin_phase, limit_open,
    run_guest, store, wasi,
};
use super::{
    Engine, FINISH_REPORT, LoadErrorKind, PluginKind, blocking_calls, context, host_function,
    snapshot,
};
use crate::block::Span;
use crate::control::deadline::Phase;
use crate::engine::compile_settings::CompileSettings;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, each_item};
use crate::item::error_chain::ErrorChain;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

mod batch;
mod exports;
mod freeze;
mod guest;
pub(crate) mod guest_memory;
mod packed_result;

pub(crate) use self::exports::{check_function, signature};
pub(crate) use self::freeze::{RecordedInstance, SnapshotImage};
pub(crate) use self::packed_result::{PackedResult, PluginAnswer};

use self::batch::{BatchCall, BatchSupport};
use self::guest::Guest;

/// The ABI version that this host supports.
const ABI_VERSION: i32 = 1;

/// A linked core module: its imports are resolved, and its exports are checked.
pub(crate) struct CorePlugin {
    engine: Engine,
    pre: InstancePre<State>,
    /// The export that takes items.
    call: String,
    functions: HostFunctions,
    has_init: bool,
    uses_argument_passing: bool,
    /// The condition under which several items may be passed in one call.
    batches: BatchSupport,
}

/// The data in the store of a core module's instance.
struct State {
    wasi: WasiP1Ctx,
    common: CommonState,
    /// The batch that the instance is working on.
    batch_call: Option<BatchCall>,
}

impl HasCommonState for State {
    fn common(&mut self) -> &mut CommonState {
        &mut self.common
    }
}

impl CorePlugin {
    /// Checks the exports of a module, and resolves its imports.
    pub(crate) fn link(settings: &CompileSettings, module: &Module) -> Result<Self, LoadErrorKind> {
        let (engine, functions) = (&settings.engine, &settings.host_functions);
        exports::check(module, &settings.call_export)?;
        host_function::core::check(module, functions)?;
        let mut linker = linker(engine);
        host_function::core::add_to_linker(&mut linker, functions)
            .expect("the settings were checked: each name is unique and free");
        let pre = linker.instantiate_pre(module);
        let pre = pre.map_err(|error| link_error(error, functions))?;
        let has_init = module.get_export("init").is_some();
        let call = settings.call_export.clone();
        let uses_argument_passing = module.imports().any(|import| {
            (import.module(), import.name()) == (context::INTERFACE, context::PASSING)
        });
        // `call_batch` is the batch form of `call`. If the settings name another export, batches are not used.
        let batches = if call == "call" { BatchSupport::of(module) } else { BatchSupport::Never };
        let (engine, functions) = (engine.clone(), functions.clone());
        Ok(Self { engine, pre, call, functions, has_init, uses_argument_passing, batches })
    }

    /// Starts an instance and prepares it for its first item. `common.started_from` decides how.
    fn start_instance(
        &self,
        parts: &InstanceParts,
        common: CommonState,
    ) -> Result<(CoreInstance, Instance), StartError> {
        let mut wasi = wasi(parts).build_p1();
        parts.preopens.put_into(wasi.ctx().ctx);
        limit_open(wasi.ctx().table);
        let data = State { wasi, common, batch_call: None };
        let mut store = store(&self.engine, parts, data);
        let instance = run_guest(&mut store, |store| self.pre.instantiate(store));
        let instance = instance.map_err(StartError::instantiate)?;
        let mut started = CoreInstance::start(store, &instance, &parts.init, &self.call)?;
        if self.batches.allows(parts) {
            started.call_batch = started.guest.function(&instance, "call_batch");
        }
        Ok((started, instance))
    }
}

/// Links every core module. A module without the exports of ABI 1 is refused with the reason.
pub(super) fn recognize(settings: &CompileSettings, code: &CompiledCode) -> Recognized {
    let CompiledCode::Module(module) = code else { return None };
    Some(kinds::linked(CorePlugin::link(settings, module)))
}

impl PluginCode for CorePlugin {
    fn metadata(&self) -> Metadata {
        Metadata {
            kind: PluginKind::CoreModule,
            has_init: self.has_init,
            uses_argument_passing: self.uses_argument_passing,
            // The WASI of core modules cannot open connections.
            can_connect: false,
            can_freeze: true,
        }
    }

    fn code(&self) -> CompiledCode {
        CompiledCode::Module(self.pre.module().clone())
    }

    fn calls(&self) -> (&str, &HostFunctions) {
        (&self.call, &self.functions)
    }

    fn start(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError> {
        Ok(Box::new(self.start_instance(parts, CommonState::new(parts))?.0))
    }

    fn can_block(&self) -> bool {
        self.pre.module().imports().any(|import| import.module() == blocking_calls::MODULE)
    }

    fn freeze(
        &self,
        path: &Path,
        source: &[u8],
        parts: &InstanceParts,
    ) -> Result<SnapshotOutcome<Arc<SnapshotImage>>, StartError> {
        self.freeze_source(path, source, parts)
    }

    fn start_recorded(&self, parts: &InstanceParts) -> Result<RecordedInstance, StartError> {
        self.start_with_recorder(parts)
    }

    fn restore(
        &self,
        parts: &InstanceParts,
        format: Format,
    ) -> Result<Box<dyn Executor>, StartError> {
        self.start_from_snapshot(parts, format)
    }
}

impl std::fmt::Debug for CorePlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CorePlugin").field("has_init", &self.has_init).finish_non_exhaustive()
    }
}

fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine.wasm());
    p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi)
        .expect("an empty linker takes WASI");
    blocking_calls::add_to_linker(&mut linker, |state| (&mut state.wasi, &mut state.common));
    snapshot::add_to_linker(&mut linker, |state| &mut state.wasi);
    context::add_to_core_linker(&mut linker).expect("no other interface has this name");
    linker
}

fn link_error(error: wasmtime::Error, functions: &HostFunctions) -> LoadErrorKind {
    match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) => {
            let import = format!("{}.{}", unknown.module(), unknown.name());
            LoadErrorKind::Import { import, offered: functions.names() }
        }
        None => LoadErrorKind::Link { source: ErrorChain::new(error) },
    }
}

pub(crate) struct CoreInstance {
    guest: Guest,
    call: TypedFunc<(i32, i32), i64>,
    /// The `call_batch` export; `None` if items are passed one by one.
    call_batch: Option<TypedFunc<i32, i32>>,
    finish: Option<TypedFunc<(), i64>>,
}

impl CoreInstance {
    /// Prepares an instance for its first item.
    fn start(
        store: Store<State>,
        instance: &Instance,
        args: &[u8],
        call: &str,
    ) -> Result<Self, StartError> {
        let mut guest = Guest::new(store, instance);
        guest.start(instance, args)?;
        let call = guest.function(instance, call).expect("checked when loaded");
        let finish = guest.function(instance, "finish");
        Ok(Self { guest, call, call_batch: None, finish })
    }

    fn max_result(&self) -> ResultLimit {
        self.guest.store.data().common.config.max_result
    }

    /// Calls the plugin with the next item of `span`, which is the span of the current outcomes.
    fn call_item(&mut self, span: &Span) -> Result<(), InstanceFailure> {
        begin_phase(&mut self.guest.store, Phase::Item);
        let at = self.outcomes().len();
        let word = self.guest.call_with(span.item(at), &self.call)?;
        let limit = self.max_result();
        let (bytes, state) = self.guest.bytes_and_state();
        record_answer(word.read(bytes)?, state.common.outcomes(), limit);
        Ok(())
    }

    fn outcomes(&mut self) -> &mut Outcomes {
        self.guest.store.data_mut().common.outcomes()
    }
}

/// Records the plugin's answer as the outcome of its item.
fn record_answer(answer: PluginAnswer<'_>, outcomes: &mut Outcomes, limit: ResultLimit) {
    match answer {
        PluginAnswer::Record(record) => outcomes.record(record, limit),
        PluginAnswer::NoRecord => outcomes.no_record(),
        PluginAnswer::Refused(message) => {
            outcomes.fault(FaultKind::Refused, packed_result::text(message));
        }
        PluginAnswer::BadItem(message) => {
            outcomes.fault(FaultKind::BadItem, packed_result::text(message));
        }
    }
}

impl Executor for CoreInstance {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        self.guest.store.data().common.watch.set_run_end(cursor.end());
        let span = outcomes.span().clone();
        let current = CurrentOutcomes::new(outcomes.take(), cursor.outlet());
        self.guest.store.data_mut().common.current_outcomes = Some(current);
        let end = if self.takes_batches(cursor) {
            self.run_batches(&span, until, cursor)
        } else {
            each_item(until, cursor, || {
                self.call_item(&span)?;
                Ok(self.outcomes().state())
            })
        };
        let current = self.guest.store.data_mut().common.current_outcomes.take();
        *outcomes = current.expect("only this function takes the outcomes").outcomes;
        end
    }

    fn format(&self) -> Format {
        self.guest.store.data().common.result_format
    }

    fn has_finish_report(&self) -> bool {
        self.finish.is_some()
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        let Some(finish) = &self.finish else { return Ok(None) };
        begin_phase(&mut self.guest.store, Phase::Finishing);
        let word = run_guest(&mut self.guest.store, |store| finish.call(store, ()))?;
        let word = PackedResult::new(word);
        match self.guest.answer(word)? {
            PluginAnswer::Record(report) => {
                match self.max_result().too_long(FINISH_REPORT, report.len()) {
                    None => Ok(Some(report.to_vec())),
                    Some(failure) => Err(failure),
                }
            }
            PluginAnswer::NoRecord => Ok(None),
            PluginAnswer::Refused(message) | PluginAnswer::BadItem(message) => {
                Err(InstanceFailure::new(FaultKind::Refused, packed_result::text(message)))
            }
        }
    }
}
