//! Fuzzes the reading of a batch's results from memory that the plugin may change at any time.
//!
//! The target decodes the words a second time, with arithmetic that cannot overflow. The target `module` covers the
//! outcomes of a run.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_stream::item;
use mtl_stream::item::failure::Broken;
use mtl_stream::item::fault::FaultKind;

use self::core_abi::batch::progress::{BatchProgress, ListedFile};
use self::core_abi::packed_result::Answer;

#[expect(dead_code, reason = "only the host uses all of it")]
#[path = "../../../host/src/engine/core_abi"]
mod core_abi {
    pub(crate) mod guest_memory;
    pub(crate) mod packed_result;

    pub(crate) mod batch {
        pub(crate) mod progress;
    }
}

/// An answer, or the kind of the fault in its place.
type Answered<'a> = Result<Answer<'a>, FaultKind>;

/// The result of a batch.
struct BatchEnd<'a> {
    /// The number of finished items.
    done: u32,
    /// The kind of the instance's failure.
    fault: Option<FaultKind>,
    /// The answers of the finished items, up to the first invalid one, each read separately.
    each: Vec<Answered<'a>>,
    /// The records of the finished items, read together.
    together: Option<Vec<&'a [u8]>>,
}

impl<'a> BatchEnd<'a> {
    /// Reads the result after the plugin has returned a code, or after a trap (`None`).
    fn of(batch: &BatchProgress, memory: &'a [u8], code: Option<i32>) -> Self {
        let returned = code.ok_or_else(|| Broken::new(FaultKind::Trap, "a trap"));
        let (done, broken) = batch.end(memory, returned);
        let mut each = Vec::new();
        for answer in batch.answers(memory, done) {
            let holds = answer.is_ok();
            each.push(answer.map_err(|broken| broken.kind));
            if !holds {
                break;
            }
        }
        let together = batch.records(memory, done).map(|(results, ends)| {
            let mut start = 0;
            ends.map(|end| &results[std::mem::replace(&mut start, end)..end]).collect()
        });
        Self { done, fault: broken.map(|broken| broken.kind), each, together }
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
    Behind {
        length: u8,
        flags: u8,
    },
    Any(u32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Out {
    /// The address after the batch, where the results are.
    There,
    Any(u32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Done {
    More(u8),
    All,
    Any(u32),
}

/// The size of a batch of small items.
const MOST_ITEMS: usize = 64;
/// The offsets of the words in a batch.
const DONE: usize = 4;
const STOP: usize = 12;
const ENDS: usize = 16;
/// The largest offset at which the host reads a result.
const MAX_RESULT_OFFSET: u64 = 16 * 1024 * 1024;

struct Words {
    memory: Vec<u8>,
    at: usize,
    count: u32,
    out: u32,
    ends: Vec<u32>,
}

impl Words {
    fn new(case: &Case<'_>) -> Option<Self> {
        let at = usize::from(case.before);
        let mut last = 0_u32;
        let ends = case.ends.iter().take(MOST_ITEMS).map(|end| {
            let end = match *end {
                End::Any(end) => end,
                End::Behind { length, flags } => {
                    u32::from(flags & 3) << 30 | last.saturating_add(length.into()) & LENGTH
                }
            };
            last = end & LENGTH;
            end
        });
        let ends: Vec<_> = ends.collect();
        let count = u32::try_from(ends.len()).ok().filter(|count| *count > 0)?;
        let out = match case.out {
            Out::There => (at + ENDS + 4 * ends.len()) as u32,
            Out::Any(out) => out,
        };
        let mut memory = vec![0; at];
        let words = [count, 0, out, 0].into_iter().chain(ends.iter().copied());
        memory.extend(words.flat_map(u32::to_le_bytes));
        memory.extend(case.results);
        Some(Self { memory, at, count, out, ends })
    }

    fn word(&mut self, place: usize) -> &mut [u8] {
        &mut self.memory[self.at + place..][..4]
    }

    /// Writes the number of finished items, and returns it.
    fn say(&mut self, done: Done, before: u32) -> u32 {
        let done = match done {
            Done::More(more) => before.saturating_add(more.into()),
            Done::All => self.count,
            Done::Any(done) => done,
        };
        self.word(DONE).copy_from_slice(&done.to_le_bytes());
        done
    }

    /// Returns the expected answers of the first items, up to the first invalid one.
    fn answers(&self, done: u32) -> Vec<Answered<'_>> {
        let (mut start, mut answers) = (0, Vec::new());
        for end in &self.ends[..done as usize] {
            let (flags, end) = (end >> 30, u64::from(end & LENGTH));
            let from = u64::from(self.out) + start;
            let bytes = || self.memory.get(from as usize..(from + end - start) as usize);
            let holds = start <= MAX_RESULT_OFFSET && start <= end && from <= u64::from(u32::MAX);
            let answer = match (holds, flags) {
                (false, _) => None,
                (true, 0b00) => bytes().map(Answer::Record),
                (true, 0b01) => Some(Answer::NoRecord),
                (true, 0b10) => bytes().map(Answer::Refused),
                (true, _) => bytes().map(Answer::BadItem),
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
    let Some(mut words) = Words::new(&case) else { return };
    let mut batch = BatchProgress::new(words.at as u32, words.count);
    let (mut said, mut goes_on) = (0, true);
    for done in &case.ticks {
        said = words.say(*done, said);
        let before = batch.own();
        goes_on = batch.tick(&mut words.memory) != ListedFile::Others;
        assert!((1..=before).contains(&batch.own()), "the batch owns more items than before");
        if !goes_on {
            break;
        }
        assert_eq!(words.word(STOP), 1_u32.to_le_bytes(), "the plugin is not told to stop");
    }
    said = words.say(case.done, said);

    let end = BatchEnd::of(&batch, &words.memory, case.code.map(i32::from));
    assert!(
        end.done <= said.min(batch.own()),
        "items count as done that the plugin did not report, or that others own"
    );
    let is_lawful = goes_on && case.code == Some(0) && said <= words.count;
    assert!(is_lawful || end.fault.is_some(), "an invalid batch must have a fault");
    assert_eq!(end.each, words.answers(end.done));

    let records = end.each.iter().map(|answer| match *answer {
        Ok(Answer::Record(record)) => Some(record),
        _ => None,
    });
    let records: Option<Vec<_>> = records.collect();
    assert_eq!(
        end.together,
        records.filter(|all| !all.is_empty()),
        "the records differ when they are read together"
    );
});
