//! Core modules that speak ABI 1: bytes in a buffer, an answer in a word.
//!
//! The plugin is trusted in nothing. Every address and length that it gives is checked against
//! its memory as it is at that moment; what does not hold is the fault of the item, and the
//! instance is replaced.

use std::path::Path;

use wasmtime::{
    ExternType, FuncType, Instance, InstancePre, Linker, Memory, Module, Store, TypedFunc,
    UnknownImportError, ValType, WasmParams, WasmResults,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};

use super::artifact::Artifact;
use super::state::{Common, HasCommon, Spec, store, wasi};
use super::{Engine, LoadError, StartError, context, trap};
use crate::fault::FaultKind;
use crate::outcome::{Format, Outcomes};
use crate::sandbox::limits::MAX_RESULT;
use crate::worker::executor::{Broken, Executor, Pause, Ran, each_item};

mod word;

pub(super) use self::word::{Answer, Word};

/// The version of the interface that this host speaks.
const ABI_VERSION: i32 = 1;

/// A core module, compiled, its imports found and its exports checked.
pub(super) struct CorePlugin {
    engine: Engine,
    pre: InstancePre<State>,
    has_init: bool,
}

/// What the store of a core module's instance holds.
struct State {
    wasi: WasiP1Ctx,
    common: Common,
}

impl HasCommon for State {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl CorePlugin {
    pub(super) fn compile(
        engine: &Engine,
        path: &Path,
        artifact: &Artifact,
    ) -> Result<Self, LoadError> {
        let module = Module::new(engine.wasm(), artifact.bytes());
        let module = module
            .map_err(|error| LoadError::Invalid { path: path.to_owned(), source: error.into() })?;
        check_exports(path, &module)?;
        let linker = linker(engine);
        let pre = linker.instantiate_pre(&module).map_err(|error| unlinked(path, error))?;
        let has_init = module.get_export("init").is_some();
        Ok(Self { engine: engine.clone(), pre, has_init })
    }

    pub(super) fn has_init(&self) -> bool {
        self.has_init
    }

    /// A fresh instance, initialised.
    pub(super) fn start(&self, spec: &Spec) -> Result<CoreInstance, StartError> {
        let data = State { wasi: wasi(spec)?.build_p1(), common: Common::new(spec) };
        let mut store = store(&self.engine, spec, data);
        let instance = match self.pre.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => {
                let broken = trap::broken(&error, &mut store.data_mut().common.meter);
                return Err(StartError::Instantiate { message: broken.message });
            }
        };
        CoreInstance::start(store, &instance, &spec.init)
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
    context::add_to_core_linker(&mut linker).expect("the interface's name is its own");
    linker
}

fn unlinked(path: &Path, error: wasmtime::Error) -> LoadError {
    let path = path.to_owned();
    match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) => {
            LoadError::Import { path, import: format!("{}.{}", unknown.module(), unknown.name()) }
        }
        None => LoadError::Link { path, source: error.into() },
    }
}

/// Checks that a module exports what ABI 1 asks for.
fn check_exports(path: &Path, module: &Module) -> Result<(), LoadError> {
    use ValType::{I32, I64};
    check_memory(path, module)?;
    check_function(path, module, "mtl_alloc", true, (&[I32], &[I32]))?;
    check_function(path, module, "call", true, (&[I32, I32], &[I64]))?;
    check_function(path, module, "init", false, (&[I32, I32], &[I64]))?;
    check_function(path, module, "finish", false, (&[], &[I64]))?;
    check_function(path, module, "call_batch", false, (&[I32], &[I32]))?;
    check_function(path, module, "after_restore", false, (&[], &[]))?;
    check_function(path, module, "mtl_abi_version", false, (&[], &[I32]))?;
    check_function(path, module, "_initialize", false, (&[], &[]))
}

fn check_memory(path: &Path, module: &Module) -> Result<(), LoadError> {
    let found = match module.get_export("memory") {
        Some(ExternType::Memory(memory)) if !memory.is_64() && !memory.is_shared() => return Ok(()),
        Some(ExternType::Memory(memory)) if memory.is_64() => "a 64-bit memory",
        Some(ExternType::Memory(_)) => "a shared memory",
        Some(_) => "something else",
        None => return Err(missing(path, module, "memory")),
    };
    let expected = "a 32-bit memory of its own".into();
    Err(LoadError::Signature {
        path: path.to_owned(),
        export: "memory",
        expected,
        found: found.into(),
    })
}

