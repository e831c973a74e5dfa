//! What a fuzz target sees of a batch.

use super::progress::{BatchProgress, Found};
use crate::engine::fuzzing::Answered;
use crate::item::failure::Broken;
use crate::item::fault::FaultKind;

/// A batch of a plugin's.
#[derive(Debug)]
pub struct Batch(BatchProgress);

/// What a batch came to.
#[derive(Debug)]
pub struct BatchEnd<'a> {
    /// How many items are done.
    pub done: u32,
    /// How the instance broke.
    pub fault: Option<FaultKind>,
    /// The answers to those that are done, each taken by itself; what does not hold is the last.
    pub each: Vec<Answered<'a>>,
    /// The records of those that are done, taken together.
    pub together: Option<Vec<&'a [u8]>>,
}

impl Batch {
    /// One of so many items, whose words are here in the memory.
    #[must_use]
    pub fn new(at: u32, count: u32) -> Self {
        Self(BatchProgress::new(at, count))
    }

    /// How many of the items are to be done here.
    #[must_use]
    pub fn own(&self) -> u32 {
        self.0.own()
    }

    /// The watchdog ticks; says whether the plugin may go on.
    pub fn tick(&mut self, memory: &mut [u8]) -> bool {
        self.0.tick(memory) != Found::Others
    }

    /// The plugin has come back, with a code, or has trapped.
    #[must_use]
    pub fn end<'a>(&self, memory: &'a [u8], code: Option<i32>) -> BatchEnd<'a> {
        let returned = code.ok_or_else(|| Broken::new(FaultKind::Trap, "a trap"));
        let (done, broken) = self.0.end(memory, returned);
        let mut each = Vec::new();
        for answer in self.0.answers(memory, done) {
            let holds = answer.is_ok();
            each.push(Answered::of(answer));
            if !holds {
                break;
            }
        }
        let together = self.0.records(memory, done).map(|(results, ends)| {
            let mut start = 0;
            ends.map(|end| &results[std::mem::replace(&mut start, end)..end]).collect()
        });
        BatchEnd { done, fault: broken.map(|broken| broken.kind), each, together }
    }
}
