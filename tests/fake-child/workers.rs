//! Tests workers that send false data, flood or stall: only the item that they run is lost.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mtl_host::event::{Event, Observer};
use mtl_host::limits::ChunkSize;
use mtl_host::{Engine, Error, Init, Plugin, Pool, PoolBuilder, StartError, StopFlag};

use crate::fake_children;
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("a_child_that_stalls_or_floods_costs_its_item", a_child_that_stalls_or_floods_costs_its_item),
    (
        "a_child_that_breaks_the_protocol_costs_its_item",
        a_child_that_breaks_the_protocol_costs_its_item,
    ),
    ("events_of_a_hostile_child_are_bounded", events_of_a_hostile_child_are_bounded),
    (
        "a_child_that_floods_before_it_is_ready_can_be_stopped",
        a_child_that_floods_before_it_is_ready_can_be_stopped,
    ),
    ("a_child_that_floods_as_it_starts_times_out", a_child_that_floods_as_it_starts_times_out),
    ("a_child_that_does_not_read_costs_its_item", a_child_that_does_not_read_costs_its_item),
];

/// Returns a pool of this many fake children that claim one item at a time.
fn pool(jobs: usize) -> PoolBuilder {
    let plugin = Plugin::load(&Engine::new().unwrap(), "../tests/fixtures/connect.wat").unwrap();
    Pool::builder(&plugin)
        .isolation(fake_children())
        .jobs(jobs.to_string().parse().unwrap())
        .chunk_size(ChunkSize::Fixed(1.try_into().unwrap()))
        .total_memory("1GiB".parse().unwrap())
        .timeout(Duration::from_millis(200))
}

/// Returns the outcomes of these items as text.
fn outcomes(pool: &mut Pool, items: &[String]) -> Vec<String> {
    let outcomes = pool.map(items.to_vec()).map(|result| match result {
        Ok(record) => String::from_utf8(record.into_bytes().unwrap()).unwrap(),
        Err(fault) => format!("{}: {}", fault.kind(), fault.message()),
    });
    outcomes.collect()
}

/// Tries each misdeed between good items, and compares all outcomes.
#[track_caller]
fn try_each(misdeeds: &[(&str, &str)]) {
    // With one worker for each misdeed, the stalling ones stall at the same time.
    let mut pool = pool(misdeeds.len()).build().unwrap();
    let items =
        misdeeds.iter().flat_map(|(misdeed, _)| ["before".to_owned(), format!("!{misdeed}")]);
    let outcomes = outcomes(&mut pool, &items.chain(["after".to_owned()]).collect::<Vec<_>>());
    let expected = misdeeds.iter().flat_map(|(_, outcome)| ["BEFORE", *outcome]);
    let expected: Vec<_> = expected.chain(["AFTER"]).collect();
    assert_eq!(outcomes, expected, "{misdeeds:?}");
    // Each failed instance was replaced.
    let failed = misdeeds.iter().filter(|(_, outcome)| *outcome != "done").count();
    let reports = pool.close();
    assert_eq!(reports.iter().map(|report| report.failed_instances).sum::<u64>(), failed as u64);
}

fn a_child_that_stalls_or_floods_costs_its_item() {
    let late = "timeout: took longer than 200ms, and its process was killed";
    try_each(&[
        ("sends nothing", late),
        ("half a header", late),
        ("half a frame", late),
        ("byte by byte", late),
        ("floods small output", late),
        ("floods large output", late),
        ("floods logs", late),
        ("floods drops", late),
        ("writes false progress", late),
        ("closes", "crashed: its process closed its socket, and was killed"),
    ]);
}

fn a_child_that_breaks_the_protocol_costs_its_item() {
    let long = "crashed: its process was killed because it sent a frame that is too long";
    try_each(&[
        ("false length", long),
        ("huge result", long),
        (
            "false count",
            "crashed: its process was killed because it sent a frame that ends too early",
        ),
        (
            "more outcomes than items",
            "crashed: its process was killed because it sent a wrong number of outcomes",
        ),
        (
            "event that is too long",
            "crashed: its process was killed because it sent an event that is too long",
        ),
        (
            "calls an unknown function",
            "crashed: its process was killed because it sent a call of an unknown host function",
        ),
        ("invalid event", "crashed: its process was killed because it sent an invalid event"),
        ("requests all memory", "done"),
    ]);
}

/// The denials that were reported.
#[derive(Default)]
struct Denials(Mutex<Vec<String>>);

impl Observer for Denials {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Denied { denial, .. } = event {
            self.0.lock().unwrap().push(denial.to_string());
        }
    }
}

fn events_of_a_hostile_child_are_bounded() {
    let denials = Arc::new(Denials::default());
    // The child sends many events, so its item gets a long time limit.
    let pool = pool(1).timeout(Duration::from_secs(60)).observer(Arc::clone(&denials) as _);
    let items = ["!denial with a shell command", "before", "!many long denials", "after"]
        .map(str::to_owned);
    let outcomes = outcomes(&mut pool.build().unwrap(), &items);
    let reported = denials.0.lock().unwrap();
    assert!(
        outcomes.contains(&"BEFORE".into()) && outcomes.ends_with(&["AFTER".into()]),
        "{outcomes:?}"
    );
    assert!(reported.len() <= 16, "{} denials", reported.len());
}

/// An observer that stops a run at the first line of output.
struct StopOnOutput(StopFlag);

impl Observer for StopOnOutput {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Output { .. } = event {
            self.0.set();
        }
    }
}

fn a_child_that_floods_before_it_is_ready_can_be_stopped() {
    let stop = StopFlag::new();
    let pool = pool(1).init(Init::Same(b"floods before it is ready".to_vec()));
    let pool = pool.stop(&stop).observer(Arc::new(StopOnOutput(stop.clone())));
    let outcome = pool.build().unwrap().map(["item"]).end();
    assert!(outcome.summary.stopped, "{:?}", outcome.error);
}

fn a_child_that_floods_as_it_starts_times_out() {
    let pool = pool(1).init(Init::Same(b"floods before it has started".to_vec()));
    let mut pool = pool.init_timeout(Duration::from_millis(200)).build().unwrap();
    let outcome = pool.map(["item"]).end();
    let Some(Error::Init { source, .. }) = outcome.error else { panic!("{:?}", outcome.error) };
    assert!(matches!(&*source, StartError::Timeout { .. }), "{source:?}");
}

fn a_child_that_does_not_read_costs_its_item() {
    let mut pool = pool(1).build().unwrap();
    // The item exceeds the socket's buffer, and the child has stopped reading.
    let items =
        ["before".to_owned(), "!stops reading".to_owned(), "x".repeat(8 << 20), "after".to_owned()];
    let late = "timeout: took longer than 200ms, and its process was killed";
    assert_eq!(outcomes(&mut pool, &items), ["BEFORE", "done", late, "AFTER"]);
}
