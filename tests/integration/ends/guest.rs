//! Checks plugins that fail: at the start, on the first, a middle or the last item, or at the end.

use std::time::Duration;

use mtl_host::{Error, FaultKind, Plugin, Pool, StartError, WorkerReport, WorkerSpec};

use super::{ORDERS, check_sum, load, numbers};
use crate::support::{isolation, run_in_own_process};

/// The time limit of items where one item never ends. Other items meet it even on a busy machine.
const LIMIT: Duration = Duration::from_millis(500);

const ITEMS: usize = 12;

#[test]
fn an_item_that_breaks_its_instance_costs_no_other_item() {
    let name = "an_item_that_breaks_its_instance_costs_no_other_item";
    run_in_own_process(module_path!(), name, || {
        let (core, component) = (load("misbehave.wat"), load("component.wat"));
        #[rustfmt::skip]
        let cases = [
            (&core,      "trap",  FaultKind::Trap),
            (&core,      "spin",  FaultKind::Timeout),
            (&core,      "mem",   FaultKind::OutOfMemory),
            (&core,      "ptr",   FaultKind::BadResult),
            (&component, "trap",  FaultKind::Trap),
        ];
        for (plugin, item, kind) in cases {
            for position in [0, ITEMS / 2, ITEMS - 1] {
                for workers in [1, 3] {
                    break_at((plugin, item, kind), position, workers);
                }
            }
        }
    });
}

/// Runs items; the item at `position` breaks its instance.
fn break_at((plugin, item, kind): (&Plugin, &str, FaultKind), position: usize, workers: u32) {
    for order in ORDERS {
        let case = format!("{item} at {position}, {workers} workers, {order:?}");
        let jobs = workers.to_string().parse().unwrap();
        let pool = Pool::builder(plugin).isolation(isolation()).jobs(jobs).order(order);
        let is_endless = kind == FaultKind::Timeout;
        let mut pool = if is_endless { pool.timeout(LIMIT) } else { pool }.build().unwrap();
        let mut items = numbers(ITEMS);
        item.clone_into(&mut items[position]);
        let mut results = pool.map(items);
        let mut seen: Vec<_> = results.by_ref().collect();
        let summary = results.end().into_result().unwrap();
        seen.sort_by_key(|result| match result {
            Ok(record) => record.index(),
            Err(fault) => fault.index(),
        });
        assert_eq!(seen.len(), ITEMS, "{case}");
        for (index, result) in seen.iter().enumerate() {
            match result {
                Ok(record) => assert_eq!(super::text(record), index.to_string(), "{case}"),
                Err(fault) => {
                    assert_eq!(
                        (fault.index().get(), fault.kind()),
                        (position as u64, kind),
                        "{case}"
                    );
                }
            }
        }
        check_sum(&summary);
        assert_eq!((summary.counts.failed(), summary.delivered), (1, ITEMS as u64), "{case}");
        assert!(pool.map(["again"]).all(|result| result.is_ok()), "{case}");
        let reports = pool.close();
        let sum = |part: fn(&WorkerReport) -> u64| reports.iter().map(part).sum::<u64>();
        assert_eq!(sum(|report| report.failed_instances), 1, "{case}");
        assert_eq!(sum(|report| report.items), ITEMS as u64 + 1, "{case}");
    }
}

