//! The exit codes of the command. Only this module maps errors and outcomes to exit codes.

use std::process::ExitCode;

use mtl_host::{BuildError, Error, RunResult};

use super::build::ProjectError;
use super::error::CliError;
use super::guest_writable::GuestWritableError;
use super::new::NewError;

/// The exit codes that `--help` documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every item was done, or the reader of the results closed the pipe.
    Success,
    /// Some items failed.
    ItemFailed,
    /// The command line is invalid.
    Usage,
    /// The plugin cannot be loaded or initialised, and no item was run.
    Plugin,
    /// The input cannot be read, or the output cannot be written.
    InputOutput,
    /// A project cannot be built: a compiler is missing, or fails.
    Build,
    /// A check of a plugin failed.
    CheckFailed,
    /// After some items were done, no worker was left, or a worker could not start.
    EndedEarly,
    /// The user pressed Ctrl-C, or another signal asked the run to end.
    Interrupted,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::ItemFailed => 1,
            Self::Usage => 2,
            Self::Plugin => 3,
            Self::InputOutput => 4,
            Self::Build => 5,
            Self::CheckFailed => 6,
            Self::EndedEarly => 8,
            Self::Interrupted => 130,
        }
    }

    /// Returns the exit code of a command that could not start its work.
    pub(crate) fn of_error(error: &CliError) -> Self {
        match error {
            CliError::Project(error) => Self::of_project(error),
            CliError::New(NewError::Write { .. }) => Self::InputOutput,
            CliError::Env(_)
            | CliError::InitFile(_)
            | CliError::Overwrite(_)
            | CliError::WasmInput(_)
            | CliError::NamelessItems { .. }
            | CliError::GuestWritable(GuestWritableError::Writable { .. })
            | CliError::NoPlugin
            | CliError::NoCacheDir(_)
            | CliError::New(_)
            | CliError::Config(_)
            | CliError::WorkerListConflict(_)
            | CliError::Build(
                BuildError::InitCount { .. }
                | BuildError::NoInit { .. }
                | BuildError::WorkerCount { .. }
                | BuildError::InitWithWorkerList
                | BuildError::NoWorker
                | BuildError::Dir { .. }
                | BuildError::MixedSymlinks { .. }
                | BuildError::TooManyDirs { .. }
                | BuildError::NoNet { .. }
                | BuildError::Name { .. }
                | BuildError::InternalName { .. },
            ) => Self::Usage,
            CliError::Engine(_) | CliError::Load(_) | CliError::Build(_) | CliError::Layers(_) => {
                Self::Plugin
            }
            CliError::Items { .. }
            | CliError::GuestWritable(GuestWritableError::Examine { .. })
            | CliError::Source(_)
            | CliError::Sink(_)
            | CliError::FaultsFile(_)
            | CliError::FinishFile(_)
            | CliError::ClosedStream(_)
            | CliError::Show { .. }
            | CliError::Cache(_)
            | CliError::Precompiled { .. }
            | CliError::Signals { .. }
            | CliError::Thread { .. } => Self::InputOutput,
        }
    }

    fn of_project(error: &ProjectError) -> Self {
        match error {
            ProjectError::NamedAsFile { .. }
            | ProjectError::PinnedFolder { .. }
            | ProjectError::NotInspected { .. }
            | ProjectError::NotAProject { .. }
            | ProjectError::SeveralLanguages { .. }
            | ProjectError::MissingEntry { .. }
            | ProjectError::SeveralEntries { .. }
            | ProjectError::Overwrite(_) => Self::Usage,
            ProjectError::NotOnePlugin { .. }
            | ProjectError::NoTool { .. }
            | ProjectError::TooOld { .. }
            | ProjectError::Start { .. }
            | ProjectError::Failed { .. }
            | ProjectError::MissingOutput { .. } => Self::Build,
            ProjectError::Read { .. } | ProjectError::Write { .. } => Self::InputOutput,
        }
    }

    /// Returns the exit code of a run. An error of the run takes precedence over an interruption. An interruption takes
    /// precedence over failed items.
    pub(crate) fn of_run(outcome: &RunResult, interrupted: Interrupted) -> Self {
        match (exit_of_run_error(outcome.error.as_ref()), interrupted) {
            (Some(Self::Plugin), _) if has_begun(outcome) => Self::EndedEarly,
            (Some(exit), _) => exit,
            (None, Interrupted::Yes) => Self::Interrupted,
            // A reader that closed the pipe needs no more results.
            (None, Interrupted::No) if is_closed_pipe(outcome.error.as_ref()) => Self::Success,
            (None, Interrupted::No) if outcome.summary.counts.failed() > 0 => Self::ItemFailed,
            (None, Interrupted::No) => Self::Success,
        }
    }
}

