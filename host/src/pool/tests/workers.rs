//! Tests: workers share items and claims, but keep their own state.

use super::*;

#[test]
fn idle_workers_steal_unstarted_items() {
    with_timeout(|| {
        // Eight items meet at a barrier in two groups of four. If the second item of a group stayed
        // in the claim of the worker that runs the first item, the worker would block itself.
        for chunk_size in ["auto", "2", "8"] {
            let chunk_size = chunk_size.parse().unwrap();
            let barrier = Barrier::new(4);
            let meet = move |worker: usize, _: &[u8]| {
                barrier.wait();
                Reply::Record(worker.to_string().into_bytes())
            };
            let mut pool = pool(4, Settings { chunk_size, ..settings() }, meet);
            let mut workers: Vec<_> = pool.map(numbers(8)).map(text).collect();
            workers.sort();
            assert_eq!(workers, ["0", "0", "1", "1", "2", "2", "3", "3"], "{chunk_size}");
        }
    });
}

#[test]
fn the_claim_of_a_stuck_worker_is_stolen() {
    with_timeout(|| {
        for workers in [2, 4] {
            let (done, all_done) = bounded::<()>(100);
            // The worker with the first item waits until all other items are done, even the other
            // items of its own claim.
            let call = move |worker: usize, item: &[u8]| {
                if item == b"0" {
                    for _ in 1..100 {
                        all_done.recv_timeout(TEST_TIMEOUT).unwrap();
                    }
                } else {
                    done.send(()).unwrap();
                }
                Reply::Record(worker.to_string().into_bytes())
            };
            let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(100).unwrap());
            let mut pool = pool(workers, Settings { chunk_size, ..settings() }, call);
            let workers: Vec<_> = pool.map(numbers(100)).map(text).collect();
            assert_eq!(workers.len(), 100);
            assert_eq!(workers.iter().filter(|worker| **worker == workers[0]).count(), 1);
        }
    });
}

#[test]
fn a_claim_that_takes_too_long_is_shared() {
    with_timeout(|| {
        let (tick, ticked) = bounded::<()>(1);
        let watchdog = Watchdog::start(move || tick.try_send(()).unwrap_or_default()).unwrap();
        let seen: Arc<Mutex<HashMap<usize, u64>>> = Arc::default();
        let counts = Arc::clone(&seen);
        // Each item takes a tick, although a claim has a hundred items.
        let slow = move |worker: usize, item: &[u8]| {
            ticked.recv_timeout(TEST_TIMEOUT).unwrap();
            *counts.lock().unwrap().entry(worker).or_default() += 1;
            Reply::Record(item.to_vec())
        };
        let slow = Arc::new(slow);
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(100).unwrap());
        let opens: Vec<Open> = (0..2)
            .map(|number| {
                let slow = Arc::clone(&slow);
                Box::new(move || {
                    let slow = Arc::clone(&slow);
                    Ok(boxed(move |item: &[u8]| slow(number, item)))
                }) as Open
            })
            .collect();
        let ticks = watchdog.ticks();
        let settings = Settings { chunk_size, ..settings() };
        let mut pool = Pool::start(opens, settings, &ticks, Cancel::default()).unwrap();
        assert_eq!(pool.map(numbers(40)).map(text).collect::<Vec<_>>(), numbers(40));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2, "both workers had items: {seen:?}");
    });
}

#[test]
fn workers_keep_state_across_runs_and_report_on_close() {
    with_timeout(|| {
        let opens = std::iter::once(Box::new(|| {
            let mut calls = 0_u64;
            Ok(boxed(move |_: &[u8]| {
                calls += 1;
                Reply::Record(calls.to_string().into_bytes())
            }))
        }) as Open);
        let mut pool = start(settings(), opens);
        assert_eq!(pool.map(["a", "b"]).map(text).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(pool.map(["c"]).map(text).collect::<Vec<_>>(), ["3"]);
        let reports = pool.close();
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].finish_report, Ok(Some(b"done".to_vec())));
        assert_eq!(reports[0].items, 3);
    });
}

#[test]
fn progress_reports_total_and_done_items() {
    with_timeout(|| {
        let mut pool = pool(2, settings(), echo);
        let progress = pool.progress();
        let mut results = pool.map(numbers(10));
        assert_eq!(progress.snapshot().total, Some(10));
        assert_eq!(results.by_ref().count(), 10);
        assert_eq!(progress.snapshot().done, 10);
        assert!(results.end().summary.took < Duration::MAX);
    });
}
