//! The end of a command that cannot do what it is asked to.

use std::sync::Arc;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::report::Report;

/// Tells people why nothing is run.
pub(crate) fn refuse(error: &CliError) -> Exit {
    Report::to(&Arc::new(Console::standard_error())).cannot_begin(error);
    Exit::of_error(error)
}
