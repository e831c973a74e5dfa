//! Hints of the command about errors of the library.
//!
//! The library does not know the flags of the command. If a flag can prevent a kind of error, this module contains a
//! hint that names the flag. For all other errors, the command shows the hint of the library.

use std::net::SocketAddr;

use mtl_host::cache::CacheError;
use mtl_host::event::Denial;
use mtl_host::inspect::Capability;
use mtl_host::load::{CompilerError, LoadErrorKind, PrecompiledMismatch};
use mtl_host::native::Retirement;
use mtl_host::sink::SinkError;
use mtl_host::source::SourceError;
use mtl_host::{BuildError, Error, FaultKind, LoadError, StartError};

use super::shell;

const NO_LAYER: &str = "`mtl-host doctor` shows the layers that this machine has; `--jail best-effort` runs without \
                        the missing ones";

/// Returns the hint about a plugin that is refused.
pub(crate) fn load(error: &LoadError) -> Option<String> {
    let hint = match error.kind() {
        LoadErrorKind::Read { .. } => {
            let hint = error.hint()?;
            return Some(format!(
                "{hint}; `mtl-host build DIR` builds one from a folder of sources"
            ));
        }
        LoadErrorKind::Features { missing, allowed } => {
            return Some(format!(
                "allow it, if you trust the engine's garbage collector with this plugin: `--wasm {}`",
                allowed.union(*missing)
            ));
        }
        LoadErrorKind::TooLarge { .. } => {
            "`--max-plugin SIZE` allows more; `wasm-tools strip` removes debug information"
        }
        LoadErrorKind::TooManyFunctions { .. } => {
            "`--max-functions N` allows more: each takes the compiler some kilobytes"
        }
        LoadErrorKind::TooComplex { .. } => {
            "no compiler generates such a plugin, and no flag allows it: get it from a source that you trust"
        }
        LoadErrorKind::Precompiled => {
            "if you have compiled it yourself, or trust who has, use `run --trust-precompiled`; otherwise use the \
             .wasm that it was compiled from"
        }
        LoadErrorKind::PrecompiledMismatch(PrecompiledMismatch::Fuel { is_counted: false }) => {
            "compile it again: `mtl-host compile --fuel PLUGIN`"
        }
        LoadErrorKind::PrecompiledMismatch(PrecompiledMismatch::Fuel { is_counted: true }) => {
            "run it with `--fuel N`, or compile it again: `mtl-host compile PLUGIN`"
        }
        LoadErrorKind::PrecompiledMismatch(PrecompiledMismatch::Features { features }) => {
            return Some(format!(
                "run it with `--wasm {features}`, or compile it again: `mtl-host compile PLUGIN`"
            ));
        }
        LoadErrorKind::PrecompiledMismatch(_) => "compile it again: `mtl-host compile PLUGIN`",
        LoadErrorKind::NotWasm { .. } => {
            "compile the code to WebAssembly first: `mtl-host build FOLDER` builds a folder of sources in Rust, C, \
             Zig, Go, AssemblyScript, JavaScript or Python"
        }
        LoadErrorKind::MissingExport { missing, exports } if !exports.contains("`_start`") => {
            match missing.as_str() {
                "call" => {
                    "export the worker: in Rust, with `mtl_plugin::export!(MyWorker)`; if another function takes \
                     items, name it: `--call NAME`"
                }
                "memory" | "mtl_alloc" | "cabi_realloc" => return error.hint(),
                _ => "`--call` takes the name of a function that the plugin exports",
            }
        }
        LoadErrorKind::Digest { found, .. } => {
            return Some(format!(
                "the file is damaged, or another version; if it is the right one, use `--sha256 {found}`"
            ));
        }
        LoadErrorKind::Import { import, offered } if offered.is_empty() => {
            return import_hint(error, import);
        }
        LoadErrorKind::FixedCall { .. } => {
            "leave out `--call`: it is for core modules, and for components of other worlds"
        }
        LoadErrorKind::Ambiguous { .. } => {
            "name the function that takes items: `--call INTERFACE#NAME`"
        }
        LoadErrorKind::World { .. } => {
            "if one of its functions takes items, name it: `--call NAME`; or build it for the world \
             `mtl:plugin/plugin`, whose WIT is in `plugin-sdk/wit`"
        }
        LoadErrorKind::Compiler(error) => return compiler(error),
        _ => return error.hint(),
    };
    Some(hint.into())
}

