//! Tests: items go in and results come out. They cover order, length, laziness, and results that nobody takes.

use super::*;

#[test]
fn results_keep_input_order_for_any_pool_and_window() {
    with_timeout(|| {
        for workers in [1, 3, 4] {
            for items in (0..20).chain([1000, 50_000]) {
                for window in [Window::default(), at_most(1), at_most(7)] {
                    if items > 1000 && window != Window::default() {
                        continue;
                    }
                    let mut pool = pool(workers, Settings { window, ..settings() }, echo);
                    let results: Vec<_> = pool.map(numbers(items)).map(text).collect();
                    assert_eq!(results, numbers(items), "{workers} workers, {window:?}");
                }
            }
        }
    });
}

fn at_most(items: usize) -> Window {
    Window::UNBOUNDED.with_items(NonZeroUsize::new(items).unwrap())
}

#[test]
fn completion_order_yields_the_same_results() {
    with_timeout(|| {
        let mut pool = pool(3, Settings { order: Order::Completion, ..settings() }, echo);
        let mut results: Vec<_> = pool.map(numbers(1000)).map(text).collect();
        results.sort_by_key(|number| number.parse::<u64>().unwrap());
        assert_eq!(results, numbers(1000));
    });
}

#[test]
fn completion_order_does_not_wait_for_a_slow_item() {
    with_timeout(|| {
        let (go, waits) = bounded::<()>(0);
        let slow = move |_: usize, item: &[u8]| {
            if item == b"slow" {
                waits.recv_timeout(TEST_TIMEOUT).expect("the other result has come out");
            }
            Reply::Record(item.to_vec())
        };
        let mut pool = pool(2, Settings { order: Order::Completion, ..settings() }, slow);
        let mut results = pool.map(["slow", "quick"]);
        assert_eq!(results.next().map(text).as_deref(), Some("quick"));
        go.send(()).unwrap();
        assert_eq!(results.next().map(text).as_deref(), Some("slow"));
    });
}

#[test]
fn results_report_the_length_of_the_input() {
    with_timeout(|| {
        let mut pool = pool(2, settings(), echo);
        let mut results = pool.map(["a", "b", "c"]);
        assert_eq!(results.len(), 3);
        results.next();
        assert_eq!(results.len(), 2);
        assert_eq!(results.by_ref().count(), 2);
        assert_eq!(results.size_hint(), (0, Some(0)));
        drop(results);
        let unsized_items = (0..4).map(|n| n.to_string()).filter(|text| text != "2");
        assert_eq!(pool.map(unsized_items).size_hint(), (0, Some(4)));
        let stop = StopFlag::new();
        let settings = Settings { stop: stop.clone(), ..settings() };
        let endless = std::iter::repeat_with(move || {
            stop.set();
            "item"
        });
        let results: Vec<_> = super::pool(1, settings, echo).map(endless).collect();
        assert!(results.len() <= 1, "an endless input reserves no memory");
    });
}

#[test]
fn the_window_limits_how_far_the_source_is_read() {
    with_timeout(|| {
        for items in [1, 2, 5] {
            let pulled = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&pulled);
            let source = std::iter::from_fn(move || {
                Some(counter.fetch_add(1, Ordering::SeqCst).to_string())
            });
            let mut pool = pool(1, Settings { window: at_most(items), ..settings() }, echo);
            let mut results = pool.map(source);
            for taken in 1..200_u64 {
                results.next().unwrap().unwrap();
                let ahead = pulled.load(Ordering::SeqCst) - taken;
                // The reader may already have read one item more, in the place of the result that was taken.
                assert!(ahead <= items as u64, "{ahead} ahead with a window of {items}");
            }
        }
    });
}

#[test]
fn an_item_runs_before_the_next_one_arrives() {
    with_timeout(|| {
        let (send, items) = bounded::<String>(0);
        let mut pool = pool(2, settings(), echo);
        let mut results = pool.map(items);
        for number in numbers(20) {
            send.send(number.clone()).unwrap();
            assert_eq!(text(results.next().unwrap()), number);
        }
        drop(send);
        assert_eq!(results.next(), None);
    });
}

/// An endless iterator that signals when it is dropped.
struct Counting {
    next: u64,
    _alive: Sender<()>,
}

impl Iterator for Counting {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.next += 1;
        Some(self.next.to_string())
    }
}

fn has_ended(alive: &Receiver<()>) {
    alive.recv_timeout(TEST_TIMEOUT).expect_err("the sender sends nothing");
    assert!(alive.try_recv().is_err_and(|error| error.is_disconnected()), "it still lives");
}

