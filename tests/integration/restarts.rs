//! Checks retried items, retired workers and replaced instances.

use std::fs;
use std::sync::{Arc, Mutex};

use mtl_host::event::{Event, Observer};
use mtl_host::grants::DirGrant;
use mtl_host::sink::Memory;
use mtl_host::source::Items;
use mtl_host::{Engine, Plugin, Pool};

use crate::support::{Host, fixtures, host, host_with_summary, isolation, lines};

/// Describes a run whose plugin counts its attempts in a granted directory.
fn stubborn(host: Host, jobs: &str) -> Host {
    host.plugin("stubborn.wat").subfolder("state").args([
        "--jobs",
        jobs,
        "--dir",
        "state::/state:rw",
    ])
}

#[test]
fn a_failed_item_is_retried_in_place_on_a_fresh_instance() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str, &str, &str); 9] = [
        // flags                                          item  result  fault
        (&[],                                             "t2", "",     "trap: wasm `unreachable` instruction executed"),
        (&["--retries", "1"],                             "t2", "2/1",  ""),
        (&["--retries", "3"],                             "t4", "4/1",  ""),
        (&["--retries", "2"],                             "t4", "",     "trap: wasm `unreachable` instruction executed"),
        (&["--retries", "1"],                             "c2", "2/1",  ""),
        (&["--retries", "1"],                             "c3", "",     "timeout: took longer than 100ms"),
        (&["--retries", "1"],                             "r2", "",     "refused: not yet"),
        (&["--retries", "2", "--retry-on", "refused"],    "r3", "3/1",  ""),
        (&["--retries", "2", "--retry-on", "refused"],    "t2", "",     "trap: wasm `unreachable` instruction executed"),
    ];
    for (flags, item, result, fault) in cases {
        let finished = stubborn(host_with_summary(), "1")
            .args(["--timeout", "100ms"])
            .args(flags.iter().copied())
            .stdin(lines(["a", item, "b"]))
            .run()
            .code(i32::from(!fault.is_empty()));
        // The test checks that a third result exists, but not its text. The text names the
        // instance, and the instance depends on earlier attempts.
        let results = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
        let results: Vec<_> = results.lines().collect();
        assert_eq!(results[..2], ["1/1", result], "{flags:?} {item}");
        assert_eq!(results.len(), 3, "{flags:?} {item}");
        let stderr = finished.stderr_text();
        let counted = if fault.is_empty() { "3 items, 0 faults, " } else { "3 items, 1 fault (" };
        assert!(stderr.lines().last().unwrap().starts_with(counted), "{item}: {stderr}");
        let expected = format!("fault: item 1: {fault}\n");
        assert_eq!(stderr.contains(&expected), !fault.is_empty(), "{flags:?} {item}: {stderr}");
    }
}

#[test]
fn retried_items_of_many_workers_keep_their_places() {
    let items: Vec<_> = (0..300).map(|n| format!("{}2-{n}", ["t", "a", "r"][n % 3])).collect();
    let finished = stubborn(host(), "3")
        .args(["--retries", "1", "--retry-on", "trap,refused", "--output-format", "jsonl"])
        .stdin(lines(&items))
        .run()
        .code(0);
    let results = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    for (index, (line, item)) in results.lines().zip(&items).enumerate() {
        let attempt = if item.starts_with('a') { 1 } else { 2 };
        let begins = format!("{{\"index\":{index},\"ok\":\"{attempt}/");
        assert!(line.starts_with(&begins), "{item}: {line}");
    }
    assert_eq!(results.lines().count(), 300);
}

/// An observer that records retries.
#[derive(Default)]
struct Retries(Mutex<Vec<String>>);

impl Observer for Retries {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Retry { worker, item, attempt, reason: why, .. } = event {
            let text = format!("{worker}: {item} for the {attempt}: {}", why.kind);
            self.0.lock().unwrap().push(text);
        }
    }
}