fn import_hint(error: &LoadError, import: &str) -> Option<String> {
    let hint = match import {
        _ if import.starts_with("wasi_unstable") || import.starts_with("wasi:") => {
            return error.hint();
        }
        _ if import.starts_with("env.") || import.contains("wbg") => {
            "it was built for a browser or another host: no flag grants this import; build it for `wasm32-wasip1`"
        }
        _ => {
            "no flag grants it: a plugin may import WASI and `mtl:plugin/context@1.0.0`; `--dir`, `--env` and \
             `--net` grant what WASI gives access to"
        }
    };
    Some(hint.into())
}

fn compiler(error: &CompilerError) -> Option<String> {
    let hint = match error {
        CompilerError::Timeout { .. } => "`--compile-timeout TIME` allows more time",
        CompilerError::Memory { .. } => "`--compile-memory SIZE` allows more memory",
        CompilerError::Died { .. } => {
            let hint = error.hint()?;
            return Some(hint.replace("`PluginLoader::compile_memory`", "`--compile-memory SIZE`"));
        }
        CompilerError::Jail { is_missing_layer: true, .. } => NO_LAYER,
        _ => return error.hint().map(Into::into),
    };
    Some(hint.into())
}

/// Returns the hint about a worker that does not start.
pub(crate) fn start(error: &StartError) -> Option<String> {
    let hint = match error {
        StartError::Timeout { .. } => "`--init-timeout TIME` gives a worker more time to start",
        StartError::OutOfMemory { .. } => {
            "`--memory SIZE` allows each worker more, `--total-memory SIZE` all together"
        }
        StartError::OutOfFuel { .. } => "`--fuel N` allows more, for the start as for each item",
        // The SDKs refuse a call with several parameters by a message that names the flag.
        StartError::InitRefused { message } if message.contains("`--args") => return None,
        StartError::InitRefused { .. } => {
            "`--init TEXT` or `--init @FILE` gives the plugin its arguments, `--dir` its files"
        }
        StartError::ParameterCount { .. } => {
            "use `--args args` if each item is a JSON array of the parameters (`[]` for none), or `--args kwargs` if \
             it is a JSON object by their names"
        }
        StartError::Jail { is_missing_layer: true, .. } => NO_LAYER,
        StartError::Crashed { message } if message.contains("(SIGKILL)") => {
            "`dmesg` shows whether the system killed it because memory ran out: `--jobs N` starts fewer workers, and \
             `--memory SIZE` gives each less"
        }
        StartError::Instantiate { message }
        | StartError::InitFailed { message }
        | StartError::RestoreFailed { message } => {
            let hint = limit_in(message).map(Into::into);
            return hint.or_else(|| error.hint().map(fewer_workers));
        }
        _ => return error.hint(),
    };
    Some(hint.into())
}

/// Adds the flag to a hint that ends with fewer workers.
fn fewer_workers(hint: String) -> String {
    if hint.ends_with("start fewer workers") { format!("{hint} with `--jobs`") } else { hint }
}

/// Returns the hint about a worker that takes no more items.
pub(crate) fn retirement(reason: &Retirement) -> Option<String> {
    match reason {
        Retirement::NotStarted(error) => start(error),
        Retirement::FailedTooOften(_) => {
            Some("`--max-restarts N` allows N restarts in a row".into())
        }
        _ => reason.hint(),
    }
}

/// Returns the hint about a pool that cannot be built.
pub(crate) fn build(error: &BuildError) -> Option<String> {
    let hint = match error {
        BuildError::InitCount { .. } => {
            "give `--init` once for all workers, or once for each; without `--jobs`, there is a worker for each `--init`"
        }
        BuildError::NoInit { .. } => "leave out `--init`, or `init=` in its `--worker`",
        BuildError::WorkerCount { .. } => {
            "leave out `--jobs`: the list of workers decides their number"
        }
        BuildError::InitWithWorkerList => "give each worker its own: `init=` in its `--worker`",
        BuildError::Code(error) => return load(error),
        BuildError::PassingUnsupported { .. } => {
            "leave out `--args`, or write the worker with named parameters, if its SDK supports them: in Rust, with \
             `#[mtl_plugin::worker]`"
        }
        BuildError::Dir { .. } => "`--dir HOST::GUEST` takes a directory that exists",
        BuildError::MixedSymlinks { .. } => {
            "give all writable directories of a worker `:rw+symlinks`, or none, or use one `--worker` for each kind"
        }
        BuildError::TooManyDirs { .. } => {
            "grant one directory that contains these: `--dir HOST::GUEST` grants all below HOST"
        }
        BuildError::NoNet { .. } => {
            "leave out `--net`, or build the plugin as a component: WASI of core modules cannot connect"
        }
        BuildError::Name { .. } => {
            "`--net HOST:PORT` takes a name that this machine can look up, or an address"
        }
        BuildError::InternalName { grant, addresses } => {
            let address = SocketAddr::new(*addresses.first()?, grant.port());
            return Some(format!(
                "if you want to allow this, grant the address itself: `--net {address}`"
            ));
        }
        BuildError::TooManyWorkers { .. } => return error.hint().map(fewer_workers),
        BuildError::Thread(_) => {
            let hint = error.hint()?;
            return Some(hint.replacen(
                "fewer workers need",
                "fewer workers, with `--jobs`, need",
                1,
            ));
        }
        _ => return error.hint(),
    };
    Some(hint.into())
}

