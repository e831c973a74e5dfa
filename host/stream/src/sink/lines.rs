//! Records that end in a separator: lines, or records that end in a zero byte.

use super::layout::{Faults, Layout, Tag};
use super::records::Records;
use super::{Output, Sink, SinkError};
use crate::outcome::{Outcome, RecordRule};

/// A sink that writes each record and a line feed. For an item that failed, it writes an empty line. For an item
/// without a record, it writes no line. If every item has a record or fails, line N belongs to item N.
///
/// ```
/// use mtl_host::sink::{Lines, Output};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut output = Vec::new();
/// let mut sink = Lines::new(Output::to("memory", &mut output));
/// Pool::builder(&plugin).build()?.run(Items::new(["one", "!bad", "# no record", "three"]), &mut sink).into_result()?;
/// drop(sink);
/// assert_eq!(output, b"one\n\nthree\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a sink writes only the outcomes that it gets"]
pub struct Lines<'a> {
    records: Records<'a>,
    separator: u8,
    layout: Layout,
    content: Content,
}

/// The bytes that a record may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// No separator, so that a reader can tell records apart.
    OneRecord,
    Anything,
}

impl<'a> Lines<'a> {
    /// Creates a sink of lines to `output`.
    pub fn new(output: Output<'a>) -> Self {
        Self::separated(output, b'\n')
    }

    /// Creates a sink of records that end in a zero byte, as `xargs -0` reads them.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Lines::nul(Output::to("memory", &mut output));
    /// Pool::builder(&plugin).build()?.run(Items::new(["a", "b\nc"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"A\0B\nC\0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nul(output: Output<'a>) -> Self {
        Self::separated(output, 0)
    }

    fn separated(output: Output<'a>, separator: u8) -> Self {
        let (layout, content) = (Layout::default(), Content::OneRecord);
        Self { records: Records::new(output), separator, layout, content }
    }

    /// Leaves out items that failed.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Lines::new(Output::to("memory", &mut output)).skip_failed();
    /// Pool::builder(&plugin).build()?.run(Items::new(["!bad", "one"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"one\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn skip_failed(mut self) -> Self {
        self.layout.faults = Faults::Skipped;
        self
    }

    /// Allows the separator in records. By default, a record with a separator is a fault.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Lines::new(Output::to("memory", &mut output)).multiline();
    /// Pool::builder(&plugin).build()?.run(Items::new(["a\nb"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"A\nB\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn multiline(mut self) -> Self {
        self.content = Content::Anything;
        self
    }

    /// Writes a tag before each record: the item, or its path if it has one, and a tab. A tab or a separator in the
    /// item becomes a space, so that the first tab ends the tag.
    ///
    /// ```
    /// use mtl_host::sink::{Lines, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Lines::new(Output::to("memory", &mut output)).tagged();
    /// Pool::builder(&plugin).build()?.run(Items::new(["a", "b"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"a\tA\nb\tB\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tagged(mut self) -> Self {
        self.layout.tag = Tag::Item;
        self
    }
}

impl Sink for Lines<'_> {
    #[inline]
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        let Some(record) = self.layout.record(outcome) else {
            self.records.add_no_record();
            return Ok(());
        };
        self.records.add(|bytes| {
            self.layout.tag(outcome, Some(self.separator), bytes);
            bytes.extend_from_slice(record);
            bytes.push(self.separator);
            Ok(())
        })
    }

    fn rule(&self) -> RecordRule {
        match self.content {
            Content::OneRecord => RecordRule::Without(self.separator),
            Content::Anything => RecordRule::Any,
        }
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

    type Make = fn(Output<'static>) -> Lines<'static>;

    #[test]
    fn a_record_is_one_line_by_default() {
        let rule = |make: Make| make(Output::standard()).rule();
        assert_eq!(rule(Lines::new), RecordRule::Without(b'\n'));
        assert_eq!(rule(Lines::nul), RecordRule::Without(0));
        assert_eq!(rule(|output| Lines::new(output).multiline()), RecordRule::Any);
    }

    #[test]
    fn each_record_becomes_a_line() {
        let cases: [(Make, &str); 6] = [
            (Lines::new, "ONE\n\n\n\n"),
            (Lines::nul, "ONE\0\0\0\0"),
            (|output| Lines::new(output).skip_failed(), "ONE\n\n"),
            (|output| Lines::new(output).tagged(), "one\tONE\nempty\t\nb d\t\na b/c\t\n"),
            (|output| Lines::nul(output).tagged(), "one\tONE\0empty\t\0b d\t\0a\nb/c\t\0"),
            (|output| Lines::new(output).tagged().skip_failed(), "one\tONE\nempty\t\n"),
        ];
        for (sink, expected) in cases {
            assert_eq!(written(sink, &Example::all()), expected);
        }
    }
}
