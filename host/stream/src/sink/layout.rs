//! The layout of an outcome in line, NUL and frame output.

use std::os::unix::ffi::OsStrExt;

use crate::outcome::Outcome;

/// The choice of outcomes that become records, and of the tag before each record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) faults: Faults,
    pub(super) tag: Tag,
}

/// The output for an item that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Faults {
    /// An empty record, so that record N belongs to item N.
    #[default]
    Empty,
    Skipped,
}

/// The tag before a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    #[default]
    None,
    /// The item, or its path if it has one, and a tab.
    Item,
}

impl Layout {
    /// Returns the record to write, if there is one.
    pub(super) fn record<'a>(self, outcome: &Outcome<'a>) -> Option<&'a [u8]> {
        match outcome.result {
            Ok(record) => record,
            Err(_) => (self.faults == Faults::Empty).then_some(&[]),
        }
    }

    /// Appends the tag. Each tab and each `separator` in the item becomes a space, so that the
    /// first tab ends the tag.
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
