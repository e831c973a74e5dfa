//! `mtl-host inspect`: shows the content of a plugin, and the grants that it may need.
//!
//! The findings are written to standard output. If a run would refuse the plugin, the error of such a run is written to
//! standard error. All names are escaped for the terminal, because they come from an untrusted plugin.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mtl_host::inspect::{Import, ImportProvider, Inspection, MemorySize, PluginKind, TypedCall};
use mtl_host::isolation::{Isolation, JailLevel, Processes};
use mtl_host::load::WasmFeatures;
use mtl_host::{ArgumentPassing, Engine, Format, Plugin};
use serde_json::{Value, json};

use super::build;
use super::console::Console;
use super::count_noun::count_noun;
use super::error::CliError;
use super::escape;
use super::exit::Exit;
use super::hints;
use super::limit_args::CompileArgs;
use super::refuse::refuse;
use super::report::Report;
use super::shell;

const AFTER_HELP: &str = "\
The plugin is compiled, but not run. Compiling can take seconds, and happens in
the jail of `run --isolation process`. A folder of sources is refused: if you
trust the sources, build the plugin first with `mtl-host build DIR`.

Exit codes:
    0  a run accepts the plugin
    2  usage error
    3  a run refuses the file; the reason is on standard error";

/// The maximum number of exports that are shown, and of lines of imports.
const MAX_SHOWN: usize = 200;

/// Show the content of a plugin, and the grants that it may need
///
/// The last line is a command that runs the plugin with these grants, in jailed processes. If you
/// wrote the plugin, leave out `--isolation process`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct InspectArgs {
    /// Plugin (.wasm or .wat): a core module or a component
    plugin: PathBuf,

    /// Exported function that takes items (default: call)
    ///
    /// If several interfaces of a component export the name, write INTERFACE#NAME.
    #[arg(long, value_name = "NAME")]
    call: Option<String>,

    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,

    /// Jail level: required, strict or best-effort
    ///
    /// `required` needs the layers that `mtl-host doctor` shows as required, such as seccomp and
    /// Landlock. `strict` needs the strict layers as well. `best-effort` needs none, and warns about
    /// missing required layers.
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = crate::isolation_arg::parse_jail)]
    jail: JailLevel,

    #[command(flatten)]
    compile: CompileArgs,
}

/// Inspects a plugin, and passes the findings to `show`.
pub(super) fn inspect(args: &InspectArgs, show: impl Fn(&str) -> Exit) -> Exit {
    let found = match inspect_plugin(args) {
        Err(error) => return refuse(&error),
        Ok(found) => found,
    };
    if let Some(layers) = &found.missing_jail_layers {
        Report::new(&Arc::new(Console::standard_error())).inspection_jail_incomplete(layers);
    }
    let shown = if args.json { json } else { text };
    match (show(&shown(args, &found)), found.refusal) {
        (Exit::Success, Some(refusal)) => refuse(&refusal.into()),
        (exit, _) => exit,
    }
}

fn inspect_plugin(args: &InspectArgs) -> Result<Inspection, CliError> {
    build::refuse_folder(&args.plugin)?;
    let isolation = Isolation::Process(Processes::new().jail(args.jail));
    // No code of the plugin runs here, so all features are allowed. The output names the features that it uses.
    let mut loader =
        Plugin::loader(&Engine::new()?).isolation(isolation).wasm_features(WasmFeatures::ALL);
    if let Some(call) = &args.call {
        loader = loader.call(call);
    }
    Ok(args.compile.limit_loader(loader).inspect(&args.plugin)?)
}

/// Returns the command line that runs the plugin with the grants that it may need. The plugin runs in jailed processes,
/// because a user who inspects a plugin probably did not write it.
fn command(args: &InspectArgs, found: &Inspection) -> String {
    let mut flags = String::from(" --isolation process");
    if let Some(call) = &args.call {
        write!(flags, " --call {}", shell::quoted(call)).expect("writing to a string cannot fail");
    }
    if let Some(typed) = &found.typed {
        flags.push_str(&typed_flags(typed));
    }
    if !found.features.is_empty() {
        write!(flags, " --wasm {}", found.features).expect("writing to a string cannot fail");
    }
    for need in found.capabilities() {
        write!(flags, " {}", hints::grant(need)).expect("writing to a string cannot fail");
    }
    format!("mtl-host run {}{flags} [INPUT]...", shell::path(&args.plugin))
}

