//! A list of workers, and the flags that do not go with it.

use super::run_args::WorkerArgs;

/// Where the list of workers stands, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    CommandLine,
    Configuration,
}

impl Listed {
    /// Returns what to do about a flag that does not go with the list, in the words of who wrote it.
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

/// A flag for workers that are alike, beside some that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`--{flag}` does not go with a list of workers")]
pub(crate) struct BesideWorkers {
    flag: &'static str,
    listed: Listed,
}

impl BesideWorkers {
    /// Returns what the user can do about it.
    pub(crate) fn hint(self) -> String {
        self.listed.hint(self.flag)
    }
}

impl WorkerArgs {
    /// Checks what the flags say of workers together.
    pub(super) fn check(&self, listed: Listed) -> Result<(), BesideWorkers> {
        let beside = [
            ("plugin", self.plugin.is_some()),
            ("jobs", self.jobs.is_some()),
            ("init", !self.init.is_empty()),
            ("sha256", self.sha256.is_some()),
            ("call", self.call.is_some()),
        ];
        match beside.into_iter().find(|(_, is_given)| *is_given && !self.worker.is_empty()) {
            Some((flag, _)) => Err(BesideWorkers { flag, listed }),
            None => Ok(()),
        }
    }
}
