//! Errors that keep a command from starting its work.

use std::io;
use std::path::PathBuf;

use mtl_host::cache::CacheError;
use mtl_host::isolation::LayersError;
use mtl_host::sink::SinkError;
use mtl_host::source::SourceError;
use mtl_host::{BuildError, EngineError, LoadError};

use super::build::ProjectError;
use super::cache_args::NoCacheDirError;
use super::config::ConfigError;
use super::descriptors::ClosedStreamError;
use super::display_text::DisplayText;
use super::env_grant::EnvError;
use super::faults_file::FaultsFileError;
use super::finish_file::FinishFileError;
use super::formats::InputFormat;
use super::guest_writable::GuestWritableError;
use super::hints;
use super::init_arg::InitFileError;
use super::new::NewError;
use super::overwrite::OverwriteError;
use super::wasm_input_check::WasmInputError;
use super::worker_list::WorkerListConflict;

/// Error that keeps a command from starting its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Env(#[from] EnvError),
    #[error(transparent)]
    InitFile(#[from] InitFileError),
    /// `--items FILE` names a file that cannot be read.
    #[error("cannot read the items `{}`", DisplayText::of(path))]
    Items { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Overwrite(#[from] OverwriteError),
    #[error(transparent)]
    WasmInput(#[from] WasmInputError),
    /// `--output-dir` names files after items, and items of this format have no file names.
    #[error(
        "`--output-dir` names each result after its item's file, but items in `{format}` are not files"
    )]
    NamelessItems { format: InputFormat },
    #[error(transparent)]
    GuestWritable(#[from] GuestWritableError),
    /// The settings name no plugin.
    #[error("no plugin is named")]
    NoPlugin,
    #[error(transparent)]
    WorkerListConflict(#[from] WorkerListConflict),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Layers(#[from] LayersError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    FaultsFile(#[from] FaultsFileError),
    #[error(transparent)]
    FinishFile(#[from] FinishFileError),
    #[error(transparent)]
    ClosedStream(#[from] ClosedStreamError),
    /// Writing to standard output failed.
    #[error("cannot write to standard output")]
    Show { source: io::Error },
    #[error(transparent)]
    NoCacheDir(#[from] NoCacheDirError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The file of compiled code cannot be written.
    #[error("cannot write `{}`", DisplayText::of(path))]
    Precompiled { path: PathBuf, source: io::Error },
    /// The handlers of Ctrl-C and other signals cannot be installed.
    #[error("cannot listen to signals")]
    Signals { source: io::Error },
    /// The system refused a thread.
    #[error("cannot start a thread")]
    Thread { source: io::Error },
}

impl CliError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Env(error) => Some(error.hint()),
            Self::InitFile(_) => Some(InitFileError::HINT.into()),
            Self::GuestWritable(error) => error.hint(),
            Self::Overwrite(_) => Some(OverwriteError::HINT.into()),
            Self::WasmInput(error) => Some(error.hint().into()),
            Self::NamelessItems { .. } => Some(
                "for a list of files, use `--input-format files`, or `paths` if the plugin opens them \
                 itself"
                    .into(),
            ),
            Self::NoPlugin => Some(
                "name the plugin first: `mtl-host run PLUGIN [INPUT]...`; or name one for each worker: `--worker PLUGIN`"
                    .into(),
            ),
            Self::WorkerListConflict(error) => Some(error.hint()),
            Self::NoCacheDir(_) => Some(NoCacheDirError::HINT.into()),
            Self::Project(error) => error.hint(),
            Self::New(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Load(error) => hints::load(error),
            Self::Build(error) => hints::build(error),
            Self::Source(error) => hints::source(error),
            Self::Sink(error) => hints::sink(error),
            Self::ClosedStream(closed) => Some(closed.hint().into()),
            Self::FaultsFile(error) => error.hint().map(Into::into),
            Self::FinishFile(error) => error.hint().map(Into::into),
            Self::Cache(error) => hints::cache(error),
            Self::Layers(error) => error.hint().map(Into::into),
            Self::Engine(error) => error.hint().map(Into::into),
            Self::Thread { source } if source.kind() == io::ErrorKind::WouldBlock => {
                Some("`ulimit -u` limits your processes and threads: raise it, or end some of them".into())
            }
            Self::Items { .. }
            | Self::Show { .. }
            | Self::Precompiled { .. }
            | Self::Signals { .. }
            | Self::Thread { .. } => None,
        }
    }
}
