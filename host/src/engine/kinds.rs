//! The kinds of plugins, and the recognition and linking of compiled code.
//!
//! To add a kind, write a file that implements [`PluginCode`], and add a line to [`KINDS`].

use std::sync::Arc;

use super::compile_settings::CompileSettings;
use super::compiled_code::{CompiledCode, TrustedCode};
use super::plugin_code::{LinkedPlugin, PluginCode};
use super::{LoadErrorKind, PluginKind, component, core_abi, typed};

/// A function that links code of one kind, and returns `None` for code of another kind.
type Recognize = fn(&CompileSettings, &CompiledCode) -> Recognized;

/// A linked plugin, or the reason for refusing it. `None` if the code is of another kind.
pub(crate) type Recognized = Option<Result<LinkedPlugin, LoadErrorKind>>;

/// All kinds, in the order in which they are tried.
///
/// `typed` recognizes every component, and `core_abi` recognizes every core module. If the code cannot be a plugin,
/// these two kinds report the reason.
const KINDS: [Recognize; 3] = [component::recognize, typed::recognize, core_abi::recognize];

/// Links compiled code as the first kind that recognizes it.
pub(crate) fn link(
    settings: &CompileSettings,
    code: &CompiledCode,
) -> Result<LinkedPlugin, LoadErrorKind> {
    let mut recognized = KINDS.iter().filter_map(|recognize| recognize(settings, code));
    recognized.next().expect("the last kinds take every module and every component")
}

/// Loads code that was compiled earlier, and links it.
pub(crate) fn link_compiled(
    settings: &CompileSettings,
    code: &TrustedCode<'_>,
    kind: PluginKind,
) -> Result<LinkedPlugin, LoadErrorKind> {
    let code = CompiledCode::load(&settings.engine, code, kind).map_err(LoadErrorKind::invalid)?;
    link(settings, &code)
}

/// Turns the link result of one kind into that of a plugin of any kind.
pub(crate) fn linked<P: PluginCode + 'static>(
    plugin: Result<P, LoadErrorKind>,
) -> Result<LinkedPlugin, LoadErrorKind> {
    plugin.map(|plugin| Arc::new(plugin) as LinkedPlugin)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::Engine;

    #[test]
    fn code_is_of_the_first_kind_that_recognizes_it() {
        let engine = Engine::new().unwrap();
        let cases = [
            ("upper.wat", "call", "CorePlugin"),
            ("component.wat", "call", "ComponentPlugin"),
            ("other-world.wat", "add", "TypedPlugin"),
            ("component.wat", "add", "refused"),
            ("no-call.wat", "call", "refused"),
        ];
        for (file, call, expected) in cases {
            let path = Path::new("../tests/fixtures").join(file);
            let bytes = std::fs::read(&path).unwrap();
            let settings =
                CompileSettings { call_export: call.into(), ..CompileSettings::new(&engine) };
            let kind = match settings.load_in_process(&path, &bytes) {
                Ok(plugin) => format!("{plugin:?}"),
                Err(_) => "refused".into(),
            };
            assert!(kind.starts_with(expected), "{file}: {kind}");
        }
    }
}
