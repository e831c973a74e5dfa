//! Many items in one crossing: what becomes of each is what would have become of it alone.

use rustix::process::Signal;

use crate::support::{Finished, host, in_processes, lines};

/// The items in one claim, many at once, or one by one.
fn run(items: &[&str], export: &str, jobs: &str) -> Finished {
    host()
        .plugin("batch.wat")
        .args(["--jobs", jobs, "--chunk-size", "64", "--call", export, "--timeout", "100ms"])
        .stdin(lines(items.iter().copied()))
        .run()
}

#[test]
fn each_item_becomes_what_it_would_become_alone() {
    #[rustfmt::skip]
    let cases: [&[&str]; 7] = [
        &["one", "two", "", "three"],
        &["#a", "!b", "c", "?d", "#e"],
        &["a", "b", "t", "c", "d"],
        &["t", "a", "t", "t", "b", "t"],
        &["a", "s", "b", "c"],
        &["a", "!b", "s"],
        &["a", "!x", "t", "s", "#", "?y", "", "b"],
    ];
    for items in cases {
        for jobs in ["1", "3"] {
            let (alone, together) = (run(items, "one", jobs), run(items, "call", jobs));
            assert_eq!(alone.stdout_bytes(), together.stdout_bytes(), "{items:?}");
            let faults = |finished: &Finished| {
                let text = finished.stderr_text();
                let faults = text.lines().filter(|line| line.starts_with("fault: "));
                faults.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(faults(&alone), faults(&together), "{items:?}");
        }
    }
}

#[test]
fn a_lie_about_a_batch_is_the_fault_of_the_item_it_is_told_of() {
    if in_processes() {
        // There, items cross one by one.
        return;
    }
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 3] = [
        (&["a", "b", "C", "d"], "fault: item 2: bad-result: `call_batch` returned 1\n"),
        (&["a", "b", "E", "d"], "fault: item 2: bad-result: `call_batch` gave a result that ends at 0 and begins at 2\n"),
        (&["O", "b", "c", "d"], "fault: item 0: bad-result: the plugin answered with 1 bytes at 4294967280, but its memory ends at 327680\n"),
    ];
    for (items, fault) in cases {
        let finished = run(items, "call", "1");
        let stderr = finished.stderr_text();
        assert!(stderr.contains(fault), "{items:?}: {stderr}");
        assert_eq!(stderr.matches("fault: ").count(), 1, "{items:?}: {stderr}");
        let results = items.iter().map(|item| if "CEO".contains(item) { "" } else { item });
        finished.code(1).stdout(lines(results));
    }
}

#[test]
fn what_comes_after_a_dear_item_others_work_on() {
    let mut running = host()
        .plugin("batch.wat")
        .args(["--jobs", "2", "--chunk-size", "64", "--unordered", "--join-timeout", "100ms"])
        .stdin_open()
        .start();
    // Each of two workers has half of it. Nothing ever ends the third item.
    running.send("a\nb\ns\nd\ne\nf\ng\nh\ni\nj\nk\nl\n");
    running.wait_for_stdout("d\n");
    running.signal(Signal::INT);
    let finished = running.finish_with_stdin_open().code(130);
    assert!(finished.stderr_text().contains("fault: item 2: timeout: "));
}
