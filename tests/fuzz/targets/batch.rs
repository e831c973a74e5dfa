//! Fuzzes the reading of a batch's results from memory that the plugin may change at any time.
//!
//! The target decodes the words of the batch a second time, with arithmetic that cannot overflow. The target `module`
//! covers the outcomes of a run.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_stream::item;
use mtl_stream::item::fault::FaultKind;
use mtl_stream::item::instance_failure::InstanceFailure;

use self::core_abi::batch::progress::{BatchProgress, TickResult};
use self::core_abi::packed_result::PluginAnswer;

#[expect(dead_code, reason = "only the host uses all of it")]
#[path = "../../../host/src/engine/core_abi"]
mod core_abi {
    pub(crate) mod guest_memory;
    pub(crate) mod packed_result;

    pub(crate) mod batch {
        pub(crate) mod progress;
    }
}

/// The answer to an item, or the kind of the fault if the answer is invalid.
type AnswerOrFault<'a> = Result<PluginAnswer<'a>, FaultKind>;

/// The result of a batch.
struct BatchEnd<'a> {
    /// The number of finished items.
    done: u32,
    /// The kind of the instance's failure.
    fault: Option<FaultKind>,
    /// The answers of the finished items, up to the first invalid one, each read separately.
    each: Vec<AnswerOrFault<'a>>,
    /// The records of the finished items, read together.
    together: Option<Vec<&'a [u8]>>,
}

impl<'a> BatchEnd<'a> {
    /// Reads the result after the plugin has returned a code, or after a trap (`None`).
    fn read(batch: &BatchProgress, memory: &'a [u8], code: Option<i32>) -> Self {
        let returned = code.ok_or_else(|| InstanceFailure::new(FaultKind::Trap, "a trap"));
        let (done, failure) = batch.end(memory, returned);
        let mut each = Vec::new();
        for answer in batch.answers(memory, done) {
            let is_valid = answer.is_ok();
            each.push(answer.map_err(|failure| failure.kind));
            if !is_valid {
                break;
            }
        }
        let together = batch.records(memory, done).map(|(results, ends)| {
            let mut start = 0;
            ends.map(|end| &results[std::mem::replace(&mut start, end)..end]).collect()
        });
        Self { done, fault: failure.map(|failure| failure.kind), each, together }
    }
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    /// The offset of the batch in the memory.
    before: u8,
    ends: Vec<End>,
    out: Out,
    /// The number of finished items at each tick, and at the return.
    ticks: Vec<Done>,
    done: Done,
    code: Option<i8>,
    results: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum End {
    /// An end at this distance from the previous end.
    Relative {
        length: u8,
        flags: u8,
    },
    Any(u32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Out {
    /// The address after the batch, where the results are.
    AfterBatch,
    Any(u32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Done {
    More(u8),
    All,
    Any(u32),
}

/// The largest number of items in a batch.
const MAX_ITEMS: usize = 64;
/// The offsets of the words in a batch.
const DONE: usize = 4;
const STOP: usize = 12;
const ENDS: usize = 16;
/// The largest offset at which the host reads a result.
const MAX_RESULT_OFFSET: u64 = 16 * 1024 * 1024;

/// The memory of a plugin that runs a batch.
struct BatchMemory {
    memory: Vec<u8>,
    at: usize,
    count: u32,
    out: u32,
    ends: Vec<u32>,
}

impl BatchMemory {
    fn new(case: &Case<'_>) -> Option<Self> {
        let at = usize::from(case.before);
        let mut last = 0_u32;
        let ends = case.ends.iter().take(MAX_ITEMS).map(|end| {
            let end = match *end {
                End::Any(end) => end,
                End::Relative { length, flags } => {
                    u32::from(flags & 3) << 30 | last.saturating_add(length.into()) & LENGTH
                }
            };
            last = end & LENGTH;
            end
        });
        let ends: Vec<_> = ends.collect();
        let count = u32::try_from(ends.len()).ok().filter(|count| *count > 0)?;
        let out = match case.out {
            Out::AfterBatch => (at + ENDS + 4 * ends.len()) as u32,
            Out::Any(out) => out,
        };
        let mut memory = vec![0; at];
        let words = [count, 0, out, 0].into_iter().chain(ends.iter().copied());
        memory.extend(words.flat_map(u32::to_le_bytes));
        memory.extend(case.results);
        Some(Self { memory, at, count, out, ends })
    }

    fn word(&mut self, offset: usize) -> &mut [u8] {
        &mut self.memory[self.at + offset..][..4]
    }

    /// Writes the number of finished items, and returns it.
    fn report_done(&mut self, done: Done, before: u32) -> u32 {
        let done = match done {
            Done::More(more) => before.saturating_add(more.into()),
            Done::All => self.count,
            Done::Any(done) => done,
        };
        self.word(DONE).copy_from_slice(&done.to_le_bytes());
        done
    }

    /// Returns the expected answers of the first items, up to the first invalid one.
    fn answers(&self, done: u32) -> Vec<AnswerOrFault<'_>> {
        let (mut start, mut answers) = (0, Vec::new());
        for end in &self.ends[..done as usize] {
            let (flags, end) = (end >> 30, u64::from(end & LENGTH));
            let from = u64::from(self.out) + start;
            let bytes = || self.memory.get(from as usize..(from + end - start) as usize);
            let is_valid =
                start <= MAX_RESULT_OFFSET && start <= end && from <= u64::from(u32::MAX);
            let answer = match (is_valid, flags) {
                (false, _) => None,
                (true, 0b00) => bytes().map(PluginAnswer::Record),
                (true, 0b01) => Some(PluginAnswer::NoRecord),
                (true, 0b10) => bytes().map(PluginAnswer::Refused),
                (true, _) => bytes().map(PluginAnswer::BadItem),
            };
            answers.push(answer.ok_or(FaultKind::BadResult));
            if answer.is_none() {
                break;
            }
            start = end;
        }
        answers
    }
}

const LENGTH: u32 = (1 << 30) - 1;

fuzz_target!(|case: Case<'_>| {
    let Some(mut plugin) = BatchMemory::new(&case) else { return };
    let mut batch = BatchProgress::new(plugin.at as u32, plugin.count);
    let (mut reported, mut has_stopped_in_time) = (0, true);
    for done in &case.ticks {
        reported = plugin.report_done(*done, reported);
        let before = batch.assigned();
        has_stopped_in_time = batch.tick(&mut plugin.memory) != TickResult::ReturnedItem;
        assert!(
            (1..=before).contains(&batch.assigned()),
            "the number of assigned items must not grow"
        );
        if !has_stopped_in_time {
            break;
        }
        assert_eq!(plugin.word(STOP), 1_u32.to_le_bytes(), "the host must ask the plugin to stop");
    }
    reported = plugin.report_done(case.done, reported);

    let end = BatchEnd::read(&batch, &plugin.memory, case.code.map(i32::from));
    assert!(
        end.done <= reported.min(batch.assigned()),
        "items count as done that the plugin did not report, or that went back to the queue"
    );
    let is_valid_end = has_stopped_in_time && case.code == Some(0) && reported <= plugin.count;
    assert!(is_valid_end || end.fault.is_some(), "an invalid batch must have a fault");
    assert_eq!(end.each, plugin.answers(end.done));

    let records = end.each.iter().map(|answer| match *answer {
        Ok(PluginAnswer::Record(record)) => Some(record),
        _ => None,
    });
    let records: Option<Vec<_>> = records.collect();
    assert_eq!(
        end.together,
        records.filter(|all| !all.is_empty()),
        "the records differ when they are read together"
    );
});
