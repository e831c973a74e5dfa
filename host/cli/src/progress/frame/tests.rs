//! Tests that compare whole frames with those of tqdm.

use super::*;

/// A state of a run: items done, failed and in total; bytes done and in total.
#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    failed: u64,
    total: Option<u64>,
    bytes: (u64, Option<u64>),
}

fn snapshot(counts: Counts) -> ProgressSnapshot {
    let mut snapshot = ProgressSnapshot::default();
    (snapshot.done, snapshot.failed, snapshot.total) = (counts.done, counts.failed, counts.total);
    (snapshot.bytes, snapshot.total_bytes) = counts.bytes;
    snapshot
}

fn drawn(counts: Counts, seconds: u64, rate: Option<f64>, columns: Option<usize>) -> String {
    let moment = Moment { snapshot: snapshot(counts), elapsed: Duration::from_secs(seconds), rate };
    frame(&moment, &BarStyle { desc: None, unit: "item".into(), columns })
}

#[test]
fn progress_frames_match_tqdm() {
    let sized = |done| Counts { done, total: Some(100), ..Counts::default() };
    let counted = |done| Counts { done, ..Counts::default() };
    let by_bytes = |done, bytes| Counts { done, bytes: (bytes, Some(1000)), ..Counts::default() };
    let failed = |failed| Counts { failed, ..sized(42) };
    let long = Counts { done: 1_000_000, total: Some(4_000_000), ..Counts::default() };
    #[rustfmt::skip]
    let cases = [
        // stand             s      rate            frame
        (sized(0),           0,     None,           "  0%|          | 0/100 [00:00<?, ?item/s]"),
        (sized(42),          12,    Some(3.45),     " 42%|████▏     | 42/100 [00:12<00:16,  3.45item/s]"),
        (sized(100),         29,    Some(3.45),     "100%|██████████| 100/100 [00:29<00:00,  3.45item/s]"),
        (sized(42),          84,    Some(0.5),      " 42%|████▏     | 42/100 [01:24<01:56,  2.00s/item]"),
        (sized(101),         29,    Some(3.45),     "101item [00:29,  3.45item/s]"),
        (counted(0),         0,     None,           "0item [00:00, ?item/s]"),
        (counted(42),        12,    Some(3.45),     "42item [00:12,  3.45item/s]"),
        (by_bytes(0, 0),     1,     None,           "  0%|          | 0item [00:01<?, ?item/s]"),
        (by_bytes(42, 250),  12,    Some(3.5),      " 25%|██▌       | 42item [00:12<00:36,  3.50item/s]"),
        (failed(1),          12,    Some(3.45),     " 42%|████▏     | 42/100 [00:12<00:16,  3.45item/s, 1 fault]"),
        (failed(2),          12,    Some(3.45),     " 42%|████▏     | 42/100 [00:12<00:16,  3.45item/s, 2 faults]"),
        (long,               3723,  Some(268.6),    " 25%|██▌       | 1000000/4000000 [1:02:03<3:06:09, 268.60item/s]"),
    ];
    for (counts, seconds, rate, expected) in cases {
        assert_eq!(drawn(counts, seconds, rate, None), expected);
    }
}

#[test]
fn a_progress_frame_fits_the_terminal_width() {
    let sized = Counts { done: 42, total: Some(100), ..Counts::default() };
    let counted = Counts { done: 42, ..Counts::default() };
    #[rustfmt::skip]
    let cases = [
        // stand   columns  frame
        (sized,    60,      " 42%|████████▍           | 42/100 [00:12<00:16,  3.45item/s]"),
        (sized,    45,      " 42%|██   | 42/100 [00:12<00:16,  3.45item/s]"),
        (sized,    20,      " 42%|▍| 42/100 [00:1"),
        (counted,  60,      "42item [00:12,  3.45item/s]"),
        (counted,  10,      "42item [00"),
    ];
    for (counts, columns, expected) in cases {
        let frame = drawn(counts, 12, Some(3.45), Some(columns));
        assert_eq!(frame, expected, "{columns} columns");
        assert!(frame.chars().count() <= columns);
    }
}

#[test]
fn a_progress_frame_shows_the_given_desc_and_unit() {
    let counts = Counts { done: 42, total: Some(100), ..Counts::default() };
    let moment =
        Moment { snapshot: snapshot(counts), elapsed: Duration::from_secs(12), rate: Some(3.45) };
    let style = BarStyle { desc: Some("desc".into()), unit: "file".into(), columns: None };
    let expected = "desc:  42%|████▏     | 42/100 [00:12<00:16,  3.45file/s]";
    assert_eq!(frame(&moment, &style), expected);
}

#[test]
fn percentages_round_as_in_python() {
    let cases = [(0, 0), (1, 0), (3, 2), (5, 2), (199, 100), (200, 100)];
    for (done, expected) in cases {
        assert_eq!(percent(done, 200), expected, "{done} of 200");
    }
}
