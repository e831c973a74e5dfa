//! Tests that all calls of the engine and of workers succeed in the jail.

#[expect(dead_code, reason = "the tests of mtl-jail use the rest")]
#[path = "../../jail/src/tests/alone.rs"]
mod alone;
#[expect(dead_code, reason = "the tests of mtl-jail use the rest")]
#[path = "../../../tests/escape/misdeeds.rs"]
mod misdeeds;

use std::io::Write as _;
use std::sync::mpsc::{self, IntoIter, Sender};
use std::sync::{Arc, Barrier};
use std::{fs, iter};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, getrlimit};
use tokio::runtime::Handle;
use wasmtime::{Config, Engine as Wasm, Instance, Module, Store, Trap};
use wasmtime_wasi::runtime::{spawn, with_ambient_tokio_runtime};

use self::alone::alone;
use self::misdeeds::not_refused;
use crate::jail::{JailConfig, JailError, JailLevel, LayerNeed, Task, begin, enter, seal};
use crate::{Engine, Plugin, Pool, Results};

/// The path of this module, which is part of a test's name when the test is started again.
const TESTS: &str = "isolation::in_jail";

/// Returns the settings of a jail without grants.
fn bare(task: Task) -> JailConfig<'static> {
    let data = 1 << 30;
    JailConfig {
        has_namespaces: false,
        ..JailConfig::without_grants(task, JailLevel::Required, data)
    }
}

/// A module that grows its memory, traps, and recurses without end.
const MODULE: &str = r#"(module
    (memory (export "memory") 1)
    (data (i32.const 8) "\2a")
    (func (export "answer") (result i32) (i32.load8_u (i32.const 8)))
    (func (export "grow") (result i32) (memory.grow (i32.const 64)))
    (func (export "touch") (i32.store (i32.const 4000000) (i32.const 1)))
    (func (export "trap") unreachable)
    (func (export "outside") (drop (i32.load (i32.const -8))))
    (func $deep (export "deep") (call $deep)))"#;

fn wasm(is_parallel: bool) -> Wasm {
    let mut config = Config::new();
    Wasm::new(config.epoch_interruption(true).parallel_compilation(is_parallel)).unwrap()
}

#[test]
fn running_pools_continue_in_the_sealed_jail() {
    alone("running_pools_continue_in_the_sealed_jail", |parent| {
        let read = |name| fs::read(format!("../tests/fixtures/{name}.wat")).unwrap();
        let sources = ["upper", "component"].map(|name| (name, read(name)));
        begin(parent).unwrap();
        let layers = enter(&bare(Task::Work)).unwrap();
        assert_eq!(layers.missing(LayerNeed::Required).count(), 0);
        let engine = Engine::new().unwrap();
        let plugins =
            sources.map(|(name, source)| Plugin::from_bytes(&engine, name, &source).unwrap());
        let mut pools = plugins
            .each_ref()
            .map(|plugin| Pool::builder(plugin).jobs("1".parse().unwrap()).build().unwrap());
        let (items, sources): (Vec<_>, Vec<_>) = pools.iter().map(|_| mpsc::channel()).unzip();
        let mut runs: Vec<_> =
            pools.iter_mut().zip(sources).map(|(pool, source)| pool.map(source)).collect();
        each_gives_a_record(&items, &mut runs);
        the_runtime_has_its_threads();
        engine.watchdog().wait_until_running();
        seal().unwrap();
        assert!(matches!(seal(), Err(JailError::System { .. })), "the jail is sealed already");
        each_gives_a_record(&items, &mut runs);
    });
}

fn each_gives_a_record(items: &[Sender<&'static str>], runs: &mut [Results<'_, IntoIter<&str>>]) {
    for (items, results) in items.iter().zip(runs) {
        items.send("one").unwrap();
        results.next().unwrap().unwrap();
    }
}

/// Waits until every thread of the asynchronous runtime runs.
fn the_runtime_has_its_threads() {
    let threads = with_ambient_tokio_runtime(|| Handle::current().metrics().num_workers());
    let all = Arc::new(Barrier::new(threads + 1));
    let tasks: Vec<_> = iter::repeat_n(&all, threads)
        .map(|all| {
            let all = Arc::clone(all);
            spawn(async move { all.wait() })
        })
        .collect();
    all.wait();
    drop(tasks);
}

#[test]
fn a_plugin_is_compiled_in_the_sealed_jail() {
    alone("a_plugin_is_compiled_in_the_sealed_jail", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Compile)).unwrap();
        rayon::broadcast(|_| ());
        seal().unwrap();
        let compiled = wasm(true).precompile_module(MODULE.as_bytes()).unwrap();
        assert!(!compiled.is_empty());
        let done =
            [not_refused(misdeeds::on_code()), not_refused(misdeeds::on_resources())].concat();
        // The engine of a compiler may make code read-only. A compiler runs no code.
        assert!(matches!(&*done, [one] if one.contains("read-only")), "{done:#?}");
        let mut memory: Vec<u8> = Vec::new();
        assert!(memory.try_reserve(64 << 20).is_ok(), "memory below the limit is granted");
        let all = getrlimit(Resource::As).maximum.unwrap();
        assert!(all < 64 << 30, "addresses have a limit: {all}");
    });
}

#[test]
fn code_loaded_before_the_seal_runs_after_it() {
    alone("code_loaded_before_the_seal_runs_after_it", |parent| {
        // Parallel compilation would leave threads, and only a process with one thread can enter the jail.
        let alone = wasm(false);
        let compiled = alone.precompile_module(MODULE.as_bytes()).unwrap();
        begin(parent).unwrap();
        let code = memfd_create("code", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
        let mut code = fs::File::from(code);
        code.write_all(&compiled).unwrap();
        fcntl_add_seals(&code, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW).unwrap();
        enter(&bare(Task::Work)).unwrap();
        let engine = wasm(true);
        let module = load(&engine, code);
        seal().unwrap();
        for _ in 0..3 {
            works(&engine, &module);
        }
    });
}

#[expect(unsafe_code, reason = "loading compiled code is unsafe")]
fn load(engine: &Wasm, code: fs::File) -> Module {
    // SAFETY: this test has compiled the code with this version of the engine. The file is sealed, so it has exactly
    // the bytes that the engine wrote.
    unsafe { Module::deserialize_open_file(engine, code) }.unwrap()
}

fn works(engine: &Wasm, module: &Module) {
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let mut call = |name| {
        let function = instance.get_func(&mut store, name).unwrap();
        let mut results = vec![wasmtime::Val::I32(0); function.ty(&store).results().len()];
        let called = function.call(&mut store, &[], &mut results);
        called
            .map(|()| results.first().and_then(wasmtime::Val::i32))
            .map_err(|error| error.downcast_ref::<Trap>().copied())
    };
    assert_eq!(call("answer"), Ok(Some(42)));
    assert_eq!(call("touch"), Err(Some(Trap::MemoryOutOfBounds)));
    assert_eq!(call("grow"), Ok(Some(1)));
    assert_eq!(call("touch"), Ok(None));
    assert_eq!(call("trap"), Err(Some(Trap::UnreachableCodeReached)));
    assert_eq!(call("outside"), Err(Some(Trap::MemoryOutOfBounds)));
    assert_eq!(call("deep"), Err(Some(Trap::StackOverflow)));
}
