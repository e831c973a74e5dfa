//! Checks malicious plugins: the run continues, all good items have their results, and the report describes the
//! misdeed.
//!
//! Each misdeed is a plugin in `tests/fixtures/hostile`, which misbehaves on some items among good ones; see
//! `good_run`. `starts` tests misdeeds before the first item or after the last. All tests run under each isolation
//! mode.

mod batches;
mod disk;
mod features;
mod files;
mod good_run;
mod grants;
mod host_files;
mod names;
mod network;
mod sizes;
mod starts;

use self::good_run::good_run;
use crate::support::{Host, fixtures, host, in_processes, lines};

/// The isolations of workers from the host.
const ISOLATIONS: &[&str] = &["thread", "process"];

/// The time limit of an item. The time of an item starts when the watchdog first sees the item. The watchdog never sees
/// a good item twice, so a good item never exceeds the limit, even on a busy machine.
const TIMEOUT: [&str; 2] = ["--timeout", "300ms"];

/// Describes a run under this isolation.
fn isolated(host: Host, isolation: &str) -> Host {
    match isolation {
        "thread" => host,
        // All runs of these tests already use processes.
        _ if in_processes() => host,
        other => host.args(["--isolation", other]),
    }
}

/// Checks that no character moves the cursor, hides earlier text, or changes the terminal.
#[track_caller]
fn check_no_control_characters(text: &str) {
    let changes_direction =
        |character| matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
    let raw = |character: char| {
        (character.is_control() && character != '\n') || changes_direction(character)
    };
    assert!(!text.contains(raw), "{text:?}");
}

#[test]
fn every_fixture_has_its_test() {
    let folder = fixtures().join("../integration");
    let sources = [
        "hostile.rs",
        "hostile/batches.rs",
        "hostile/disk.rs",
        "hostile/features.rs",
        "hostile/files.rs",
        "hostile/grants.rs",
        "hostile/host_files.rs",
        "hostile/names.rs",
        "hostile/sizes.rs",
        "hostile/starts.rs",
    ];
    let read = |source: &str| std::fs::read_to_string(folder.join(source)).unwrap();
    let sources: String = sources.map(read).concat();
    for fixture in std::fs::read_dir(fixtures().join("hostile")).unwrap() {
        let name = fixture.unwrap().file_name().into_string().unwrap();
        assert!(sources.contains(&format!("\"hostile/{name}\"")), "nothing runs `{name}`");
    }
}

#[test]
fn an_endless_item_is_stopped_at_its_timeout() {
    #[rustfmt::skip]
    let plugins = [
        "hostile/loop.wat", "hostile/clock.wat", "hostile/sleep.wat", "hostile/grow-for-ever.wat",
    ];
    for plugin in plugins {
        good_run(plugin).args(TIMEOUT).fault("!", "timeout", "took longer than 300ms").run();
    }
}

#[test]
fn endless_output_is_limited_and_stays_out_of_results() {
    for plugin in ["hostile/print.wat", "hostile/print-one-line.wat"] {
        let run = good_run(plugin).args(TIMEOUT).args(["--log-limit", "16KiB"]);
        for finished in run.fault("!", "timeout", "took longer than 300ms").run() {
            let stderr = finished.stderr_text();
            assert!(
                stderr.contains(" dropped: more than `--log-limit` per second"),
                "{plugin}: {stderr}"
            );
            // Each worker may write the limit of a second immediately, and more as time passes.
            assert!(stderr.len() < 256 * 1024, "{plugin}: {} bytes", stderr.len());
        }
    }
}

#[test]
fn an_instance_failure_is_a_fault_of_its_item() {
    #[rustfmt::skip]
    let cases = [
        ("hostile/trap.wat",      "wasm `unreachable` instruction executed"),
        ("hostile/recursion.wat", "call stack exhausted"),
        ("hostile/exit-0.wat",    "the plugin exited with code 0"),
        ("hostile/exit-1.wat",    "the plugin exited with code 1"),
    ];
    for (plugin, message) in cases {
        good_run(plugin).fault("!", "trap", message).run();
    }
}

