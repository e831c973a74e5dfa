//! The settings of one worker, from a flag `--worker PLUGIN[,KEY=VALUE]…` or from a table
//! `[[worker]]` of a configuration file. Both forms have the same keys.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use mtl_host::grants::{DirGrant, NetGrant};
use mtl_host::load::{Sha256, WasmFeatures};

use super::display_text::DisplayText;
use super::env_grant::EnvGrant;
use super::init_arg::InitArg;
use super::key_value::{KeyValueError, parse_value, set_once};
use super::limit_args::WorkerLimits;

/// The settings of one worker, as typed: no file is read yet, and no name is looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WorkerArg {
    pub(crate) plugin: PathBuf,
    pub(crate) dirs: Vec<DirGrant>,
    pub(crate) env: Vec<EnvGrant>,
    pub(crate) net: Vec<NetGrant>,
    pub(crate) limits: WorkerLimits,
    pub(crate) sha256: Option<Sha256>,
    pub(crate) call: Option<String>,
    pub(crate) wasm: Option<WasmFeatures>,
    pub(crate) init: Option<InitArg>,
}

/// Error of parsing a `--worker` value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkerArgError {
    #[error("the plugin comes first")]
    NoPlugin,
    #[error(
        "`{}` is not of the form `KEY=VALUE`; only the value of `init=`, which comes last, may \
         contain a comma; write others into a file for `--config`",
        DisplayText::of(field)
    )]
    NotKeyValue { field: String },
    #[error("unknown key `{}`; the keys are {}", DisplayText::of(key), known_keys())]
    UnknownKey { key: String },
    #[error(
        "`init=` takes the rest of the text, including `,{key}=`: put `init=` last; if its value \
         contains `,{key}=`, write the value into a file: `init=@FILE`, or `init` in a file for `--config`"
    )]
    KeyAfterInit { key: &'static str },
    #[error(transparent)]
    Value(#[from] KeyValueError),
}

fn known_keys() -> String {
    WorkerArg::keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

impl WorkerArg {
    /// Returns the keys of a worker's settings.
    pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
        let (grants, plugin) = (["dir", "env", "net"], ["sha256", "call", "wasm", "init"]);
        grants.into_iter().chain(WorkerLimits::KEYS).chain(plugin)
    }

    /// Returns a worker with this plugin and no other setting.
    pub(crate) fn new(plugin: PathBuf) -> Self {
        Self { plugin, ..Self::default() }
    }

    /// Reads `PLUGIN[,KEY=VALUE]…[,init=REST]`.
    pub(crate) fn parse(text: OsString) -> Result<Self, WorkerArgError> {
        let bytes = text.into_vec();
        let (plugin, mut rest) = split(&bytes, b',');
        if plugin.is_empty() {
            return Err(WorkerArgError::NoPlugin);
        }
        let mut worker = Self::new(PathBuf::from(OsStr::from_bytes(plugin)));
        while let Some(fields) = rest {
            let (field, more) = match fields.starts_with(b"init=") {
                true => (fields, None),
                false => split(fields, b','),
            };
            let (key, Some(value)) = split(field, b'=') else {
                return Err(WorkerArgError::NotKeyValue { field: lossy_text(field) });
            };
            if let Some(key) = key_after_init(value) {
                return Err(WorkerArgError::KeyAfterInit { key });
            }
            worker.set(&lossy_text(key), OsStr::from_bytes(value))?;
            rest = more;
        }
        Ok(worker)
    }

    /// Sets one of the [keys](Self::keys); directories, variables and hosts add up.
    pub(crate) fn set(&mut self, key: &str, value: &OsStr) -> Result<(), WorkerArgError> {
        match key {
            "dir" => self.dirs.push(parse_value(key, value)?),
            "env" => self.env.push(parse_value(key, value)?),
            "net" => self.net.push(parse_value(key, value)?),
            "sha256" => set_once(&mut self.sha256, key, parse_value(key, value)?)?,
            "call" => set_once(&mut self.call, key, parse_value(key, value)?)?,
            "wasm" => set_once(&mut self.wasm, key, parse_value(key, value)?)?,
            "init" => set_once(&mut self.init, key, InitArg::from(value.to_owned()))?,
            _ if self.limits.set(key, value)? => {}
            _ => return Err(WorkerArgError::UnknownKey { key: key.into() }),
        }
        Ok(())
    }
}

/// Returns the bytes before the first `separator`, and those after it.
fn split(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

/// Returns the first key after `init=`, which would become part of the value of `init=`.
fn key_after_init(rest: &[u8]) -> Option<&'static str> {
    let mut keys = rest.split(|byte| *byte == b',').skip(1).filter_map(|field| {
        let (key, value) = split(field, b'=');
        value.map(|_| key)
    });
    keys.find_map(|key| WorkerArg::keys().find(|known| known.as_bytes() == key))
}

fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<WorkerArg, String> {
        WorkerArg::parse(text.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_worker_arg_parses_plugin_and_settings() {
        let text = "a b.wasm,dir=x::/x,env=K=1=2,dir=y::/y:rw,env=HOME,net=a:1,net=[::1]:2,memory=1MiB,timeout=1.5s,\
                    init-timeout=2m,fuel=50M,disk=1GiB,max-result=1KiB,call=run,wasm=gc+exceptions,init=";
        let worker = parse(text).unwrap();
        assert_eq!(worker.plugin, PathBuf::from("a b.wasm"));
        assert_eq!(worker.dirs, [DirGrant::read("x", "/x"), DirGrant::read_write("y", "/y")]);
        assert_eq!(worker.env, ["K=1=2", "HOME"].map(|text| text.parse().unwrap()));
        assert_eq!(worker.net, ["a:1", "[::1]:2"].map(|text| text.parse().unwrap()));
        let limits = worker.limits;
        assert_eq!(limits.memory, Some("1MiB".parse().unwrap()));
        let times = [limits.timeout, limits.init_timeout].map(|time| time.unwrap().to_string());
        assert_eq!(times, ["1.5s", "120s"]);
        assert_eq!(limits.fuel, Some("50M".parse().unwrap()));
        assert_eq!(limits.disk, Some("1GiB".parse().unwrap()));
        assert_eq!(limits.max_result, Some("1KiB".parse().unwrap()));
        assert_eq!(worker.call.as_deref(), Some("run"));
        assert_eq!(worker.wasm, Some(WasmFeatures::ALL));
        assert_eq!(worker.init, Some(InitArg::Text(Vec::new())));
        assert_eq!(parse("p.wasm"), Ok(WorkerArg::new("p.wasm".into())));
    }

    #[test]
    fn init_takes_the_rest_of_a_worker_arg() {
        let text = |text: &str| Some(InitArg::Text(text.into()));
        #[rustfmt::skip]
        let cases = [
            ("p,init={\"a\":1,\"b\":2}",  text("{\"a\":1,\"b\":2}")),
            ("p,init=x,a=1,timeout,env",  text("x,a=1,timeout,env")),
            ("p,init=env=A,dirs=x",       text("env=A,dirs=x")),
            ("p,env=A=1,init=,",          text(",")),
            ("p,init=@a,b",               Some(InitArg::File("a,b".into()))),
            ("p,env=init=1",              None),
        ];
        for (spec, init) in cases {
            assert_eq!(parse(spec).unwrap().init, init, "{spec}");
        }
    }

    #[test]
    fn an_invalid_worker_arg_gives_the_reason() {
        #[rustfmt::skip]
        let cases = [
            ("",                        "the plugin comes first"),
            (",init=x",                 "the plugin comes first"),
            ("p,",                      "`` is not of the form `KEY=VALUE`; only the value of `init=`, which comes last, may contain a comma; write others into a file for `--config`"),
            ("p,dir=a,b::/x",           "`dir`: not of the form `HOST::GUEST[:rw|:rw+symlinks]`, such as `./data::/data`"),
            ("p,dirs=a::/b",            "unknown key `dirs`; the keys are `dir`, `env`, `net`, `memory`, `timeout`, `init-timeout`, `fuel`, `disk`, `max-result`, `sha256`, `call`, `wasm`, `init`"),
            ("p,env==x",                "`env`: not of the form `KEY` or `KEY=VALUE`"),
            ("p,memory=lots",           "`memory`: not a size, such as `64MiB`, `2GiB` or `1000000`"),
            ("p,wasm=jit",              "`wasm`: unknown feature `jit`: there are `gc`, `exceptions` and `none`"),
            ("p,memory=1MiB,memory=2MiB", "`memory` is given twice"),
            ("p,init=x,timeout=1s",     "`init=` takes the rest of the text, including `,timeout=`: put `init=` last; if its value contains `,timeout=`, write the value into a file: `init=@FILE`, or `init` in a file for `--config`"),
            ("p,init=a,b,init-timeout=1s,env=A", "`init=` takes the rest of the text, including `,init-timeout=`: put `init=` last; if its value contains `,init-timeout=`, write the value into a file: `init=@FILE`, or `init` in a file for `--config`"),
            ("p,init=@file,init=b",     "`init=` takes the rest of the text, including `,init=`: put `init=` last; if its value contains `,init=`, write the value into a file: `init=@FILE`, or `init` in a file for `--config`"),
        ];
        for (spec, why) in cases {
            assert_eq!(parse(spec).unwrap_err(), why, "{spec}");
        }
    }
}
