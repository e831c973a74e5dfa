//! A list of workers, and the flags that conflict with it.

use super::run_args::WorkerArgs;

/// The origin of the list of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerListOrigin {
    CommandLine,
    Configuration,
}

impl WorkerListOrigin {
    /// Returns the hint about a flag that conflicts with the list.
    fn hint(self, flag: &str) -> String {
        match (self, flag) {
            (Self::CommandLine, "jobs") => {
                "leave it out: there is one worker for each `--worker`".into()
            }
            (Self::CommandLine, "plugin") => "each worker names its own: `--worker PLUGIN`".into(),
            (Self::CommandLine, _) => {
                format!("each worker has its own: `--worker PLUGIN,{flag}=...`")
            }
            (Self::Configuration, "jobs") => {
                "leave it out: there is one worker for each `[[worker]]` of the configuration"
                    .into()
            }
            (Self::Configuration, _) => {
                format!(
                    "each worker has its own: `{flag}` in its `[[worker]]` of the configuration"
                )
            }
        }
    }
}

/// Error of a flag for identical workers that is used with a list of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`--{flag}` cannot be used with a list of workers")]
pub(crate) struct WorkerListConflict {
    flag: &'static str,
    origin: WorkerListOrigin,
}

impl WorkerListConflict {
    /// Returns a hint for the user.
    pub(crate) fn hint(self) -> String {
        self.origin.hint(self.flag)
    }
}

impl WorkerArgs {
    /// Checks that no flag conflicts with a list of workers.
    pub(super) fn check(&self, origin: WorkerListOrigin) -> Result<(), WorkerListConflict> {
        let flags = [
            ("plugin", self.plugin.is_some()),
            ("jobs", self.jobs.is_some()),
            ("init", !self.init.is_empty()),
            ("sha256", self.sha256.is_some()),
            ("call", self.call.is_some()),
        ];
        match flags.into_iter().find(|(_, is_given)| *is_given && !self.worker.is_empty()) {
            Some((flag, _)) => Err(WorkerListConflict { flag, origin }),
            None => Ok(()),
        }
    }
}
