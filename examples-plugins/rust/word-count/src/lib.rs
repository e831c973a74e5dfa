//! Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.
//!
//! The result of an item is its number of words. The finish report is the total of the worker; the
//! totals of all workers add up to that of the input.

use mtl_plugin::{Error, Failure, IntoOutput, Json, Worker, context};
use serde::Serialize;

#[derive(Serialize)]
struct WordCount {
    worker: u32,
    items: u64,
    words: u64,
    bytes: u64,
}

impl Worker for WordCount {
    type Init = ();
    type Item<'a> = &'a str;
    type Output<'a> = Json<u64>;

    fn init((): ()) -> Result<Self, Error> {
        Ok(Self { worker: context::worker_index(), items: 0, words: 0, bytes: 0 })
    }

    fn call(&mut self, item: &str) -> Result<Json<u64>, Failure> {
        let words = item.split_whitespace().count() as u64;
        self.items += 1;
        self.words += words;
        self.bytes += item.len() as u64;
        Ok(Json(words))
    }

    fn finish(self) -> Result<impl IntoOutput, Error> {
        Ok(Json(self))
    }
}

mtl_plugin::export!(WordCount);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::{Context, Instance};

    #[test]
    fn each_item_is_counted_and_the_report_sums_them_up() {
        Context { worker_index: 1, worker_count: 2, ..Context::NEW }.enter();
        let mut count = Instance::<WordCount>::start("").unwrap();
        for (item, words) in [("to be or not", "4"), ("", "0"), ("  naïve\tword ", "2")] {
            assert_eq!(count.call(item), Ok(Some(words.into())), "{item}");
        }
        assert!(matches!(count.call(b"\xff"), Err(Failure::BadItem(_))));

        let report = r#"{"worker":1,"items":3,"words":6,"bytes":26}"#;
        assert_eq!(count.finish(), Ok(Some(report.into())));
    }
}
