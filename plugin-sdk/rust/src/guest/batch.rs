//! A batch: many items in one call from the host.
//!
//! ```text
//!   0  count        host: number of items
//!   4  done         plugin: number of finished items
//!   8  out          plugin: address of the result bytes
//!  12  stop         host: if not zero, the plugin returns
//!  16  end[count]   host: end of each item; plugin: end of each result, with two flags
//!      item bytes
//! ```
//!
//! The host may stop the module at any moment. It then reads the words, as it does after a trap.
//! Therefore the module writes each word after the data that the word describes. Compiler fences
//! preserve this order, and force the compiler to store each word in memory. The module and the
//! host use these words on one thread, so processor fences are not needed.

use std::mem;
use std::sync::atomic::{Ordering, compiler_fence};

use super::Guest;
use super::answer::{Answer, MAX_LENGTH, result_too_long_failure};
use crate::{Failure, Worker};

/// The length of the words before the array `end`.
const HEAD: usize = 16;
const DONE: usize = 4;
const OUT: usize = 8;
const STOP: usize = 12;

/// The flags in a word of `end`: the bits above the 30 bits of the offset.
const ERROR: u32 = 1 << 31;
const NO_RECORD: u32 = 1 << 30;

/// The results of one batch, one directly after the other. `out` always has their current address.
#[derive(Debug, Default)]
pub(crate) struct Results(Vec<u8>);

impl Results {
    /// The number of result bytes after which the batch returns to the host.
    const FULL: usize = 1024 * 1024;
    const MIN_CAPACITY: usize = 4096;

    pub(crate) const EMPTY: Self = Self(Vec::new());

    /// Clears the results of the previous batch, and frees the memory of unusually large ones.
    fn clear(&mut self) {
        self.0.clear();
        if self.0.capacity() > 4 * Self::FULL {
            self.0 = Vec::new();
        }
        if self.0.capacity() == 0 {
            self.0.reserve(Self::MIN_CAPACITY);
        }
    }

    /// Returns whether this result is large enough to end the batch. If it is, `out` is the address
    /// of the result itself, because memory may not suffice for a copy.
    fn is_large(bytes: &[u8]) -> bool {
        (Self::FULL..=MAX_LENGTH).contains(&bytes.len())
    }

    fn append(&mut self, bytes: &[u8], words: &mut Words<'_>) {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            self.grow(length, words);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Moves the results to a larger buffer.
    #[cold]
    fn grow(&mut self, length: usize, words: &mut Words<'_>) {
        let mut larger = Vec::with_capacity(length.max(2 * self.0.capacity()));
        larger.extend_from_slice(&self.0);
        words.publish(&larger);
        let old = mem::replace(&mut self.0, larger);
        // Until the host has the new address, it reads from the old buffer.
        drop(old);
    }
}

/// The words of a batch, in memory that the host reads.
struct Words<'a>(&'a mut [u8]);

impl Words<'_> {
    fn get(&self, at: usize) -> u32 {
        compiler_fence(Ordering::SeqCst);
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    fn set(&mut self, at: usize, word: u32) {
        compiler_fence(Ordering::SeqCst);
        self.0[at..at + 4].copy_from_slice(&word.to_le_bytes());
        compiler_fence(Ordering::SeqCst);
    }

    fn publish(&mut self, results: &[u8]) {
        #[expect(clippy::cast_possible_truncation, reason = "a module's memory has 32 bits")]
        self.set(OUT, results.as_ptr().addr() as u32);
    }
}

/// Calls the worker for each item of the batch at the start of `bytes`. Returns early if the host
/// sets `stop` or the results are large.
pub(crate) fn run_batch<W: Worker>(guest: &mut Guest<W>, bytes: &mut [u8], results: &mut Results) {
    let count = Words(bytes).get(0);
    let head = HEAD + 4 * count as usize;
    let (words, items) = bytes.split_at_mut(head);
    let mut words = Words(words);
    results.clear();
    words.publish(&results.0);
    let mut start = 0;
    for (end_offset, done) in (HEAD..head).step_by(4).zip(1..) {
        if words.get(STOP) != 0 || results.0.len() >= Results::FULL {
            break;
        }
        let end = words.get(end_offset) as usize;
        let flags = match guest.call(&mut items[start..end]) {
            Answer::Bytes(bytes) if done == 1 && Results::is_large(bytes) => {
                words.publish(bytes);
                words.set(
                    end_offset,
                    u32::try_from(bytes.len()).expect("a length has at most 30 bits"),
                );
                words.set(DONE, done);
                break;
            }
            Answer::Bytes(bytes) if results.0.len() + bytes.len() <= MAX_LENGTH => {
                results.append(bytes, &mut words);
                0
            }
            Answer::Bytes(bytes) => {
                append_failure(&result_too_long_failure(bytes), results, &mut words)
            }
            Answer::NoRecord => NO_RECORD,
            Answer::Failed(failure) => append_failure(&failure, results, &mut words),
        };
        start = end;
        let length = u32::try_from(results.0.len()).expect("a length has at most 30 bits");
        words.set(end_offset, flags | length);
        words.set(DONE, done);
    }
}

/// Appends the message of a failure and returns its flags.
fn append_failure(failure: &Failure, results: &mut Results, words: &mut Words<'_>) -> u32 {
    results.append(failure.message().as_bytes(), words);
    match failure {
        Failure::BadItem(_) => ERROR | NO_RECORD,
        Failure::Refused(_) => ERROR,
    }
}

#[cfg(test)]
mod tests;
