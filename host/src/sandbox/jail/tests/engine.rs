//! What the engine and the workers need works inside.

use std::fs;
use std::io::Write as _;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use wasmtime::{Config, Engine as Wasm, Instance, Module, Store, Trap};

use super::{JailError, Task, alone, bare, begin, enter, seal};
use crate::{Engine, Plugin, Pool};

/// Grows, traps, and recurses for ever.
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
fn pools_run_in_the_sealed_jail() {
    alone("engine::pools_run_in_the_sealed_jail", |parent| {
        let read = |name| fs::read(format!("../tests/fixtures/{name}.wat")).unwrap();
        let sources = ["upper", "component"].map(|name| (name, read(name)));
        begin(parent).unwrap();
        assert_eq!(enter(&bare(Task::Work)).unwrap(), []);
        let engine = Engine::new().unwrap();
        let plugins =
            sources.map(|(name, source)| Plugin::from_bytes(&engine, name, &source).unwrap());
        plugins.iter().for_each(runs);
        seal().unwrap();
        assert!(matches!(seal(), Err(JailError::System { .. })), "it is sealed");
        plugins.iter().for_each(runs);
    });
}

fn runs(plugin: &Plugin) {
    let mut pool = Pool::builder(plugin).build().unwrap();
    let mut results = pool.map(["one", "six"]);
    assert_eq!(results.by_ref().count(), 2);
    let summary = results.end().into_result().unwrap();
    assert_eq!(summary.counts.failed(), 0);
}

#[test]
fn a_plugin_is_compiled_in_the_sealed_jail() {
    alone("engine::a_plugin_is_compiled_in_the_sealed_jail", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Compile)).unwrap();
        assert!(matches!(seal(), Err(JailError::System { .. })), "it is sealed from the start");
        let compiled = wasm(true).precompile_module(MODULE.as_bytes()).unwrap();
        assert!(!compiled.is_empty());
    });
}

#[test]
fn compiled_code_is_loaded_and_then_the_jail_is_sealed() {
    alone("engine::compiled_code_is_loaded_and_then_the_jail_is_sealed", |parent| {
        // It would leave threads, and only one can enter.
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

#[expect(unsafe_code, reason = "what was compiled is loaded so")]
fn load(engine: &Wasm, code: fs::File) -> Module {
    // SAFETY: this test has compiled it, and nothing has changed it since.
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
