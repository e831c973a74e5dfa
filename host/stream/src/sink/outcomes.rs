//! For tests: outcomes of every kind, and the output that a sink makes from them.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Output, Sink, SinkError};
use crate::item::fault::{Fault, FaultKind};
use crate::item::format::Format;
use crate::item::index::ItemIndex;
use crate::outcome::Outcome;

/// An item and its outcome.
pub(super) struct Example {
    pub(super) item: &'static str,
    pub(super) path: Option<&'static [u8]>,
    pub(super) result: Result<Option<Vec<u8>>, &'static str>,
    pub(super) format: Format,
}

impl Example {
    pub(super) fn record(item: &'static str, record: &[u8]) -> Self {
        Self { item, path: None, result: Ok(Some(record.to_vec())), format: Format::Text }
    }

    /// Returns a record, an empty record, no record, a fault, and the fault of a file.
    pub(super) fn all() -> [Self; 5] {
        let why = "no \"why\"";
        [
            Self::record("one", b"ONE"),
            Self::record("empty", b""),
            Self { result: Ok(None), ..Self::record("filtered", b"") },
            Self { result: Err(why), ..Self::record("b\td", b"") },
            Self { result: Err(why), path: Some(b"a\nb/c"), ..Self::record("content", b"") },
        ]
    }
}

/// Returns all output of a sink as text.
pub(super) fn written<S: Sink>(
    sink: impl FnOnce(Output<'static>) -> S,
    examples: &[Example],
) -> String {
    let target = Target::default();
    give(&mut sink(Output::to("memory", target.clone())), examples);
    let bytes = std::mem::take(&mut *target.0.lock().unwrap());
    String::from_utf8(bytes).unwrap()
}

/// A target that a test can read while the sink writes to it.
#[derive(Clone, Default)]
struct Target(Arc<Mutex<Vec<u8>>>);

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn give(sink: &mut impl Sink, examples: &[Example]) {
    for (at, example) in (0..).zip(examples) {
        offer(sink, at, example).unwrap();
    }
    sink.flush().unwrap();
}

/// Passes the outcome of the item at `at` to a sink.
pub(super) fn offer(sink: &mut impl Sink, at: u64, example: &Example) -> Result<(), SinkError> {
    let index = ItemIndex::new(at);
    let fault = |why: &&str| Fault::new(index, FaultKind::Refused, *why);
    let result = example.result.as_ref().map_err(fault);
    sink.write(&Outcome {
        index,
        item: example.item.as_bytes(),
        path: example.path.map(|path| Path::new(OsStr::from_bytes(path))),
        result: result.as_ref().map(|record| record.as_deref()),
        format: example.format,
    })
}
