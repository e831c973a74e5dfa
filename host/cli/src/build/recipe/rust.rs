//! Rust: the cargo of the first Rust installation on this machine with a standard library for the target.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::plan::{Order, Plan, Product, Profile};
use crate::build::error::ProjectError;
use crate::build::probe_reply::ToolAnswer;
use crate::build::step::Step;
use crate::build::tool::Tool;
use crate::display_text::DisplayText;

const TARGET: &str = "wasm32-wasip1";
/// The files that cargo reads in addition to the sources, in the project and in the folders above it.
const SETTINGS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".cargo/config",
    ".cargo/config.toml",
];

/// The settings that name a Rust toolchain.
const TOOLCHAINS: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

pub(super) fn plan(order: &Order<'_>) -> Result<Plan, ProjectError> {
    if !order.project.folder().has("Cargo.toml") {
        return Err(order.project.missing("`Cargo.toml`"));
    }
    let cargo = order.tools.cargos().into_iter().find(|cargo| has_target(cargo, order));
    let cargo = cargo.ok_or_else(|| {
        let install = "`rustup target add wasm32-wasip1`, with rustup from https://rustup.rs";
        order.no_tool("a Rust with the target wasm32-wasip1", install)
    })?;
    let mut step = Step::new(&cargo);
    if Path::new(&cargo.program).is_absolute() {
        // Otherwise cargo would use the `rustc` on `PATH`.
        step = step.env("RUSTC", rustc(&cargo).file);
    }
    let step = step
        .arg("build")
        .args((order.profile == Profile::Release).then_some("--release"))
        .args(["--target", TARGET, "--message-format", "json-render-diagnostics"]);
    Ok(Plan { product: Product::Cargo, ..Plan::one(&cargo, step) })
}

fn rustc(cargo: &Tool) -> Tool {
    Tool::at(cargo.file.with_file_name("rustc"))
}

/// Returns whether the Rust of a cargo can build for the target.
fn has_target(cargo: &Tool, order: &Order<'_>) -> bool {
    if is_proxy(cargo) && is_pinned(order.dir()) {
        // The query would start the toolchain that the project names. Only the build may start it.
        return true;
    }
    let query = ["--print", "target-libdir", "--target", TARGET];
    let folder = match order.ask(&rustc(cargo), &query) {
        ToolAnswer::Output(folder) => folder,
        ToolAnswer::Fails => return false,
        // If the target is missing, the build reports that.
        ToolAnswer::NotAsked => return true,
    };
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    let entries = Path::new(&folder).read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_str().is_some_and(is_std))
}

/// Returns whether a cargo belongs to rustup, and starts another cargo.
fn is_proxy(cargo: &Tool) -> bool {
    cargo.file.with_file_name("rustup").exists()
}

/// Returns whether the project, or a folder above it, names the toolchain for rustup.
fn is_pinned(project: &Path) -> bool {
    let mut folders = project.ancestors();
    folders.any(|folder| TOOLCHAINS.iter().any(|name| folder.join(name).exists()))
}

