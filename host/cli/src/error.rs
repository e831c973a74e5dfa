//! Why a run could not begin.

use std::io;
use std::path::PathBuf;

use mtl_host::sink::SinkError;
use mtl_host::source::SourceError;
use mtl_host::{BuildError, CacheError, EngineError, LayersError, LoadError};

use super::build::ProjectError;
use super::changeable::Changeable;
use super::config::ConfigError;
use super::descriptors::Stream;
use super::faults::FaultsFileError;
use super::finish_file::FinishFileError;
use super::formats::InputFormat;
use super::new::NewError;
use super::shown::Shown;
use super::workers::Listed;

/// Why a run could not begin, as far as the command line is concerned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// `--env KEY` names a variable that this process does not have.
    #[error("cannot pass on the environment variable `{name}`: it is not set")]
    EnvNotSet { name: String },
    /// `--env KEY` names a variable whose value a plugin could not read.
    #[error("cannot pass on the environment variable `{name}`: it is not text")]
    EnvNotText { name: String },
    /// `--init @FILE` names a file that cannot be read.
    #[error("cannot read init arguments `{}`", Shown::of(path))]
    InitFile { path: PathBuf, source: io::Error },
    /// `--items FILE` names a file that cannot be read.
    #[error("cannot read the items `{}`", Shown::of(path))]
    Items { path: PathBuf, source: io::Error },
    /// An output is also an input.
    #[error("cannot write {written} `{}`: it is also {read}", Shown::of(path))]
    Overwrite { written: &'static str, read: &'static str, path: PathBuf },
    /// A plugin is named where an input is.
    #[error("cannot read items `{}`: they are WebAssembly", Shown::of(path))]
    PluginAsItems { path: PathBuf, by_configuration: bool },
    /// `--output-dir` names files after items, and these have no names.
    #[error("`--output-dir` names each result after its item's file, and `{format}` are no files")]
    NamelessItems { format: InputFormat },
    #[error(transparent)]
    Changeable(#[from] Changeable),
    /// The way to a file cannot be seen.
    #[error("cannot look at `{}`", Shown::of(path))]
    Look { path: PathBuf, source: io::Error },
    /// No worker is described.
    #[error("no plugin is named")]
    NoPlugin,
    /// A flag for workers that are alike, beside some that differ.
    #[error("`--{flag}` does not go with a list of workers")]
    BesideWorkers { flag: &'static str, listed: Listed },
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
    /// A standard stream that is needed was closed when the command started.
    #[error("cannot use {}: it is closed", stream.name())]
    Closed { stream: Stream },
    /// Standard output does not take the settings.
    #[error("cannot show the settings")]
    Show { source: io::Error },
    /// Nothing says where compiled code is kept.
    #[error("there is no place for a cache: neither `HOME` nor `XDG_CACHE_HOME` names one")]
    NoCachePlace,
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
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::EnvNotSet { name } | Self::EnvNotText { name } => {
                Some(format!("give the value itself: `--env {name}=VALUE`"))
            }
            Self::InitFile { .. } => {
                Some("`--init @FILE` takes a file that can be read, `--init TEXT` the text".into())
            }
            Self::Changeable(error) => Some(error.hint()),
            Self::Overwrite { .. } => Some("write to another file".into()),
            Self::PluginAsItems { by_configuration: true, .. } => Some(
                "the plugin is named already, so that this is an input; `--plugin FILE` takes the \
                 place of what the configuration names, and of several that work together each has \
                 its `--worker`"
                    .into(),
            ),
            Self::PluginAsItems { by_configuration: false, .. } => Some(
                "the plugin is named already, so that this is an input; of several that work together \
                 each has its `--worker`"
                    .into(),
            ),
            Self::NamelessItems { .. } => Some(
                "for a list of files: `--input-format files`, or `paths` when the plugin opens them \
                 itself"
                    .into(),
            ),
            Self::NoPlugin => Some(
                "name it first: `mtl-host run PLUGIN [INPUT]...`; or each worker's, with `--worker`"
                    .into(),
            ),
            Self::BesideWorkers { flag, listed } => Some(listed.hint(flag)),
            Self::NoCachePlace => Some("name it: `--cache-dir DIR`".into()),
            Self::Project(error) => error.hint(),
            Self::New(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Load(error) => error.hint().map(|hint| match error {
                LoadError::Read { .. } => format!("{hint}; `mtl-host build DIR` makes one of a folder of sources"),
                _ => hint,
            }),
            Self::Build(error) => error.hint(),
            Self::Source(error) => error.hint().map(Into::into),
            Self::Sink(error) => error.hint().map(Into::into),
            Self::Closed { stream: Stream::Input } => {
                Some("name the INPUT, or redirect it: `< FILE`".into())
            }
            Self::Closed { stream: Stream::Output | Stream::Error } => {
                Some("name another file, or redirect it: `> FILE`, and `> /dev/null` to have no results".into())
            }
            Self::FaultsFile(error) => error.hint().map(Into::into),
            Self::FinishFile(error) => error.hint().map(Into::into),
            Self::Cache(error) => error.hint().map(Into::into),
            Self::Layers(error) => error.hint().map(Into::into),
            Self::Engine(error) => error.hint().map(Into::into),
            Self::Thread { source } if source.kind() == io::ErrorKind::WouldBlock => {
                Some("`ulimit -u` bounds the processes and threads that you may have: raise it, or end some".into())
            }
            Self::Look { .. }
            | Self::Items { .. }
            | Self::Show { .. }
            | Self::Precompiled { .. }
            | Self::Signals { .. }
            | Self::Thread { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use mtl_host::{Engine, Plugin};

    use super::*;

    #[test]
    fn only_the_command_names_its_builder() {
        let error = Plugin::load(&Engine::new().unwrap(), "/no/such.wasm").unwrap_err();
        let hint = "a plugin is a .wasm or .wat file";
        assert_eq!(error.hint().as_deref(), Some(hint));
        let whole = format!("{hint}; `mtl-host build DIR` makes one of a folder of sources");
        assert_eq!(CliError::from(error).hint(), Some(whole));
    }
}