/// Returns the flags for a typed function.
fn typed_flags(typed: &TypedCall) -> String {
    let mut flags = String::new();
    match typed.items.first() {
        Some((ArgumentPassing::Single, _)) | None => {}
        Some((passing, _)) => {
            write!(flags, " --args {passing}").expect("writing to a string cannot fail");
        }
    }
    if let Some(init) = &typed.init {
        write!(flags, " --init {}", shell::quoted(init)).expect("writing to a string cannot fail");
    }
    flags
}

fn text(args: &InspectArgs, found: &Inspection) -> String {
    let mut page = TextReport::default();
    page.line("plugin", &args.plugin.to_string_lossy());
    page.line("kind", kind(found));
    page.line("size", &size(found.bytes as u64));
    page.line("sha256", &found.sha256.to_string());
    if let Some(memory) = &found.memory {
        page.line("memory", &memory_size(memory));
    }
    if let Some(typed) = &found.typed {
        page.typed(typed);
    } else if found.uses_argument_passing {
        page.line(
            "items",
            "passed as a single argument, or spread over parameters: `--args args`, `--args kwargs`",
        );
    } else if !found.exports.is_empty() && !is_of_no_known_world(found) {
        page.line("items", "passed as a single argument");
    }
    for export in found.exports.iter().take(MAX_SHOWN) {
        page.line("exports", &format!("{}{}", export.name, spaced(&export.signature)));
    }
    // A compromised compiler process may report any number.
    let more = found.exports.len().saturating_sub(MAX_SHOWN);
    let more = more.saturating_add(found.exports_left_out);
    page.more("exports", more, "export");
    for import in found.imports.iter().take(MAX_SHOWN) {
        page.line("imports", &import_text(import));
    }
    let hidden = found.imports.iter().skip(MAX_SHOWN).map(|import| import.names.len().max(1));
    page.more("imports", hidden.sum::<usize>().saturating_add(found.imports_left_out), "import");
    let needs = found.capabilities();
    if !found.features.is_empty() {
        let names = found.features.names().collect::<Vec<_>>().join("` and `");
        let features = found.features;
        page.line("uses", &format!("WebAssembly's `{names}`, allowed by `--wasm {features}`"));
    }
    for need in &needs {
        page.line("might use", &format!("{}, granted by `{}`", need.name(), hints::grant(*need)));
    }
    if needs.is_empty() && found.refusal.is_none() {
        page.line("might use", "nothing that needs a grant");
    }
    if found.refusal.is_none() {
        page.line("run it", &command(args, found));
    }
    page.text
}

/// Returns a signature in the form that follows a name.
fn spaced(signature: &str) -> String {
    if signature.starts_with('(') { signature.into() } else { format!(": {signature}") }
}

fn kind(found: &Inspection) -> &'static str {
    match found.kind {
        PluginKind::CoreModule if found.has_export("mtl_abi_version") => {
            "core module, with the ABI version that its `mtl_abi_version` returns"
        }
        PluginKind::CoreModule if found.has_export("mtl_alloc") => "core module, ABI 1",
        PluginKind::CoreModule => "core module",
        PluginKind::Component if found.typed.is_some() => "component with a typed function",
        PluginKind::Component if has_world(found) => "component of the world `mtl:plugin/plugin`",
        _ => "component",
    }
}

fn has_world(found: &Inspection) -> bool {
    found.exports.iter().any(|export| export.name.starts_with("mtl:plugin/worker@"))
}

/// Returns whether the plugin is a component of another world.
fn is_of_no_known_world(found: &Inspection) -> bool {
    found.kind == PluginKind::Component && !has_world(found)
}

fn import_text(import: &Import) -> String {
    let provider = match import.provider {
        ImportProvider::Wasi => "WASI",
        ImportProvider::Context => "the host",
        ImportProvider::HostFunction => "host functions",
        _ => "unknown",
    };
    match import.names.as_slice() {
        [] => format!("{} ({provider})", import.from),
        names => format!("{} ({provider}): {}", import.from, names.join(", ")),
    }
}

