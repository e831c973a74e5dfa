//! Components of any other world: items and results are JSON, mapped to the types of a function.
//!
//! ```text
//! item ─▶ arguments ─▶ reader ─▶ values ─▶ call ─▶ value ─▶ answer ─▶ writer ─▶ record
//!          by passing   by shape                            result, option: refused, no record
//! ```
//!
//! A plugin needs no SDK: `call` and its companions `init` and `finish` may have any signature of plain values.
//! `host/docs/plugin-interface.md` specifies the mapping.

mod answer;
mod arguments;
mod example;
mod function;
mod mistake;
mod named;
mod reader;
mod shape;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Component, Func, Instance, Val};

use self::answer::{Answer, Returned};
use self::function::{Finder, Function, Functions};
use self::writer::Unwritten;
use super::compiled_code::CompiledCode;
use super::component::{Exports, LEAST_TRANSFER, Linked, State};
use super::inspect::TypedCall;
use super::kinds::{self, Recognized};
use super::metadata::Metadata;
use super::plugin_code::PluginCode;
use super::state::{self, InstanceParts, begin};
use super::{HostFunctions, LoadErrorKind, PluginKind};
use crate::control::deadline::Phase;
use crate::engine::compile_settings::CompileSettings;
use crate::executor::start_error::StartError;
use crate::executor::{Executor, Outlet, Ran, Turns, each_item};
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

/// A linked component, with the functions that take items.
pub(crate) struct TypedPlugin {
    linked: Linked,
    call_export: String,
    functions: Arc<Functions>,
}

impl TypedPlugin {
    /// Finds the functions to call, and resolves the imports of the component.
    pub(crate) fn link(
        settings: &CompileSettings,
        component: &Component,
    ) -> Result<Self, LoadErrorKind> {
        let call_export = settings.call.clone();
        let finder = Finder { engine: &settings.engine, component };
        let Some(functions) = finder.functions(&call_export)? else {
            return Err(match call_export.as_str() {
                _ if Exports::find(component).is_some() => {
                    LoadErrorKind::CallOfWorld { call: call_export }
                }
                CompileSettings::CALL => LoadErrorKind::World { exports: finder.names() },
                _ => {
                    let exports = finder.names();
                    LoadErrorKind::MissingExport { missing: call_export, exports }
                }
            });
        };
        let linked = Linked::link(settings, component)?;
        Ok(Self { linked, call_export, functions: Arc::new(functions) })
    }
}

/// Links every component. A component without the named function is refused with the reason.
pub(super) fn recognize(settings: &CompileSettings, code: &CompiledCode) -> Recognized {
    let CompiledCode::Component(component) = code else { return None };
    Some(kinds::linked(TypedPlugin::link(settings, component)))
}

impl PluginCode for TypedPlugin {
    fn metadata(&self) -> Metadata {
        Metadata {
            kind: PluginKind::Component,
            has_init: self.functions.init.is_some(),
            // The host itself distributes an item over the parameters.
            asks_for_passing: true,
            can_connect: self.linked.can_connect(),
            can_freeze: false,
        }
    }

    fn code(&self) -> CompiledCode {
        self.linked.code()
    }

    fn calls(&self) -> (&str, &HostFunctions) {
        (&self.call_export, self.linked.functions())
    }

    fn start(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError> {
        let Functions { call, init, finish } = &*self.functions;
        if let Some(message) = call.parameters.refusal(&call.name, parts.config.passing) {
            return Err(StartError::Parameters { message });
        }
        let (mut store, instance) = self.linked.instantiate(parts)?;
        store.set_hostcall_fuel(room(parts.config.max_result) / self.functions.weight());
        // This is the default; the plugin may set another format in `init`.
        store.data_mut().common.result_format = call.returned.format();
        let init = init.as_ref().map(|init| Callee::new(&mut store, &instance, init));
        let call = Callee::new(&mut store, &instance, call);
        let finish = finish.as_ref().map(|finish| Callee::new(&mut store, &instance, finish));
        let functions = Arc::clone(&self.functions);
        let mut started = TypedInstance { store, functions, call, finish };
        if let Some(init) = init {
            started.init(init, &parts.init)?;
        }
        Ok(Box::new(started))
    }

    fn typed(&self) -> Option<TypedCall> {
        let Functions { call, init, .. } = &*self.functions;
        Some(TypedCall {
            call: call.name.clone(),
            items: call.parameters.items(),
            has_init: init.is_some(),
            init: init.as_ref().and_then(|init| init.parameters.init()),
            results: call.returned.format(),
        })
    }
}

impl std::fmt::Debug for TypedPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedPlugin").field("call", &self.call_export).finish_non_exhaustive()
    }
}

/// Returns the memory limit for the values of one result. It is twice the limit of the result's text, because each
/// element of a list is a value of its own. The factor keeps the limit close to that of an item's values.
fn room(limit: ResultLimit) -> usize {
    limit.bytes().max(LEAST_TRANSFER).saturating_mul(2)
}

/// A function of an instance.
#[derive(Clone, Copy)]
struct Callee {
    function: Func,
    has_result: bool,
}

