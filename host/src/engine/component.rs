//! Components of the world `mtl:plugin/plugin`: bytes in, bytes out.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, ComponentType, Instance, InstancePre,
    Lift, Linker, Lower, ResourceTable, TypedFunc,
};
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::compiled_code::CompiledCode;
use super::host_function::HostFunctions;
use super::kinds::{self, Recognized};
use super::metadata::Metadata;
use super::plugin_code::PluginCode;
use super::state::{
    CommonState, HasCommonState, InstanceParts, begin_phase, limit_open, run_guest_async,
    run_guest_with, store, wasi, yield_at_ticks,
};
use super::{Engine, FINISH_REPORT, LoadErrorKind, PluginKind, context, file_calls, host_function};
use crate::control::deadline::Phase;
use crate::engine::compile_settings::CompileSettings;
use crate::executor::start_error::StartError;
use crate::executor::{ClaimCursor, ExecutionEnd, Executor, Outlet, each_item};
use crate::item::error_chain::ErrorChain;
use crate::item::fault::FaultKind;
use crate::item::format::Format;
use crate::item::instance_failure::InstanceFailure;
use crate::item::limits::ResultLimit;
use crate::outcome::Outcomes;
use crate::sandbox::http::Requests;
use crate::sandbox::network::Network;
use crate::sandbox::sockets::{self, GrantedSockets, HasSockets};

/// The interface that a worker's component exports.
pub(crate) const INTERFACE: &str = "mtl:plugin/worker@1.0.0";

/// The lower bound, in bytes, for the engine's limit on the data that a component passes to the host in one call. The
/// engine applies this limit both to results and to arguments of host calls. When a plugin writes a file, it passes
/// pieces of up to `MIN_TRANSFER` bytes as arguments. Therefore the engine's limit is at least `MIN_TRANSFER`, even if
/// the result limit is smaller.
pub(crate) const MIN_TRANSFER: usize = 1024 * 1024;

/// A linked component of the world `mtl:plugin/plugin`.
pub(crate) struct ComponentPlugin {
    linked: LinkedComponent,
    exports: WorkerExports,
}

/// A compiled component with its imports resolved.
pub(crate) struct LinkedComponent {
    engine: Engine,
    pre: InstancePre<State>,
    functions: HostFunctions,
    uses_argument_passing: bool,
    can_connect: bool,
}

/// The indices of the worker's functions among the exports.
pub(crate) struct WorkerExports {
    init: ComponentExportIndex,
    call: ComponentExportIndex,
    finish: ComponentExportIndex,
}

/// The data in the store of a component's instance.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    requests: Requests,
    network: Arc<Network>,
    pub(crate) common: CommonState,
}

impl HasCommonState for State {
    fn common(&mut self) -> &mut CommonState {
        &mut self.common
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.requests, table: &mut self.table, ctx: &mut self.http }
    }
}

impl HasSockets for State {
    fn granted_sockets(&mut self) -> GrantedSockets<'_> {
        let sockets = WasiSocketsCtxView { ctx: self.wasi.sockets(), table: &mut self.table };
        GrantedSockets { sockets, network: &self.network }
    }
}

/// The error that a component returns for an item.
#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
enum ItemError {
    #[component(name = "bad-item")]
    BadItem(String),
    #[component(name = "refused")]
    Refused(String),
}

type Init = TypedFunc<(Vec<u8>,), (Result<(), String>,)>;
type Call = TypedFunc<(Vec<u8>,), (Result<Option<Vec<u8>>, ItemError>,)>;
type Finish = TypedFunc<(), (Result<Option<Vec<u8>>, String>,)>;

impl ComponentPlugin {
    /// Links a component of the world, with the `exports` that were found in it.
    pub(crate) fn link(
        settings: &CompileSettings,
        component: &Component,
        exports: WorkerExports,
    ) -> Result<Self, LoadErrorKind> {
        Ok(Self { linked: LinkedComponent::link(settings, component)?, exports })
    }
}

/// Links a component of the world `mtl:plugin/plugin`. Returns `None` for all other code, and if the settings name a
/// function other than the world's `call`.
pub(super) fn recognize(settings: &CompileSettings, code: &CompiledCode) -> Recognized {
    let CompiledCode::Component(component) = code else { return None };
    if settings.call_export != CompileSettings::CALL {
        return None;
    }
    let exports = WorkerExports::find(component)?;
    Some(kinds::linked(ComponentPlugin::link(settings, component, exports)))
}

impl PluginCode for ComponentPlugin {
    fn metadata(&self) -> Metadata {
        Metadata {
            kind: PluginKind::Component,
            has_init: true,
            uses_argument_passing: self.linked.uses_argument_passing,
            can_connect: self.linked.can_connect(),
            can_freeze: false,
        }
    }

