//! `--faults FILE`: each fault as a line of JSON. A user can examine the faults, or run their items again. If an item
//! has no fault, but its result is not in the output, the file has a line for this item. Each item that was read is
//! therefore in the output or in this file.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mtl_host::sink::{OmitReason, OutputFile, SinkError};
use mtl_host::{Fault, FaultKind, Outcome};
use serde::Serialize;

use crate::display_text::DisplayText;
use crate::lines_file::LinesFile;
use crate::terminal::Raw;

/// The file of faults.
#[derive(Debug)]
pub(crate) struct FaultsFile {
    path: PathBuf,
    lines: LinesFile,
    /// The buffer for one line.
    line: Vec<u8>,
    /// Is true if an item was run. Only then do the lines replace those of an earlier run.
    has_run_items: bool,
}

/// Error of writing the file of faults.
#[derive(Debug, thiserror::Error)]
#[error("cannot write faults to `{}`", DisplayText::of(path))]
pub(crate) struct FaultsFileError {
    path: PathBuf,
    source: io::Error,
}

impl FaultsFileError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        OutputFile::hint(&self.source)
    }
}

/// One line of the file.
#[derive(Serialize)]
struct Line<'a> {
    index: u64,
    kind: &'static str,
    message: &'a str,
    worker: Option<u32>,
    /// The content of the item; absent if the item is a file, which may be long and can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Text<'a>>,
}

/// Bytes as JSON, without loss.
#[derive(Serialize)]
#[serde(untagged)]
enum Text<'a> {
    Utf8(&'a str),
    Other { base64: String },
}

impl FaultsFile {
    /// Opens the file. It keeps its content until the first line is written.
    pub(crate) fn open(path: &Path, raw: Raw) -> Result<Self, FaultsFileError> {
        let path = path.to_owned();
        match LinesFile::open(&path, raw) {
            Ok(lines) => Ok(Self { path, lines, line: Vec::new(), has_run_items: false }),
            Err(source) => Err(FaultsFileError { path, source }),
        }
    }

    /// Returns the file itself.
    pub(crate) fn file(&self) -> OutputFile {
        self.lines.file()
    }

    pub(super) fn write(
        &mut self,
        fault: &Fault,
        outcome: &Outcome<'_>,
    ) -> Result<(), FaultsFileError> {
        self.has_run_items |= fault.kind() != FaultKind::NotRun;
        self.add(&Line::of(fault, outcome.item, outcome.path))
    }

    /// Writes a line for an item that is done and whose result is not in the output.
    pub(super) fn write_unwritten(
        &mut self,
        outcome: &Outcome<'_>,
        reason: OmitReason,
    ) -> Result<(), FaultsFileError> {
        self.has_run_items = true;
        self.add(&Line {
            index: outcome.index.get(),
            kind: "not-written",
            message: match reason {
                OmitReason::Lost => "the item was done, but its result could not be written",
                _ => "the item was done, but the output ended before its result",
            },
            worker: None,
            ..Line::of_item(outcome.item, outcome.path)
        })
    }

    fn add(&mut self, line: &Line<'_>) -> Result<(), FaultsFileError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).expect("writing to a vector cannot fail");
        self.line.push(b'\n');
        if !self.may_write() {
            self.lines.gather(&self.line);
            return Ok(());
        }
        let added = self.lines.add(&self.line);
        added.map_err(|source| self.failed(source))
    }

    /// Returns whether this run may replace the lines of an earlier run. While no item has run, the lines of the
    /// earlier run stay in the file, for example because no worker can start.
    fn may_write(&self) -> bool {
        self.has_run_items || self.lines.has_begun()
    }

    pub(super) fn flush(&mut self) -> Result<(), FaultsFileError> {
        if !self.may_write() {
            return Ok(());
        }
        self.lines.flush().map_err(|source| self.failed(source))
    }

    /// Waits until the faults are on the disk.
    pub(super) fn sync(&self) -> Result<(), SinkError> {
        let name = || DisplayText::of(&self.path).to_string();
        self.lines.sync().map_err(|source| SinkError::Sync { name: name(), source })
    }

    fn failed(&self, source: io::Error) -> FaultsFileError {
        FaultsFileError { path: self.path.clone(), source }
    }
}

impl<'a> Line<'a> {
    fn of(fault: &'a Fault, item: &'a [u8], path: Option<&'a Path>) -> Self {
        Self {
            index: fault.index().get(),
            kind: fault.kind().name(),
            message: fault.message(),
            worker: fault.worker().map(|worker| worker.get()),
            ..Self::of_item(item, path)
        }
    }

    fn of_item(item: &'a [u8], path: Option<&'a Path>) -> Self {
        Self {
            index: 0,
            kind: "",
            message: "",
            worker: None,
            item: path.is_none().then(|| Text::of(item)),
            path: path.map(|path| Text::of(path.as_os_str().as_bytes())),
        }
    }
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text),
            Err(_) => Self::Other { base64: STANDARD.encode(bytes) },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use mtl_host::{Engine, Plugin, Pool};

    use super::*;

    /// Returns a fault of item 1, on which the plugin fails. Only a run can create a fault.
    fn fault() -> Fault {
        let wat = "(module (memory (export \"memory\") 1)
          (func (export \"mtl_alloc\") (param i32) (result i32) i32.const 8)
          (func (export \"call\") (param i32 i32) (result i64) i64.const -1))";
        let engine = Engine::new().unwrap();
        let plugin = Plugin::from_bytes(&engine, "broken", wat.as_bytes()).unwrap();
        let mut pool = Pool::builder(&plugin).jobs("1".parse().unwrap()).build().unwrap();
        let mut results = pool.map(["a"]);
        results.next().unwrap().unwrap_err()
    }

    #[test]
    fn each_fault_becomes_one_json_line() {
        let fault = fault();
        let message = serde_json::to_string(fault.message()).unwrap();
        let head = format!(
            "{{\"index\":0,\"kind\":\"{}\",\"message\":{message},\"worker\":0",
            fault.kind()
        );
        let path = Some(Path::new("a/b"));
        let odd = Some(Path::new(OsStr::from_bytes(b"\xff")));
        let cases: [(&[u8], _, &str); 4] = [
            (b"a\"b", None, r#""item":"a\"b""#),
            (b"\xff", None, r#""item":{"base64":"/w=="}"#),
            (b"content", path, r#""path":"a/b""#),
            (b"content", odd, r#""path":{"base64":"/w=="}"#),
        ];
        for (item, path, tail) in cases {
            let line = serde_json::to_string(&Line::of(&fault, item, path)).unwrap();
            assert_eq!(line, format!("{head},{tail}}}"));
        }
    }
}