impl Callee {
    fn new(store: &mut Store<State>, instance: &Instance, function: &Function) -> Self {
        let found = instance.get_func(&mut *store, function.index);
        let found = found.expect("the function is an export of the component");
        Self { has_result: found.ty(&*store).results().len() > 0, function: found }
    }
}

pub(crate) struct TypedInstance {
    store: Store<State>,
    functions: Arc<Functions>,
    call: Callee,
    finish: Option<Callee>,
}

impl TypedInstance {
    fn init(&mut self, init: Callee, args: &[u8]) -> Result<(), StartError> {
        let functions = Arc::clone(&self.functions);
        let function = functions.init.as_ref().expect("only an existing `init` is called");
        let args = function.parameters.of_init(args);
        let args = args.map_err(|mistake| {
            let message = format!("the arguments do not fit `{}`: {mistake}", function.name);
            StartError::InitRefused { message }
        })?;
        let answer = self.enter(init, &args).map_err(StartError::init_broke)?;
        match self.answer(&function.returned, answer) {
            Ok(Answer::Record(_) | Answer::NoRecord) => Ok(()),
            Ok(Answer::Refused(message)) => Err(StartError::InitRefused { message }),
            // Only an error from `init` itself counts, so an unreadable result is ignored.
            Err(_) => Ok(()),
        }
    }

    fn call_item(
        &mut self,
        outcomes: &mut Outcomes,
        outlet: &Arc<dyn Outlet>,
    ) -> Result<(), Broken> {
        let common = &self.store.data().common;
        let (format, passing) = (common.config.item_format, common.config.passing);
        let functions = Arc::clone(&self.functions);
        let item = outcomes.span().item(outcomes.len());
        let args = match functions.call.parameters.of_item(item, format, passing) {
            Ok(args) => args,
            Err(mistake) => {
                outcomes.fault(FaultKind::BadItem, mistake.to_string());
                return Ok(());
            }
        };
        begin(&mut self.store, Phase::Item);
        let answer = self.enter_with(self.call, &args, || outlet.hand_over(outcomes))?;
        match self.answer(&functions.call.returned, answer) {
            Ok(Answer::Record(record)) => outcomes.record(&record, self.max_result()),
            Ok(Answer::NoRecord) => outcomes.no_record(),
            Ok(Answer::Refused(message)) => outcomes.fault(FaultKind::Refused, message),
            Err(Broken { kind, message, .. }) => outcomes.fault(kind, message),
        }
        Ok(())
    }

    fn enter(&mut self, callee: Callee, args: &[Val]) -> Result<Option<Val>, Broken> {
        self.enter_with(callee, args, || true)
    }

    /// Calls a function like [`Self::enter`], and calls `meanwhile` as [`state::enter_with`] does.
    fn enter_with(
        &mut self,
        callee: Callee,
        args: &[Val],
        meanwhile: impl FnMut() -> bool,
    ) -> Result<Option<Val>, Broken> {
        let Callee { function, has_result } = callee;
        let mut results = [Val::Bool(false)];
        let taken = &mut results[..usize::from(has_result)];
        let entered = state::enter_with(
            &mut self.store,
            async |store| function.call_async(store, args, taken).await,
            meanwhile,
        );
        entered.map_err(|broken| self.too_much(broken))?;
        let [result] = results;
        Ok(has_result.then_some(result))
    }

    /// Rewrites the failure of a result that exceeds the engine's allowance, so that it names the limit.
    fn too_much(&self, broken: Broken) -> Broken {
        let limit = self.max_result();
        match broken.kind {
            FaultKind::BadResult => Broken::new(
                FaultKind::BadResult,
                format!(
                    "the values of the result need more memory than the {limit:#} of `max_result` \
                     allow"
                ),
            ),
            _ => broken,
        }
    }

    fn answer(&self, returned: &Returned, val: Option<Val>) -> Result<Answer, Broken> {
        let limit = self.max_result();
        returned.answer(val, limit.bytes()).map_err(|unwritten| {
            let message = match unwritten {
                Unwritten::Mistake(mistake) => mistake.to_string(),
                Unwritten::TooLong => {
                    format!("the result is larger than the {limit:#} of `max_result`")
                }
            };
            Broken::new(FaultKind::BadResult, message)
        })
    }

    fn max_result(&self) -> ResultLimit {
        self.store.data().common.config.max_result
    }
}

impl Executor for TypedInstance {
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, turns: &Turns<'_>) -> Ran {
        self.store.data().common.watch.serve(turns.end());
        each_item(until, turns, || {
            self.call_item(outcomes, turns.outlet())?;
            Ok(outcomes.stand())
        })
    }

    fn format(&self) -> Format {
        self.store.data().common.result_format
    }

    fn has_report(&self) -> bool {
        self.finish.is_some()
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let functions = Arc::clone(&self.functions);
        let Some((finish, function)) = self.finish.zip(functions.finish.as_ref()) else {
            return Ok(None);
        };
        begin(&mut self.store, Phase::Finishing);
        let answer = self.enter(finish, &[])?;
        match self.answer(&function.returned, answer)? {
            Answer::Record(report) => Ok(Some(report)),
            Answer::NoRecord => Ok(None),
            Answer::Refused(message) => Err(Broken::new(FaultKind::Refused, message)),
        }
    }
}
