//! The command line. Only this crate prints, reads the environment and handles signals.
//!
//! ```text
//! run_args (as typed) ─▶ settings ─▶ run ─▶ pool ─▶ faults ─▶ the real sink
//!                           ▲         │       └ events ─▶ report ─▶ console ◀─ progress
//!                  config (a file)    └ signals ─▶ stop flag
//! ```

mod build;
mod cache;
mod cache_args;
mod check;
mod command_line;
mod compile;
mod config;
mod console;
mod count_noun;
mod descriptors;
mod display_text;
mod doctor;
mod env_grant;
mod error;
mod escape;
mod exit;
mod faults;
mod faults_file;
mod finish_file;
mod finish_wait;
mod formats;
mod grants;
mod guest_writable;
mod hints;
mod init_arg;
mod inspect;
mod isolation_arg;
mod key_value;
mod limit_args;
mod lines_file;
mod new;
mod number;
mod overwrite;
mod progress;
mod progress_args;
mod refuse;
mod report;
mod run;
mod run_args;
mod run_observer;
mod settings;
mod shell;
mod side_file;
mod signals;
mod snapshot_args;
mod suggest;
mod system_limits;
mod terminal;
mod time_span;
mod wasm_input_check;
mod worker_arg;
mod worker_list;
mod workers;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ContextValue;
use mtl_host::sink::Output;

use self::command_line::{Cli, Command};
use self::console::Console;
use self::descriptors::{ClosedStreamError, Stream};
use self::display_text::DisplayText;
use self::error::CliError;
use self::exit::Exit;
use self::refuse::refuse;
use self::settings::{ParseFailure, ParsedCommand};
use self::terminal::{EscapeStyle, Raw};

/// Parses and executes the command line, and returns the exit code of the process.
pub fn main() -> ExitCode {
    signals::catch_file_size_signal();
    let exit = match settings::parse(std::env::args_os().collect()) {
        Ok(ParsedCommand::Execute(command)) => execute(command),
        Ok(ParsedCommand::Show(text)) => show(&text),
        Err(ParseFailure::CommandLine(error)) => show_clap_error(error),
        Err(ParseFailure::Settings(error)) => refuse(&error),
    };
    exit.into()
}

/// Returns the definition of the command line, for the reference in `host/docs`.
#[doc(hidden)]
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

fn execute(command: Command) -> Exit {
    match command {
        Command::Run(mut args) => run::run(&mut args),
        Command::Inspect(args) => inspect::inspect(&args, show),
        Command::New(args) => show_or_refuse(new::new(&args)),
        Command::Build(args) => show_or_refuse(build::build(&args)),
        Command::Check(args) => check::check(&args, show),
        Command::Compile(args) => show_or_refuse(compile::compile(&args)),
        Command::Cache(command) => show_or_refuse(cache::cache(&command)),
        Command::Doctor(args) => doctor::doctor(&args, show),
    }
}

/// Returns the text that a command line shows instead of a run, or its error message, for `tests/fuzz`.
#[doc(hidden)]
pub fn text_or_error(line: Vec<OsString>) -> Result<Option<String>, String> {
    match settings::parse(line) {
        Ok(ParsedCommand::Show(text)) => Ok(Some(text)),
        Ok(_) => Ok(None),
        Err(ParseFailure::CommandLine(error)) => Err(error.to_string()),
        Err(ParseFailure::Settings(error)) => {
            Err(format!("{error}\n{}", error.hint().unwrap_or_default()))
        }
    }
}

/// Shows the help, or an error in the command line. The error quotes text of the command line, which may contain an
/// untrusted name. The quoted text is therefore escaped.
fn show_clap_error(mut error: clap::Error) -> Exit {
    if !error.use_stderr() {
        if Stream::Output.was_closed() {
            return refuse(&ClosedStreamError(Stream::Output).into());
        }
        let _ = error.print();
        return Exit::Success;
    }
    let typed = error.context().filter_map(|(kind, value)| Some((kind, escape_value(value)?)));
    for (kind, value) in typed.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    Console::standard_error().print_line(error.render().to_string().trim_end_matches('\n'));
    Exit::Usage
}

/// Returns a value with the typed text escaped, or `None` for a value without typed text.
fn escape_value(value: &ContextValue) -> Option<ContextValue> {
    let escaped = |text: String| DisplayText::of(&text).to_string();
    match value {
        ContextValue::String(text) => Some(ContextValue::String(escaped(text.clone()))),
        ContextValue::StyledStrs(texts) => {
            let texts = texts.iter().map(|text| escaped(text.to_string()).into());
            Some(ContextValue::StyledStrs(texts.collect()))
        }
        _ => None,
    }
}

fn show_or_refuse<E: Into<CliError>>(text: Result<String, E>) -> Exit {
    text.map_or_else(|error| refuse(&error.into()), |text| show(&text))
}

fn show(text: &str) -> Exit {
    if Stream::Output.was_closed() {
        return refuse(&ClosedStreamError(Stream::Output).into());
    }
    let mut output = terminal::output(Output::standard(), Raw::No, EscapeStyle::Json);
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // A reader that closed the pipe needs no more output.
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            refuse(&CliError::Show { source })
        }
        _ => Exit::Success,
    }
}