fn memory_size(memory: &MemorySize) -> String {
    let mut text = format!("{} at the start", size(memory.initial));
    if let Some(most) = memory.maximum {
        write!(text, ", at most {}", size(most)).expect("writing to a string cannot fail");
    }
    if memory.memories > 1 {
        write!(text, " (the largest of {})", memory.memories)
            .expect("writing to a string cannot fail");
    }
    text
}

/// Returns a number of bytes in the largest unit that needs no fraction.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let whole = units.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// Lines of a name and a text. A repeated name is left out.
#[derive(Default)]
struct TextReport {
    text: String,
    last: &'static str,
}

impl TextReport {
    /// The number of characters that are shown of a line.
    const MAX_LEN: usize = 2000;

    fn line(&mut self, name: &'static str, text: &str) {
        let shown = if name == self.last { "" } else { name };
        let text = escape::line(&escape::head(text, Self::MAX_LEN));
        writeln!(self.text, "{shown:<11}{text}").expect("writing to a string cannot fail");
        self.last = name;
    }

    /// Adds a line with the number of entries that are not shown.
    fn more(&mut self, name: &'static str, count: usize, noun: &str) {
        if count > 0 {
            let more = count_noun(count as u64, &format!("more {noun}"));
            self.line(name, &format!("… and {more}"));
        }
    }

    /// Adds the lines about a typed function.
    fn typed(&mut self, typed: &TypedCall) {
        self.line(
            "items",
            &format!("passed to `{}`, as values of its parameter types", typed.call),
        );
        for (passing, item) in &typed.items {
            self.line("an item", &format!("{item} with `--args {passing}`"));
        }
        if typed.has_init && typed.init.is_none() {
            self.line("init", "takes no arguments");
        }
        if let Some(init) = &typed.init {
            self.line("init", &format!("takes `--init {}`", shell::quoted(init)));
        }
        self.line("results", if typed.results == Format::Json { "JSON" } else { "text" });
    }
}

fn json(args: &InspectArgs, found: &Inspection) -> String {
    let refusal = found.refusal.as_ref();
    let object = json!({
        "plugin": args.plugin.to_string_lossy(),
        "kind": match found.kind {
            PluginKind::CoreModule => "core-module",
            _ => "component",
        },
        "bytes": found.bytes,
        "sha256": found.sha256.to_string(),
        "memory": found.memory.map(|memory| json!({
            "initial": memory.initial,
            "maximum": memory.maximum,
            "memories": memory.memories,
        })),
        "uses_argument_passing": found.uses_argument_passing,
        "exports": found.exports.iter().map(|export| json!({
            "name": export.name,
            "signature": export.signature,
        })).collect::<Value>(),
        "exports_left_out": found.exports_left_out,
        "imports": found.imports.iter().map(|import| json!({
            "from": import.from,
            "provider": provider(import.provider),
            "names": import.names,
        })).collect::<Value>(),
        "imports_left_out": found.imports_left_out,
        "needs": found.capabilities().iter().map(|need| json!({
            "name": need.name(),
            "flag": hints::grant(*need),
        })).collect::<Value>(),
        "wasm": found.features.names().collect::<Value>(),
        "typed": found.typed.as_ref().map(typed_json),
        "run": refusal.is_none().then(|| command(args, found)),
        "refusal": refusal.map(|error| json!({
            "message": error.to_string(),
            "hint": hints::load(error),
        })),
    });
    format!("{}\n", escape::json(&object.to_string()))
}

fn typed_json(typed: &TypedCall) -> Value {
    let item = |(passing, item): &(ArgumentPassing, String)| json!({ "args": passing.name(), "item": item });
    json!({
        "call": typed.call,
        "items": typed.items.iter().map(item).collect::<Value>(),
        "has_init": typed.has_init,
        "init": typed.init,
        "results": if typed.results == Format::Json { "json" } else { "text" },
    })
}

fn provider(provider: ImportProvider) -> &'static str {
    match provider {
        ImportProvider::Wasi => "wasi",
        ImportProvider::Context => "context",
        ImportProvider::HostFunction => "host-function",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_no_fraction() {
        let cases = [(0, "0 bytes"), (65_536, "64KiB"), (65_537, "65537 bytes"), (2 << 30, "2GiB")];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
    }
}
