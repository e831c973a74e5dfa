//! The flags for the progress of a run.

use clap::{Args, ValueEnum};

use super::number;

/// The form in which progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// A bar if standard error is a terminal and results go elsewhere
    Auto,
    /// A bar
    Always,
    /// No progress
    Never,
    /// A JSON object on standard error every second
    Json,
}

/// The flags about progress and the summary.
#[derive(Debug, Args)]
#[command(next_help_heading = "Progress")]
pub(crate) struct ProgressArgs {
    /// Form of the progress on standard error
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: Mode,

    /// Text before the bar
    #[arg(long, value_name = "TEXT")]
    pub(crate) desc: Option<String>,

    /// Word for an item, in the bar
    #[arg(long, value_name = "NAME", default_value = "item")]
    pub(crate) unit: String,

    /// Number of items, for an input whose size is unknown
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        value_parser = number::items::<u64>
    )]
    pub(crate) total: Option<u64>,

    /// Leave out the summary at the end
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
