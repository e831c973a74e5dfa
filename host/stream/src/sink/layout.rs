//! The layout of an outcome in line, nul and frame output.

use std::os::unix::ffi::OsStrExt;

use crate::outcome::Outcome;

/// Which outcomes become records, and what stands before them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) faults: Faults,
    pub(super) tag: Tag,
}

/// What is written for an item that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Faults {
    /// An empty record, so that record N is item N.
    #[default]
    Empty,
    Skipped,
}

/// What stands before a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    #[default]
    None,
    /// The item, or its path if it has one, and a tab.
    Item,
}

impl Layout {
    /// The record to be written, if any.
    pub(super) fn record<'a>(self, outcome: &Outcome<'a>) -> Option<&'a [u8]> {
        match outcome.result {
            Ok(record) => record,
            Err(_) => (self.faults == Faults::Empty).then_some(&[]),
        }
    }

    /// Appends what stands before the record. The first tab ends it: a tab in the item becomes
    /// a space, and so does `separator`.
    pub(super) fn tag(self, outcome: &Outcome<'_>, separator: Option<u8>, bytes: &mut Vec<u8>) {
        if self.tag == Tag::None {
            return;
        }
        let item = outcome.path.map_or(outcome.item, |path| path.as_os_str().as_bytes());
        let plain = |byte: &u8| match *byte {
            b'\t' => b' ',
            byte if Some(byte) == separator => b' ',
            byte => byte,
        };
        bytes.extend(item.iter().map(plain));
        bytes.push(b'\t');
    }
}