    fn code(&self) -> CompiledCode {
        self.linked.code()
    }

    fn calls(&self) -> (&str, &HostFunctions) {
        (CompileSettings::CALL, self.linked.functions())
    }

    fn start(&self, parts: &InstanceParts) -> Result<Box<dyn Executor>, StartError> {
        let (mut store, instance) = self.linked.instantiate(parts)?;
        let init: Init = function(&mut store, &instance, self.exports.init, "init")?;
        let call = function(&mut store, &instance, self.exports.call, "call")?;
        let finish = function(&mut store, &instance, self.exports.finish, "finish")?;
        let args = parts.init.clone();
        match run_guest_async(&mut store, async |store| init.call_async(store, (args,)).await) {
            Ok((Ok(()),)) => Ok(Box::new(ComponentInstance { store, call, finish })),
            Ok((Err(message),)) => Err(StartError::InitRefused { message }),
            Err(failure) => Err(StartError::from_init(failure)),
        }
    }
}

impl LinkedComponent {
    /// Checks and resolves the imports of a component.
    pub(crate) fn link(
        settings: &CompileSettings,
        component: &Component,
    ) -> Result<Self, LoadErrorKind> {
        let (engine, functions) = (&settings.engine, &settings.host_functions);
        check_imports(engine, component, functions)?;
        let mut linker = linker(engine);
        host_function::component::add_to_linker(&mut linker, functions)
            .expect("the settings were checked: each name is unique and free");
        let pre = linker.instantiate_pre(component);
        let pre = pre.map_err(|error| LoadErrorKind::Link { source: ErrorChain::new(error) })?;
        let uses_argument_passing = uses_argument_passing(engine, component);
        let can_connect = can_connect(engine, component);
        let (engine, functions) = (engine.clone(), functions.clone());
        Ok(Self { engine, pre, functions, uses_argument_passing, can_connect })
    }

    pub(crate) fn code(&self) -> CompiledCode {
        CompiledCode::Component(self.pre.component().clone())
    }

    /// Returns the host functions that were offered to the component.
    pub(crate) fn functions(&self) -> &HostFunctions {
        &self.functions
    }

    pub(crate) fn can_connect(&self) -> bool {
        self.can_connect
    }

    /// Makes a new instance, without calling `init`.
    pub(crate) fn instantiate(
        &self,
        parts: &InstanceParts,
    ) -> Result<(Store<State>, Instance), StartError> {
        let network = Network::new(&parts.grants.net, &parts.names, parts.guest_output.sink());
        let (network, mut table) = (Arc::new(network), ResourceTable::new());
        limit_open(&mut table);
        let mut wasi = with_sockets(wasi(parts), &network).build();
        parts.preopens.put_into(&mut wasi);
        let data = State {
            wasi,
            table,
            http: WasiHttpCtx::new(),
            requests: Requests::new(&network),
            network,
            common: CommonState::new(parts),
        };
        let mut store = store(&self.engine, parts, data);
        yield_at_ticks(&mut store);
        store.set_hostcall_fuel(parts.config.max_result.bytes().max(MIN_TRANSFER));
        let instance =
            run_guest_async(&mut store, async |store| self.pre.instantiate_async(store).await);
        Ok((store, instance.map_err(StartError::instantiate)?))
    }
}

impl std::fmt::Debug for ComponentPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ComponentPlugin").finish_non_exhaustive()
    }
}

impl WorkerExports {
    /// Finds the exports of a component of this world. Returns `None` for other components.
    pub(crate) fn find(component: &Component) -> Option<Self> {
        let worker = component.get_export_index(None, INTERFACE)?;
        let function = |name| component.get_export_index(Some(&worker), name);
        Some(Self { init: function("init")?, call: function("call")?, finish: function("finish")? })
    }
}

fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine.wasm());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("an empty linker takes WASI");
    sockets::add_to_linker(&mut linker).expect("the linker allows shadowing");
    file_calls::add_to_linker(&mut linker).expect("the linker allows shadowing");
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)
        .expect("the linker has no HTTP yet");
    context::add_to_component_linker(&mut linker).expect("no other interface has this name");
    linker
}

/// Checks that every import has a provider. The linker makes the same check later, but its error message names internal
/// types.
fn check_imports(
    engine: &Engine,
    component: &Component,
    functions: &HostFunctions,
) -> Result<(), LoadErrorKind> {
    let ty = component.component_type();
    for (name, import) in ty.imports(engine.wasm()) {
        if functions.has_interface(name) {
            host_function::component::check(engine, (name, &import.ty), functions)?;
            continue;
        }
        let is_known = name == context::INTERFACE || is_wasi(name);
        if !is_known && !is_types_only(engine, &import.ty) {
            let import = name.to_owned();
            return Err(LoadErrorKind::Import { import, offered: functions.names() });
        }
    }
    Ok(())
}

