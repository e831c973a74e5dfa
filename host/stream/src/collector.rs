//! Puts outcomes into the order in which the consumer wants them.
//!
//! The collector runs on the consumer's thread. [`policy`], not the collector, makes decisions
//! about faults.

pub mod policy;
mod reorder;

use std::collections::VecDeque;

use self::reorder::Reorder;
use crate::outcome::Outcomes;

/// The order in which results come out.
///
/// ```
/// use std::sync::{Arc, Barrier};
///
/// use mtl_host::{Order, Pool, WorkerSpec};
///
/// let gate = Arc::new(Barrier::new(2));
/// let worker = || {
///     let gate = Arc::clone(&gate);
///     WorkerSpec::native(move |_| {
///         let gate = Arc::clone(&gate);
///         Ok(move |item: &[u8]| {
///             if item == b"slow" {
///                 gate.wait();
///             }
///             Ok(item.to_vec())
///         })
///     })
/// };
/// let mut pool = Pool::builder_from_workers([worker(), worker()]).order(Order::Completion).build()?;
/// let mut results = pool.map(["slow", "quick"]);
/// assert_eq!(results.next().unwrap()?.bytes(), Some(&b"quick"[..]));
/// gate.wait();
/// assert_eq!(results.next().unwrap()?.bytes(), Some(&b"slow"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The order of the items in the input.
    #[default]
    Input,
    /// The order in which workers finish items.
    Completion,
}

/// A buffer that takes outcomes as they arrive and returns them when they are due.
#[derive(Debug)]
pub struct Collector(Waiting);

/// The outcomes that the consumer has not taken yet.
#[derive(Debug)]
enum Waiting {
    Input(Reorder<Outcomes>),
    Completion(VecDeque<Outcomes>),
}

impl Collector {
    /// Returns a collector that gives outcomes in this order.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self(match order {
            Order::Input => Waiting::Input(Reorder::default()),
            Order::Completion => Waiting::Completion(VecDeque::new()),
        })
    }

    /// Takes outcomes in the order of their arrival.
    pub fn accept(&mut self, outcomes: Outcomes) {
        match &mut self.0 {
            Waiting::Input(reorder) => {
                let span = outcomes.span();
                let (first, items) = (span.first(), span.len());
                reorder.accept(first, items, outcomes);
            }
            Waiting::Completion(waiting) => waiting.push_back(outcomes),
        }
    }

    /// Returns the next outcomes that are due, if there are any.
    pub fn next_due(&mut self) -> Option<Outcomes> {
        match &mut self.0 {
            Waiting::Input(reorder) => reorder.next_due(),
            Waiting::Completion(waiting) => waiting.pop_front(),
        }
    }
}
