//! The outcomes of items in the order of the items, with sums over the outcomes. The items
//! themselves are stored elsewhere.
//!
//! ```text
//! all      record  none  fault  record       one slot for each item
//! records  o n e t w o                       the bytes of records, back to back
//! faults   2                                 the positions of the faults
//! ```
//!
//! Each new outcome updates the sums, so that a caller can read them without a pass over all slots.

use crate::item::fault::Fault;

/// The outcomes of some items.
#[derive(Debug, Default)]
pub(super) struct Slots {
    all: Vec<Slot>,
    records: Vec<u8>,
    /// The positions of the faults, in ascending order.
    faults: Vec<usize>,
    /// The number of items without a record.
    without_record: usize,
    /// The total length of the messages of all faults, in bytes.
    message_bytes: usize,
}

#[derive(Debug)]
pub(super) enum Slot {
    /// A record that stops at `end` and starts where the previous record stops.
    Record {
        end: usize,
    },
    NoRecord,
    Fault(Box<Fault>),
}

impl Slots {
    /// Reserves memory for the outcomes of this number of additional items.
    pub(super) fn reserve(&mut self, items: usize) {
        self.all.reserve(items);
    }

    pub(super) fn record(&mut self, bytes: &[u8]) {
        self.records.extend_from_slice(bytes);
        self.all.push(Slot::Record { end: self.records.len() });
    }

    /// Adds records that are back to back: each record stops at one of `ends`.
    pub(super) fn records(&mut self, bytes: &[u8], ends: impl Iterator<Item = usize>) {
        let start = self.records.len();
        self.records.extend_from_slice(bytes);
        self.all.extend(ends.map(|end| Slot::Record { end: start + end }));
    }

    pub(super) fn no_record(&mut self) {
        self.without_record += 1;
        self.all.push(Slot::NoRecord);
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.message_bytes += fault.message().len();
        self.faults.push(self.all.len());
        self.all.push(Slot::Fault(Box::new(fault)));
    }

    /// Removes and returns the last outcome, which must be a fault.
    pub(super) fn take_back_fault(&mut self) -> Fault {
        let Some(Slot::Fault(fault)) = self.all.pop() else {
            unreachable!("the last outcome is a fault");
        };
        self.faults.pop();
        self.message_bytes -= fault.message().len();
        *fault
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slot> {
        self.all.get(at)
    }

    /// Returns the bytes of all records, back to back.
    pub(super) fn record_bytes(&self) -> &[u8] {
        &self.records
    }

    /// Returns the length of all records and messages, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.records.len() + self.message_bytes
    }

    /// Returns the number of records.
    pub(super) fn with_record(&self) -> usize {
        self.all.len() - self.without_record - self.faults.len()
    }

    /// Returns the number of items that have no record and did not fail.
    pub(super) fn without_record(&self) -> usize {
        self.without_record
    }

    /// Returns the length of the record of each item, or its fault.
    pub(super) fn lengths(&self) -> impl ExactSizeIterator<Item = Result<Option<usize>, &Fault>> {
        let mut start = 0;
        self.all.iter().map(move |slot| match slot {
            Slot::Record { end } => Ok(Some(end - std::mem::replace(&mut start, *end))),
            Slot::NoRecord => Ok(None),
            Slot::Fault(fault) => Err(&**fault),
        })
    }

    /// Returns the faults, in their order.
    pub(super) fn faults(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.faults.iter().map(|&at| match &self.all[at] {
            Slot::Fault(fault) => &**fault,
            Slot::Record { .. } | Slot::NoRecord => unreachable!("a fault is at this position"),
        })
    }

    /// Returns the position of the first fault.
    pub(super) fn first_fault(&self) -> Option<usize> {
        self.faults.first().copied()
    }

    /// Removes all outcomes, and keeps the memory.
    pub(super) fn clear(&mut self) {
        let Self { all, records, faults, without_record, message_bytes } = self;
        all.clear();
        records.clear();
        faults.clear();
        (*without_record, *message_bytes) = (0, 0);
    }

    /// Returns the size of the memory in bytes, without that of messages.
    pub(super) fn memory(&self) -> usize {
        self.records.capacity()
            + self.all.capacity() * size_of::<Slot>()
            + self.faults.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::fault::FaultKind;
    use crate::item::index::ItemIndex;

    fn fault(at: u64, message: &str) -> Fault {
        Fault::new(ItemIndex::new(at), FaultKind::Refused, message)
    }

    #[test]
    fn totals_cover_all_slots() {
        let mut slots = Slots::default();
        slots.record(b"one");
        slots.no_record();
        slots.fault(fault(2, "why"));
        slots.records(b"threefour", [5, 9].into_iter());
        slots.fault(fault(5, "again"));
        assert_eq!((slots.len(), slots.with_record(), slots.without_record()), (6, 3, 1));
        assert_eq!(slots.first_fault(), Some(2));
        let messages: Vec<_> = slots.faults().map(Fault::message).collect();
        assert_eq!(messages, ["why", "again"]);
        assert_eq!((slots.record_bytes(), slots.bytes()), (&b"onethreefour"[..], 12 + 8));
        let lengths: Vec<_> = slots.lengths().map(|length| length.unwrap_or(Some(99))).collect();
        assert_eq!(lengths, [Some(3), None, Some(99), Some(5), Some(4), Some(99)]);
        assert_eq!(slots.take_back_fault().message(), "again");
        assert_eq!((slots.len(), slots.with_record(), slots.bytes()), (5, 3, 12 + 3));
        assert_eq!(slots.faults().len(), 1);
        let memory = slots.memory();
        slots.clear();
        assert_eq!((slots.len(), slots.bytes(), slots.first_fault()), (0, 0, None));
        assert_eq!((slots.without_record(), slots.memory()), (0, memory));
    }
}
