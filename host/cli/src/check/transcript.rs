//! The transcript of a trial: items that went through a fresh instance one by one, with their answers.

use mtl_host::sink::{Sink, SinkError};
use mtl_host::{Broken, FaultKind, Format, Outcome};

use super::verdict::Verdict;
use crate::escape;

/// The answer of a plugin to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Record(Vec<u8>),
    NoRecord,
    Fault(FaultKind, String),
}

impl Answer {
    /// Whether the plugin said that the item has no result.
    pub(super) fn is_error(&self) -> bool {
        matches!(self, Self::Fault(FaultKind::Refused | FaultKind::BadItem, _))
    }

    pub(super) fn record(&self) -> Option<&[u8]> {
        match self {
            Self::Record(bytes) => Some(bytes),
            Self::NoRecord | Self::Fault(..) => None,
        }
    }

    /// How it broke, if it did. To refuse an item is lawful.
    fn broken(&self) -> Option<(FaultKind, &str)> {
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

/// The items of a trial, the answers, and the end of the instance.
#[derive(Debug)]
pub(super) struct Transcript {
    pub(super) items: Vec<Vec<u8>>,
    pub(super) answers: Vec<Answer>,
    /// What the plugin says its records are.
    pub(super) format: Format,
    pub(super) closing: Result<Option<Vec<u8>>, Broken>,
}

impl Transcript {
    /// The first item on which the plugin broke, with the kind of fault and what is to be said of it.
    pub(super) fn broken(&self) -> Option<(FaultKind, String)> {
        let found = self.items.iter().zip(&self.answers);
        let mut found = found.filter_map(|(item, answer)| Some((item, answer.broken()?)));
        let (item, (kind, message)) = found.next()?;
        let message = escape::line(&escape::head(message, 500));
        Some((kind, format!("the item {}: {kind}: {message}", shown(item))))
    }

    /// The same, if the plugin broke on no item.
    pub(super) fn unbroken(self) -> Result<Self, Verdict> {
        match self.broken() {
            None => Ok(self),
            Some((kind, detail)) => Err(Verdict::fail(detail).hint(hint(kind))),
        }
    }

    /// The first item of which the answers differ, and how.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let mut pairs = self.items.iter().zip(self.answers.iter().zip(&other.answers));
        let (item, (one, two)) = pairs.find(|(_, (one, two))| one != two)?;
        Some(format!("the item {}: {}; and then {}", shown(item), one.shown(), two.shown()))
    }
}

/// What an author does about a plugin that breaks so.
pub(super) fn hint(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Timeout => {
            "look for a loop that does not end with the item; `--timeout TIME` allows more"
        }
        FaultKind::OutOfMemory => {
            "let the memory grow (a core module's `mtl_alloc`), and free what an item has taken before the next one; \
             `--memory SIZE` allows more"
        }
        FaultKind::BadResult => {
            "a core module answers with address << 32 | flags | length, and all of its bytes are in \
             the memory that is exported as `memory`; a typed function with what JSON has: no NaN, \
             no infinity"
        }
        FaultKind::Crashed => "this may be a defect of mtl-host: please report it",
        _ => {
            "let `call` answer with an error (`bad-item` or `refused`), and not stop: what stops \
             loses its state"
        }
    }
}

/// The beginning of some bytes, and how many there are of many.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]);
    let text = escape::line(&text);
    match bytes.len() {
        0..=MOST => format!("`{text}`"),
        more => format!("`{text}…` ({more} bytes)"),
    }
}

/// Notes each outcome.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) answers: Vec<Answer>,
    pub(super) format: Format,
}

impl Sink for Notes {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        self.format = outcome.format;
        self.answers.push(match outcome.result {
            Ok(Some(bytes)) => Answer::Record(bytes.to_vec()),
            Ok(None) => Answer::NoRecord,
            Err(fault) => Answer::Fault(fault.kind(), fault.message().to_owned()),
        });
        Ok(())
    }
}
