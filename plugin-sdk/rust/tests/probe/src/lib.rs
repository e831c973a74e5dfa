//! A worker whose items are commands, one for each part of an SDK. The tests in
//! `tests/integration/languages.rs` send the same commands to the probe of every SDK.

use mtl_plugin::context::{self, Format, Level};
use mtl_plugin::{Error, Failure, Worker};

struct Probe {
    arguments: String,
    json: bool,
    calls: u64,
}

impl Worker for Probe {
    type Init = Option<String>;
    type Item<'a> = &'a [u8];
    type Output<'a> = Option<Vec<u8>>;

    fn init(arguments: Option<String>) -> Result<Self, Error> {
        let arguments = arguments.unwrap_or_default();
        if let Some(message) = arguments.strip_prefix("fail ") {
            return Err(Error::new(message));
        }
        let json = arguments == "json";
        if json {
            context::result_format(Format::Json);
        }
        Ok(Self { arguments, json, calls: 0 })
    }

    fn call(&mut self, item: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.calls += 1;
        match self.answer(item)? {
            Some(record) if self.json => {
                Ok(Some(serde_json::to_vec(&String::from_utf8_lossy(&record))?))
            }
            other => Ok(other),
        }
    }

    fn finish(self) -> Result<impl mtl_plugin::IntoOutput, Error> {
        Ok(format!("calls: {}", self.calls))
    }
}

impl Probe {
    fn answer(&self, item: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(rest) = item.strip_prefix(b"echo ") {
            return Ok(Some(rest.to_vec()));
        }
        let item = str::from_utf8(item)?;
        let (command, rest) = item.split_once(' ').unwrap_or((item, ""));
        let record = match command {
            "" => String::new(),
            "bytes" => "x".repeat(rest.parse()?),
            "state" => self.calls.to_string(),
            "init" => self.arguments.clone(),
            "refuse" => return Err(Failure::refused(rest)),
            "bad" => return Err(Failure::bad_item(rest)),
            "skip" => return Ok(None),
            "worker" => format!("{}/{}", context::worker_index(), context::worker_count()),
            "format" => match context::item_format() {
                Format::Text => "text".into(),
                Format::Json => "json".into(),
            },
            "log" => log(rest)?,
            "trap" => panic!("trap requested"),
            _ => return Err(Failure::bad_item(format_args!("unknown command `{item}`"))),
        };
        Ok(Some(record.into_bytes()))
    }
}

fn log(rest: &str) -> Result<String, Failure> {
    let (level, message) = rest.split_once(' ').ok_or("no message")?;
    let level = match level {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => return Err(Failure::bad_item("unknown level")),
    };
    context::log(level, message);
    Ok("logged".into())
}

mtl_plugin::export!(Probe);
