//! Components of worlds other than `mtl:plugin/plugin`. Items and results are JSON. The host converts them to and from
//! the types of the called function.
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
mod name_map;
mod reader;
mod shape;
#[cfg(test)]
mod tests;
mod value_error;
mod writer;

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Component, Func, Instance, Val};

use self::answer::{ReturnType, TypedAnswer};
use self::function::{Finder, Function, Functions};
use self::writer::WriteError;
use super::compiled_code::CompiledCode;
use super::component::{LinkedComponent, MIN_TRANSFER, State, WorkerExports};
use super::inspect::TypedCall;
use super::kinds::{self, Recognized};
use super::metadata::Metadata;
use super::plugin_code::PluginCode;
use super::state::{self, InstanceParts, begin_phase};
use super::{HostFunctions, LoadErrorKind, PluginKind};
use crate::control::deadline::Phase;
use crate::engine::compile_settings::CompileSettings;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, Outlet, each_item};
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;

/// A linked component, with the functions that take items.
pub(crate) struct TypedPlugin {
    linked: LinkedComponent,
    call_export: String,
    functions: Arc<Functions>,
}

impl TypedPlugin {
    /// Finds the functions to call, and resolves the imports of the component.
    pub(crate) fn link(
        settings: &CompileSettings,
        component: &Component,
    ) -> Result<Self, LoadErrorKind> {
        let call_export = settings.call_export.clone();
        let finder = Finder { engine: &settings.engine, component };
        let Some(functions) = finder.functions(&call_export)? else {
            return Err(match call_export.as_str() {
                _ if WorkerExports::find(component).is_some() => {
                    LoadErrorKind::FixedCall { call: call_export }
                }
                CompileSettings::CALL => LoadErrorKind::World { exports: finder.names() },
                _ => {
                    let exports = finder.names();
                    LoadErrorKind::MissingExport { missing: call_export, exports }
                }
            });
        };
        let linked = LinkedComponent::link(settings, component)?;
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
            uses_argument_passing: true,
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
            return Err(StartError::ParameterCount { message });
        }
        let (mut store, instance) = self.linked.instantiate(parts)?;
        store.set_hostcall_fuel(
            value_memory_limit(parts.config.max_result) / self.functions.weight(),
        );
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

/// Returns the memory limit for the values of one result: twice the limit for the result's text. Values need more
/// memory than text, because each element of a list is a separate value. The factor of two keeps this limit close to
/// the limit for the values of an item.
fn value_memory_limit(limit: ResultLimit) -> usize {
    limit.bytes().max(MIN_TRANSFER).saturating_mul(2)
}

/// A function of an instance.
#[derive(Clone, Copy)]
struct Callee {
    function: Func,
    has_result: bool,
}

impl Callee {
    fn new(store: &mut Store<State>, instance: &Instance, function: &Function) -> Self {
        let function = instance.get_func(&mut *store, function.index);
        let function = function.expect("the function is an export of the component");
        Self { has_result: function.ty(&*store).results().len() > 0, function }
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
        let args = function.parameters.read_init(args);
        let args = args.map_err(|error| {
            let message = format!("the arguments do not fit `{}`: {error}", function.name);
            StartError::InitRefused { message }
        })?;
        let answer = self.call_function(init, &args).map_err(StartError::from_init)?;
        match self.answer(&function.returned, answer) {
            Ok(TypedAnswer::Record(_) | TypedAnswer::NoRecord) => Ok(()),
            Ok(TypedAnswer::Refused(message)) => Err(StartError::InitRefused { message }),
            // Only an error from `init` itself counts, so an unreadable result is ignored.
            Err(_) => Ok(()),
        }
    }

