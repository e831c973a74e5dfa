//! Core modules that implement ABI 1: the host passes bytes in a buffer, and the plugin packs its
//! answer into one word.
//!
//! The host does not trust the plugin. It checks every address and length from the plugin against
//! the current memory. An invalid one is a fault of the item, and the instance is replaced.

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
use super::snapshot::Freezing;
use super::state::{
    Common, HasCommon, InHand, InstanceParts, begin, enter, limit_open, store, wasi,
};
use super::{Engine, LoadErrorKind, PluginKind, REPORT, context, host_function, snapshot, waiting};
use crate::block::Span;
use crate::control::deadline::Phase;
use crate::engine::compile_settings::CompileSettings;
use crate::executor::start_error::StartError;
use crate::executor::{Executor, Ran, Turns, each_item};
use crate::item::error_chain::ErrorChain;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

mod batch;
mod exports;
mod freeze;
mod guest;
pub(crate) mod guest_memory;
mod packed_result;

pub(crate) use self::exports::{check_function, signature};
pub(crate) use self::freeze::{Frozen, Recorded};
pub(crate) use self::packed_result::{Answer, PackedResult};

use self::batch::{Batches, Crossing};
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
    asks_for_passing: bool,
    /// The condition under which several items may cross in one call.
    batches: Batches,
}

/// The data in the store of a core module's instance.
struct State {
    wasi: WasiP1Ctx,
    common: Common,
    /// The batch that the instance is working on.
    crossing: Option<Crossing>,
}

impl HasCommon for State {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl CorePlugin {
    /// Checks the exports of a module, and resolves its imports.
    pub(crate) fn link(settings: &CompileSettings, module: &Module) -> Result<Self, LoadErrorKind> {
        let (engine, functions) = (&settings.engine, &settings.functions);
        exports::check(module, &settings.call)?;
        host_function::core::check(module, functions)?;
        let mut linker = linker(engine);
        host_function::core::add_to_linker(&mut linker, functions)
            .expect("the settings were checked: each name is unique and free");
        let pre = linker.instantiate_pre(module);
        let pre = pre.map_err(|error| unlinked(error, functions))?;
        let has_init = module.get_export("init").is_some();
        let call = settings.call.clone();
        let asks_for_passing = module.imports().any(|import| {
            (import.module(), import.name()) == (context::INTERFACE, context::PASSING)
        });
        // `call_batch` is the batch form of `call`, and of no other export that the settings may name.
        let batches = if call == "call" { Batches::of(module) } else { Batches::Never };
        let (engine, functions) = (engine.clone(), functions.clone());
        Ok(Self { engine, pre, call, functions, has_init, asks_for_passing, batches })
    }

    /// Starts an instance and prepares it for its first item, in the way that `common` states.
    fn bring_up(
        &self,
        parts: &InstanceParts,
        common: Common,
    ) -> Result<(CoreInstance, Instance), StartError> {
        let mut wasi = wasi(parts).build_p1();
        parts.preopens.put_into(wasi.ctx().ctx);
        limit_open(wasi.ctx().table);
        let data = State { wasi, common, crossing: None };
        let mut store = store(&self.engine, parts, data);
        let instance = enter(&mut store, |store| self.pre.instantiate(store));
        let instance = instance.map_err(StartError::instantiate)?;
        let mut started = CoreInstance::start(store, &instance, &parts.init, &self.call)?;
        if self.batches.are_for(parts) {
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
            asks_for_passing: self.asks_for_passing,
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
        Ok(Box::new(self.bring_up(parts, Common::new(parts))?.0))
    }

    fn can_wait(&self) -> bool {
        self.pre.module().imports().any(|import| import.module() == waiting::MODULE)
    }

    fn freeze(
        &self,
        path: &Path,
        source: &[u8],
        parts: &InstanceParts,
    ) -> Result<Freezing<Arc<Frozen>>, StartError> {
        self.freeze_source(path, source, parts)
    }

    fn start_recorded(&self, parts: &InstanceParts) -> Result<Recorded, StartError> {
        self.bring_up_recorded(parts)
    }

    fn restore(
        &self,
        parts: &InstanceParts,
        format: Format,
    ) -> Result<Box<dyn Executor>, StartError> {
        self.bring_up_frozen(parts, format)
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
    waiting::add_to_linker(&mut linker, |state| (&mut state.wasi, &mut state.common));
    snapshot::add_to_linker(&mut linker, |state| &mut state.wasi);
    context::add_to_core_linker(&mut linker).expect("no other interface has this name");
    linker
}

fn unlinked(error: wasmtime::Error, functions: &HostFunctions) -> LoadErrorKind {
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
    /// The `call_batch` export; none if items cross one by one.
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

    /// Calls the plugin with the next item of `span`, the span of the current outcomes.
    fn call_item(&mut self, span: &Span) -> Result<(), Broken> {
        begin(&mut self.guest.store, Phase::Item);
        let at = self.outcomes().len();
        let word = self.guest.pass(span.item(at), &self.call)?;
        let limit = self.max_result();
        let (bytes, state) = self.guest.bytes_and_state();
        note(word.read(bytes)?, state.common.outcomes(), limit);
        Ok(())
    }

    fn outcomes(&mut self) -> &mut Outcomes {
        self.guest.store.data_mut().common.outcomes()
    }
}

/// Records the plugin's answer as the outcome of its item.
fn note(answer: Answer<'_>, outcomes: &mut Outcomes, limit: ResultLimit) {
    match answer {
        Answer::Record(record) => outcomes.record(record, limit),
        Answer::NoRecord => outcomes.no_record(),
        Answer::Refused(message) => {
            outcomes.fault(FaultKind::Refused, packed_result::text(message));
        }
        Answer::BadItem(message) => {
            outcomes.fault(FaultKind::BadItem, packed_result::text(message));
        }
    }
}

impl Executor for CoreInstance {
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, turns: &Turns<'_>) -> Ran {
        self.guest.store.data().common.watch.serve(turns.end());
        let span = outcomes.span().clone();
        let in_hand = InHand::new(outcomes.take(), turns.outlet());
        self.guest.store.data_mut().common.in_hand = Some(in_hand);
        let ran = if self.takes_batches(turns) {
            self.run_batches(&span, until, turns)
        } else {
            each_item(until, turns, || {
                self.call_item(&span)?;
                Ok(self.outcomes().stand())
            })
        };
        let in_hand = self.guest.store.data_mut().common.in_hand.take();
        *outcomes = in_hand.expect("only this function takes the outcomes").outcomes;
        ran
    }

    fn format(&self) -> Format {
        self.guest.store.data().common.result_format
    }

    fn has_report(&self) -> bool {
        self.finish.is_some()
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let Some(finish) = &self.finish else { return Ok(None) };
        begin(&mut self.guest.store, Phase::Finishing);
        let word = enter(&mut self.guest.store, |store| finish.call(store, ()))?;
        let word = PackedResult::new(word);
        match self.guest.answer(word)? {
            Answer::Record(report) => match self.max_result().refusal(REPORT, report.len()) {
                None => Ok(Some(report.to_vec())),
                Some(broken) => Err(broken),
            },
            Answer::NoRecord => Ok(None),
            Answer::Refused(message) | Answer::BadItem(message) => {
                Err(Broken::new(FaultKind::Refused, packed_result::text(message)))
            }
        }
    }
}
