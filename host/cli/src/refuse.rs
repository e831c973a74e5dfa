//! The end of a command that cannot start its work.

use std::sync::Arc;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::report::Report;

/// Reports the error to the user, and returns its exit code.
pub(crate) fn refuse(error: &CliError) -> Exit {
    Report::new(&Arc::new(Console::standard_error())).startup_error(error);
    Exit::of_error(error)
}
