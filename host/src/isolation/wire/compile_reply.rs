//! The replies of a child that has compiled or inspected a plugin.

use serde::{Deserialize, Serialize};

use super::refused::{complete_refusal, to_sendable};
use super::{Frame, Payload, ProtocolError, Reply};
use crate::engine::compile_settings::CompileSettings;
use crate::engine::{Findings, Metadata};

/// The reply that a plugin has been compiled. The compiled code is the first `length` bytes of the
/// file that the child received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildCompileReply {
    pub(crate) metadata: Metadata,
    pub(crate) length: u64,
}

impl ChildCompileReply {
    pub(crate) fn encode(&self) -> Vec<u8> {
        Frame::reply(Reply::Compiled).data(self).seal()
    }

    pub(crate) fn decode(payload: Payload<'_>) -> Result<Self, ProtocolError> {
        payload.data(ProtocolError("invalid metadata"))
    }
}

/// The most bytes of a reply with findings.
pub(crate) const MAX_FINDINGS_BYTES: usize = 4 * 1024 * 1024;

/// Returns the reply with the findings about a plugin.
pub(crate) fn encode_findings(found: Findings) -> Vec<u8> {
    let found = Findings { refusal: found.refusal.map(to_sendable), ..found };
    Frame::reply(Reply::Inspected).data(&found).seal()
}

/// Decodes the findings. `settings` are the settings of the loader that sent the plugin.
pub(crate) fn decode_findings(
    payload: Payload<'_>,
    settings: &CompileSettings,
) -> Result<Findings, ProtocolError> {
    let found: Findings = payload.data(ProtocolError("invalid findings"))?;
    let refusal = found.refusal.map(|refusal| complete_refusal(refusal, settings)).transpose()?;
    Ok(Findings { refusal, ..found })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::{
        Export, Import, ImportProvider, MAX_EXAMPLES, MAX_KNOWN, MAX_LISTED, PluginKind, TypedCall,
        WasmFeatures,
    };
    use crate::isolation::wire::HEADER;
    use crate::item::argument_passing::ArgumentPassing;
    use crate::item::format::Format;

    /// Returns the findings about a plugin that is as large and unusual as possible.
    fn largest() -> Findings {
        let name = "\\01".repeat(80_000);
        let imports = (0..3).map(|at| format!("(import \"{name}{at}\" \"\" (func))"));
        // All exports are the same function, so only one function is compiled.
        let exports = (0..200_000).map(|at| format!("(export \"e{at}\" (func 3))"));
        let (imports, exports) = (imports.collect::<String>(), exports.collect::<String>());
        let text = format!("(module {imports} (func (export \"{name}\")) {exports})");
        let bytes = wat::parse_str(text).unwrap();
        let settings = CompileSettings::new(&crate::Engine::new().unwrap());
        settings.inspect_in_process(Path::new("it"), &bytes).unwrap()
    }

    #[test]
    fn findings_of_the_largest_plugin_fit_into_a_frame() {
        let settings = CompileSettings::new(&crate::Engine::new().unwrap());
        let sent = encode_findings(largest());
        assert!(sent.len() - HEADER <= MAX_FINDINGS_BYTES, "{}", sent.len());
        let found = decode_findings(Payload(&sent[HEADER..]), &settings).unwrap();
        assert_eq!(found.exports.len() + found.exports_left_out, 200_001);
        assert!(found.exports.len() <= MAX_LISTED);
    }

    #[test]
    fn overlong_lists_in_findings_are_rejected() {
        let settings = CompileSettings::new(&crate::Engine::new().unwrap());
        let export = || Export { name: String::new(), signature: String::new() };
        let import = |names| Import {
            from: String::new(),
            provider: ImportProvider::Wasi,
            names: vec![String::new(); names],
        };
        let is_accepted = |exports, imports, names, items| {
            let typed = TypedCall {
                call: String::new(),
                items: vec![(ArgumentPassing::Args, String::new()); items],
                has_init: false,
                init: None,
                results: Format::Text,
            };
            let found = Findings {
                kind: PluginKind::Component,
                exports: vec![export(); exports],
                exports_left_out: 0,
                imports: vec![import(names); imports],
                imports_left_out: 0,
                memory: None,
                typed: Some(typed),
                features: WasmFeatures::NONE,
                refusal: None,
            };
            decode_findings(Payload(&encode_findings(found)[HEADER..]), &settings).is_ok()
        };
        assert!(is_accepted(MAX_LISTED + MAX_KNOWN, MAX_LISTED, 1, MAX_EXAMPLES));
        assert!(is_accepted(0, 1, MAX_LISTED, 0));
        assert!(!is_accepted(1_000_000, 0, 0, 0));
        assert!(!is_accepted(MAX_LISTED + MAX_KNOWN + 1, 0, 0, 0));
        assert!(!is_accepted(0, MAX_LISTED + 1, 0, 0));
        assert!(!is_accepted(0, 1, MAX_LISTED + 1, 0));
        assert!(!is_accepted(0, 0, 0, MAX_EXAMPLES + 1));
    }
}
