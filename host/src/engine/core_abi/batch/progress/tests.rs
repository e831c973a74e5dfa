use super::*;

const AT: u32 = 8;

/// Returns a memory that holds a batch with `done` finished items and these end offsets.
fn memory(done: u32, out: u32, ends: &[u32]) -> Vec<u8> {
    let head = [ends.len().try_into().unwrap(), done, out, 0];
    let words = head.iter().chain(ends).flat_map(|word| word.to_le_bytes());
    let mut memory = vec![b'-'; AT as usize];
    memory.extend(words);
    memory.extend(b"0123456789");
    memory
}

fn set(memory: &mut [u8], at: u32, to: u32) {
    let at = (AT + at) as usize;
    memory[at..at + 4].copy_from_slice(&to.to_le_bytes());
}

fn trap() -> Result<i32, InstanceFailure> {
    Err(InstanceFailure::new(FaultKind::Trap, "trap"))
}

/// Returns a batch of four items after one tick for each number in `reports`. At each tick, the
/// plugin had reported this number of finished items.
fn ticked(reports: &[u32]) -> (BatchProgress, Vec<u8>, Vec<TickResult>) {
    let (mut progress, mut memory) = (BatchProgress::new(AT, 4), memory(0, 0, &[0; 4]));
    let found = reports.iter().map(|done| {
        set(&mut memory, DONE, *done);
        progress.tick(&mut memory)
    });
    let found = found.collect();
    (progress, memory, found)
}

type Case =
    (&'static str, &'static [u32], u32, Result<i32, InstanceFailure>, (u32, bool), Option<String>);

#[test]
fn done_items_keep_answers_and_the_next_one_is_at_fault() {
    const ALL: u32 = 0xffff_ffff;
    let bad_result = |message: &str| Some(format!("bad-result: `call_batch` {message}"));
    let trapped = || Some("trap: trap".to_owned());
    #[rustfmt::skip]
    let cases: [Case; 22] = [
        // case                            ticks      done  returned  done, complete failure
        ("all are done",                   &[],          4, Ok(0),    (4, true),     None),
        ("some are done",                  &[],          1, Ok(0),    (1, false),    None),
        ("none is done",                   &[],          0, Ok(0),    (0, false),    bad_result("returned before any item was done")),
        ("it stopped before the first",    &[0],         0, Ok(0),    (0, false),    None),
        ("a code",                         &[],          2, Ok(7),    (2, false),    bad_result("returned 7")),
        ("a code at the end",              &[],          4, Ok(7),    (3, false),    bad_result("returned 7")),
        ("more than all",                  &[],          5, Ok(0),    (3, false),    bad_result("reports 5 of 4 items as done")),
        ("far more",                       &[],        ALL, Ok(0),    (3, false),    bad_result("reports 4294967295 of 4 items as done")),
        ("back",                           &[3],         2, Ok(0),    (2, false),    bad_result("reports 2 items as done, after it reported 3")),
        ("back, between two ticks",        &[3, 1],      3, Ok(0),    (3, false),    None),
        ("a trap in the first",            &[],          0, trap(),   (0, false),    trapped()),
        ("a trap in another",              &[1],         2, trap(),   (2, false),    trapped()),
        ("a trap after the last",          &[4, 4, 4],   4, trap(),   (3, false),    trapped()),
        ("a trap, and a false report",     &[],          9, trap(),   (3, false),    trapped()),
        ("it stopped after a dear item",   &[1, 1],      2, Ok(0),    (2, true),     None),
        ("the dear item is not done",      &[1, 1, 1],   1, trap(),   (1, false),    trapped()),
        ("it stopped late",                &[1, 1],      3, Ok(0),    (2, true),     None),
        ("a trap in what others have",     &[1, 1, 2],   2, trap(),   (2, true),     trapped()),
        ("a code after its own",           &[1, 1, 2],   2, Ok(7),    (2, true),     bad_result("returned 7")),
        ("it went on",                     &[1, 1, 3],   3, trap(),   (2, true),     bad_result("did not stop when asked")),
        ("it went on, and lies",           &[1, 1, 9],   9, trap(),   (2, true),     bad_result("did not stop when asked")),
        ("it lies after a dear item",      &[1, 1],      9, Ok(0),    (1, false),    bad_result("reports 9 of 4 items as done")),
    ];
    for (case, ticks, done, returned, (expected, is_complete), expected_failure) in cases {
        let (progress, mut memory, _) = ticked(ticks);
        set(&mut memory, DONE, done);
        let (done, failure) = progress.end(&memory, returned);
        assert_eq!((done, progress.is_complete(done)), (expected, is_complete), "{case}");
        assert_eq!(failure.map(|failure| failure.to_string()), expected_failure, "{case}");
    }
}

