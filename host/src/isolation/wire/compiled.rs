//! What a child says of a plugin that it has compiled, or looked into.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::refused::Refused;
use super::{BadFrame, Frame, Reply};
use crate::outcome::Format;
use crate::plugin::{
    Export, Facts, Findings, Import, MemorySize, PluginKind, PluginLoader, Provider, TypedCall,
    WasmFeatures,
};

/// A plugin is compiled, and so many bytes of its code are in the file that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompiledThere {
    pub(crate) facts: Facts,
    pub(crate) length: u64,
}

impl CompiledThere {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("it is numbers");
        Frame::reply(Reply::Compiled).rest(&json).seal()
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, BadFrame> {
        serde_json::from_slice(payload).map_err(|_| BadFrame("facts that are none"))
    }
}

/// What was found in a plugin, as it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    is_component: bool,
    exports: Vec<(String, String)>,
    imports: Vec<(String, By, Vec<String>)>,
    memory: Option<Memory>,
    typed: Option<Typed>,
    features: WasmFeatures,
    refusal: Option<Refused>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Typed {
    call: String,
    items: Vec<(String, String)>,
    has_init: bool,
    init: Option<String>,
    has_json_results: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum By {
    Wasi,
    Context,
    HostFunction,
    Unknown,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Memory {
    initial: u64,
    maximum: Option<u64>,
    memories: u32,
}

impl Found {
    pub(crate) fn encode(self) -> Vec<u8> {
        let json = serde_json::to_vec(&self).expect("it is text and numbers");
        Frame::reply(Reply::Inspected).rest(&json).seal()
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, BadFrame> {
        serde_json::from_slice(payload).map_err(|_| BadFrame("findings that are none"))
    }

    /// What was found, for the loader that was to load it.
    pub(crate) fn findings(self, loader: &PluginLoader, path: &Path) -> Result<Findings, BadFrame> {
        let export = |(name, signature)| Export { name, signature };
        let import = |(from, by, names)| Import { from, provider: Provider::from(by), names };
        let refusal = self.refusal.map(|refused| refused.error(loader, path));
        Ok(Findings {
            kind: match self.is_component {
                false => PluginKind::CoreModule,
                true => PluginKind::Component,
            },
            exports: self.exports.into_iter().map(export).collect(),
            imports: self.imports.into_iter().map(import).collect(),
            memory: self.memory.map(MemorySize::from),
            typed: self.typed.map(Typed::call).transpose()?,
            features: self.features,
            refusal: refusal.transpose()?,
        })
    }
}

impl From<Findings> for Found {
    fn from(found: Findings) -> Self {
        let import = |import: Import| (import.from, By::from(import.provider), import.names);
        Self {
            is_component: found.kind == PluginKind::Component,
            exports: found.exports.into_iter().map(|it| (it.name, it.signature)).collect(),
            imports: found.imports.into_iter().map(import).collect(),
            memory: found.memory.map(Memory::from),
            typed: found.typed.map(Typed::from),
            features: found.features,
            refusal: found.refusal.as_ref().map(Refused::from),
        }
    }
}

impl Typed {
    fn call(self) -> Result<TypedCall, BadFrame> {
        let Self { call, items, has_init, init, has_json_results } = self;
        let item = |(passing, item): (String, String)| match passing.parse() {
            Ok(passing) => Ok((passing, item)),
            Err(_) => Err(BadFrame("a way of passing that there is not")),
        };
        let items = items.into_iter().map(item).collect::<Result<_, _>>()?;
        let results = if has_json_results { Format::Json } else { Format::Text };
        Ok(TypedCall { call, items, has_init, init, results })
    }
}

impl From<TypedCall> for Typed {
    fn from(typed: TypedCall) -> Self {
        let TypedCall { call, items, has_init, init, results } = typed;
        let items = items.into_iter().map(|(passing, item)| (passing.to_string(), item)).collect();
        Self { call, items, has_init, init, has_json_results: results == Format::Json }
    }
}

impl From<Provider> for By {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Wasi => Self::Wasi,
            Provider::Context => Self::Context,
            Provider::HostFunction => Self::HostFunction,
            Provider::Unknown => Self::Unknown,
        }
    }
}

impl From<By> for Provider {
    fn from(by: By) -> Self {
        match by {
            By::Wasi => Self::Wasi,
            By::Context => Self::Context,
            By::HostFunction => Self::HostFunction,
            By::Unknown => Self::Unknown,
        }
    }
}

impl From<MemorySize> for Memory {
    fn from(size: MemorySize) -> Self {
        let MemorySize { initial, maximum, memories } = size;
        Self { initial, maximum, memories }
    }
}

impl From<Memory> for MemorySize {
    fn from(size: Memory) -> Self {
        let Memory { initial, maximum, memories } = size;
        Self { initial, maximum, memories }
    }
}
