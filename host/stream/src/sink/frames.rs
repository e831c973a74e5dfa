//! Records with a length prefix: four bytes, little-endian, and then the bytes of the record.

use super::layout::{Faults, Layout, Tag};
use super::records::Records;
use super::{Output, Sink, SinkError};
use crate::outcome::Outcome;

/// The size of a frame's length field.
const HEADER: usize = size_of::<u32>();

/// A sink that writes each record as a frame. For an item that failed, it writes an empty frame.
/// For an item without a record, it writes no frame. If every item has a record or fails, frame N
/// belongs to item N.
///
/// ```
/// use mtl_host::sink::{Frames, Output};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut output = Vec::new();
/// let mut sink = Frames::new(Output::to("memory", &mut output));
/// Pool::builder(&plugin).build()?.run(Items::new(["one", "!bad"]), &mut sink).into_result()?;
/// drop(sink);
/// assert_eq!(output, b"\x03\0\0\0one\0\0\0\0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a sink writes only the outcomes that it gets"]
pub struct Frames<'a> {
    records: Records<'a>,
    layout: Layout,
}

impl<'a> Frames<'a> {
    /// Creates a sink of frames to `output`.
    pub fn new(output: Output<'a>) -> Self {
        Self { records: Records::new(output), layout: Layout::default() }
    }

    /// Leaves out items that failed.
    ///
    /// ```
    /// use mtl_host::sink::{Frames, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Frames::new(Output::to("memory", &mut output)).skip_failed();
    /// Pool::builder(&plugin).build()?.run(Items::new(["!bad", "one"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"\x03\0\0\0one");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn skip_failed(mut self) -> Self {
        self.layout.faults = Faults::Skipped;
        self
    }

    /// Writes a tag before each record, inside the frame: the item, or its path if it has one, and
    /// a tab. A tab in the item becomes a space, so that the first tab ends the tag.
    ///
    /// ```
    /// use mtl_host::sink::{Frames, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Frames::new(Output::to("memory", &mut output)).tagged();
    /// Pool::builder(&plugin).build()?.run(Items::new(["one"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"\x07\0\0\0one\tone");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tagged(mut self) -> Self {
        self.layout.tag = Tag::Item;
        self
    }
}

impl Sink for Frames<'_> {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        let Some(record) = self.layout.record(outcome) else {
            self.records.add_no_record();
            return Ok(());
        };
        self.records.add(|bytes| {
            let header = bytes.len();
            bytes.extend_from_slice(&[0; HEADER]);
            self.layout.tag(outcome, None, bytes);
            bytes.extend_from_slice(record);
            let length = bytes.len() - header - HEADER;
            let length = u32::try_from(length)
                .map_err(|_| SinkError::FrameTooLong { index: outcome.index, length })?;
            bytes[header..][..HEADER].copy_from_slice(&length.to_le_bytes());
            Ok(())
        })
    }

    fn unwritten(&self) -> usize {
        self.records.held()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.records.flush()
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.records.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::outcomes::{Example, written};

    type Make = fn(Output<'static>) -> Frames<'static>;

    #[test]
    fn each_record_becomes_a_frame() {
        let cases: [(Make, &str); 3] = [
            (Frames::new, "\x03\0\0\0ONE\0\0\0\0\0\0\0\0\0\0\0\0"),
            (|output| Frames::new(output).skip_failed(), "\x03\0\0\0ONE\0\0\0\0"),
            (
                |output| Frames::new(output).tagged().skip_failed(),
                "\x07\0\0\0one\tONE\x06\0\0\0empty\t",
            ),
        ];
        for (sink, expected) in cases {
            assert_eq!(written(sink, &Example::all()), expected);
        }
    }
}
