//! Checks plugins that receive items in batches and lie about them: all other items of the run have their results.

use super::{ISOLATIONS, isolated};
use crate::support::{host, in_processes, lines};

/// The item that gets the fault for a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blamed {
    Nobody,
    /// The item that the lie is about.
    Itself,
    /// The last item of its batch, or the one after it.
    Another,
}

const CHUNK: usize = 64;

/// Returns good items with three lies: in the middle, at the beginning and at the end of a chunk.
fn items(lie: &str) -> Vec<String> {
    let positions = [CHUNK / 2, 2 * CHUNK, 4 * CHUNK - 1];
    let item =
        |at| if positions.contains(&at) { format!("{lie} {at}") } else { format!("good {at}") };
    (0..5 * CHUNK).map(item).collect()
}

/// Returns the item and the text of each fault.
fn faults(stderr: &str) -> Vec<(usize, &str)> {
    let faults =
        stderr.lines().filter_map(|line| line.strip_prefix("fault: item ")?.split_once(": "));
    faults.map(|(item, fault)| (item.parse().unwrap(), fault)).collect()
}

#[test]
fn false_batch_data_costs_at_most_one_item() {
    use Blamed::{Another, Itself, Nobody};
    let reports = "bad-result: `call_batch` reports ";
    #[rustfmt::skip]
    let cases = [
        ("R", Itself,  "bad-result: `call_batch` returned before any item was done"),
        ("O", Itself,  "bad-result: the plugin answered with "),
        ("H", Itself,  "bad-result: the plugin answered with "),
        ("W", Itself,  "bad-result: the plugin answered with "),
        ("D", Another, reports),
        // The host had taken the earlier items while this one ran, so the plugin cannot go back to them.
        ("B", Itself,  reports),
        ("T", Another, "trap: wasm `unreachable` instruction executed"),
        ("S", Nobody,  ""),
        ("G", Nobody,  ""),
    ];
    for (lie, blamed, message) in cases {
        for isolation in ISOLATIONS {
            let crosses_alone = *isolation == "process" || in_processes();
            let blamed = if crosses_alone { Nobody } else { blamed };
            let items = items(lie);
            let run = isolated(host(), isolation).plugin("hostile/batch.wat");
            let chunk = CHUNK.to_string();
            let finished = run
                .args(["--jobs", "1", "--chunk-size", &chunk, "--timeout", "5s"])
                .stdin(lines(&items))
                .run();
            let stderr = finished.stderr_text();
            let faults = faults(&stderr);
            for (item, fault) in &faults {
                assert!(fault.starts_with(message), "{lie}: {stderr}");
                match blamed {
                    Itself => assert!(items[*item].starts_with(lie), "{lie}: {stderr}"),
                    Another => {}
                    Nobody => panic!("{lie}: {stderr}"),
                }
            }
            // A tick may have come just before an item, so that no other item preceded it in its batch.
            let min = if blamed == Nobody { 0 } else { 1 };
            assert!((min..=3).contains(&faults.len()), "{lie}: {stderr}");
            let result_of =
                |(at, item)| if faults.iter().any(|(bad, _)| *bad == at) { "" } else { item };
            let results = items.iter().map(String::as_str).enumerate().map(result_of);
            finished.code(i32::from(!faults.is_empty())).stdout(lines(results));
        }
    }
}