#[test]
fn any_instance_that_cannot_start_ends_the_run() {
    let name = "any_instance_that_cannot_start_ends_the_run";
    run_in_own_process(module_path!(), name, || {
        let (init, spin) = (load("init.wat"), load("spin-init.wat"));
        type Expected = fn(&StartError) -> bool;
        let cases: [(&Plugin, [&str; 2], Expected); 3] = [
            (&init, ["good", "refuse"], |error| matches!(error, StartError::InitRefused { .. })),
            (&init, ["good", "trap"], |error| matches!(error, StartError::InitFailed { .. })),
            (&spin, ["ok", "never ends"], |error| matches!(error, StartError::Timeout { .. })),
        ];
        for (plugin, [good, bad], is_expected) in cases {
            for position in 0..3 {
                for items in [0, 1, 100] {
                    let args = (0..3).map(|worker| if worker == position { bad } else { good });
                    let workers = args.map(|args| WorkerSpec::plugin(plugin).init(args));
                    let mut pool = Pool::builder_from_workers(workers)
                        .isolation(isolation())
                        .init_timeout(LIMIT)
                        .build()
                        .unwrap();
                    let mut results = pool.map(numbers(items));
                    let seen: Vec<_> = results.by_ref().filter_map(Result::ok).collect();
                    let outcome = results.end();
                    check_sum(&outcome.summary);
                    let records = outcome.summary.counts.records();
                    assert_eq!(seen.len() as u64, records, "each finished record is delivered");
                    let Some(Error::Init { worker, source }) = outcome.error else {
                        panic!("{bad} in worker {position}: {:?}", outcome.error)
                    };
                    assert!(is_expected(&source), "{source}");
                    assert_eq!(worker.get(), position);
                    // Half of the pools are closed, and the others are dropped.
                    if items > 0 {
                        assert_eq!(pool.close().len(), 3);
                    }
                }
            }
        }
    });
}

#[test]
fn a_failed_finish_costs_only_the_report() {
    let name = "a_failed_finish_costs_only_the_report";
    run_in_own_process(module_path!(), name, || {
        let plugin = load("finish.wat");
        #[rustfmt::skip]
        let cases: [(&str, Result<&str, FaultKind>); 4] = [
            // The plugin's finish report is its last item, unless that requests a failure.
            ("all done",       Ok("all done")),
            ("trap",           Err(FaultKind::Trap)),
            ("!an error",      Err(FaultKind::Refused)),
            ("spins for ever", Err(FaultKind::Timeout)),
        ];
        for (last, expected) in cases {
            for ends_all in [false, true] {
                let pool = Pool::builder_from_workers([WorkerSpec::plugin(&plugin)])
                    .isolation(isolation());
                // `finish` exceeds the time limit for one worker, or for the whole end of the pool.
                let pool = match (expected, ends_all) {
                    (Err(FaultKind::Timeout), true) => pool.join_timeout(LIMIT),
                    (Err(FaultKind::Timeout), false) => pool.init_timeout(LIMIT),
                    _ => pool,
                };
                let mut pool = pool.build().unwrap();
                assert_eq!(pool.map(["first", last]).filter(Result::is_ok).count(), 2);
                let mut reports = pool.close();
                let report = reports.remove(0);
                let finish_report = report.finish_report.map_err(|failure| failure.kind);
                let expected = expected.map(|text| Some(text.as_bytes().to_vec()));
                assert_eq!((finish_report, report.items), (expected, 2), "{last}");
            }
        }
        // Dropping a pool calls no `finish`.
        let mut pool = Pool::builder(&plugin)
            .isolation(isolation())
            .jobs("2".parse().unwrap())
            .build()
            .unwrap();
        assert_eq!(pool.map(["spins for ever"; 2]).filter(Result::is_ok).count(), 2);
        drop(pool);
    });
}

#[test]
fn dropping_a_pool_stops_endless_guests() {
    run_in_own_process(module_path!(), "dropping_a_pool_stops_endless_guests", || {
        let plugin = load("misbehave.wat");
        for order in ORDERS {
            for workers in ["1", "3"] {
                let pool = Pool::builder(&plugin)
                    .isolation(isolation())
                    .jobs(workers.parse().unwrap())
                    .order(order);
                let mut pool = pool.build().unwrap();
                let mut results = pool.map(["a", "spin"].into_iter().chain(["b"; 1000]));
                assert!(results.next().unwrap().is_ok());
                drop(results);
                drop(pool);
            }
        }
        // A worker that hangs at its start must end.
        let spin = load("spin-init.wat");
        let mut pool =
            Pool::builder(&spin).isolation(isolation()).jobs("2".parse().unwrap()).build().unwrap();
        drop(pool.map(["a"]));
    });
}
