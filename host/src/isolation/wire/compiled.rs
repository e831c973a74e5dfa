//! What a child says of a plugin that it has compiled, or looked into.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::refused::Refused;
use super::{BadFrame, Frame, Reply, bounded};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{
    Export, Facts, Findings, Import, MOST_EXAMPLES, MOST_KNOWN, MOST_LISTED, MemorySize,
    PluginKind, Provider, TypedCall, WasmFeatures,
};
use crate::item::format::Format;

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

/// How many bytes a child says of what it has found in a plugin: its lists, with all of their letters
/// escaped, and what is beside them.
pub(crate) const MOST_FOUND: usize = 4 * 1024 * 1024;

/// What was found in a plugin, as it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    is_component: bool,
    #[serde(deserialize_with = "bounded::list::<{ MOST_LISTED + MOST_KNOWN }, _, _>")]
    exports: Vec<(String, String)>,
    exports_left_out: usize,
    #[serde(deserialize_with = "bounded::list::<MOST_LISTED, _, _>")]
    imports: Vec<FoundImport>,
    imports_left_out: usize,
    memory: Option<Memory>,
    typed: Option<Typed>,
    features: WasmFeatures,
    refusal: Option<Refused>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FoundImport {
    from: String,
    by: By,
    #[serde(deserialize_with = "bounded::list::<MOST_LISTED, _, _>")]
    names: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Typed {
    call: String,
    #[serde(deserialize_with = "bounded::list::<MOST_EXAMPLES, _, _>")]
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

    /// What was found, for the settings that was to load it.
    pub(crate) fn findings(
        self,
        settings: &CompileSettings,
        path: &Path,
    ) -> Result<Findings, BadFrame> {
        let export = |(name, signature)| Export { name, signature };
        let import = |FoundImport { from, by, names }| {
            let provider = Provider::from(by);
            Import { from, provider, names }
        };
        let refusal = self.refusal.map(|refused| refused.error(settings, path));
        Ok(Findings {
            kind: match self.is_component {
                false => PluginKind::CoreModule,
                true => PluginKind::Component,
            },
            exports: self.exports.into_iter().map(export).collect(),
            exports_left_out: self.exports_left_out,
            imports: self.imports.into_iter().map(import).collect(),
            imports_left_out: self.imports_left_out,
            memory: self.memory.map(MemorySize::from),
            typed: self.typed.map(Typed::call).transpose()?,
            features: self.features,
            refusal: refusal.transpose()?,
        })
    }
}

impl From<Findings> for Found {
    fn from(found: Findings) -> Self {
        let import = |Import { from, provider, names }: Import| {
            let by = By::from(provider);
            FoundImport { from, by, names }
        };
        Self {
            is_component: found.kind == PluginKind::Component,
            exports: found.exports.into_iter().map(|it| (it.name, it.signature)).collect(),
            exports_left_out: found.exports_left_out,
            imports: found.imports.into_iter().map(import).collect(),
            imports_left_out: found.imports_left_out,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::wire::HEADER;

    /// What is found in a plugin as large and as odd as one can be.
    fn findings() -> Findings {
        let name = "\\01".repeat(80_000);
        let imports = (0..3).map(|at| format!("(import \"{name}{at}\" \"\" (func))"));
        // One function alone is compiled.
        let exports = (0..200_000).map(|at| format!("(export \"e{at}\" (func 3))"));
        let (imports, exports) = (imports.collect::<String>(), exports.collect::<String>());
        let text = format!("(module {imports} (func (export \"{name}\")) {exports})");
        let bytes = wat::parse_str(text).unwrap();
        let settings = CompileSettings::new(&crate::Engine::new().unwrap());
        settings.inspect_here(Path::new("it"), &bytes).unwrap()
    }

    #[test]
    fn what_is_found_in_the_largest_plugin_fits_into_a_frame() {
        let settings = CompileSettings::new(&crate::Engine::new().unwrap());
        let sent = Found::from(findings()).encode();
        assert!(sent.len() - HEADER <= MOST_FOUND, "{}", sent.len());
        let found = Found::decode(&sent[HEADER..]).unwrap();
        let found = found.findings(&settings, Path::new("it")).unwrap();
        assert_eq!(found.exports.len() + found.exports_left_out, 200_001);
        assert!(found.exports.len() <= MOST_LISTED);
    }

    #[test]
    fn lists_that_no_child_of_ours_makes_are_not_taken() {
        let with = |exports: &str, imports: &str, items: &str| {
            let typed = format!(
                r#"{{"call":"","items":[{items}],"has_init":false,"init":null,"has_json_results":false}}"#
            );
            let said = format!(
                r#"{{"is_component":true,"exports":[{exports}],"exports_left_out":0,"imports":[{imports}],
                     "imports_left_out":0,"memory":null,"typed":{typed},
                     "features":{{"gc":false,"exceptions":false}},"refusal":null}}"#
            );
            Found::decode(said.as_bytes()).is_ok()
        };
        let list = |element: &str, count: usize| vec![element; count].join(",");
        let export = r#"["",""]"#;
        let import = r#"{"from":"","by":"Wasi","names":[]}"#;
        let names =
            |count| format!(r#"{{"from":"","by":"Wasi","names":[{}]}}"#, list("\"\"", count));
        assert!(with(&list(export, MOST_LISTED), &list(import, MOST_LISTED), &list(export, 3)));
        assert!(!with(&list(export, 1_000_000), "", ""));
        assert!(!with("", &list(import, 1_000_000), ""));
        assert!(!with("", &names(1_000_000), ""));
        assert!(!with("", "", &list(export, 4)));
    }
}
