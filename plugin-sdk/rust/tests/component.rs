//! Converts each example plugin that has been built to a component.
//!
//! The plugins are in the directory that `MTL_EXAMPLE_PLUGINS` names (default: the output directory
//! of `examples-plugins/build`). The test writes the components to its subdirectory `component/`,
//! where the tests of the host find them. If there are no plugins, the test does nothing; under
//! `CI`, it fails.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, DecodedWasm};

const DEFAULT_FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples-plugins/target/wasm32-wasip1/release");

#[test]
fn every_plugin_becomes_a_component() {
    let plugins = plugins();
    if plugins.is_empty() {
        assert!(env::var_os("CI").is_none(), "run `examples-plugins/build` first");
        return;
    }
    for plugin in plugins {
        let component = component(&fs::read(&plugin).unwrap());
        let exports = exports(&component);
        assert_eq!(exports, ["mtl:plugin/worker@1.0.0"], "{}", plugin.display());

        let folder = plugin.with_file_name("component");
        fs::create_dir_all(&folder).unwrap();
        // The file is renamed into place, because another test may be reading it.
        let written = folder.join("unfinished");
        fs::write(&written, component).unwrap();
        fs::rename(written, folder.join(plugin.file_name().unwrap())).unwrap();
    }
}

fn plugins() -> Vec<PathBuf> {
    let folder = env::var_os("MTL_EXAMPLE_PLUGINS").unwrap_or_else(|| DEFAULT_FOLDER.into());
    let Ok(entries) = fs::read_dir(Path::new(&folder)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect()
}

/// Makes a component of a module, like `wasm-tools component new`.
fn component(module: &[u8]) -> Vec<u8> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .unwrap()
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        .unwrap()
        .encode()
        .unwrap()
}

fn exports(component: &[u8]) -> Vec<String> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("this is a package, not a component");
    };
    let world = &resolve.worlds[world];
    world.exports.keys().map(|key| resolve.name_world_key(key)).collect()
}