#[test]
fn observers_see_each_retry_with_its_attempt_number() {
    let folder = tempfile::tempdir().unwrap();
    let grant = format!("{}::/state:rw", folder.path().display()).parse::<DirGrant>().unwrap();
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("stubborn.wat")).unwrap();
    let retries = Arc::new(Retries::default());
    let pool = Pool::builder(&plugin)
        .isolation(isolation())
        .jobs("1".parse().unwrap())
        .dir(grant)
        .retries(2);
    let pool = pool.retry_on("trap,refused".parse().unwrap()).observer(retries.clone());
    let mut sink = Memory::new();
    let outcome = pool.build().unwrap().run(Items::new(["t2", "a", "r3", "t9"]), &mut sink);
    let summary = outcome.into_result().unwrap();
    assert_eq!(summary.retried, 5);
    assert_eq!((summary.counts.records(), summary.counts.failed()), (3, 1));
    assert_eq!((summary.read, summary.delivered), (4, 4));
    let expected = [
        "0: 0 for the 1: trap",
        "0: 2 for the 1: refused",
        "0: 2 for the 2: refused",
        "0: 3 for the 1: trap",
        "0: 3 for the 2: trap",
    ];
    assert_eq!(*retries.0.lock().unwrap(), expected);
}

#[test]
fn too_many_failures_in_a_row_retire_a_worker() {
    let trap = "trap: wasm `unreachable` instruction executed, in `call`";
    #[rustfmt::skip]
    let cases = [
        // most items            results        faults not run
        ("0", "n\nt\nn\n",       "1\n\n",          1, 1),
        ("1", "t\nt\nn\nn\n",    "\n\n",           2, 2),
        // A good item in between begins a new row.
        ("1", "t\nn\nt\nt\nn\n", "\n1\n\n\n",      3, 1),
    ];
    for (max, items, results, faults, not_run) in cases {
        let finished = host_with_summary()
            .plugin("misbehave.wat")
            .args(["--jobs", "1", "--max-restarts", max])
            .stdin(items)
            .run()
            .code(8)
            .stdout(results);
        let stderr = finished.stderr_text();
        let warning =
            format!("warning: worker 0 failed too often in a row and is retired: {trap}\n");
        let error = format!(
            "error: no worker is left: worker 0, the last one, failed too often in a row: {trap}\n \
             hint: `--max-restarts N` allows N restarts in a row\n"
        );
        assert!(stderr.contains(&warning) && stderr.contains(&error), "{max}: {stderr}");
        assert_eq!(stderr.matches("fault: item").count(), faults, "{max}: {stderr}");
        let summary = stderr.lines().last().unwrap();
        assert!(summary.contains(&format!(", {not_run} not run, ")), "{max}: {stderr}");
    }
}

#[test]
fn the_last_worker_ends_the_run_with_its_start_error() {
    let finished = host_with_summary()
        .plugin("flaky-start.wat")
        .subfolder("state")
        .args(["--jobs", "1", "--dir", "state::/state:rw", "--max-restarts", "7"])
        .stdin("a\nb\nc\n")
        .run()
        .code(8);
    let stderr = finished.stderr_text();
    let error = "error: no worker is left: worker 0, the last one, could not be started again: \
                 init failed: it has been started before\n hint: ";
    assert!(stderr.contains(error), "{stderr}");
    assert!(stderr.lines().last().unwrap().starts_with("1 item, 1 fault (trap 1), 2 not run, "));
}

#[test]
fn all_retries_of_one_item_count_as_one_restart() {
    #[rustfmt::skip]
    let cases = [
        // retries most  items             results     code
        ("1",      "1",  "n\nt\nn\n",       "1\n\n1\n",  1),
        ("5",      "1",  "n\nt\nn\n",       "1\n\n1\n",  1),
        ("5",      "2",  "t\nt\nn\n",       "\n\n1\n",   1),
        // Two broken items in a row count as two.
        ("1",      "1",  "t\nt\nn\n",       "\n\n",      8),
        ("1",      "0",  "t\nn\n",          "\n",        8),
    ];
    for (retries, max, items, results, code) in cases {
        host()
            .plugin("misbehave.wat")
            .args(["--jobs", "1", "--retries", retries, "--max-restarts", max])
            .stdin(items)
            .run()
            .code(code)
            .stdout(results);
    }
}

#[test]
fn the_other_worker_takes_over_after_a_retirement() {
    let running = host()
        .plugin("first-breaks.wat")
        .subfolder("gate")
        .args(["--dir", "gate::/gate", "--jobs", "2", "--max-restarts", "2", "--chunk-size", "1"])
        .stdin(lines(0..100))
        .start();
    // The other worker waits at its first item, so the breaking worker ran all items before this
    // point.
    running.wait_for_stderr("warning: worker 0 failed too often in a row and is retired: trap: ");
    fs::write(running.folder().join("gate/open"), "").unwrap();
    let finished = running.finish().code(1);
    let results = finished.sorted_lines();
    assert_eq!(results.iter().filter(|line| line.is_empty()).count(), 3);
    assert_eq!(results.len(), 100);
}