/// Returns the hint about a run that ended early.
pub(crate) fn run(error: &Error) -> Option<String> {
    match error {
        Error::Init { source, .. } => start(source),
        Error::NoWorkerLeft { source, .. } => retirement(source),
        Error::Source(error) => source(error),
        Error::Sink(error) => sink(error),
        Error::ItemFailed(_) => {
            Some("to continue after failed items, use `--on-error ignore` or `deferred`".into())
        }
        Error::TooManyFaults { .. } => {
            Some("the faults above give the reasons; to allow more, raise `--max-faults`".into())
        }
        _ => error.hint(),
    }
}

/// Returns the hint about an input.
pub(crate) fn source(error: &SourceError) -> Option<String> {
    let hint = match error {
        SourceError::Directory { .. } => {
            "name the files in it: `find DIR -type f | mtl-host run PLUGIN --input-format files`"
        }
        SourceError::TruncatedFrame { .. } => {
            "each frame is its length, 4 bytes, little-endian, and then its bytes; for text use `--input-format \
             lines`"
        }
        SourceError::FrameTooLong { .. } => {
            "each frame is its length, 4 bytes, little-endian, and then its bytes; for text use `--input-format \
             lines`; `--max-item SIZE` allows longer frames"
        }
        _ => return error.hint().map(Into::into),
    };
    Some(hint.into())
}

/// Returns the hint about an output.
pub(crate) fn sink(error: &SinkError) -> Option<String> {
    let hint = match error {
        SinkError::FrameTooLong { .. } => "use `--output-format nul`, or `jsonl`",
        SinkError::Obstructed { .. } => {
            "move it away, or name another directory with `--output-dir`"
        }
        SinkError::Create { source, .. } if source.kind() == std::io::ErrorKind::IsADirectory => {
            "name a file; `--output-dir DIR` writes a file for each item into a directory"
        }
        _ => return error.hint().map(Into::into),
    };
    Some(hint.into())
}

/// Returns the hint about a cache.
pub(crate) fn cache(error: &CacheError) -> Option<String> {
    let hint = match error {
        CacheError::Io { .. } => {
            "use another directory: `--cache-dir DIR`; or no cache: `--no-cache`"
        }
        CacheError::Unsafe { .. } => {
            "the code in a cache is executed: protect your directory with `chmod go-w DIR`; or use another \
             directory: `--cache-dir DIR`; or no cache: `--no-cache`"
        }
        _ => return error.hint().map(Into::into),
    };
    Some(hint.into())
}

/// Returns the flag that grants what was denied, quoted for a shell.
pub(crate) fn denial(denial: &Denial) -> String {
    let flag = |host: &str| format!("`--net {}`", shell::quoted(host));
    match denial {
        Denial::Sockets => "`--net HOST:PORT` lets it connect there".into(),
        Denial::Connection(address) => format!("{} grants it", flag(&address.to_string())),
        Denial::Name(name) => format!("{} grants it, for one port", flag(&format!("{name}:PORT"))),
        Denial::Request { host, port } => format!("{} grants it", flag(&format!("{host}:{port}"))),
        _ => denial.hint(),
    }
}

/// Returns the flag that grants what a plugin may need, with a placeholder for its value.
pub(crate) fn grant(capability: Capability) -> &'static str {
    match capability {
        Capability::Files => "--dir HOST::GUEST",
        Capability::Environment => "--env KEY",
        // The only other need is the network.
        _ => "--net HOST:PORT",
    }
}

/// Returns the hint about the limit that an item has exceeded. The fault's message has the library's name of the limit.
pub(crate) fn limit(kind: FaultKind, message: &str) -> Option<&'static str> {
    let limits: &[&str] = match kind {
        FaultKind::OutOfMemory => &["total_memory", "memory"],
        FaultKind::OutOfFuel => &["fuel"],
        FaultKind::OutOfDisk => &["disk"],
        FaultKind::BadItem => &["item_limit"],
        FaultKind::BadResult | FaultKind::Trap | FaultKind::Refused => &["max_result"],
        _ => &[],
    };
    limits.iter().find_map(|limit| hint_of(limit, message))
}

