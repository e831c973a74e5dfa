//! Generates valid modules with `wasm-smith`.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use wasm_smith::{Config, Module};

/// The sets of exports that a module must have. The code of the functions is arbitrary.
static SHAPES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    [
        r#"(memory (export "memory") 1)
           (func (export "mtl_alloc") (param i32) (result i32) unreachable)
           (func (export "call") (param i32 i32) (result i64) unreachable)"#,
        r#"(memory (export "memory") 1 300)
           (func (export "mtl_alloc") (param i32) (result i32) unreachable)
           (func (export "call") (param i32 i32) (result i64) unreachable)
           (func (export "init") (param i32 i32) (result i64) unreachable)
           (func (export "finish") (result i64) unreachable)"#,
        r#"(memory (export "memory") 1)
           (func (export "mtl_alloc") (param i32) (result i32) unreachable)
           (func (export "call") (param i32 i32) (result i64) unreachable)
           (func (export "finish") (result i64) unreachable)
           (func (export "mtl_abi_version") (result i32) unreachable)
           (func (export "_initialize") unreachable)"#,
    ]
    .map(|exports| binary(&format!("(module {exports})")))
});

static IMPORTS: LazyLock<Vec<u8>> = LazyLock::new(|| binary(include_str!("imports.wat")));

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is a module")
}

/// Generates a module, which the host accepts in most cases.
pub(crate) fn module(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut config = Config::arbitrary(bytes)?;
    // The host refuses these features when it loads a module, so they are tried rarely.
    if !bytes.ratio(1, 32)? {
        config.memory64_enabled = false;
        config.threads_enabled = false;
        config.shared_everything_threads_enabled = false;
        config.custom_page_sizes_enabled = false;
        config.custom_descriptors_enabled = false;
        config.wide_arithmetic_enabled = false;
    }
    // Small modules find the same defects, and more of them fit into the time.
    config.max_funcs = config.max_funcs.min(16);
    config.max_instructions = config.max_instructions.min(64);
    config.max_memory32_bytes = 32 << 20;
    config.max_table_elements = config.max_table_elements.min(1 << 20);
    if !bytes.ratio(1, 16)? {
        config.available_imports = Some(IMPORTS.clone());
    }
    if !bytes.ratio(1, 16)? {
        config.exports = Some(bytes.choose(&*SHAPES)?.clone());
    }
    Ok(Module::new(config, bytes)?.to_bytes())
}
