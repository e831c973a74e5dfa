//! Reads the call reports of `tally.wat`, and of a native worker that gives the same reports.

use mtl_host::native::{Failure, NativeWorker, Reply};
use mtl_host::{ArgumentPassing, WorkerReport, WorkerSpec};

/// A native worker that behaves like `tally.wat`.
struct Tally {
    passing: ArgumentPassing,
    worker: u32,
    calls: usize,
}

/// Returns a native worker that behaves like `tally.wat`.
pub(super) fn native() -> WorkerSpec {
    WorkerSpec::native(|context| {
        let (passing, worker) = (context.argument_passing(), context.worker().get());
        Ok(Tally { passing, worker, calls: 0 })
    })
}

impl NativeWorker for Tally {
    fn call(&mut self, item: &[u8], record: &mut Vec<u8>) -> Result<Reply, Failure> {
        self.calls += 1;
        let (passing, worker, calls) = (self.passing as u8, self.worker, self.calls);
        record.extend_from_slice(format!("{passing} {worker} {calls:03} ").as_bytes());
        record.extend_from_slice(item);
        Ok(Reply::Record)
    }

    fn has_report(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(format!("{:03}", self.calls).into_bytes()))
    }
}

/// The call numbers that each worker of a pool has reported.
pub(super) struct Tallies(Vec<Vec<usize>>);

impl Tallies {
    pub(super) fn of(workers: usize) -> Self {
        Self(vec![Vec::new(); workers])
    }

    /// Adds the report of one call, and checks that it belongs to `item`.
    pub(super) fn record(&mut self, report_text: &str, passing: ArgumentPassing, item: &str) {
        // Components of another kind are among the workers, and report nothing.
        if report_text == item.to_uppercase() {
            return;
        }
        let mut parts = report_text.splitn(4, ' ');
        let mut next =
            || parts.next().unwrap_or_else(|| panic!("`{report_text}` tells too little"));
        let number = |text: &str| text.parse::<usize>().unwrap();
        assert_eq!(number(next()), passing as usize, "{report_text}");
        let (worker, call) = (number(next()), number(next()));
        assert_eq!(next(), item, "{report_text}");
        self.0[worker].push(call);
    }

    /// Checks that each worker numbered its calls without a gap, and that its finish report has the
    /// number of calls. Checks that the workers together have run `total` items.
    pub(super) fn check(mut self, reports: &[WorkerReport], total: usize) {
        assert_eq!(reports.len(), self.0.len());
        for (calls, report) in self.0.iter_mut().zip(reports) {
            let finish_report = report.finish_report.as_ref().unwrap().as_deref().unwrap();
            if finish_report == b"done" {
                assert!(calls.is_empty(), "a component does not count");
                continue;
            }
            calls.sort_unstable();
            assert!(calls.iter().copied().eq(1..=calls.len()), "{report:?}: {calls:?}");
            assert_eq!(finish_report, format!("{:03}", calls.len()).as_bytes(), "{report:?}");
            assert_eq!(report.items, calls.len() as u64);
        }
        let items: u64 = reports.iter().map(|report| report.items).sum();
        assert_eq!(items, total as u64);
    }
}
