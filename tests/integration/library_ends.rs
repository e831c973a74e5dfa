//! Checks how long the library takes to end a run or a pool.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mtl_host::event::{Event, Observer};
use mtl_host::{Engine, FaultKind, Plugin, Pool, PoolBuilder, StopFlag, WorkerSpec};

use crate::support::{DEADLINE, fixtures, isolation, run_in_own_process};

/// An observer that signals when the plugin writes output, which it does in an item that never ends.
struct OutputSignal(Sender<()>);

impl Observer for OutputSignal {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Output { .. } = event {
            // The test may have ended.
            let _ = self.0.send(());
        }
    }
}

/// The time limit for the end of a run or of a pool. Work that ends by itself takes less, even on a busy machine.
const END: Duration = Duration::from_millis(300);

fn builder(plugin: &str) -> (PoolBuilder, Receiver<()>) {
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join(plugin)).unwrap();
    let (sender, receiver) = channel();
    let builder = Pool::builder(&plugin)
        .isolation(isolation())
        .jobs("1".parse().unwrap())
        .join_timeout(END)
        .observer(Arc::new(OutputSignal(sender)));
    (builder, receiver)
}

#[test]
fn an_endless_item_does_not_delay_the_end_of_its_run() {
    run_in_own_process(module_path!(), "an_endless_item_does_not_delay_the_end_of_its_run", || {
        let (builder, receiver) = builder("linger.wat");
        let mut pool = builder.build().unwrap();
        let results = pool.map(["s"]);
        receiver.recv_timeout(DEADLINE).unwrap();
        let outcome = results.end();
        assert_eq!(outcome.summary.counts.faults_of(FaultKind::Timeout), 1);
        // An abandoned run with an endless item must not delay the next run.
        let results = pool.map(["c"]);
        receiver.recv_timeout(DEADLINE).unwrap();
        drop(results);
        let records = pool.map(["n", "n"]).try_collect::<Vec<_>>().unwrap();
        assert_eq!(records[1].bytes(), Some(&b"0 002"[..]), "a fresh instance");
    });
}

#[test]
fn a_pool_outlives_the_end_of_a_run() {
    run_in_own_process(module_path!(), "a_pool_outlives_the_end_of_a_run", || {
        let stop = StopFlag::new();
        let (builder, _) = builder("finish.wat");
        let mut pool = builder.stop(&stop).build().unwrap();
        let mut results = pool.map(std::iter::repeat("a"));
        assert_eq!(results.next().unwrap().unwrap().bytes(), Some(&b""[..]));
        stop.set();
        let outcome = results.end();
        assert!(outcome.summary.stopped);
        // The run had no more than `END` to end. After a longer wait, the pool must still have all of its own time.
        let (nobody, never) = channel::<()>();
        assert!(never.recv_timeout(END + END / 10).is_err());
        drop(nobody);
        let reports = pool.close();
        assert_eq!(reports[0].finish_report, Ok(Some(b"a".to_vec())));
    });
}

#[test]
fn a_hanging_start_does_not_delay_the_end_of_a_run() {
    run_in_own_process(module_path!(), "a_hanging_start_does_not_delay_the_end_of_a_run", || {
        let engine = Engine::new().unwrap();
        let load = |name| Plugin::load(&engine, fixtures().join(name)).unwrap();
        let (spins, upper) = (load("spin-init.wat"), load("upper.wat"));
        let specs = [WorkerSpec::plugin(&spins), WorkerSpec::plugin(&upper)];
        let mut pool = Pool::builder_from_workers(specs)
            .isolation(isolation())
            .join_timeout(END)
            .build()
            .unwrap();
        for _ in 0..2 {
            let mut results = pool.map(["a", "b"]);
            assert!(results.next().unwrap().is_ok());
            // The second item may or may not have been read before the end.
            let summary = results.end().summary;
            assert_eq!(summary.counts.total(), summary.read);
        }
    });
}