#[test]
fn dropping_results_and_pool_early_frees_all_executors() {
    with_timeout(|| {
        for taken in [0, 1, 100] {
            let (alive, executors) = bounded(0);
            let open = move || -> Result<Box<dyn Executor>, StartError> {
                let call: Call = Box::new(|item: &[u8]| Reply::Record(item.to_vec()));
                Ok(Box::new(Scripted { call, _alive: Some(alive.clone()) }))
            };
            let opens = vec![Box::new(open.clone()) as Open, Box::new(open)];
            let mut pool = start(settings(), opens.into_iter());
            let (alive, source) = bounded(0);
            let mut results = pool.map(Counting { next: 0, _alive: alive });
            assert_eq!(results.by_ref().take(taken).count(), taken);
            drop(results);
            assert!(source.try_recv().is_err_and(|error| error.is_disconnected()));
            // The pool can still be used.
            assert_eq!(pool.map(["again"]).map(text).collect::<Vec<_>>(), ["again"]);
            drop(pool);
            has_ended(&executors);
        }
    });
}

#[test]
fn a_blocked_source_does_not_block_the_drop() {
    with_timeout(|| {
        let (send, items) = bounded::<String>(0);
        let mut pool = pool(1, settings(), echo);
        drop(pool.map(items));
        drop(pool);
        drop(send);
    });
}

#[test]
fn items_may_be_borrowed_in_a_scope() {
    with_timeout(|| {
        let mut pool = pool(2, settings(), echo);
        let words = String::from("one two three");
        let longest =
            pool.map_scoped(words.split(' '), |results| results.map(text).max_by_key(String::len));
        assert_eq!(longest.as_deref(), Some("three"));
        let first = pool.map_scoped(words.split(' '), |mut results| results.next().map(text));
        assert_eq!(first.as_deref(), Some("one"), "the closure drops the other results");
        assert_eq!(pool.map(["again"]).map(text).collect::<Vec<_>>(), ["again"]);
    });
}

#[test]
fn a_panic_in_a_scope_ends_the_run_but_not_the_pool() {
    with_timeout(|| {
        let mut pool = pool(2, settings(), echo);
        let items = numbers(1000);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.map_scoped(&items, |mut results| {
                results.next();
                panic!("enough");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(pool.map(["again"]).map(text).collect::<Vec<_>>(), ["again"]);
    });
}

#[test]
fn results_can_be_collected() {
    let judge = |_: usize, item: &[u8]| match item {
        b"bad" => Reply::Refused,
        _ => Reply::Record(item.to_vec()),
    };
    with_timeout(move || {
        let mut pool = pool(2, settings(), judge);
        let records: Vec<_> = pool.map(["a", "b"]).try_collect().unwrap();
        assert_eq!(
            records.iter().map(Record::bytes).collect::<Vec<_>>(),
            [Some(&b"a"[..]), Some(b"b")]
        );
        let error = pool.map(["a", "bad", "b"]).try_collect::<Vec<_>>().unwrap_err();
        assert!(matches!(&error, Error::ItemFailed(fault) if fault.index().get() == 1), "{error}");
        let (records, faults, ended) = pool.map(["a", "bad", "b"]).collect_all();
        assert_eq!((records.len(), faults.len()), (2, 1));
        assert_eq!(ended.summary.counts.total(), 3);
    });
}

#[test]
fn public_types_are_send_and_sync() {
    fn send<T: Send>() {}
    fn share<T: Send + Sync>() {}
    send::<Pool>();
    send::<PoolBuilder>();
    send::<Results<'_, std::vec::IntoIter<String>>>();
    send::<RunResult>();
    share::<Record>();
    share::<Fault>();
    share::<Error>();
    share::<StopFlag>();
    share::<crate::Engine>();
    share::<crate::Plugin>();
    share::<crate::stats::Progress>();
}

#[test]
fn native_results_arrive_while_a_later_item_runs() {
    with_timeout(|| {
        let (go, waits) = bounded::<()>(0);
        let open = move |_: &crate::executor::native::WorkerContext| {
            let waits = waits.clone();
            Ok(move |item: &[u8]| {
                if item == b"slow" {
                    waits.recv()?;
                }
                Ok(item.to_vec())
            })
        };
        let chunk_size = ChunkSize::Fixed(NonZeroUsize::new(100).unwrap());
        let pool = Pool::builder_from_workers([WorkerSpec::native(open)]);
        let mut pool = pool.chunk_size(chunk_size).build().unwrap();
        let items = numbers(20).into_iter().chain(["slow".to_owned(), "last".to_owned()]);
        let mut results = pool.map(items.collect::<Vec<_>>());
        let came: Vec<_> = results.by_ref().take(20).map(text).collect();
        assert_eq!(came, numbers(20));
        go.send(()).unwrap();
        assert_eq!(results.map(text).collect::<Vec<_>>(), ["slow", "last"]);
    });
}
