//! Checks a reader with workers: every item is delivered to a worker, and the number of items in
//! the queue never exceeds the window.

use std::num::NonZeroUsize;

use crate::check::{Interruptions, check};
use crate::queue::Window;
use crate::run::{Run, RunCounts, join};

/// Two workers, with a window smaller than a block.
pub fn one_item() {
    read_through(Interruptions::AtMost(2), 1, &[3]);
}

/// Two workers, with blocks of one item.
pub fn two_items() {
    read_through(Interruptions::AtMost(2), 2, &[1, 1, 1]);
}

fn read_through(interruptions: Interruptions, bound: usize, blocks: &'static [usize]) {
    const WORKERS: usize = 2;
    check(interruptions, move || {
        let items = NonZeroUsize::new(bound).expect("a window is not empty");
        let run = Run::new(Window::UNBOUNDED.with_items(items), WORKERS);
        let workers = [(); WORKERS].map(|()| run.spawn(|run| run.work(2)));
        // Each worker may hold an item, whatever the window.
        run.read(blocks, bound.max(WORKERS));
        join(workers);
        assert_eq!(run.end(None), RunCounts::all_done(blocks.iter().sum()));
    });
}
