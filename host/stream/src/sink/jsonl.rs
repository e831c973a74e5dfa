//! Output as JSON lines: one object for each item.
//!
//! The sink writes each object directly to its buffer and builds no JSON tree in memory.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use super::layout::{Faults, Layout, Tag};
use super::records::Records;
use super::{Output, Sink, SinkError};
use crate::item::fault::Fault;
use crate::json_value::JsonValue;
use crate::outcome::{Outcome, RecordRule};

/// A sink that writes `{"index":0,"ok":…}` for a record and
/// `{"index":0,"error":{"kind":…,"message":…}}` for an item that failed. It writes nothing for an
/// item without a record. If the item is the content of a file, the object has a member `"path"`
/// after the index.
///
/// A JSON record stays JSON, on one line. A record in another format becomes a string, or
/// `{"base64":…}` if it is not UTF-8.
///
/// ```
/// use mtl_host::sink::{Jsonl, Output};
/// use mtl_host::source::Items;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
/// let mut output = Vec::new();
/// let mut sink = Jsonl::new(Output::to("memory", &mut output));
/// Pool::builder(&plugin).build()?.run(Items::new(["one", "!bad"]), &mut sink).into_result()?;
/// drop(sink);
/// assert_eq!(output, concat!(
///     r#"{"index":0,"ok":"one"}"#, "\n",
///     r#"{"index":1,"error":{"kind":"refused","message":"!bad"}}"#, "\n",
/// ).as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a sink writes only the outcomes that it gets"]
pub struct Jsonl<'a> {
    records: Records<'a>,
    layout: Layout,
}

impl<'a> Jsonl<'a> {
    /// Creates a sink of JSON lines to `output`.
    pub fn new(output: Output<'a>) -> Self {
        Self { records: Records::new(output), layout: Layout::default() }
    }

    /// Leaves out items that failed.
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/judge.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Jsonl::new(Output::to("memory", &mut output)).skip_failed();
    /// Pool::builder(&plugin).build()?.run(Items::new(["!bad", "one"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"{\"index\":1,\"ok\":\"one\"}\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn skip_failed(mut self) -> Self {
        self.layout.faults = Faults::Skipped;
        self
    }

    /// Adds a member `"item"` to each object that has no `"path"`. The item becomes a string, even
    /// if it is JSON.
    ///
    /// ```
    /// use mtl_host::sink::{Jsonl, Output};
    /// use mtl_host::source::Items;
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
    /// let mut output = Vec::new();
    /// let mut sink = Jsonl::new(Output::to("memory", &mut output)).tagged();
    /// Pool::builder(&plugin).build()?.run(Items::new(["a"]), &mut sink).into_result()?;
    /// drop(sink);
    /// assert_eq!(output, b"{\"index\":0,\"item\":\"a\",\"ok\":\"A\"}\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tagged(mut self) -> Self {
        self.layout.tag = Tag::Item;
        self
    }
}

impl Sink for Jsonl<'_> {
    fn write(&mut self, outcome: &Outcome<'_>) -> Result<(), SinkError> {
        if self.layout.record(outcome).is_none() {
            self.records.add_no_record();
            return Ok(());
        }
        self.records.add(|bytes| {
            put_outcome(outcome, self.layout.tag, bytes);
            Ok(())
        })
    }

    fn rule(&self) -> RecordRule {
        RecordRule::ValidJson
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

fn put_outcome(outcome: &Outcome<'_>, tag: Tag, bytes: &mut Vec<u8>) {
    write!(bytes, "{{\"index\":{}", outcome.index).expect("writing to a vector never fails");
    match (outcome.path, tag) {
        (Some(path), _) => {
            bytes.extend_from_slice(b",\"path\":");
            JsonValue::text(path.as_os_str().as_bytes()).append_to(bytes);
        }
        (None, Tag::Item) => {
            bytes.extend_from_slice(b",\"item\":");
            JsonValue::text(outcome.item).append_to(bytes);
        }
        (None, Tag::None) => {}
    }
    match outcome.result {
        Ok(record) => {
            bytes.extend_from_slice(b",\"ok\":");
            JsonValue::checked(record.unwrap_or_default(), outcome.format).append_to(bytes);
        }
        Err(fault) => {
            bytes.extend_from_slice(b",\"error\":");
            put_fault(fault, bytes);
        }
    }
    bytes.extend_from_slice(b"}\n");
}

fn put_fault(fault: &Fault, bytes: &mut Vec<u8>) {
    write!(bytes, "{{\"kind\":\"{}\",\"message\":", fault.kind())
        .expect("writing to a vector never fails");
    JsonValue::text(fault.message().as_bytes()).append_to(bytes);
    bytes.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::format::Format;
    use crate::sink::outcomes::{Example, written};

    type Make = fn(Output<'static>) -> Jsonl<'static>;

    #[test]
    fn each_outcome_becomes_a_json_object() {
        let failed = r#""error":{"kind":"refused","message":"no \"why\""}"#;
        let all = format!(
            r#"{{"index":0,"ok":"ONE"}}
{{"index":1,"ok":""}}
{{"index":3,{failed}}}
{{"index":4,"path":"a\nb/c",{failed}}}
"#
        );
        let tagged = format!(
            r#"{{"index":0,"item":"one","ok":"ONE"}}
{{"index":1,"item":"empty","ok":""}}
{{"index":3,"item":"b\td",{failed}}}
{{"index":4,"path":"a\nb/c",{failed}}}
"#
        );
        let skipped = "{\"index\":0,\"ok\":\"ONE\"}\n{\"index\":1,\"ok\":\"\"}\n";
        let cases: [(Make, &str); 3] = [
            (Jsonl::new, &all),
            (|output| Jsonl::new(output).tagged(), &tagged),
            (|output| Jsonl::new(output).skip_failed(), skipped),
        ];
        for (sink, expected) in cases {
            assert_eq!(written(sink, &Example::all()), expected);
        }
    }

    #[test]
    fn a_record_appears_as_text_json_or_base64() {
        let cases: [(&[u8], Format, &str); 3] = [
            (b"{\"a\":1}", Format::Text, r#""{\"a\":1}""#),
            (b"\xff\xfe", Format::Text, r#"{"base64":"//4="}"#),
            (b"\n[1,\r\n2]\n", Format::Json, "[1,  2]"),
        ];
        for (record, format, expected) in cases {
            let example = Example { format, ..Example::record("item", record) };
            let line = written(Jsonl::new, &[example]);
            assert_eq!(line, format!("{{\"index\":0,\"ok\":{expected}}}\n"));
        }
    }

    #[test]
    fn a_non_utf_8_path_is_written_as_base64() {
        let example = Example { path: Some(b"\xff"), ..Example::record("item", b"1") };
        let line = written(Jsonl::new, &[example]);
        assert_eq!(line, "{\"index\":0,\"path\":{\"base64\":\"/w==\"},\"ok\":\"1\"}\n");
    }
}
