//! A sink's rule for records.

use crate::item::format::Format;

/// The rule for the records that a sink accepts. A record that breaks the rule becomes a fault
/// `bad-result`.
///
/// ```
/// use mtl_host::sink::{Sink, SinkError};
/// use mtl_host::source::Items;
/// use mtl_host::sink::RecordRule;
/// use mtl_host::{Engine, FaultKind, Outcome, Plugin, Pool};
///
/// /// Puts a comma after each record.
/// struct Cells(Vec<u8>);
///
/// impl Sink for Cells {
///     fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
///         if let Ok(Some(record)) = outcome.result {
///             self.0.extend_from_slice(record);
///             self.0.push(b',');
///         }
///         Ok(())
///     }
///
///     fn rule(&self) -> RecordRule {
///         RecordRule::Without(b',')
///     }
/// }
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let mut cells = Cells(Vec::new());
/// let source = Items::new(["a", "b,c", "d"]);
/// let summary = Pool::builder(&plugin).build()?.run(source, &mut cells).into_result()?;
/// assert_eq!(cells.0, b"A,D,");
/// assert_eq!(summary.counts.faults_of(FaultKind::BadResult), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordRule {
    /// No restriction.
    #[default]
    Any,
    /// The record must not contain this byte, which ends records in the output.
    Without(u8),
    /// If the plugin declares its records as JSON, the record must be one JSON value.
    ValidJson,
}

impl RecordRule {
    /// Encodes the rule for a frame.
    #[doc(hidden)]
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Any => [0, 0],
            Self::Without(byte) => [1, byte],
            Self::ValidJson => [2, 0],
        }
    }

    /// Decodes the rule from a frame.
    #[doc(hidden)]
    #[must_use]
    pub fn from_bytes([tag, byte]: [u8; 2]) -> Self {
        match tag {
            0 => Self::Any,
            1 => Self::Without(byte),
            _ => Self::ValidJson,
        }
    }

    /// Checks `bytes` quickly. Returns `true` if every part of `bytes` follows the rule. Returns
    /// `false` if a full check is necessary.
    pub(super) fn holds_within(self, bytes: &[u8], format: Format) -> bool {
        match (self, format) {
            (Self::Any, _) | (Self::ValidJson, Format::Text) => true,
            (Self::Without(byte), _) => memchr::memchr(byte, bytes).is_none(),
            (Self::ValidJson, Format::Json) => false,
        }
    }

    /// Returns a message about the violation if `record` breaks the rule.
    pub(super) fn violation_in(self, record: &[u8], format: Format) -> Option<String> {
        match (self, format) {
            (Self::Any, _) => None,
            (Self::Without(byte), _) => {
                let at = memchr::memchr(byte, record)?;
                let name = match byte {
                    b'\n' => "a line break".into(),
                    0 => "a zero byte".into(),
                    other => format!("the byte {other}"),
                };
                Some(format!("the result has {name} at byte {at}, which would end its record"))
            }
            (Self::ValidJson, format) => {
                format.check(record).err().map(|reason| format!("the result is not JSON: {reason}"))
            }
        }
    }
}
