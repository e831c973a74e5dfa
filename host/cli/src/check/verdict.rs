//! What a check found.

use mtl_host::BuildError;

use crate::error::CliError;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    /// It is allowed, and hardly meant.
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

/// What a check found: how it ended, what there was to see, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    /// Lines, in which a plugin may have its say.
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

/// What a check gives, by `?` at any point.
pub(super) type Judged = Result<Verdict, Stopped>;

/// Why a check goes no further.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It has its verdict.
    Judged(Verdict),
    /// Nothing can be checked, and that is not the plugin's fault.
    Error(Box<CliError>),
}

impl From<Verdict> for Stopped {
    fn from(verdict: Verdict) -> Self {
        Self::Judged(verdict)
    }
}

impl From<CliError> for Stopped {
    fn from(error: CliError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<BuildError> for Stopped {
    fn from(error: BuildError) -> Self {
        CliError::from(error).into()
    }
}