/// Returns the hint about the limit that a start has exceeded.
fn limit_in(message: &str) -> Option<&'static str> {
    LIMITS.iter().find_map(|(limit, _)| hint_of(limit, message))
}

/// The hint for each limit, by the name that messages of the library use.
const LIMITS: [(&str, &str); 6] = [
    ("total_memory", "`--total-memory SIZE` allows all workers together more"),
    ("memory", "`--memory SIZE` allows each worker more"),
    ("fuel", "`--fuel N` allows more"),
    ("disk", "`--disk SIZE` allows more"),
    ("item_limit", "`--max-item SIZE` allows longer items"),
    ("max_result", "`--max-result SIZE` allows more"),
];

/// Returns the hint for this limit if the message names the limit.
fn hint_of(limit: &str, message: &str) -> Option<&'static str> {
    let is_named = message.contains(&format!(" of `{limit}`"));
    let (_, hint) = LIMITS.iter().find(|(name, _)| is_named && *name == limit)?;
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_flag_that_helps() {
        let load = |kind: &str| {
            let engine = mtl_host::Engine::new().unwrap();
            let error = mtl_host::Plugin::load(&engine, kind).unwrap_err();
            (error.hint(), load(&error))
        };
        let (of_library, of_command) = load("/no/such.wasm");
        assert_eq!(of_library.as_deref(), Some("a plugin is a .wasm or .wat file"));
        let whole = "a plugin is a .wasm or .wat file; `mtl-host build DIR` builds one from a folder of sources";
        assert_eq!(of_command.as_deref(), Some(whole));
        let (of_library, of_command) = load("../../tests/fixtures/no-call.wat");
        assert!(of_library.unwrap().ends_with("name it: `PluginLoader::call`"));
        assert!(of_command.unwrap().ends_with("name it: `--call NAME`"));
        let died = |message: &str| compiler(&CompilerError::Died { message: message.into() });
        assert_eq!(
            died("it ended").as_deref(),
            Some("if it ran out of memory, raise the limit with `--compile-memory SIZE`")
        );
        assert!(died("the system refuses a thread: x").unwrap().starts_with("`ulimit -u`"));
        let fewer = fewer_workers("raise it, or start fewer workers".into());
        assert_eq!(fewer, "raise it, or start fewer workers with `--jobs`");
    }

    #[test]
    fn a_start_limit_hint_names_its_flag() {
        let message = || "the reason of 20 bytes is larger than the 10 of `max_result`".to_owned();
        let flag = Some("`--max-result SIZE` allows more".to_owned());
        let failed = StartError::InitFailed { message: message() };
        assert_eq!(start(&failed), flag);
        assert_eq!(start(&StartError::RestoreFailed { message: message() }), flag);
        assert_eq!(retirement(&Retirement::NotStarted(failed.into())), flag);
        let disk = "it may write no more than the 9 of `disk`".to_owned();
        let hint = start(&StartError::Instantiate { message: disk });
        assert_eq!(hint.as_deref(), Some("`--disk SIZE` allows more"));
        assert_eq!(start(&StartError::InitFailed { message: "wasm trap".into() }), None);
        let reason = "its reason is larger than the limit of `max_result`";
        assert_eq!(limit(FaultKind::Refused, reason), flag.as_deref());
        assert_eq!(limit(FaultKind::Timeout, reason), None);
    }

    #[test]
    fn a_hint_can_be_copied_into_a_shell() {
        let request = |host: &str| Denial::Request { host: host.into(), port: 80 };
        #[rustfmt::skip]
        let cases = [
            (request("example.com"),                              "`--net example.com:80` grants it"),
            (request("[::1]"),                                    "`--net '[::1]:80'` grants it"),
            (request("$(x);'y'"),                                 r"`--net '$(x);'\''y'\'':80'` grants it"),
            (Denial::Name("example.com".into()),                  "`--net example.com:PORT` grants it, for one port"),
            (Denial::Connection(([127, 0, 0, 1], 1).into()),      "`--net 127.0.0.1:1` grants it"),
            (Denial::Sockets,                                     "`--net HOST:PORT` lets it connect there"),
        ];
        for (denial, expected) in cases {
            assert_eq!(super::denial(&denial), expected, "{denial:?}");
        }
    }
}