/// Finds the project's plugin in the messages of cargo. If no plugin can be selected, the error lists all plugins.
pub(crate) fn plugin_in_messages(messages: &[u8], project: &Path) -> Result<PathBuf, Vec<String>> {
    let messages = messages.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let messages: Vec<Value> =
        messages.filter(|message| message["reason"] == "compiler-artifact").collect();
    let manifest = |message: &Value| message["manifest_path"].as_str().map(PathBuf::from);
    let is_own = |manifest: &Path| manifest.parent() == Some(project);
    let is_plugin = |message: &Value| {
        let kinds = message["target"]["crate_types"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
    };
    let mut plugins: Vec<(PathBuf, PathBuf)> = Vec::new();
    for message in messages.iter().filter(|message| is_plugin(message)) {
        let manifest = manifest(message).unwrap_or_default();
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let files = files.filter(|file| file.ends_with(".wasm"));
        plugins.extend(files.map(|file| (manifest.clone(), PathBuf::from(file))));
    }
    // A dependency may itself be a plugin. If the project has its own package, plugins from dependencies are ignored.
    // If the project is a workspace without a package of its own, each plugin is a candidate.
    if messages.iter().filter_map(manifest).any(|manifest| is_own(&manifest)) {
        plugins.retain(|(manifest, _)| is_own(manifest));
    }
    let own = plugins.iter().find(|(manifest, _)| is_own(manifest));
    match (own, plugins.as_slice()) {
        (Some((_, file)), _) | (None, [(_, file)]) => Ok(file.clone()),
        _ => Err(plugins.iter().map(|(_, file)| format!("`{}`", DisplayText::of(file))).collect()),
    }
}

/// Returns the sources of `plugin`, and the paths of settings files of cargo. The sources are listed in the dependency
/// file that cargo writes next to the plugin. The settings files may not exist.
pub(crate) fn sources(plugin: &Path, project: &Path) -> Option<Vec<PathBuf>> {
    let rules = std::fs::read_to_string(plugin.with_extension("d")).ok()?;
    let mut sources: Vec<PathBuf> = rule_files(rules.lines().next()?);
    let mut folders: Vec<PathBuf> = sources
        .iter()
        .chain([&project.join("Cargo.toml")])
        .flat_map(|file| file.ancestors().skip(1))
        .map(Path::to_owned)
        .collect();
    folders.sort();
    folders.dedup();
    sources.extend(folders.iter().flat_map(|folder| SETTINGS.map(|name| folder.join(name))));
    sources.sort();
    sources.dedup();
    Some(sources)
}

/// Returns the files after the colon of a make rule. A space in a name is escaped with `\`.
fn rule_files(rule: &str) -> Vec<PathBuf> {
    let Some((_, files)) = rule.split_once(": ") else { return Vec::new() };
    let joined = files.replace("\\ ", "\0");
    joined
        .split(' ')
        .filter(|file| !file.is_empty())
        .map(|file| file.replace('\0', " ").into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(package: &str, kind: &str, file: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"/w/{package}/Cargo.toml","target":{{"crate_types":["{kind}"]}},"filenames":["/t/{file}"]}}"#
        )
    }

    #[test]
    fn cargo_messages_identify_the_plugin_of_the_project() {
        let own = artifact("p", "cdylib", "p.wasm");
        let other = artifact("q", "cdylib", "q.wasm");
        let third = artifact("r", "cdylib", "r.wasm");
        let library = artifact("p", "lib", "libp.rlib");
        let program = artifact("p", "bin", "p.wasm");
        let foreign = artifact("s", "lib", "libs.rlib");
        #[rustfmt::skip]
        let cases = [
            ([&library, &own, &other], Ok("/t/p.wasm".into())),
            // A workspace has no package of its own.
            ([&foreign, &foreign, &other], Ok("/t/q.wasm".into())),
            ([&library, &foreign, &other], Err(vec![])),
            ([&library, &third, &other], Err(vec![])),
            ([&program, &foreign, &other], Err(vec![])),
            ([&foreign, &third, &other], Err(vec!["`/t/r.wasm`".to_owned(), "`/t/q.wasm`".into()])),
            ([&library, &library, &library], Err(vec![])),
        ];
        for (lines, expected) in cases {
            let text = lines.map(|line| format!("{line}\n")).concat();
            assert_eq!(plugin_in_messages(text.as_bytes(), Path::new("/w/p")), expected, "{text}");
        }
    }

    #[test]
    fn a_dep_info_rule_lists_the_sources() {
        let rule = r"/t/p.wasm: /w/a\ b/lib.rs /w/c.rs";
        assert_eq!(rule_files(rule), ["/w/a b/lib.rs", "/w/c.rs"].map(PathBuf::from));
        assert_eq!(rule_files("/t/p.wasm:"), [""; 0].map(PathBuf::from));
    }
}