#[test]
fn a_tick_stops_a_batch_and_the_next_allows_one_item() {
    use TickResult::{NextItem, NoProgress, ReturnedItem};
    #[rustfmt::skip]
    let cases: [(&[u32], &[TickResult], u32); 12] = [
        // reported done   found                                                           assigned
        (&[],                &[],                                                              4),
        (&[0],               &[NoProgress],                                                    4),
        (&[0, 0],            &[NoProgress, NoProgress],                                        1),
        (&[0, 0, 0, 1, 1],   &[NoProgress, NoProgress, NoProgress, NextItem, NoProgress],      1),
        (&[2, 2],            &[NextItem, NoProgress],                                          3),
        (&[2, 3, 4, 4],      &[NextItem, NextItem, NextItem, NoProgress],                      4),
        (&[3, 3, 4],         &[NextItem, NoProgress, NextItem],                                4),
        (&[4, 4],            &[NextItem, NoProgress],                                          4),
        (&[1, 1, 3],         &[NextItem, NoProgress, ReturnedItem],                            2),
        (&[1, 2, 3, 4],      &[NextItem, NextItem, NextItem, ReturnedItem],                    3),
        // A report that goes back, or past the end, gives an item no new time.
        (&[2, 1, 9, 1, 2],   &[NextItem, NoProgress, ReturnedItem, NoProgress, NoProgress],    3),
        (&[9, 9, 9],         &[NoProgress, NoProgress, ReturnedItem],                          1),
    ];
    for (reports, expected, assigned) in cases {
        let (progress, memory, found) = ticked(reports);
        assert_eq!((&found[..], progress.assigned()), (expected, assigned), "{reports:?}");
        assert_eq!(word(&memory, AT + STOP) != 0, !reports.is_empty(), "{reports:?}");
    }
}

#[test]
fn results_are_contiguous_up_to_the_first_invalid_one() {
    const ERROR: u32 = 1 << 31;
    const EMPTY: u32 = 1 << 30;
    let out = AT + HEADER_LEN + 4 * 4;
    let ends = [2, 2 | EMPTY, 5 | ERROR, 5];
    let bytes = memory(4, out, &ends);
    let answers = |bytes: &[u8], ends| {
        let answers = BatchProgress::new(AT, 4).answers(bytes, ends);
        let text = |answer: Result<PluginAnswer<'_>, InstanceFailure>| match answer {
            Ok(PluginAnswer::Record(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Ok(other) => format!("{other:?}"),
            Err(failure) => failure.to_string(),
        };
        answers.map(text).collect::<Vec<_>>()
    };
    assert_eq!(answers(&bytes, 4), ["01", "NoRecord", "Refused([50, 51, 52])", ""]);
    assert_eq!(answers(&bytes, 2).len(), 2);
    let more = BatchProgress::MAX_RESULT_OFFSET + 1;
    let bytes = memory(4, out, &[EMPTY | (more - 1), EMPTY | more, EMPTY | more, 0]);
    let late = format!("bad-result: `call_batch` continued after {more} bytes of results");
    assert_eq!(answers(&bytes, 4)[..3], ["NoRecord", "NoRecord", &late]);
}

#[test]
fn taking_records_in_bulk_equals_taking_them_singly() {
    const ERROR: u32 = 1 << 31;
    const EMPTY: u32 = 1 << 30;
    let offset = AT + HEADER_LEN + 4 * 4;
    let more = BatchProgress::MAX_RESULT_OFFSET + 1;
    #[rustfmt::skip]
    let cases: [(u32, [u32; 4], u32, bool); 14] = [
        // out         ends                           done  at once
        (offset,        [2, 2, 5, 10],                 4,    true),
        (offset,        [2, 2, 5 | ERROR, 10],         2,    true),
        (offset + 10,   [0; 4],                        4,    true),
        (offset,        [2, 2, 5, 10],                 0,    false),
        (offset + 11,   [0; 4],                        4,    false),
        (offset,        [2, 2 | EMPTY, 5, 10],         4,    false),
        (offset,        [2, 2, 5 | ERROR, 10],         4,    false),
        (offset,        [2, 2, 5, 10 | ERROR | EMPTY], 4,    false),
        (offset,        [2, 1, 5, 10],                 4,    false),
        (offset,        [2, 2, 5, 4],                  4,    false),
        (offset,        [2, 2, 5, 11],                 4,    false),
        (u32::MAX,     [2, 2, 5, 10],                 4,    false),
        (0,            [more - 1; 4],                 4,    true),
        (0,            [more; 4],                     4,    false),
    ];
    for (out, ends, done, is_at_once) in cases {
        let mut bytes = memory(done, out, &ends);
        if out == 0 {
            bytes.resize(more as usize, b'-');
        }
        let progress = BatchProgress::new(AT, 4);
        let mut records = Vec::new();
        let all = progress.answers(&bytes, done).all(|answer| match answer {
            Ok(PluginAnswer::Record(record)) => {
                records.push(record);
                true
            }
            _ => false,
        });
        let at_once = progress.records(&bytes, done).map(|(results, ends)| {
            let mut start = 0;
            let record = |end| &results[std::mem::replace(&mut start, end)..end];
            ends.map(record).collect::<Vec<_>>()
        });
        assert_eq!(at_once, (all && done > 0).then_some(records), "{out} {ends:?}");
        assert_eq!(at_once.is_some(), is_at_once, "{out} {ends:?}");
    }
}

#[test]
fn taken_answers_stand_and_the_newest_is_not_ready() {
    let (progress, _, _) = ticked(&[4]);
    assert_eq!(progress.ready(), 0..3);
    let (mut progress, mut memory, _) = ticked(&[2]);
    for (offset, end) in (HEADER_LEN..).step_by(4).zip([1, 3, 6, 6]) {
        set(&mut memory, offset, end);
    }
    set(&mut memory, OUT, AT + HEADER_LEN + 16);
    assert_eq!(progress.ready(), 0..2);
    assert_eq!(progress.answers(&memory, 2).filter(Result::is_ok).count(), 2);
    progress.take();
    progress.take();
    assert_eq!(progress.answers(&memory, 3).filter(Result::is_ok).count(), 1, "the third");
    // The plugin reports fewer finished items than were taken.
    set(&mut memory, DONE, 1);
    let (done, failure) = progress.end(&memory, trap());
    assert_eq!((done, failure.is_some()), (2, true));
}