    fn call_item(
        &mut self,
        outcomes: &mut Outcomes,
        outlet: &Arc<dyn Outlet>,
    ) -> Result<(), InstanceFailure> {
        let common = &self.store.data().common;
        let (format, passing) = (common.config.item_format, common.config.passing);
        let functions = Arc::clone(&self.functions);
        let item = outcomes.span().item(outcomes.len());
        let args = match functions.call.parameters.read_item(item, format, passing) {
            Ok(args) => args,
            Err(error) => {
                outcomes.fault(FaultKind::BadItem, error.to_string());
                return Ok(());
            }
        };
        begin_phase(&mut self.store, Phase::Item);
        let answer = self.call_function_with(self.call, &args, || outlet.hand_over(outcomes))?;
        match self.answer(&functions.call.returned, answer) {
            Ok(TypedAnswer::Record(record)) => outcomes.record(&record, self.max_result()),
            Ok(TypedAnswer::NoRecord) => outcomes.no_record(),
            Ok(TypedAnswer::Refused(message)) => outcomes.fault(FaultKind::Refused, message),
            Err(InstanceFailure { kind, message, .. }) => outcomes.fault(kind, message),
        }
        Ok(())
    }

    fn call_function(
        &mut self,
        callee: Callee,
        args: &[Val],
    ) -> Result<Option<Val>, InstanceFailure> {
        self.call_function_with(callee, args, || true)
    }

    /// Calls a function like [`Self::call_function`], and calls `meanwhile` as [`state::run_guest_with`] does.
    fn call_function_with(
        &mut self,
        callee: Callee,
        args: &[Val],
        meanwhile: impl FnMut() -> bool,
    ) -> Result<Option<Val>, InstanceFailure> {
        let Callee { function, has_result } = callee;
        let mut results = [Val::Bool(false)];
        let result_slots = &mut results[..usize::from(has_result)];
        let called = state::run_guest_with(
            &mut self.store,
            async |store| function.call_async(store, args, result_slots).await,
            meanwhile,
        );
        called.map_err(|failure| self.name_limit(failure))?;
        let [result] = results;
        Ok(has_result.then_some(result))
    }

    /// Replaces the failure of a result that exceeds the engine's limit by a failure that names the user's limit.
    fn name_limit(&self, failure: InstanceFailure) -> InstanceFailure {
        let limit = self.max_result();
        match failure.kind {
            FaultKind::BadResult => InstanceFailure::new(
                FaultKind::BadResult,
                format!(
                    "the values of the result need more memory than the {limit:#} of `max_result` \
                     allow"
                ),
            ),
            _ => failure,
        }
    }

    fn answer(
        &self,
        returned: &ReturnType,
        val: Option<Val>,
    ) -> Result<TypedAnswer, InstanceFailure> {
        let limit = self.max_result();
        returned.answer(val, limit.bytes()).map_err(|error| {
            let message = match error {
                WriteError::Value(error) => error.to_string(),
                WriteError::TooLong => {
                    format!("the result is larger than the {limit:#} of `max_result`")
                }
            };
            InstanceFailure::new(FaultKind::BadResult, message)
        })
    }

    fn max_result(&self) -> ResultLimit {
        self.store.data().common.config.max_result
    }
}

impl Executor for TypedInstance {
    fn run(
        &mut self,
        outcomes: &mut Outcomes,
        until: usize,
        cursor: &ClaimCursor<'_>,
    ) -> ExecutionEnd {
        self.store.data().common.watch.set_run_end(cursor.end());
        each_item(until, cursor, || {
            self.call_item(outcomes, cursor.outlet())?;
            Ok(outcomes.state())
        })
    }

    fn format(&self) -> Format {
        self.store.data().common.result_format
    }

    fn has_finish_report(&self) -> bool {
        self.finish.is_some()
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        let functions = Arc::clone(&self.functions);
        let Some((finish, function)) = self.finish.zip(functions.finish.as_ref()) else {
            return Ok(None);
        };
        begin_phase(&mut self.store, Phase::Finishing);
        let answer = self.call_function(finish, &[])?;
        match self.answer(&function.returned, answer)? {
            TypedAnswer::Record(report) => Ok(Some(report)),
            TypedAnswer::NoRecord => Ok(None),
            TypedAnswer::Refused(message) => Err(InstanceFailure::new(FaultKind::Refused, message)),
        }
    }
}
