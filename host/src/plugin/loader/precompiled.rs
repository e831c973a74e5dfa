//! Plugins that were compiled ahead of time, into files of their own: `.cwasm`.
//!
//! Nothing can be checked of machine code. Such a file is run only by a loader that was told, by an
//! unsafe function, to trust it; and what it says of itself is believed.

use std::io::Cursor;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PluginLoader;
use crate::cache::package::Package;
use crate::cache::{EntryKind, Key};
use crate::engine::artifact::Kind;
use crate::engine::code::{MachineCode, Runnable};
use crate::engine::{Engine, EngineOptions, Facts, LoadError, Loaded};
use crate::isolation::Isolation;
use crate::isolation::compiled::Compiled;
use crate::jail::sealed_file::CodeFile;
use crate::plugin::Plugin;

/// What such a file says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    version: String,
    engine: EngineOptions,
    facts: Facts,
}

/// Whether a file is machine code, as the engine writes it, told by its head.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    const OF_THE_ENGINE: u8 = 200;
    bytes.starts_with(b"\x7fELF") && bytes.get(7) == Some(&OF_THE_ENGINE)
}

/// A plugin's code in such a file.
pub(crate) fn write(engine: &Engine, facts: Facts, code: &[u8]) -> std::io::Result<Vec<u8>> {
    let version = env!("CARGO_PKG_VERSION").into();
    let about = About { version, engine: engine.options(), facts };
    let about = serde_json::to_vec(&about).expect("it is text and truth values");
    let mut file = Vec::with_capacity(code.len() + about.len());
    Package::write(&mut file, key(engine).digest(), code, &about)?;
    Ok(file)
}

/// What must be the same for code to be run.
fn key(engine: &Engine) -> Key {
    let key = Key::of(EntryKind::Precompiled).part(env!("CARGO_PKG_VERSION").as_bytes());
    key.part(engine.settings().bytes()).end()
}

impl PluginLoader {
    /// The plugin in such a file.
    pub(crate) fn take_precompiled(&self, path: &Path, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let path_of = || path.to_owned();
        if !self.trusts_precompiled {
            return Err(LoadError::Precompiled { path: path_of() });
        }
        let (package, About { facts, .. }) = self
            .open(bytes)
            .map_err(|how| LoadError::CompiledOtherwise { path: path_of(), how })?;
        let length = usize::try_from(package.code).expect("it is in memory");
        let code = &bytes[..length];
        match &self.isolation {
            Isolation::Thread => {
                let kind = if facts.is_component { Kind::Component } else { Kind::Core };
                let code = MachineCode::take(self.engine(), &Runnable::VouchedFor(code), kind);
                let code = code.map_err(|error| LoadError::Invalid {
                    path: path_of(),
                    source: error.into(),
                })?;
                Ok(Plugin::here(path, self.engine(), Loaded::link(&self.settings, path, &code)?))
            }
            Isolation::Process(_) => {
                let code = CodeFile::of(code).map_err(|source| LoadError::Code { source })?;
                let compiled = Compiled::elsewhere(code, facts.is_component, &self.settings);
                Ok(Plugin::elsewhere(path, self.engine(), facts, compiled))
            }
        }
    }

    /// What a file says of itself, if it is whole and for this engine; otherwise, how it came
    /// about.
    fn open(&self, bytes: &[u8]) -> Result<(Package, About), String> {
        let no_package = "is damaged, or was not made by `mtl-host compile`";
        let package = Package::read(Cursor::new(bytes)).map_err(|_| no_package)?;
        let about: About = serde_json::from_slice(&package.facts).map_err(|_| no_package)?;
        let version = env!("CARGO_PKG_VERSION");
        if about.version != version {
            let other = about.version.escape_debug();
            return Err(format!("was compiled by mtl-host {other}, and this is {version}"));
        }
        match (about.engine.counts_fuel, self.engine().counts_fuel()) {
            (true, false) => return Err("was compiled for runs with `--fuel`".into()),
            (false, true) => return Err("was compiled for runs without `--fuel`".into()),
            (true, true) | (false, false) => {}
        }
        let features = about.engine.features;
        if features != self.engine().features() {
            return Err(format!("was compiled for runs with `--wasm {features}`"));
        }
        if package.key != key(self.engine()).digest() {
            return Err("was compiled for another processor, or by another build".into());
        }
        Ok((package, about))
    }
}
