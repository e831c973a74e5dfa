//! Checks the spans and events that the library sends to `tracing`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use mtl_host::{Engine, Plugin, Pool};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{fixtures, isolation};

/// The spans and messages of this crate, from any run.
static RECORDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mtl_host")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        record_text(format!("span {}", span.metadata().name()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Message);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message;

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            record_text(format!("{value:?}"));
        }
    }
}

fn record_text(text: String) {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
}

#[test]
fn tracing_records_spans_of_runs_and_workers_with_events() {
    // The subscriber is global, because workers run on their own threads.
    tracing::subscriber::set_global_default(Listener).unwrap();
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("misbehave.wat")).unwrap();
    let mut pool = Pool::builder(&plugin)
        .isolation(isolation())
        .jobs("1".parse().unwrap())
        .retries(1)
        .build()
        .unwrap();
    let (records, faults, _) = pool.map(["a", "trap"]).collect_all();
    assert_eq!((records.len(), faults.len()), (1, 1));
    drop(pool.close());
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    for expected in [
        "span run",
        "span worker",
        "the worker is ready",
        "the instance failed",
        "the item is tried again",
        "the run has ended",
    ] {
        assert!(recorded.contains(expected), "{expected}: {recorded:?}");
    }
}