#[test]
fn a_trap_faults_its_item_at_any_place_in_a_chunk() {
    const CHUNK: usize = 5;
    // One item of the second chunk breaks, each position in turn; at the end, all items of all chunks break.
    let alone = (CHUNK..2 * CHUNK).map(|position| position..position + 1);
    for traps in alone.chain(std::iter::once(0..3 * CHUNK)) {
        let items =
            |bad| lines((0..3 * CHUNK).map(|at| if traps.contains(&at) { bad } else { "x" }));
        for isolation in ISOLATIONS {
            isolated(host(), isolation)
                .plugin("hostile/trap.wat")
                .args(["--jobs", "1", "--chunk-size", &CHUNK.to_string()])
                .stdin(items("!"))
                .run()
                .code(1)
                .stdout(items(""));
        }
    }
}

#[test]
fn memory_and_tables_stop_growing_at_the_limit() {
    let message = "the plugin asked for more memory than the 64MiB of `memory`";
    #[rustfmt::skip]
    let plugins = [
        "hostile/grow-slowly.wat", "hostile/grow-at-once.wat",
        "hostile/grow-table.wat", "hostile/grow-table-at-once.wat",
    ];
    for plugin in plugins {
        let run = good_run(plugin).args(["--memory", "64MiB"]);
        run.fault("!", "out-of-memory", message).run();
    }
}

#[test]
fn a_result_outside_the_memory_is_a_bad_result() {
    #[rustfmt::skip]
    let cases = [
        ("hostile/result-outside.wat",  "1 bytes at 131073, but its memory ends at 131072"),
        ("hostile/result-too-long.wat", "9 bytes at 131064, but its memory ends at 131072"),
        ("hostile/result-wraps.wat",    "32 bytes at 4294967280, but its memory ends at 131072"),
        ("hostile/result-1-gib.wat",    "1073741823 bytes at 0, but its memory ends at 131072"),
        ("hostile/error-outside.wat",   "4 bytes at 131073, but its memory ends at 131072"),
        ("hostile/second-memory.wat",   "8 bytes at 524288, but its memory ends at 131072"),
    ];
    for (plugin, message) in cases {
        let message = format!("the plugin answered with {message}");
        good_run(plugin).fault("!", "bad-result", message).run();
    }
}

#[test]
fn a_result_of_1_gib_exceeds_the_result_limit() {
    good_run("hostile/result-all-there.wat")
        .args(["--memory", "2GiB", "--total-memory", "unlimited"])
        .fault("!", "bad-result", "the result of 1073741823 bytes is larger than the 64MiB of")
        .run();
}

#[test]
fn an_invalid_item_buffer_is_a_fault_of_its_item() {
    let (long, longer) = ("x".repeat(5000), "x".repeat(20_000));
    let late = "took longer than 300ms";
    #[rustfmt::skip]
    let cases = [
        ("hostile/alloc-loop.wat",       &long,   "timeout",       late),
        ("hostile/alloc-nothing.wat",    &long,   "out-of-memory", "the plugin has no memory for a buffer of 8192 bytes"),
        ("hostile/alloc-at-the-end.wat", &long,   "bad-result",    "`mtl_alloc` gave 8192 bytes at 131072, which are not"),
        ("hostile/alloc-beyond.wat",     &long,   "bad-result",    "`mtl_alloc` gave 8192 bytes at 4294967295, which are not"),
        ("hostile/alloc-same-place.wat", &longer, "bad-result",    "`mtl_alloc` gave 32768 bytes at 114688, which are not"),
    ];
    for (plugin, item, kind, message) in cases {
        good_run(plugin).args(TIMEOUT).fault(item, kind, message).run();
    }
}

#[test]
fn a_fixed_item_buffer_works_if_it_is_large_enough() {
    let items = lines([10, 5000, 3, 9000, 16_384, 1].map(|length| "x".repeat(length)));
    for isolation in ISOLATIONS {
        let host = isolated(host(), isolation).plugin("hostile/alloc-same-place.wat");
        host.args(["--jobs", "1"]).stdin(items.clone()).run().code(0).stdout(items.clone());
    }
}
