use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::Error;

/// A worker that obeys the first byte of each item and counts its calls.
#[derive(Default)]
struct Judge {
    calls: usize,
}

impl Worker for Judge {
    type Init = ();
    type Item<'a> = &'a mut [u8];
    type Output<'a> = Option<Vec<u8>>;

    fn init((): ()) -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn call<'a>(&'a mut self, item: &'a mut [u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.calls += 1;
        let text = || String::from_utf8_lossy(item).into_owned();
        match item.first() {
            Some(b'#') => Ok(None),
            Some(b'!') => Err(Failure::refused(text())),
            Some(b'?') => Err(Failure::bad_item(text())),
            Some(b'*') => Ok(Some(item.repeat(1000))),
            Some(b'x') => panic!("{}", text()),
            _ => Ok(Some(item.to_ascii_uppercase())),
        }
    }
}

fn guest() -> Guest<Judge> {
    let mut guest = Guest::new();
    assert_eq!(guest.init(b""), Answer::Bytes(&[]));
    guest
}

/// Returns a batch as the host writes it.
fn batch(items: &[&str]) -> Vec<u8> {
    let mut words = vec![u32::try_from(items.len()).unwrap(), 0, 0, 0];
    let mut end = 0;
    words.extend(items.iter().map(|item| {
        end += u32::try_from(item.len()).unwrap();
        end
    }));
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    items.iter().for_each(|item| bytes.extend_from_slice(item.as_bytes()));
    // The buffer is larger than its content.
    bytes.extend([0xff; 7]);
    bytes
}

/// Returns the flags and the bytes of each finished item, as the host reads them.
fn read(bytes: &mut [u8], results: &Results) -> Vec<(u32, String)> {
    let words = Words(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "as in a module")]
    let address = results.0.as_ptr().addr() as u32;
    assert_eq!(words.get(OUT), address, "`out` has the address of the results");
    let mut start = 0;
    let read = (0..words.get(DONE) as usize).map(|item| {
        let end = words.get(HEAD + 4 * item);
        let (flags, end) = (end & (ERROR | NO_RECORD), (end & (NO_RECORD - 1)) as usize);
        let bytes = &results.0[mem::replace(&mut start, end)..end];
        (flags, String::from_utf8_lossy(bytes).into_owned())
    });
    read.collect()
}

#[test]
fn each_item_has_its_result() {
    let (mut guest, mut results) = (guest(), Results::EMPTY);
    for _ in 0..2 {
        let mut bytes = batch(&["one", "", "#no", "!two", "?three", "four"]);
        run_batch(&mut guest, &mut bytes, &mut results);
        let expected = [
            (0, "ONE"),
            (0, ""),
            (NO_RECORD, ""),
            (ERROR, "!two"),
            (ERROR | NO_RECORD, "?three"),
            (0, "FOUR"),
        ];
        let expected = expected.map(|(flags, text)| (flags, text.to_owned()));
        assert_eq!(read(&mut bytes, &results), expected);
    }
}

#[test]
fn results_survive_when_their_buffer_grows() {
    let (mut guest, mut results) = (guest(), Results::EMPTY);
    let items: Vec<_> = (0..200).map(|item| format!("*{item:03}")).collect();
    let items: Vec<_> = items.iter().map(String::as_str).collect();
    let mut bytes = batch(&items);
    run_batch(&mut guest, &mut bytes, &mut results);
    let read = read(&mut bytes, &results);
    assert_eq!(read.len(), 200);
    for ((flags, text), item) in read.iter().zip(items) {
        assert_eq!((*flags, text), (0, &item.repeat(1000)));
    }
}

#[test]
fn the_stop_word_is_read_before_each_item() {
    let (mut guest, mut results) = (guest(), Results::EMPTY);
    let mut bytes = batch(&["one", "two"]);
    bytes[STOP] = 1;
    run_batch(&mut guest, &mut bytes, &mut results);
    assert_eq!(read(&mut bytes, &results), []);
    assert_eq!(
        guest.call(b"one".to_vec().as_mut_slice()),
        Answer::Bytes(b"ONE"),
        "the worker continues"
    );
}

#[test]
fn large_results_end_the_batch_early() {
    let (mut guest, mut results) = (guest(), Results::EMPTY);
    let item = format!("*{}", "x".repeat(599));
    let mut bytes = batch(&[item.as_str(); 5]);
    run_batch(&mut guest, &mut bytes, &mut results);
    assert_eq!(read(&mut bytes, &results).len(), 2, "two results fill the buffer");
    assert_eq!(results.0.len(), 2 * 600_000);
}

#[test]
fn one_large_result_is_published_without_a_copy() {
    let (mut guest, mut results) = (guest(), Results::EMPTY);
    let large = format!("*{}", "x".repeat(1999));
    let mut bytes = batch(&[&large, "two"]);
    run_batch(&mut guest, &mut bytes, &mut results);
    let words = Words(&mut bytes);
    assert_eq!((words.get(DONE), words.get(HEAD)), (1, 2_000_000));
    #[expect(clippy::cast_possible_truncation, reason = "as in a module")]
    let address = results.0.as_ptr().addr() as u32;
    assert_ne!(words.get(OUT), address, "it was not copied");
    assert!(results.0.is_empty());
    let mut bytes = batch(&["one", &large, "two"]);
    run_batch(&mut guest, &mut bytes, &mut results);
    let lengths: Vec<_> = read(&mut bytes, &results).iter().map(|(_, text)| text.len()).collect();
    assert_eq!(lengths, [3, 2_000_000], "all results are in one buffer");
}

#[test]
fn the_host_can_read_the_finished_results_after_a_panic() {
    let long = format!("*{}", "y".repeat(99));
    let before = ["one", &long, "!two", "#"];
    for done in 0..=before.len() {
        let (mut guest, mut results) = (guest(), Results::EMPTY);
        let items: Vec<_> = before[..done].iter().copied().chain(["x", "three"]).collect();
        let mut bytes = batch(&items);
        let run = AssertUnwindSafe(|| run_batch(&mut guest, &mut bytes, &mut results));
        assert!(catch_unwind(run).is_err());
        let expected = [
            (0, "ONE".to_owned()),
            (0, long.repeat(1000)),
            (ERROR, "!two".to_owned()),
            (NO_RECORD, String::new()),
        ];
        assert_eq!(read(&mut bytes, &results), expected[..done]);
    }
}
