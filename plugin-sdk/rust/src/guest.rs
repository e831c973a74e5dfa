//! The code between the host's calls and a [`Worker`]. Only [`export!`](crate::export) uses it;
//! plugin authors do not need it.
//!
//! ```text
//! mtl_alloc, init, call(_batch), finish  ┐                            ┌ word: i64
//!                                        ├─▶ Exports ─▶ Guest ─▶ Answer ┤
//! cabi_realloc, …worker@1.0.0#init, …    ┘   (memory)   (Worker)       └ area: [u32; 4]
//! ```
//!
//! This module has no unsafe code. It looks up each address from the host among the buffers that it
//! has allocated for the host. A wrong address therefore causes a trap, never undefined behaviour.

mod answer;
mod batch;
mod buffer;
pub mod component;
mod export;
mod exports;
mod into_worker;
mod passed_item;
mod positions;

pub use answer::{Answer, MemoryRange};
pub use exports::{Exports, realloc};
pub use into_worker::{IntoWorker, into_worker};
pub use passed_item::{GivenArgument, PassedItem, passing};

use crate::{
    Error, FromArgs, FromItem, IntoOutput, Worker,
    context::{self, Format, Passing},
};

/// A worker (`None` before `init` and after `finish`), and the buffer for its results.
pub(crate) struct Guest<W> {
    worker: Option<W>,
    output: Vec<u8>,
    item_format: Format,
    passing: Passing,
}

impl<W: Worker> Guest<W> {
    pub(crate) const fn new() -> Self {
        Self {
            worker: None,
            output: Vec::new(),
            item_format: Format::Text,
            passing: Passing::Single,
        }
    }

    pub(crate) fn init(&mut self, args: &[u8]) -> Answer<'static> {
        self.item_format = context::item_format();
        if <W::Output<'static> as IntoOutput>::FORMAT == Format::Json {
            context::result_format(Format::Json);
        }
        match self.start(args) {
            Ok(()) => Answer::Bytes(&[]),
            Err(error) => Answer::from(error),
        }
    }

    fn start(&mut self, args: &[u8]) -> Result<(), Error> {
        self.passing = W::passing()?;
        self.worker = Some(W::init(W::Init::from_args(args)?)?);
        Ok(())
    }

    pub(crate) fn after_restore(&mut self) {
        // Before `init`, no state could differ between copies.
        if let Some(worker) = &mut self.worker {
            worker.after_restore();
        }
    }

    #[inline]
    pub(crate) fn call<'a>(&'a mut self, item: &'a mut [u8]) -> Answer<'a> {
        let Some(worker) = &mut self.worker else {
            return Answer::from(Error::new("called before `init`"));
        };
        FromItem::from_passed(item, self.item_format, self.passing)
            .and_then(|item| worker.call(item))
            .and_then(|output| output.into_output(&mut self.output))
            .into()
    }

    pub(crate) fn finish(&mut self) -> Answer<'_> {
        let Some(worker) = self.worker.take() else {
            return Answer::from(Error::new("finished before `init`, or twice"));
        };
        match worker.finish() {
            Ok(report) => report.into_output(&mut self.output).into(),
            Err(error) => Answer::from(error),
        }
    }
}