#[test]
fn the_recycle_flag_replaces_an_instance_after_n_items() {
    #[rustfmt::skip]
    let cases = [
        ("1", "01\n01\n01\n01\n01\n"),
        ("2", "01\n02\n01\n02\n01\n"),
        ("5", "01\n02\n03\n04\n05\n"),
    ];
    for chunk_size in ["auto", "1", "3"] {
        for (items, results) in cases {
            host()
                .plugin("counter.wat")
                .args(["--jobs", "1", "--recycle", items, "--chunk-size", chunk_size])
                .stdin("a\nb\nc\nd\ne\n")
                .run()
                .code(0)
                .stdout(results)
                .stderr("");
        }
    }
}

#[test]
fn invalid_numbers_and_times_show_the_valid_form() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 19] = [
        (&["--timeout", "0"],             "invalid value '0' for '--timeout <TIME>': not a time such as `100ms`, `1.5s`, `2m` or `1h`, longer than 0"),
        (&["--timeout", "soon"],          "invalid value 'soon' for '--timeout <TIME>': not a time such as `100ms`, `1.5s`, `2m` or `1h`, longer than 0"),
        (&["--init-timeout", "-1s"],      "invalid value '-1s' for '--init-timeout <TIME>': not a time such as `100ms`, `1.5s`, `2m` or `1h`, longer than 0"),
        (&["--join-timeout", "5 days"],   "invalid value '5 days' for '--join-timeout <TIME>': not a time such as `100ms`, `1.5s`, `2m` or `1h`, longer than 0"),
        (&["--retries", "-1"],            "invalid value '-1' for '--retries <N>': not a number from 0 to 4294967295"),
        (&["--retries", "many"],          "invalid value 'many' for '--retries <N>': not a number from 0 to 4294967295"),
        (&["--retry-on", "refused"],      "the following required arguments were not provided:\n  --retries <N>"),
        (&["--retries", "1", "--retry-on", "oops"],
                                          "invalid value 'oops' for '--retry-on <KINDS>': `oops` is not a kind of fault: they are refused, trap, "),
        (&["--retries", "1", "--retry-on", "not-run"],
                                          "invalid value 'not-run' for '--retry-on <KINDS>': an item that was `not-run` cannot be tried again"),
        (&["--max-restarts", "-1"],       "invalid value '-1' for '--max-restarts <N>': neither a number of restarts nor `unlimited`"),
        (&["--max-restarts", "often"],    "invalid value 'often' for '--max-restarts <N>': neither a number of restarts nor `unlimited`"),
        (&["--recycle", "0"],             "invalid value '0' for '--recycle <N>': not a number of items, at least 1"),
        (&["--recycle", "-3"],            "invalid value '-3' for '--recycle <N>': not a number of items, at least 1"),
        (&["--chunk-size", "0"],          "invalid value '0' for '--chunk-size <N|auto>': neither a number of items from 1 on nor `auto`"),
        (&["--chunk-size", "-1"],         "invalid value '-1' for '--chunk-size <N|auto>': neither a number of items from 1 on nor `auto`"),
        (&["--chunk-size", "large"],      "invalid value 'large' for '--chunk-size <N|auto>': neither a number of items from 1 on nor `auto`"),
        (&["--window", "0"],              "invalid value '0' for '--window <N|SIZE>': neither a number of items such as `1000` nor an amount of bytes such as `64MiB`"),
        (&["--window", "wide"],           "invalid value 'wide' for '--window <N|SIZE>': neither a number of items such as `1000` nor an amount of bytes such as `64MiB`"),
        (&["--window", "4", "--unbounded"], "the argument '--window <N|SIZE>' cannot be used with '--unbounded'"),
    ];
    for (flags, error) in cases {
        let finished = host().plugin("upper.wat").args(flags.iter().copied()).stdin("a\n").run();
        let stderr = finished.code(2).stdout("").stderr_text();
        assert!(stderr.starts_with(&format!("error: {error}")), "{flags:?}: {stderr}");
    }
}
