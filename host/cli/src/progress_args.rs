//! Flags that say how a run shows its progress.

use clap::{Args, ValueEnum};

use super::number;

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// A bar, if standard error is a terminal and results go elsewhere
    Auto,
    /// A bar
    Always,
    /// None
    Never,
    /// A JSON object a second on standard error
    Json,
}

/// What is said on the way.
#[derive(Debug, Args)]
#[command(next_help_heading = "Progress")]
pub(crate) struct ProgressArgs {
    /// Whether to show how far the run is
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: Mode,

    /// Text before the bar
    #[arg(long, value_name = "TEXT")]
    pub(crate) desc: Option<String>,

    /// What items are called
    #[arg(long, value_name = "NAME", default_value = "item")]
    pub(crate) unit: String,

    /// How many items there will be, when the input does not tell
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
