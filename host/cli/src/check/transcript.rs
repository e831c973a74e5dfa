//! The transcript of a trial: the items of a fresh instance, with their answers.

use mtl_host::sink::{Sink, SinkError};
use mtl_host::{FaultKind, Format, InstanceFailure, Outcome};

use super::verdict::Verdict;
use crate::escape;

/// The answer of a plugin to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallReply {
    Record(Vec<u8>),
    NoRecord,
    Fault(FaultKind, String),
}

impl CallReply {
    /// Returns whether the plugin answered with an error.
    pub(super) fn is_error(&self) -> bool {
        matches!(self, Self::Fault(FaultKind::Refused | FaultKind::BadItem, _))
    }

    pub(super) fn record(&self) -> Option<&[u8]> {
        match self {
            Self::Record(bytes) => Some(bytes),
            Self::NoRecord | Self::Fault(..) => None,
        }
    }

    /// Returns the failure of the plugin, if it failed. A plugin may refuse an item.
    fn failure(&self) -> Option<(FaultKind, &str)> {
        match self {
            Self::Fault(kind, message) if !self.is_error() => Some((*kind, message)),
            _ => None,
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Record(bytes) => format!("the record {}", shown(bytes)),
            Self::NoRecord => "no record".into(),
            Self::Fault(kind, message) => {
                format!("{kind}: {}", escape::line(&escape::head(message, 200)))
            }
        }
    }
}

/// The items of a trial, the answers, and the finish report of the instance.
#[derive(Debug)]
pub(super) struct Transcript {
    pub(super) items: Vec<Vec<u8>>,
    pub(super) answers: Vec<CallReply>,
    /// The format of records that the plugin declares.
    pub(super) format: Format,
    pub(super) finish_report: Result<Option<Vec<u8>>, InstanceFailure>,
}

impl Transcript {
    /// Returns the first failure of the plugin: the kind of fault, and a text with the item.
    pub(super) fn failure(&self) -> Option<(FaultKind, String)> {
        let found = self.items.iter().zip(&self.answers);
        let mut found = found.filter_map(|(item, answer)| Some((item, answer.failure()?)));
        let (item, (kind, message)) = found.next()?;
        let message = escape::line(&escape::head(message, 500));
        Some((kind, format!("the item {}: {kind}: {message}", shown(item))))
    }

    /// Returns the transcript, or a failed verdict if the plugin failed on an item.
    pub(super) fn ensure_no_failure(self) -> Result<Self, Verdict> {
        match self.failure() {
            None => Ok(self),
            Some((kind, detail)) => Err(Verdict::fail(detail).hint(hint(kind))),
        }
    }

    /// Returns a text about the first item with different answers.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let mut pairs = self.items.iter().zip(self.answers.iter().zip(&other.answers));
        let (item, (one, two)) = pairs.find(|(_, (one, two))| one != two)?;
        Some(format!("the item {}: {}; and then {}", shown(item), one.shown(), two.shown()))
    }
}

/// Returns the hint for the author of a plugin that fails in this way.
pub(super) fn hint(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Timeout => "look for an endless loop; `--timeout TIME` allows more",
        FaultKind::OutOfMemory => {
            "let the memory grow (in a core module's `mtl_alloc`), and free the memory that an item took before the \
             next item; `--memory SIZE` allows more"
        }
        FaultKind::BadResult => {
            "a core module returns address << 32 | flags | length, and the whole result is in the \
             memory that is exported as `memory`; a typed function returns only values that JSON \
             has: no NaN and no infinity"
        }
        FaultKind::Crashed => "this may be a defect of mtl-host: please report it",
        _ => {
            "let `call` return an error (`bad-item` or `refused`) instead of a trap: after a trap, \
             the state is lost"
        }
    }
}

/// Returns the first bytes as text. If bytes are missing, adds the full length.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MAX: usize = 40;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX)]);
    let text = escape::line(&text);
    match bytes.len() {
        0..=MAX => format!("`{text}`"),
        more => format!("`{text}…` ({more} bytes)"),
    }
}

/// A sink that records each outcome.
#[derive(Debug, Default)]
pub(super) struct AnswerRecorder {
    pub(super) answers: Vec<CallReply>,
    pub(super) format: Format,
}

impl Sink for AnswerRecorder {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        self.format = outcome.format;
        self.answers.push(match outcome.result {
            Ok(Some(bytes)) => CallReply::Record(bytes.to_vec()),
            Ok(None) => CallReply::NoRecord,
            Err(fault) => CallReply::Fault(fault.kind(), fault.message().to_owned()),
        });
        Ok(())
    }
}
