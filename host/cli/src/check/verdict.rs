//! The verdict of a check.

use mtl_host::BuildError;

use crate::error::CliError;

/// The status of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    /// The plugin does something allowed but probably unintended.
    Warn,
    Fail,
    Skip,
}

impl Status {
    pub(super) const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Warn, Self::Skip];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// The verdict of a check: a status, details, and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    /// Lines of text, which may contain untrusted text of the plugin.
    pub(super) details: Vec<String>,
    pub(super) hint: Option<String>,
}

impl Verdict {
    fn new(status: Status, detail: impl Into<String>) -> Self {
        Self { status, details: vec![detail.into()], hint: None }
    }

    pub(super) fn pass() -> Self {
        Self { status: Status::Pass, details: Vec::new(), hint: None }
    }

    pub(super) fn passed(note: impl Into<String>) -> Self {
        Self::new(Status::Pass, note)
    }

    pub(super) fn skip(reason: impl Into<String>) -> Self {
        Self::new(Status::Skip, reason)
    }

    pub(super) fn warn(detail: impl Into<String>) -> Self {
        Self::new(Status::Warn, detail)
    }

    pub(super) fn fail(detail: impl Into<String>) -> Self {
        Self::new(Status::Fail, detail)
    }

    pub(super) fn and(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The result of a check. The operator `?` ends a check early, with a verdict or an error.
pub(super) type CheckResult = Result<Verdict, EarlyEnd>;

/// The reason why `?` ended a check early.
#[derive(Debug)]
pub(super) enum EarlyEnd {
    /// The check has a verdict.
    Verdict(Verdict),
    /// The check could not run, for a reason outside the plugin.
    Error(Box<CliError>),
}

impl From<Verdict> for EarlyEnd {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl From<CliError> for EarlyEnd {
    fn from(error: CliError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<BuildError> for EarlyEnd {
    fn from(error: BuildError) -> Self {
        CliError::from(error).into()
    }
}
