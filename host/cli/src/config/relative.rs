//! Paths in a configuration file. When the command reads a file, it resolves relative paths against
//! the directory of the file. When the command writes a file, all paths in it are absolute, so that
//! the user can move the file.

use std::any::TypeId;
use std::path::{Path, PathBuf};

use clap::Arg;
use mtl_host::RetryOn;
use mtl_host::grants::{DirGrant, NetGrant};
use mtl_host::load::WasmFeatures;

use super::ConfigError;
use crate::env_grant::EnvGrant;
use crate::init_arg::InitArg;

/// The kind of a flag's value, which decides how a configuration file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    Path,
    /// `HOST::GUEST`.
    Dir,
    /// `TEXT` or `@FILE`.
    Init,
    /// `KEY` or `KEY=VALUE`.
    Env,
    /// `HOST:PORT`.
    Net,
    /// A comma-separated list, which may be an array.
    Kinds,
    /// A list of WebAssembly features, which may be empty.
    Features,
    /// Any text.
    Text,
    /// Any other value, which may be a number.
    Other,
}

impl ValueKind {
    /// Returns the kind of a flag, by its parsed type.
    pub(super) fn of(arg: &Arg) -> Self {
        let parsed = arg.get_value_parser().type_id();
        let kinds = [
            (TypeId::of::<PathBuf>(), Self::Path),
            (TypeId::of::<DirGrant>(), Self::Dir),
            (TypeId::of::<InitArg>(), Self::Init),
            (TypeId::of::<EnvGrant>(), Self::Env),
            (TypeId::of::<NetGrant>(), Self::Net),
            (TypeId::of::<RetryOn>(), Self::Kinds),
            (TypeId::of::<WasmFeatures>(), Self::Features),
            (TypeId::of::<String>(), Self::Text),
        ];
        kinds.into_iter().find(|(id, _)| parsed == *id).map_or(Self::Other, |(_, kind)| kind)
    }

    /// Returns `text`; if it contains a path, the path becomes relative to `folder`.
    pub(super) fn relative_to(self, folder: &Path, text: String) -> String {
        match self {
            // `-` is standard input or output.
            Self::Path if text == "-" => text,
            Self::Path => join(folder, &text),
            Self::Init => match text.strip_prefix('@') {
                Some(file) => format!("@{}", join(folder, file)),
                None => text,
            },
            Self::Dir => match text.split_once("::") {
                Some((host, guest)) if !host.is_empty() => {
                    format!("{}::{guest}", join(folder, host))
                }
                Some(_) | None => text,
            },
            Self::Env | Self::Net | Self::Kinds | Self::Features | Self::Text | Self::Other => text,
        }
    }
}

/// Checks that paths can be relative to `folder`: its name must be UTF-8.
pub(super) fn check(folder: &Path) -> Result<(), ConfigError> {
    match folder.to_str() {
        Some(_) => Ok(()),
        None => Err(ConfigError::FolderNotText { path: folder.to_owned() }),
    }
}

fn join(folder: &Path, path: &str) -> String {
    let joined = folder.join(path);
    joined.to_str().expect("the folder was checked").to_owned()
}
