//! What a plugin does that gets many items at once, and lies: in the middle of a run whose other items
//! all come out.

use super::{ISOLATIONS, isolated};
use crate::support::{host, in_processes, lines};

/// Which item has the fault that a lie makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blamed {
    Nobody,
    /// The item that was lied about.
    Itself,
    /// The last of its batch, or the one after it.
    Another,
}

const CHUNK: usize = 64;

/// Good items, and three that are lied about: in the middle of a chunk, at its beginning, at its end.
fn items(lie: &str) -> Vec<String> {
    let places = [CHUNK / 2, 2 * CHUNK, 4 * CHUNK - 1];
    let item = |at| if places.contains(&at) { format!("{lie} {at}") } else { format!("good {at}") };
    (0..5 * CHUNK).map(item).collect()
}

/// Each fault: of which item, and what it is.
fn faults(stderr: &str) -> Vec<(usize, &str)> {
    let faults =
        stderr.lines().filter_map(|line| line.strip_prefix("fault: item ")?.split_once(": "));
    faults.map(|(item, what)| (item.parse().unwrap(), what)).collect()
}

#[test]
fn a_lie_about_a_batch_costs_one_item() {
    use Blamed::{Another, Itself, Nobody};
    let says = "bad-result: `call_batch` says that ";
    #[rustfmt::skip]
    let cases = [
        ("R", Itself,  "bad-result: `call_batch` returned before any item was done"),
        ("O", Itself,  "bad-result: the plugin answered with "),
        ("H", Itself,  "bad-result: the plugin answered with "),
        ("W", Itself,  "bad-result: the plugin answered with "),
        ("D", Another, says),
        // What came before it was taken while it was at it: nothing goes back behind that.
        ("B", Itself,  says),
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
            for (item, what) in &faults {
                assert!(what.starts_with(message), "{lie}: {stderr}");
                match blamed {
                    Itself => assert!(items[*item].starts_with(lie), "{lie}: {stderr}"),
                    Another => {}
                    Nobody => panic!("{lie}: {stderr}"),
                }
            }
            // A tick may have come just before, so that an item was in no batch with others before it.
            let least = if blamed == Nobody { 0 } else { 1 };
            assert!((least..=3).contains(&faults.len()), "{lie}: {stderr}");
            let came =
                |(at, item)| if faults.iter().any(|(bad, _)| *bad == at) { "" } else { item };
            let results = items.iter().map(String::as_str).enumerate().map(came);
            finished.code(i32::from(!faults.is_empty())).stdout(lines(results));
        }
    }
}
