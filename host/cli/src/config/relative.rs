//! Paths in a file of settings: relative to its folder when it is read, absolute when it is
//! written, so that it means the same wherever it lies.

use std::any::TypeId;
use std::path::{Path, PathBuf};

use clap::Arg;
use mtl_host::{DirGrant, NetGrant, RetryOn, WasmFeatures};

use super::ConfigError;
use crate::env_grant::EnvGrant;
use crate::init_arg::InitArg;

/// What the text of a flag is, as far as a file has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Path,
    /// `HOST::GUEST`.
    Dir,
    /// `TEXT` or `@FILE`.
    Init,
    /// `KEY` or `KEY=VALUE`.
    Env,
    /// `HOST:PORT`.
    Net,
    /// A list between commas, which may be an array.
    Kinds,
    /// Features of WebAssembly: a list, which may be empty.
    Features,
    /// Any text.
    Text,
    /// Something else, which may be a number.
    Other,
}

impl Meaning {
    /// By the type that a flag is parsed to.
    pub(super) fn of(arg: &Arg) -> Self {
        let parsed = arg.get_value_parser().type_id();
        let meanings = [
            (TypeId::of::<PathBuf>(), Self::Path),
            (TypeId::of::<DirGrant>(), Self::Dir),
            (TypeId::of::<InitArg>(), Self::Init),
            (TypeId::of::<EnvGrant>(), Self::Env),
            (TypeId::of::<NetGrant>(), Self::Net),
            (TypeId::of::<RetryOn>(), Self::Kinds),
            (TypeId::of::<WasmFeatures>(), Self::Features),
            (TypeId::of::<String>(), Self::Text),
        ];
        meanings
            .into_iter()
            .find(|(id, _)| parsed == *id)
            .map_or(Self::Other, |(_, meaning)| meaning)
    }

    /// `text`, whose path is relative to `folder`.
    pub(super) fn within(self, folder: &Path, text: String) -> String {
        match self {
            // Standard input or output.
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

/// Checks that paths can be relative to `folder`: its name must be text to stand before theirs.
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
