//! The formats of items and results, by name, with their sources and sinks.

use std::fmt;

use clap::ValueEnum;
use mtl_host::Format;
use mtl_host::sink::{self, Output, Sink};
use mtl_host::source::{self, Inputs, ItemLimit, Source};

use super::terminal::EscapeStyle;

/// The format of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// One item per line
    Lines,
    /// Items end in a zero byte, as `find -print0` writes them
    Nul,
    /// One JSON value per line; a line that is not JSON is a fault, a blank line is skipped
    Jsonl,
    /// Binary frames: a length of 4 bytes, little-endian, and then the item
    Frames,
    /// Each line names a file; the item is the name
    Paths,
    /// Each line names a file; the item is its content
    Files,
}

impl InputFormat {
    /// Returns the format of items, which the plugin can query.
    pub(crate) fn item_format(self) -> Format {
        match self {
            Self::Jsonl => Format::Json,
            Self::Lines | Self::Nul | Self::Frames | Self::Paths | Self::Files => Format::Text,
        }
    }

    /// Returns whether each item is a file or the name of a file.
    pub(crate) fn names_files(self) -> bool {
        match self {
            Self::Paths | Self::Files => true,
            Self::Lines | Self::Nul | Self::Jsonl | Self::Frames => false,
        }
    }

    /// Returns whether the host reads each item from the file that its line names.
    pub(crate) fn reads_files(self) -> bool {
        self == Self::Files
    }

    /// Returns a source of the items in `inputs`, each up to `limit`.
    pub(crate) fn source(self, inputs: Inputs, limit: ItemLimit) -> Box<dyn Source> {
        match self {
            Self::Lines | Self::Paths => Box::new(source::Lines::new(inputs).item_limit(limit)),
            Self::Nul => Box::new(source::Lines::nul(inputs).item_limit(limit)),
            Self::Jsonl => Box::new(source::Jsonl::new(inputs).item_limit(limit)),
            Self::Frames => Box::new(source::Frames::new(inputs).item_limit(limit)),
            Self::Files => Box::new(source::Files::new(inputs).item_limit(limit)),
        }
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no format is hidden");
        f.write_str(value.get_name())
    }
}

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One result per line; a failed item leaves an empty line
    Lines,
    /// Results end in a zero byte, as `xargs -0` takes them
    Nul,
    /// {"index":0,"ok":…} or {"index":0,"error":{"kind":…,"message":…}}
    Jsonl,
    /// Binary frames: a length of 4 bytes, little-endian, and then the result
    Frames,
}

/// The flags that select the written records and change their form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordOptions {
    pub(crate) skip_failed: bool,
    pub(crate) multiline: bool,
    pub(crate) tag: bool,
}

impl OutputFormat {
    /// Returns the style in which control characters are escaped for a terminal.
    pub(crate) fn style(self) -> EscapeStyle {
        match self {
            Self::Jsonl => EscapeStyle::Json,
            Self::Lines | Self::Nul | Self::Frames => EscapeStyle::Text,
        }
    }

    /// Returns a sink that writes results to `output`.
    pub(crate) fn sink(self, output: Output<'static>, layout: RecordOptions) -> Box<dyn Sink> {
        match self {
            Self::Lines => lines(sink::Lines::new(output), layout),
            Self::Nul => lines(sink::Lines::nul(output), layout),
            Self::Jsonl => {
                let sink = sink::Jsonl::new(output);
                let sink = if layout.skip_failed { sink.skip_failed() } else { sink };
                Box::new(if layout.tag { sink.tagged() } else { sink })
            }
            Self::Frames => {
                let sink = sink::Frames::new(output);
                let sink = if layout.skip_failed { sink.skip_failed() } else { sink };
                Box::new(if layout.tag { sink.tagged() } else { sink })
            }
        }
    }
}

fn lines(sink: sink::Lines<'static>, layout: RecordOptions) -> Box<dyn Sink> {
    let sink = if layout.skip_failed { sink.skip_failed() } else { sink };
    let sink = if layout.multiline { sink.multiline() } else { sink };
    Box::new(if layout.tag { sink.tagged() } else { sink })
}

/// The format of results, which overrides the plugin's declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// Plain text: a string in `jsonl` output
    Text,
    /// A JSON value, also in `jsonl` output; a result that is not JSON is a fault
    Json,
}

impl From<ResultFormat> for Format {
    fn from(format: ResultFormat) -> Self {
        match format {
            ResultFormat::Text => Self::Text,
            ResultFormat::Json => Self::Json,
        }
    }
}
