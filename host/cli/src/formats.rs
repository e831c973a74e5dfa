//! The names of formats, and what reads and writes them.

use std::fmt;

use clap::ValueEnum;
use mtl_host::Format;
use mtl_host::sink::{self, Output, Sink};
use mtl_host::source::{self, Inputs, ItemLimit, Source};

use super::terminal::Style;

/// How items stand in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// One item a line
    Lines,
    /// Items end in a zero byte, as `find -print0` writes them
    Nul,
    /// One JSON value a line; a line that is none is a faulty item, and a blank line is no item
    Jsonl,
    /// Each item after its length: 4 bytes, little-endian
    Frames,
    /// Each line names a file; the item is the name
    Paths,
    /// Each line names a file; the item is what is in it
    Files,
}

impl InputFormat {
    /// What the plugin is told that its items are.
    pub(crate) fn item_format(self) -> Format {
        match self {
            Self::Jsonl => Format::Json,
            Self::Lines | Self::Nul | Self::Frames | Self::Paths | Self::Files => Format::Text,
        }
    }

    /// Whether each item is a file, or the name of one.
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

    /// The items of `inputs`, each of up to `limit`.
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

/// How results stand in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One result a line; a failed item leaves an empty one
    Lines,
    /// Results end in a zero byte, as `xargs -0` takes them
    Nul,
    /// {"index":0,"ok":…} or {"index":0,"error":{"kind":…,"message":…}}
    Jsonl,
    /// Each result after its length: 4 bytes, little-endian
    Frames,
}

/// What is written beside the results, or left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) skip_failed: bool,
    pub(crate) multiline: bool,
    pub(crate) tag: bool,
}

impl OutputFormat {
    /// Returns how a terminal shows signs that would steer it.
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Jsonl => Style::Json,
            Self::Lines | Self::Nul | Self::Frames => Style::Text,
        }
    }

    /// A sink that writes results to `output`.
    pub(crate) fn sink(self, output: Output<'static>, layout: Layout) -> Box<dyn Sink> {
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

fn lines(sink: sink::Lines<'static>, layout: Layout) -> Box<dyn Sink> {
    let sink = if layout.skip_failed { sink.skip_failed() } else { sink };
    let sink = if layout.multiline { sink.multiline() } else { sink };
    Box::new(if layout.tag { sink.tagged() } else { sink })
}

/// What results are, whatever the plugin says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// Strings in jsonl output
    Text,
    /// Themselves in jsonl output; one that is not JSON is a fault
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
