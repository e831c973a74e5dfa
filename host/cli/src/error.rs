//! Why a run could not begin.

use std::io;
use std::path::PathBuf;

use mtl_host::sink::SinkError;
use mtl_host::source::SourceError;
use mtl_host::{BuildError, CacheError, EngineError, LayersError, LoadError};

use super::build::ProjectError;
use super::cache_args::NoCachePlace;
use super::changeable::ChangeableError;
use super::config::ConfigError;
use super::descriptors::Closed;
use super::env_grant::EnvError;
use super::faults_file::FaultsFileError;
use super::finish_file::FinishFileError;
use super::formats::InputFormat;
use super::hints;
use super::init_arg::InitFileError;
use super::listed::BesideWorkers;
use super::misread::Misread;
use super::new::NewError;
use super::overwrite::Overwrite;
use super::shown::Shown;

/// The errors of the command that keep a run from beginning.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Env(#[from] EnvError),
    #[error(transparent)]
    InitFile(#[from] InitFileError),
    /// `--items FILE` names a file that cannot be read.
    #[error("cannot read the items `{}`", Shown::of(path))]
    Items { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Overwrite(#[from] Overwrite),
    #[error(transparent)]
    Misread(#[from] Misread),
    /// `--output-dir` names files after items, and these have no names.
    #[error("`--output-dir` names each result after its item's file, and `{format}` are no files")]
    NamelessItems { format: InputFormat },
    #[error(transparent)]
    Changeable(#[from] ChangeableError),
    /// No worker is described.
    #[error("no plugin is named")]
    NoPlugin,
    #[error(transparent)]
    BesideWorkers(#[from] BesideWorkers),
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
    Closed(#[from] Closed),
    /// Standard output does not take the settings.
    #[error("cannot show the settings")]
    Show { source: io::Error },
    #[error(transparent)]
    NoCachePlace(#[from] NoCachePlace),
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// What was compiled has no place.
    #[error("cannot write `{}`", Shown::of(path))]
    Precompiled { path: PathBuf, source: io::Error },
    /// The system does not let us listen to Ctrl-C.
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
            Self::Changeable(error) => error.hint(),
            Self::Overwrite(_) => Some(Overwrite::HINT.into()),
            Self::Misread(error) => Some(error.hint().into()),
            Self::NamelessItems { .. } => Some(
                "for a list of files: `--input-format files`, or `paths` when the plugin opens them \
                 itself"
                    .into(),
            ),
            Self::NoPlugin => Some(
                "name it first: `mtl-host run PLUGIN [INPUT]...`; or each worker's, with `--worker`"
                    .into(),
            ),
            Self::BesideWorkers(error) => Some(error.hint()),
            Self::NoCachePlace(_) => Some(NoCachePlace::HINT.into()),
            Self::Project(error) => error.hint(),
            Self::New(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Load(error) => hints::load(error),
            Self::Build(error) => hints::build(error),
            Self::Source(error) => hints::source(error),
            Self::Sink(error) => hints::sink(error),
            Self::Closed(closed) => Some(closed.hint().into()),
            Self::FaultsFile(error) => error.hint().map(Into::into),
            Self::FinishFile(error) => error.hint().map(Into::into),
            Self::Cache(error) => hints::cache(error),
            Self::Layers(error) => error.hint().map(Into::into),
            Self::Engine(error) => error.hint().map(Into::into),
            Self::Thread { source } if source.kind() == io::ErrorKind::WouldBlock => {
                Some("`ulimit -u` bounds the processes and threads that you may have: raise it, or end some".into())
            }
            Self::Items { .. }
            | Self::Show { .. }
            | Self::Precompiled { .. }
            | Self::Signals { .. }
            | Self::Thread { .. } => None,
        }
    }
}
