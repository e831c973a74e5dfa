//! The command line. Only this crate prints, reads the environment and listens to signals.
//!
//! ```text
//! run_args (as typed) ─▶ settings ─▶ run ─▶ pool ─▶ faults ─▶ the real sink
//!                           ▲         │       └ events ─▶ report ─▶ console ◀─ progress
//!                  config (a file)    └ signals ─▶ stop flag
//! ```

mod beside;
mod build;
mod cache;
mod cache_args;
mod changeable;
mod check;
mod command_line;
mod compile;
mod config;
mod console;
mod counted;
mod descriptors;
mod doctor;
mod env_grant;
mod error;
mod escape;
mod exit;
mod faults;
mod faults_file;
mod finish_file;
mod formats;
mod grants;
mod hints;
mod init_arg;
mod inspect;
mod isolation_arg;
mod key_value;
mod limit_args;
mod lines_file;
mod listed;
mod listener;
mod machine;
mod misread;
mod nearest;
mod new;
mod number;
mod overwrite;
mod progress;
mod progress_args;
mod refuse;
mod report;
mod run;
mod run_args;
mod settings;
mod shell;
mod shown;
mod signals;
mod snapshot_args;
mod terminal;
mod time_span;
mod waiting;
mod worker_arg;
mod workers;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ContextValue;
use mtl_host::sink::Output;

use self::command_line::{Cli, Command};
use self::console::Console;
use self::descriptors::{Closed, Stream};
use self::error::CliError;
use self::exit::Exit;
use self::refuse::refuse;
use self::settings::{Asked, Refused};
use self::shown::Shown;
use self::terminal::{Raw, Style};

/// Parses and executes the command line, and returns the exit code of the process.
pub fn main() -> ExitCode {
    signals::take_full_files_as_errors();
    let exit = match settings::ask(std::env::args_os().collect()) {
        Ok(Asked::Do(command)) => execute(command),
        Ok(Asked::Show(text)) => show(&text),
        Err(Refused::Line(error)) => misused(error),
        Err(Refused::Settings(error)) => refuse(&error),
    };
    exit.into()
}

/// Returns the definition of the command line. For the reference in `host/docs`.
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

/// Returns the text that a command line shows instead of a run, or its error message. For `tests/fuzz`.
#[doc(hidden)]
pub fn shown_instead(line: Vec<OsString>) -> Result<Option<String>, String> {
    match settings::ask(line) {
        Ok(Asked::Show(text)) => Ok(Some(text)),
        Ok(_) => Ok(None),
        Err(Refused::Line(error)) => Err(error.to_string()),
        Err(Refused::Settings(error)) => {
            Err(format!("{error}\n{}", error.hint().unwrap_or_default()))
        }
    }
}

/// Shows the help, or the error of the command line. The typed text may contain an untrusted name.
fn misused(mut error: clap::Error) -> Exit {
    if !error.use_stderr() {
        if Stream::Output.was_closed() {
            return refuse(&Closed(Stream::Output).into());
        }
        let _ = error.print();
        return Exit::Success;
    }
    let typed = error.context().filter_map(|(kind, value)| Some((kind, fit_to_show(value)?)));
    for (kind, shown) in typed.collect::<Vec<_>>() {
        error.insert(kind, shown);
    }
    Console::standard_error().line(error.render().to_string().trim_end_matches('\n'));
    Exit::Usage
}

/// Returns a value with the typed text escaped, or `None` for a value without typed text.
fn fit_to_show(value: &ContextValue) -> Option<ContextValue> {
    let shown = |text: String| Shown::of(&text).to_string();
    match value {
        ContextValue::String(text) => Some(ContextValue::String(shown(text.clone()))),
        ContextValue::StyledStrs(texts) => {
            let texts = texts.iter().map(|text| shown(text.to_string()).into());
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
        return refuse(&Closed(Stream::Output).into());
    }
    let mut output = terminal::output(Output::standard(), Raw::No, Style::Json);
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // A reader that closed the pipe has all that it wanted.
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            refuse(&CliError::Show { source })
        }
        _ => Exit::Success,
    }
}