/// Returns whether an import only defines types. If a world uses only types of an interface, the components of the
/// world still import that interface.
pub(crate) fn is_types_only(engine: &Engine, import: &ComponentItem) -> bool {
    match import {
        ComponentItem::Type(_) | ComponentItem::Resource(_) => true,
        ComponentItem::ComponentInstance(interface) => {
            let mut exports = interface.exports(engine.wasm());
            exports.all(|(_, export)| matches!(export.ty, ComponentItem::Type(_)))
        }
        _ => false,
    }
}

/// Adds sockets that reach only the granted addresses.
fn with_sockets(mut wasi: WasiCtxBuilder, network: &Arc<Network>) -> WasiCtxBuilder {
    let checked_network = Arc::clone(network);
    wasi.allow_tcp(network.has_grants()).socket_addr_check(move |address, usage| {
        let is_allowed = checked_network.allows_use(address, usage);
        Box::pin(async move { is_allowed })
    });
    wasi
}

/// Returns whether the component imports an interface for outgoing connections.
fn can_connect(engine: &Engine, component: &Component) -> bool {
    let ty = component.component_type();
    ty.imports(engine.wasm()).any(|(name, _)| allows_connections(name))
}

/// Returns whether this interface allows outgoing connections.
pub(crate) fn allows_connections(interface: &str) -> bool {
    ["wasi:sockets/tcp@", "wasi:http/outgoing-handler@"]
        .iter()
        .any(|name| interface.starts_with(name))
}

/// Returns whether the component imports the function that reports the argument passing.
fn uses_argument_passing(engine: &Engine, component: &Component) -> bool {
    match component.component_type().get_import(engine.wasm(), context::INTERFACE) {
        Some(import) => match import.ty {
            ComponentItem::ComponentInstance(interface) => {
                interface.get_export(engine.wasm(), context::PASSING).is_some()
            }
            _ => false,
        },
        None => false,
    }
}

/// Returns whether the host provides this WASI interface.
pub(crate) fn is_wasi(name: &str) -> bool {
    const PACKAGES: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
    let Some((package, version)) = name
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('/'))
        .and_then(|(package, rest)| Some((package, rest.split_once('@')?.1)))
    else {
        return false;
    };
    PACKAGES.contains(&package) && version.starts_with("0.2.")
}

pub(crate) struct ComponentInstance {
    store: Store<State>,
    call: Call,
    finish: Finish,
}

impl ComponentInstance {
    fn max_result(&self) -> ResultLimit {
        self.store.data().common.config.max_result
    }

    fn call_item(
        &mut self,
        outcomes: &mut Outcomes,
        outlet: &Arc<dyn Outlet>,
    ) -> Result<(), InstanceFailure> {
        let item = outcomes.span().item(outcomes.len()).to_vec();
        let call = self.call;
        begin_phase(&mut self.store, Phase::Item);
        let called = run_guest_with(
            &mut self.store,
            async |store| call.call_async(store, (item,)).await,
            || outlet.hand_over(outcomes),
        );
        match called?.0 {
            Ok(Some(record)) => outcomes.record(&record, self.max_result()),
            Ok(None) => outcomes.no_record(),
            Err(ItemError::Refused(message)) => outcomes.fault(FaultKind::Refused, message),
            Err(ItemError::BadItem(message)) => outcomes.fault(FaultKind::BadItem, message),
        }
        Ok(())
    }
}

fn function<P, R>(
    store: &mut Store<State>,
    instance: &Instance,
    index: ComponentExportIndex,
    name: &str,
) -> Result<TypedFunc<P, R>, StartError>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    instance.get_typed_func(store, index).map_err(|error| StartError::Instantiate {
        message: format!("`{name}` of `{INTERFACE}` has the wrong type: {error:#}"),
    })
}

impl Executor for ComponentInstance {
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
        true
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, InstanceFailure> {
        let finish = self.finish;
        begin_phase(&mut self.store, Phase::Finishing);
        let report =
            run_guest_async(&mut self.store, async |store| finish.call_async(store, ()).await)?.0;
        let report = report.map_err(|message| InstanceFailure::new(FaultKind::Refused, message))?;
        match self.max_result().too_long(FINISH_REPORT, report.as_ref().map_or(0, Vec::len)) {
            None => Ok(report),
            Some(failure) => Err(failure),
        }
    }
}