/// Returns whether a worker has run an item.
pub(crate) fn has_begun(outcome: &RunResult) -> bool {
    let counts = outcome.summary.counts;
    counts.total() > counts.not_run()
}

/// The state of the stop flag at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupted {
    Yes,
    No,
}

/// Returns whether the run ended because the reader of the results closed the pipe, as `| head` does.
pub(crate) fn is_closed_pipe(error: Option<&Error>) -> bool {
    matches!(error, Some(Error::Sink(error)) if error.is_closed_pipe())
}

/// Returns the exit code of an error that is not about items.
fn exit_of_run_error(error: Option<&Error>) -> Option<Exit> {
    match error? {
        Error::Init { .. } | Error::NoWorkerLeft { .. } => Some(Exit::Plugin),
        Error::Sink(error) if error.is_closed_pipe() => None,
        Error::ItemFailed(_) | Error::ItemsFailed(_) | Error::TooManyFaults { .. } => None,
        // These are errors of the input and the output, and defects of this program.
        _ => Some(Exit::InputOutput),
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use mtl_host::limits::{MaxFaults, MaxRestarts};
    use mtl_host::sink::SinkError;
    use mtl_host::source::SourceError;
    use mtl_host::{Init, Pool, PoolBuilder};

    use super::*;

    fn outcome(error: Option<Error>) -> RunResult {
        let engine = mtl_host::Engine::new().unwrap();
        let plugin = mtl_host::Plugin::load(&engine, "../../tests/fixtures/upper.wat").unwrap();
        let mut pool = Pool::builder(&plugin).build().unwrap();
        let mut outcome = pool.map([""; 0]).end();
        outcome.error = error;
        outcome
    }

    fn write_error(kind: io::ErrorKind) -> Error {
        SinkError::Write { name: "x".into(), records: 0, source: kind.into() }.into()
    }

    #[test]
    fn an_error_decides_before_an_interruption() {
        let input = || Error::Source(SourceError::Directory { path: "x".into() });
        let full = || write_error(io::ErrorKind::StorageFull);
        let closed = || write_error(io::ErrorKind::BrokenPipe);
        let (no, yes) = (Interrupted::No, Interrupted::Yes);
        let cases = [
            (None, no, Exit::Success),
            (None, yes, Exit::Interrupted),
            (Some(input()), no, Exit::InputOutput),
            (Some(input()), yes, Exit::InputOutput),
            (Some(full()), no, Exit::InputOutput),
            (Some(closed()), no, Exit::Success),
            (Some(closed()), yes, Exit::Interrupted),
        ];
        for (error, interrupted, expected) in cases {
            let case = format!("{error:?}, {interrupted:?}");
            assert_eq!(Exit::of_run(&outcome(error), interrupted), expected, "{case}");
        }
    }

    /// Returns the exit code of a run of these items.
    fn run(plugin: &str, items: &[&'static str], pool: fn(PoolBuilder) -> PoolBuilder) -> Exit {
        let engine = mtl_host::Engine::new().unwrap();
        let path = format!("../../tests/fixtures/{plugin}");
        let plugin = mtl_host::Plugin::load(&engine, path).unwrap();
        let builder = Pool::builder(&plugin).jobs("1".parse().unwrap());
        let mut pool = pool(builder).build().unwrap();
        let outcome = pool.map(items.to_vec()).collect_all().2;
        assert!(outcome.error.is_some(), "{items:?}");
        Exit::of_run(&outcome, Interrupted::No)
    }

    #[test]
    fn the_exit_code_tells_failed_starts_from_lost_workers() {
        let refusing = |pool: PoolBuilder| pool.init(Init::Same(b"refuse".to_vec()));
        assert_eq!(run("init.wat", &["item"], refusing), Exit::Plugin);
        assert_eq!(run("init.wat", &[], refusing), Exit::Plugin);
        let fragile = |pool: PoolBuilder| pool.max_restarts(MaxRestarts::AtMost(0));
        assert_eq!(run("misbehave.wat", &["n", "trap", "n"], fragile), Exit::EndedEarly);
    }

    #[test]
    fn too_many_faults_are_no_run_error() {
        let counts = outcome(None).summary.counts;
        let error = Error::TooManyFaults { limit: MaxFaults::Count(1), counts };
        assert_eq!(exit_of_run_error(Some(&error)), None);
    }
}
