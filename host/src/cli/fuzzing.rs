//! What a fuzz target asks of the command.

use std::ffi::OsString;

use super::settings::{Asked, Refused, ask};

/// What `mtl-host` shows, or would say, when this is its command line; nothing, if it would run.
pub(crate) fn shown(line: Vec<OsString>) -> Result<Option<String>, String> {
    match ask(line) {
        Ok(Asked::Show(text)) => Ok(Some(text)),
        Ok(_) => Ok(None),
        Err(Refused::Line(error)) => Err(error.to_string()),
        Err(Refused::Settings(error)) => {
            Err(format!("{error}\n{}", error.hint().unwrap_or_default()))
        }
    }
}
