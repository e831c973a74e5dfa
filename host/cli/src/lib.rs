//! The command line. Only here does anything print, read the environment or listen to signals.
//!
//! ```text
//! run_args (as typed) ─▶ settings ─▶ run (as meant) ─▶ pool ─▶ faults ─▶ the real sink
//!                           ▲          │                 └ events ─▶ report ─▶ console ◀─ progress
//!                  config (a file)     └ signals ─▶ stop flag
//! ```

mod beside;
mod build;
mod cache;
mod cache_args;
mod changeable;
mod check;
mod compile;
mod config;
mod console;
mod descriptors;
mod doctor;
mod env_grant;
mod error;
mod escape;
mod exit;
mod faults;
mod finish_file;
mod formats;
mod init_arg;
mod inspect;
mod isolation_arg;
mod limit_args;
mod lines_file;
mod listener;
mod machine;
mod misread;
mod nearest;
mod new;
mod number;
mod overwrite;
mod progress;
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

use clap::error::ContextValue;
use clap::{Parser, Subcommand};
use mtl_host::sink::Output;

use self::build::BuildArgs;
use self::cache::CacheCommand;
use self::check::CheckArgs;
use self::compile::PrecompileArgs;
use self::console::Console;
use self::descriptors::Stream;
use self::doctor::DoctorArgs;
use self::error::CliError;
use self::exit::Exit;
use self::inspect::InspectArgs;
use self::new::NewArgs;
use self::run_args::RunArgs;
use self::settings::{Asked, Refused};
use self::shown::Shown;
use self::terminal::{Raw, Style};

/// Runs WebAssembly plugins as stateful workers over a stream of items
#[derive(Debug, Parser)]
#[command(
    name = "mtl-host",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<RunArgs>),
    Inspect(InspectArgs),
    New(NewArgs),
    Build(BuildArgs),
    Check(Box<CheckArgs>),
    Compile(PrecompileArgs),
    Cache(CacheCommand),
    Doctor(DoctorArgs),
}

/// Parses the command line, does what it says, and returns the exit code of the process.
pub fn main() -> ExitCode {
    signals::take_full_files_as_errors();
    let exit = match settings::ask(std::env::args_os().collect()) {
        Ok(Asked::Run(mut args)) => run::run(&mut args),
        Ok(Asked::Show(text)) => show(&text),
        Ok(Asked::Inspect(args)) => inspect::inspect(&args, show),
        Ok(Asked::New(args)) => new::new(&args, show),
        Ok(Asked::Build(args)) => build::build(&args, show),
        Ok(Asked::Check(args)) => check::check(&args, show),
        Ok(Asked::Compile(args)) => compile::compile(&args, show),
        Ok(Asked::Cache(command)) => cache::cache(&command, show),
        Ok(Asked::Doctor(args)) => doctor::doctor(&args, show),
        Err(Refused::Line(error)) => misused(error),
        Err(Refused::Settings(error)) => run::refuse(&error),
    };
    exit.into()
}

/// Returns what a command line shows instead of a run, or the message of its refusal. For `tests/fuzz`.
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

/// Shows the help, or why the command line is none. What was typed may be a name that others chose.
fn misused(mut error: clap::Error) -> Exit {
    if !error.use_stderr() {
        if Stream::Output.was_closed() {
            return run::refuse(&CliError::Closed { stream: Stream::Output });
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

/// The same, where it may hold what was typed.
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

fn show(text: &str) -> Exit {
    if Stream::Output.was_closed() {
        return run::refuse(&CliError::Closed { stream: Stream::Output });
    }
    let mut output = terminal::output(Output::standard(), Raw::No, Style::Json);
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever closed the pipe has what they wanted.
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            run::refuse(&CliError::Show { source })
        }
        _ => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_fits_into_80_columns() {
        let mut command = Cli::command();
        let run = command.find_subcommand_mut("run").unwrap();
        let help = run.clone().term_width(80).render_long_help().to_string();
        assert!(
            help.contains("after Ctrl-C, what is in the workers is finished and\n       written")
        );
        for name in ["run", "inspect", "new", "build", "check", "compile", "cache", "doctor"] {
            let command = command.find_subcommand_mut(name).unwrap();
            let help = command.clone().term_width(80).render_long_help().to_string();
            let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert_eq!(wide, [""; 0], "{name}");
        }
    }
}
