//! The faults that are counted and not shown.

use mtl_host::FaultKind;

/// The numbers of faults of each kind that were not shown one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SuppressedFaults([u64; FaultKind::ALL.len()]);

impl SuppressedFaults {
    pub(crate) fn add(&mut self, kind: FaultKind) {
        self.0[kind as usize] += 1;
    }

    pub(crate) fn of(&self, kind: FaultKind) -> u64 {
        self.0[kind as usize]
    }

    pub(crate) fn all(&self) -> u64 {
        self.0.iter().sum()
    }
}