fn check_function(
    path: &Path,
    module: &Module,
    export: &'static str,
    required: bool,
    (params, results): (&[ValType], &[ValType]),
) -> Result<(), LoadError> {
    let found = match module.get_export(export) {
        None if required => return Err(missing(path, module, export)),
        None => return Ok(()),
        Some(ExternType::Func(function)) => {
            let same = |found: &ValType, wanted: &ValType| ValType::eq(found, wanted);
            let fits = function.params().len() == params.len()
                && function.results().len() == results.len()
                && function.params().zip(params).all(|(found, wanted)| same(&found, wanted))
                && function.results().zip(results).all(|(found, wanted)| same(&found, wanted));
            if fits {
                return Ok(());
            }
            signature(&function)
        }
        Some(_) => "something that is no function".into(),
    };
    let types = |types: &[ValType]| list(types.iter().map(ToString::to_string));
    let expected = format!("`({}) -> ({})`", types(params), types(results));
    Err(LoadError::Signature { path: path.to_owned(), export, expected, found })
}

fn signature(function: &FuncType) -> String {
    let params = list(function.params().map(|param| param.to_string()));
    let results = list(function.results().map(|result| result.to_string()));
    format!("`({params}) -> ({results})`")
}

fn list(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn missing(path: &Path, module: &Module, missing: &'static str) -> LoadError {
    let exports = super::error::names(module.exports().map(|export| export.name().to_owned()));
    LoadError::MissingExport { path: path.to_owned(), missing, exports }
}

/// An instance of a core module.
pub(super) struct CoreInstance {
    guest: Guest,
    call: TypedFunc<(i32, i32), i64>,
    finish: Option<TypedFunc<(), i64>>,
}

/// The functions that are called once, before any item.
struct Starters {
    initialize: Option<TypedFunc<(), ()>>,
    version: Option<TypedFunc<(), i32>>,
    init: Option<TypedFunc<(i32, i32), i64>>,
}

impl CoreInstance {
    /// Brings an instance up to its first item.
    fn start(
        mut store: Store<State>,
        instance: &Instance,
        args: &[u8],
    ) -> Result<Self, StartError> {
        let starters = Starters {
            initialize: function(&mut store, instance, "_initialize"),
            version: function(&mut store, instance, "mtl_abi_version"),
            init: function(&mut store, instance, "init"),
        };
        let call = function(&mut store, instance, "call").expect("checked when loaded");
        let finish = function(&mut store, instance, "finish");
        let mut guest = Guest::new(store, instance);
        guest.start(&starters, args)?;
        Ok(Self { guest, call, finish })
    }

    fn call_item(&mut self, outcomes: &mut Outcomes) -> Result<(), Broken> {
        let word = self.guest.pass(outcomes.span().item(outcomes.len()), &self.call)?;
        match self.guest.answer(word)? {
            Answer::Record(record) if record.len() > MAX_RESULT => {
                let message = format!("the result of {} bytes is too large", record.len());
                outcomes.fault(FaultKind::BadResult, message);
            }
            Answer::Record(record) => outcomes.record(record),
            Answer::NoRecord => outcomes.no_record(),
            Answer::Refused(message) => outcomes.fault(FaultKind::Refused, word::text(message)),
            Answer::BadItem(message) => outcomes.fault(FaultKind::BadItem, word::text(message)),
        }
        Ok(())
    }
}

impl Executor for CoreInstance {
    fn run(&mut self, outcomes: &mut Outcomes, until: usize, pause: &Pause<'_>) -> Ran {
        each_item(outcomes, until, pause, |outcomes| self.call_item(outcomes))
    }

    fn format(&self) -> Format {
        self.guest.store.data().common.result_format
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let Some(finish) = &self.finish else { return Ok(None) };
        let word = Word::new(self.guest.enter(|store| finish.call(store, ()))?);
        match self.guest.answer(word)? {
            Answer::Record(report) => Ok(Some(report.to_vec())),
            Answer::NoRecord => Ok(None),
            Answer::Refused(message) | Answer::BadItem(message) => {
                Err(Broken::new(FaultKind::Refused, word::text(message)))
            }
        }
    }
}

/// The guest's side: its store, its memory, and the buffer in it that is the host's.
struct Guest {
    store: Store<State>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    buffer: Buffer,
}

/// Where the host puts items: what `mtl_alloc` gave last.
#[derive(Clone, Copy, Debug, Default)]
struct Buffer {
    ptr: u32,
    capacity: u32,
}

impl Buffer {
    /// Room for most items at once, so that few plugins are asked twice.
    const LEAST: u32 = 4096;
}

impl Guest {
    fn new(mut store: Store<State>, instance: &Instance) -> Self {
        let memory = instance.get_memory(&mut store, "memory").expect("checked when loaded");
        let alloc = function(&mut store, instance, "mtl_alloc").expect("checked when loaded");
        Self { store, memory, alloc, buffer: Buffer::default() }
    }

    fn start(&mut self, starters: &Starters, args: &[u8]) -> Result<(), StartError> {
        let broke = |broken: Broken| StartError::Instantiate { message: broken.message };
        if let Some(initialize) = &starters.initialize {
            self.enter(|store| initialize.call(store, ())).map_err(broke)?;
        }
        if let Some(version) = &starters.version {
            let found = self.enter(|store| version.call(store, ())).map_err(broke)?;
            if found != ABI_VERSION {
                return Err(StartError::Abi { found, supported: ABI_VERSION });
            }
        }
        let Some(init) = &starters.init else { return Ok(()) };
        let answered = self.pass(args, init).and_then(|word| self.answer(word));
        match answered {
            Ok(Answer::Record(_) | Answer::NoRecord) => Ok(()),
            Ok(Answer::Refused(message) | Answer::BadItem(message)) => {
                Err(StartError::InitRefused { message: word::text(message) })
            }
            Err(broken) => Err(StartError::InitBroke { message: broken.message }),
        }
    }

    /// Puts `bytes` into the buffer and calls `function` with it.
    fn pass(
        &mut self,
        bytes: &[u8],
        function: &TypedFunc<(i32, i32), i64>,
    ) -> Result<Word, Broken> {
        let (ptr, len) = self.put(bytes)?;
        let word = self.enter(|store| function.call(store, (ptr, len)))?;
        Ok(Word::new(word))
    }

    /// Puts `bytes` into the buffer, which is made larger if need be.
    fn put(&mut self, bytes: &[u8]) -> Result<(i32, i32), Broken> {
        let len = u32::try_from(bytes.len()).map_err(|_| {
            Broken::new(FaultKind::OutOfMemory, "the item is larger than the plugin's memory")
        })?;
        if self.buffer.ptr == 0 || len > self.buffer.capacity {
            self.buffer = self.allocate(len)?;
        }
        let place = Word::range(self.buffer.ptr, len);
        let place = place.and_then(|range| self.memory.data_mut(&mut self.store).get_mut(range));
        let place = place.ok_or_else(|| {
            Broken::new(FaultKind::BadResult, "the buffer of `mtl_alloc` is not in the memory")
        })?;
        place.copy_from_slice(bytes);
        Ok((self.buffer.ptr.cast_signed(), len.cast_signed()))
    }

    fn allocate(&mut self, len: u32) -> Result<Buffer, Broken> {
        // By doubling, growing items ask seldom. What is more than half the memory is as it is.
        let capacity = len.max(Buffer::LEAST).checked_next_power_of_two().unwrap_or(len);
        // It is asked seldom, so that a clone does not matter.
        let alloc = self.alloc.clone();
        let ptr = self.enter(|store| alloc.call(store, capacity.cast_signed()))?.cast_unsigned();
        if ptr == 0 {
            let message = format!("the plugin has no memory for a buffer of {capacity} bytes");
            return Err(Broken::new(FaultKind::OutOfMemory, message));
        }
        if Word::bytes(self.memory.data(&self.store), ptr, capacity).is_none() {
            let message =
                format!("`mtl_alloc` gave {capacity} bytes at {ptr}, which are not in the memory");
            return Err(Broken::new(FaultKind::BadResult, message));
        }
        Ok(Buffer { ptr, capacity })
    }

    /// Reads an answer out of the memory.
    fn answer(&self, word: Word) -> Result<Answer<'_>, Broken> {
        word.read(self.memory.data(&self.store))
    }

    /// Runs the guest; what stops it is told as a fault.
    fn enter<R>(
        &mut self,
        guest: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<R, Broken> {
        match guest(&mut self.store) {
            Ok(result) => Ok(result),
            Err(error) => Err(trap::broken(&error, &mut self.store.data_mut().common.meter)),
        }
    }
}

fn function<P: WasmParams, R: WasmResults>(
    store: &mut Store<State>,
    instance: &Instance,
    name: &str,
) -> Option<TypedFunc<P, R>> {
    let function = instance.get_func(&mut *store, name)?;
    Some(function.typed(&*store).expect("checked when loaded"))
}
