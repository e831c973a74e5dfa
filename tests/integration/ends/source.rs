//! Checks a source that fails at each point: the earlier items are delivered, and then the error.

use mtl_host::sink::Memory;
use mtl_host::source::BlockBuilder;
use mtl_host::source::{FillStatus, Source, SourceError};
use mtl_host::{Error, FaultKind};

use super::{ORDERS, check_sum, echoing, numbers, text};
use crate::support::run_in_own_process;

const ITEMS: usize = 8;

/// The way in which a source fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Error,
    Panic,
}

/// A source that gives `until` numbers, `per_block` at a time, and then fails.
struct Failing {
    next: usize,
    until: usize,
    per_block: usize,
    end: End,
}

impl Source for Failing {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        for _ in 0..self.per_block {
            if self.next == self.until {
                match self.end {
                    End::Error => return Err(SourceError::other("the tape is torn")),
                    End::Panic => panic!("the tape burns"),
                }
            }
            block.push(self.next.to_string().as_bytes());
            self.next += 1;
        }
        Ok(FillStatus::More)
    }
}

#[test]
fn items_before_a_source_failure_are_delivered() {
    run_in_own_process(module_path!(), "items_before_a_source_failure_are_delivered", || {
        for end in [End::Error, End::Panic] {
            for until in 0..=ITEMS {
                for per_block in [1, 3] {
                    for window in ["1", "2", "16MiB"] {
                        fail_after(until, per_block, end, window);
                    }
                }
            }
        }
    });
}

fn fail_after(until: usize, per_block: usize, end: End, window: &str) {
    for order in ORDERS {
        let case = format!("{end:?} after {until}, {per_block} at once, {window}, {order:?}");
        let pool = echoing(2).order(order).window(window.parse().unwrap());
        let mut pool = pool.build().unwrap();
        let mut sink = Memory::new();
        let outcome = pool.run(Failing { next: 0, until, per_block, end }, &mut sink);
        // The items of a block that a panic interrupts do not count as read.
        let delivered = if end == End::Panic { until - until % per_block } else { until };
        let mut written: Vec<_> = sink.into_results().into_iter().map(Result::unwrap).collect();
        written.sort();
        let expected = numbers(delivered).into_iter().map(|number| Some(number.into_bytes()));
        assert_eq!(written, expected.collect::<Vec<_>>(), "{case}");
        check_sum(&outcome.summary);
        assert_eq!(outcome.summary.delivered, delivered as u64, "{case}");
        match (end, outcome.error) {
            (End::Error, Some(Error::Source(_))) => {}
            (End::Panic, Some(Error::SourcePanicked { message })) => {
                assert_eq!(message, "the tape burns");
            }
            (_, error) => panic!("{case}: {error:?}"),
        }
        assert!(pool.map(["again"]).all(|result| result.is_ok()), "{case}");
    }
}

#[test]
fn items_before_an_iterator_panic_are_delivered() {
    run_in_own_process(module_path!(), "items_before_an_iterator_panic_are_delivered", || {
        for order in ORDERS {
            for until in 0..=ITEMS {
                let mut pool = echoing(2).order(order).build().unwrap();
                let items = (0..=ITEMS).map(move |number| {
                    assert!(number < until, "enough");
                    number.to_string()
                });
                let mut seen: Vec<_> = pool.map(items).collect();
                let fault = seen.pop().unwrap().unwrap_err();
                assert_eq!(fault.kind(), FaultKind::NotRun);
                assert_eq!(fault.message(), "the source of the items panicked: enough");
                let mut seen: Vec<_> = seen.into_iter().map(Result::unwrap).collect();
                seen.sort_by_key(|record| record.index());
                assert_eq!(seen.iter().map(text).collect::<Vec<_>>(), numbers(until));
            }
        }
    });
}
